"""StanProgram and Toolchain -> executable file: stanc, the C++ compiler and the linker, or CmdStan's makefile.

The bundled toolchain links a program of the model and of hierfit's driver in two units, which all programs of a
toolchain share. The driver is made once, beside the first model, under a lock of its own. A model that has two cores
for itself is compiled in two units, too: a fifth to a third more work, in two thirds to three quarters of the time.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hierfit.disk.writing import has_room
from hierfit.errors import ToolchainError
from hierfit.stan.cache import locked, workplace
from hierfit.stan.jobs import Jobs
from hierfit.stan.programs import StanProgram
from hierfit.stan.seals import digest_of, fault, seal, take_from_others
from hierfit.stan.shipped import LIBRARY
from hierfit.stan.toolchain import COMMON_FLAGS, DRIVER, DRIVER_FLAGS, MODEL_BASE, MODEL_FLAGS, Toolchain

# Everything but Pathfinder, and Pathfinder: two units take two cores half as long as one.
DRIVER_UNITS = ("driver", "pathfinder")
DRIVER_PART = "driver"
LIBRARIES = ("sundials_cvodes", "sundials_idas", "sundials_kinsol", "sundials_nvecserial")

_ERROR = re.compile(r"\berror\b|cannot find|No space left|Killed", flags=re.IGNORECASE)


def compile_program(
    program: StanProgram, toolchain: Toolchain, folder: Path, jobs: Jobs, *, two_cores: bool = False
) -> Path:
    """Compile a program inside a folder and return the executable; log and driver go into the folder above.

    `two_cores` says that nothing else is built beside it.

    Raises:
        ToolchainError: the build failed; the message names the log.
    """
    source = folder / f"{identifier(program.name)}.stan"
    source.write_text(program.text)
    log = folder.parent / f"{source.stem}-{program.digest[:16]}.log"
    log.write_text("")
    if toolchain.kind == "bundled":
        _compile_bundled(source, toolchain, log, jobs, two_cores=two_cores)
    else:
        _compile_cmdstan(source, toolchain, log, jobs)
    built = source.with_suffix("")
    _check_runs(built, log)
    return built


def identifier(name: str) -> str:
    """Return a C++ identifier: stanc makes the class name of it, and cmdstanpy cuts file names at dots."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def has_driver(home: Path) -> bool:
    """Return whether the driver of a toolchain's folder is made, and is as it was made."""
    return fault(home, DRIVER_PART, files=_driver_files()) is None


def _driver_files() -> tuple[str, ...]:
    return (*(f"{unit}.o" for unit in DRIVER_UNITS), LIBRARY)


def _compile_bundled(source: Path, toolchain: Toolchain, log: Path, jobs: Jobs, *, two_cores: bool) -> None:
    """stanc, then model and driver side by side, then the linker; $ORIGIN makes the program independent of the venv."""
    folder, home = source.parent, source.parent.parent
    units = _model_units(apart=two_cores and has_driver(home))
    with ThreadPoolExecutor(1) as pool, jobs:
        driver = pool.submit(_make_driver, toolchain, home, jobs)
        _run(
            [[str(toolchain.stanc), "--name", f"{source.stem}_model", "--o", "model.cpp", source.name]],
            log,
            jobs,
            folder,
        )
        _run(
            [_compile(unit, f"{Path(unit).stem}.o", toolchain, flags) for unit, flags in units.items()],
            log,
            jobs,
            folder,
        )
        driver.result()
    objects = [*(f"{Path(unit).stem}.o" for unit in units), *(str(home / name) for name in _driver_files())]
    libraries = ["-L" + str(toolchain.root / "lib"), *(f"-l{name}" for name in LIBRARIES)]
    link = [*toolchain.compiler, *objects, *libraries, "-Wl,-rpath,$ORIGIN:$ORIGIN/..", "-o", source.stem]
    _run([link], log, jobs, folder)


def _model_units(*, apart: bool) -> dict[str, Sequence[str]]:
    """Return what a model is compiled from, with the flags of each: model.cpp, and its kernel apart where wanted."""
    flags = (*MODEL_FLAGS, "-include", str(MODEL_BASE))
    if not apart:
        return {"model.cpp": flags}
    return {"model.cpp": (*flags, "-DHIERFIT_KERNEL_APART"), str(DRIVER / "kernel.cpp"): (*flags, "-I.")}


def _make_driver(toolchain: Toolchain, home: Path, jobs: Jobs) -> None:
    """Compile the driver into a toolchain's folder, unless it is there."""
    if has_driver(home):
        return
    with locked(home, DRIVER_PART, jobs.check), workplace(home, DRIVER_PART) as folder:
        if has_driver(home):  # another build has made it while this one waited
            return
        log = home / "driver.log"
        log.write_text("")
        units = [_compile(str(DRIVER / f"{unit}.cpp"), f"{unit}.o", toolchain, DRIVER_FLAGS) for unit in DRIVER_UNITS]
        _run(units, log, jobs, folder)
        shutil.copyfile(toolchain.root / "lib" / LIBRARY, folder / LIBRARY)
        seal(home, DRIVER_PART, {name: digest_of(folder / name) for name in _driver_files()})
        for name in _driver_files():
            take_from_others(folder / name)
            os.replace(folder / name, home / name)


def _compile(source: str, target: str, toolchain: Toolchain, flags: Sequence[str]) -> list[str]:
    include = toolchain.root / "include"
    return [*toolchain.compiler, *COMMON_FLAGS, "-isystem", str(include), *flags, "-c", source, "-o", target]


def _compile_cmdstan(source: Path, toolchain: Toolchain, log: Path, jobs: Jobs) -> None:
    """Run CmdStan's makefile in its folder; its targets are programs by their paths."""
    with jobs:
        _run([["make", "-C", str(toolchain.root), str(source.with_suffix(""))]], log, jobs, source.parent)


def _run(commands: Sequence[Sequence[str]], log: Path, jobs: Jobs, folder: Path) -> None:
    if not jobs.run(commands, folder, log):
        if not has_room(folder):
            raise OSError(errno.ENOSPC, "No space left on device")
        raise _build_error(log)


def _build_error(log: Path) -> ToolchainError:
    """The lines from the first error on: compilers say afterwards only what follows from it."""
    said = [line for line in log.read_text(errors="replace").splitlines() if line.strip() and not line.startswith("$ ")]
    telling = [index for index, line in enumerate(said) if _ERROR.search(line)]
    lines = said[telling[0] :][:10] if telling else said[-5:]
    what = "hierfit's driver" if log.stem == "driver" else f"the Stan program '{log.stem.rpartition('-')[0]}'"
    return ToolchainError(
        f"Building {what} failed. The compiler said:\n{chr(10).join(lines)}\nThe whole log: {log}",
        hint="`hierfit doctor` checks compiler, disk and paths.",
    )


def _check_runs(executable: Path, log: Path) -> None:
    """Ask the new executable for its version: shows a missing library or a cache on a disk that allows no programs."""
    try:
        answer = subprocess.run([str(executable), "info"], capture_output=True, text=True, check=False, timeout=60)
    except OSError as error:
        raise ToolchainError(
            f"The program that was just built cannot be started: {error}.",
            hint="The cache may lie on a disk that allows no programs: set HIERFIT_CACHE to another folder.",
        ) from error
    if answer.returncode != 0:
        with log.open("a") as stream:
            stream.write(answer.stdout + answer.stderr)
        said = answer.stderr.strip()[-300:]
        raise ToolchainError(f"The program that was just built does not run: {said}. The log: {log}")
