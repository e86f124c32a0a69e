"""Toolchain -> the folder of compiled programs that a platform wheel carries (`shipped`), and the wheel's platform tag.

Only the build hook (`hatch_build.py`) calls this. The tag follows from what the finished files ask of the C and C++
libraries of a machine: the versions of their symbols, compared with what PEP 600 and auditwheel's policies
(manylinux-policy.json, x86_64) promise for each manylinux_2_x.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from hierfit.errors import ToolchainError
from hierfit.stan.executable import Message, build_all, toolchain_folder
from hierfit.stan.seals import digest_of, seal
from hierfit.stan.shipped import LIBRARY
from hierfit.stan.toolchain import Toolchain

Version = tuple[int, ...]

# manylinux_2_x of x86-64: glibc 2.x, and the newest GLIBCXX and CXXABI that its libstdc++ is sure to have.
POLICIES: tuple[tuple[int, str, str], ...] = (
    (17, "3.4.19", "1.3.7"),
    (24, "3.4.22", "1.3.10"),
    (27, "3.4.24", "1.3.11"),
    (31, "3.4.28", "1.3.12"),
    (34, "3.4.29", "1.3.13"),
    (35, "3.4.30", "1.3.13"),
    (39, "3.4.33", "1.3.15"),
)
# Every Linux of those has these; the programs' own library comes along.
SYSTEM_LIBRARIES = {
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libstdc++.so.6",
    LIBRARY,
}


def write_shipment(folder: Path, toolchain: Toolchain, on_message: Message | None = None) -> tuple[Path, ...]:
    """Build all programs and write them, stripped, with library and checksums, into an empty folder.

    Raises:
        ToolchainError: a program cannot be built, or does not run from there.
    """
    folder.mkdir(parents=True)
    programs = [executable.path for executable in build_all(toolchain, on_message)]
    for file in (toolchain_folder(toolchain) / LIBRARY, *programs):
        strip = ["strip", "--strip-unneeded", "-o", str(folder / file.name), str(file)]
        _ask(strip)
        (folder / file.name).chmod(0o755)
    library = {LIBRARY: digest_of(folder / LIBRARY)}
    for program in programs:
        _ask([str(folder / program.name), "info"])
        seal(folder, program.name, {program.name: digest_of(folder / program.name), **library})
    (folder / "stan_version").write_text(f"{toolchain.stan_version}\n")
    (folder / "compiler_version").write_text(f"{toolchain.compiler_version}\n")
    return tuple(sorted(folder.iterdir()))


def platform_tag(files: Iterable[Path]) -> str:
    """Return the oldest manylinux that has all that executables and libraries need, else linux_<machine>."""
    said = "".join(_ask(["readelf", "--wide", "--version-info", "--dynamic", str(file)]) for file in files)
    return tag_from(said, platform.machine())


def tag_from(said: str, machine: str) -> str:
    """Return the platform tag from what readelf says of the versions and libraries that files need."""
    glibc, glibcxx, cxxabi = (_newest(said, name) for name in ("GLIBC", "GLIBCXX", "CXXABI"))
    libraries = set(re.findall(r"\(NEEDED\).*\[(\S+)\]", said))
    if machine == "x86_64" and glibc and libraries <= SYSTEM_LIBRARIES:
        for minor, newest_glibcxx, newest_cxxabi in POLICIES:
            if glibc <= (2, minor) and glibcxx <= _version(newest_glibcxx) and cxxabi <= _version(newest_cxxabi):
                return f"manylinux_2_{minor}_{machine}"
    return f"linux_{machine}"


def _newest(said: str, name: str) -> Version:
    return max((_version(found) for found in re.findall(rf"Name: {name}_([\d.]+)", said)), default=())


def _version(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def _ask(command: list[str]) -> str:
    """What a command prints; ToolchainError when it fails."""
    if shutil.which(command[0]) is None:
        raise ToolchainError(f"There is no {command[0]} on this machine.", hint="Install binutils.")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout
