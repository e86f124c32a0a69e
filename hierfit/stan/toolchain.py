"""Choice of the user -> Toolchain: what turns a Stan program into an executable.

Two makers, one value. `bundled_toolchain` takes Stan from the files of the httpstan wheel (stanc, headers, Eigen,
Boost, SUNDIALS, TBB; the package is found but never imported) and compiles hierfit's own driver, unless the programs
came along compiled (`shipped`); `cmdstan_toolchain` takes a CmdStan that the user has set up. Nothing downstream of
`build_executable` knows which of them made an executable."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hierfit.errors import ToolchainError, UsageError, did_you_mean
from hierfit.stan.shipped import Shipment, find_shipment

Kind = Literal["bundled", "cmdstan"]
CHOICES = ("auto", "bundled", "cmdstan")
DRIVER = Path(__file__).parent / "driver"

# The macros that change layout or behaviour must be the same in every object that is linked, and -march and alignment
# flags are never given: objects that differ in them abort at run time. Without STAN_THREADS autodiff needs no
# thread-local tape. httpstan's _GLIBCXX_USE_CXX11_ABI=0 is not needed: no function of TBB that Stan calls takes a
# string.
COMMON_FLAGS = ("-std=c++17", "-D_REENTRANT", "-DBOOST_DISABLE_ASSERTS", "-w")
MODEL_FLAGS = ("-O3",)  # -O2 is compiled a twentieth sooner, and samples a seventh slower
MODEL_BASE = DRIVER / "model_base.hpp"
DRIVER_FLAGS = ("-O1",)  # -O2 and -O3 take longer and sample no faster

COMPILER_ADVICE = (
    "Install a C++ compiler: `sudo apt install g++` (Debian, Ubuntu), `sudo dnf install gcc-c++` (Fedora) or "
    "`conda install -c conda-forge gxx`. `hierfit doctor` shows what is found."
)
CMDSTAN_ADVICE = (
    "`hierfit doctor --install-cmdstan` installs CmdStan; an existing one is found through the variable CMDSTAN."
)


@dataclass(frozen=True)
class Toolchain:
    """What turns a Stan program into an executable.

    Attributes:
        kind: "bundled" or "cmdstan".
        stan_version: such as "2.35.0".
        root: the httpstan package or the CmdStan folder.
        stanc: the Stan-to-C++ compiler.
        compiler: the words that start the C++ compiler; empty when none is found.
        compiler_version: first line of its --version; empty when none is found.
        flags: flags of the model and of the driver; empty for CmdStan, whose makefile has its own.
        fingerprint: hex digest of all that decides what an executable of this toolchain does.
        shipped: whether it is no more than the executables that a platform wheel carries; it compiles nothing.
    """

    kind: Kind
    stan_version: str
    root: Path
    stanc: Path
    compiler: tuple[str, ...]
    compiler_version: str
    flags: tuple[str, ...]
    fingerprint: str
    shipped: bool = False

    def require_compiler(self) -> None:
        """Raise ToolchainError when nothing can be compiled: no C++ compiler, or no Stan to compile with."""
        if self.shipped:
            raise ToolchainError(
                f"This installation of hierfit carries compiled Stan programs, and this one is not in {self.root}.",
                hint=f"Install it again. To compile other programs: {CMDSTAN_ADVICE}",
            )
        if self.compiler:
            return
        looked_for = f"CXX={os.environ['CXX']}" if os.environ.get("CXX") else "g++ and clang++"
        raise ToolchainError(
            f"Building a Stan program needs a C++ compiler; looked for {looked_for} on PATH and found none.",
            hint=COMPILER_ADVICE,
        )


def find_toolchain(choice: str = "auto") -> Toolchain:
    """Return the toolchain of that name.

    auto takes the programs that came along compiled, else a CmdStan that the user has set up, else the bundled one.

    Raises:
        UsageError: an unknown choice.
        ToolchainError: the toolchain is not on this machine.
    """
    if choice not in CHOICES:
        raise UsageError(
            f"Unknown toolchain '{choice}'.{did_you_mean(choice, CHOICES)}", hint=f"Choose from: {', '.join(CHOICES)}."
        )
    if choice == "auto":
        choice = "bundled" if find_shipment() is not None or cmdstan_folder() is None else "cmdstan"
    return cmdstan_toolchain() if choice == "cmdstan" else bundled_toolchain()


def bundled_toolchain() -> Toolchain:
    """Return what came with hierfit: the compiled programs of a platform wheel, or httpstan's files and the driver.

    Raises:
        ToolchainError: httpstan is not installed or lacks files.
    """
    shipment = find_shipment()
    return httpstan_toolchain() if shipment is None else _shipped_toolchain(shipment)


def _shipped_toolchain(shipment: Shipment) -> Toolchain:
    parts = (shipment.stan_version, shipment.compiler_version, str(shipment.folder))
    fingerprint = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return Toolchain(
        kind="bundled",
        stan_version=shipment.stan_version,
        root=shipment.folder,
        stanc=shipment.folder / "stanc",
        compiler=(),
        compiler_version=shipment.compiler_version,
        flags=(),
        fingerprint=fingerprint,
        shipped=True,
    )


def httpstan_toolchain() -> Toolchain:
    """Return the toolchain that is made of httpstan's files and hierfit's driver.

    Raises:
        ToolchainError: httpstan is not installed or lacks files.
    """
    root = httpstan_folder()
    if root is None or not (root / "stanc").is_file():
        raise ToolchainError(
            "Stan is not on this machine: the package httpstan, which carries it, is not installed (it has wheels for "
            "Linux on x86-64 only).",
            hint=f"On Linux x86-64: pip install httpstan. Elsewhere: {CMDSTAN_ADVICE}",
        )
    version = _stan_version(root / "include" / "stan" / "version.hpp")
    return _toolchain("bundled", version, root, root / "stanc", (*COMMON_FLAGS, *MODEL_FLAGS, *DRIVER_FLAGS))


def cmdstan_toolchain() -> Toolchain:
    """Return the toolchain of the CmdStan that the user has set up.

    Raises:
        ToolchainError: there is none, or it is not built.
    """
    root = cmdstan_folder()
    if root is None:
        given = os.environ.get("CMDSTAN")
        where = f"CMDSTAN={given} is not a built CmdStan" if given else f"none is built in {_cmdstan_home()}"
        raise ToolchainError(f"No CmdStan found: {where} (wanted: makefile and bin/stanc).", hint=CMDSTAN_ADVICE)
    return _toolchain("cmdstan", _cmdstan_version(root / "makefile"), root, root / "bin" / "stanc", ())


def httpstan_folder() -> Path | None:
    """Return the folder of the httpstan package without importing it; None when it is not installed."""
    spec = importlib.util.find_spec("httpstan")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def cmdstan_folder() -> Path | None:
    """Return the built CmdStan of the variable CMDSTAN or, without that, the newest in cmdstanpy's default place."""
    given = os.environ.get("CMDSTAN")
    places = [Path(given)] if given else sorted(_cmdstan_home().glob("cmdstan-*"), key=_version_key, reverse=True)
    for place in places:
        if (place / "makefile").is_file() and (place / "bin" / "stanc").is_file():
            return place
    return None


def find_compiler() -> tuple[str, ...]:
    """Return the words that start the C++ compiler: $CXX, g++ or clang++; empty when none is on PATH."""
    candidates = [os.environ["CXX"]] if os.environ.get("CXX") else ["g++", "clang++"]
    for candidate in candidates:
        words = shlex.split(candidate)
        if words and shutil.which(words[0]):
            return tuple(words)
    return ()


def driver_sources() -> tuple[Path, ...]:
    """Return the files of the C++ driver, sorted by name."""
    return tuple(sorted([*DRIVER.glob("*.cpp"), *DRIVER.glob("*.hpp")]))


def _toolchain(kind: Kind, version: str, root: Path, stanc: Path, flags: tuple[str, ...]) -> Toolchain:
    compiler = find_compiler()
    compiler_version = _compiler_version(compiler)
    parts = [kind, version, *compiler, compiler_version, *flags]
    if kind == "bundled":
        parts += [source.name + source.read_text() for source in driver_sources()]
    else:
        parts.append(str(root.resolve()))
    fingerprint = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return Toolchain(kind, version, root, stanc, compiler, compiler_version, flags, fingerprint)


def _compiler_version(compiler: tuple[str, ...]) -> str:
    if not compiler:
        return ""
    try:
        answer = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (answer.stdout or answer.stderr).strip().partition("\n")[0]


def _stan_version(header: Path) -> str:
    """Read "2.35.0" from stan/version.hpp."""
    found = dict(re.findall(r"#define STAN_(MAJOR|MINOR|PATCH) (\d+)", header.read_text()))
    return ".".join(found.get(part, "?") for part in ("MAJOR", "MINOR", "PATCH"))


def _cmdstan_version(makefile: Path) -> str:
    """Read "2.36.0" from the line `CMDSTAN_VERSION := 2.36.0` of CmdStan's makefile."""
    found = re.search(r"^CMDSTAN_VERSION\s*:=\s*(\S+)", makefile.read_text(), flags=re.MULTILINE)
    return found.group(1) if found else "unknown"


def _cmdstan_home() -> Path:
    """cmdstanpy's default place (utils/cmdstan.py, get_latest_cmdstan)."""
    return Path.home() / ".cmdstan"


def _version_key(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", folder.name))
