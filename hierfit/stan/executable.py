"""StanProgram and Toolchain -> Executable, built once and kept in a cache.

The cache lies under the user's cache directory, or where HIERFIT_CACHE says:

    <cache>/<stan version>-<fingerprint of the toolchain>/    one folder per toolchain
        <program>-<digest of its text>                        the executables
        driver.o, pathfinder.o, libtbb.so.2                   bundled only: built and copied once
        <program>-<digest>.log                                what the compilers said
        lock                                                  one build at a time

Everything is made in a temporary folder inside, under the lock, and renamed into place, so that two processes or a
killed build never leave a broken executable. A second process waits for the first and uses its result.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hierfit.errors import ToolchainError
from hierfit.stan.programs import StanProgram
from hierfit.stan.toolchain import COMMON_FLAGS, DRIVER, DRIVER_FLAGS, MODEL_FLAGS, Toolchain

Message = Callable[[str], None]

# The driver is compiled once per toolchain: everything but Pathfinder, and Pathfinder.
DRIVER_UNITS = ("driver", "pathfinder")
# A platform wheel carries its programs built: <program>-<digest>, libtbb.so.2 and the text file stan_version.
SHIPPED = Path(__file__).parent / "built"
LIBRARIES = ("sundials_cvodes", "sundials_idas", "sundials_kinsol", "sundials_nvecserial")

_ERROR = re.compile(r"\berror\b|cannot find|No space left|Killed", flags=re.IGNORECASE)


@dataclass(frozen=True)
class Executable:
    """A compiled Stan program that cmdstanpy can run.

    Attributes:
        path: the executable.
        program_digest: hex SHA-256 of the program's text.
        toolchain_kind: "bundled" or "cmdstan".
        stan_version: such as "2.35.0".
        seconds: what building took; 0 when it was in the cache.
    """

    path: Path
    program_digest: str
    toolchain_kind: str
    stan_version: str
    seconds: float = 0.0


def cache_dir() -> Path:
    """Return the folder of the built programs: HIERFIT_CACHE or the user's cache directory."""
    given = os.environ.get("HIERFIT_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("hierfit"))


def cache_size() -> int:
    """Return the bytes in the cache."""
    if not cache_dir().is_dir():
        return 0
    return sum(file.stat().st_size for file in cache_dir().rglob("*") if file.is_file())


def toolchain_folder(toolchain: Toolchain) -> Path:
    """Return the folder of the cache that belongs to one toolchain."""
    return cache_dir() / f"{toolchain.stan_version}-{toolchain.fingerprint[:16]}"


def executable_path(program: StanProgram, toolchain: Toolchain) -> Path:
    """Return where the executable of a program is or would be."""
    return toolchain_folder(toolchain) / f"{_identifier(program.name)}-{program.digest[:16]}"


def build_executable(program: StanProgram, toolchain: Toolchain, on_message: Message | None = None) -> Executable:
    """Return the executable of a program, built if the cache lacks it; on_message hears of a build before it starts.

    Raises:
        ToolchainError: no compiler, no place to write, or a failed build.
    """
    target = executable_path(program, toolchain)
    say = on_message or (lambda text: None)
    started = time.monotonic()
    ready = _ready(target, toolchain)
    if ready is not None:
        return _executable(ready, program, toolchain, 0.0)
    with _locked(target.parent, say):
        if target.is_file():  # another process has built it while this one waited
            return _executable(target, program, toolchain, 0.0)
        toolchain.require_compiler()
        say(_announcement(program, toolchain, target.parent))
        with _workplace(target.parent) as folder:
            os.replace(compile_program(program, toolchain, folder), target)
    return _executable(target, program, toolchain, time.monotonic() - started)


def compile_program(program: StanProgram, toolchain: Toolchain, folder: Path) -> Path:
    """Compile a program inside a folder and return the executable; what programs share goes into the folder above.

    Raises:
        ToolchainError: the build failed; the message names the log.
    """
    source = folder / f"{_identifier(program.name)}.stan"
    source.write_text(program.text)
    log = folder.parent / f"{source.stem}-{program.digest[:16]}.log"
    compile_with = _compile_bundled if toolchain.kind == "bundled" else _compile_cmdstan
    built = compile_with(source, toolchain, log)
    _check_runs(built, log)
    return built


def _ready(target: Path, toolchain: Toolchain) -> Path | None:
    """The executable in the cache or in the wheel; without a compiler, also what another compiler has built."""
    places = [target]
    if toolchain.kind == "bundled":
        places.append(SHIPPED / target.name)
    if not toolchain.compiler:
        places += sorted(cache_dir().glob(f"{toolchain.stan_version}-*/{target.name}"))
    return next((place for place in places if place.is_file() and os.access(place, os.X_OK)), None)


def _compile_bundled(source: Path, toolchain: Toolchain, log: Path) -> Path:
    """stanc, then model and driver side by side, then the linker; $ORIGIN makes the program independent of the venv."""
    folder, home = source.parent, source.parent.parent
    log.write_text("")
    stanc = [str(toolchain.stanc), "--name", f"{source.stem}_model", "--o", "model.cpp", source.name]
    _run([stanc], folder, log)
    include = toolchain.root / "include"
    compile_start = [*toolchain.compiler, *COMMON_FLAGS, "-isystem", str(include)]
    jobs = [[*compile_start, *MODEL_FLAGS, "-c", "model.cpp", "-o", "model.o"]]
    missing = [unit for unit in DRIVER_UNITS if not (home / f"{unit}.o").is_file()]
    jobs += [[*compile_start, *DRIVER_FLAGS, "-c", str(DRIVER / f"{unit}.cpp"), "-o", f"{unit}.o"] for unit in missing]
    _run(jobs[1:] + jobs[:1], folder, log)  # the longest first
    for unit in missing:
        os.replace(folder / f"{unit}.o", home / f"{unit}.o")
    _copy_into_place(toolchain.root / "lib" / "libtbb.so.2", home)
    objects = ["model.o", *(str(home / f"{unit}.o") for unit in DRIVER_UNITS)]
    libraries = ["-L" + str(toolchain.root / "lib"), *(f"-l{name}" for name in LIBRARIES), str(home / "libtbb.so.2")]
    _run([[*toolchain.compiler, *objects, *libraries, "-Wl,-rpath,$ORIGIN:$ORIGIN/..", "-o", source.stem]], folder, log)
    return folder / source.stem


def _compile_cmdstan(source: Path, toolchain: Toolchain, log: Path) -> Path:
    """Let cmdstanpy run CmdStan's makefile."""
    import cmdstanpy

    cmdstanpy.disable_logging()
    try:
        cmdstanpy.set_cmdstan_path(str(toolchain.root))
        model = cmdstanpy.CmdStanModel(stan_file=str(source))
    except (ValueError, RuntimeError, OSError) as error:
        log.write_text(str(error))
        raise _build_error(source.stem, log) from error
    return Path(str(model.exe_file))


def _run(jobs: Sequence[Sequence[str]], folder: Path, log: Path) -> None:
    """Run commands side by side, as many as there are cores; ToolchainError when one fails."""
    running: list[subprocess.Popen[str]] = []

    def run(command: Sequence[str]) -> int:
        job = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        running.append(job)
        output = job.communicate()[0]
        with log.open("a") as stream:
            stream.write(f"$ {' '.join(command)}\n{output}")
        return job.returncode

    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        try:
            statuses = list(pool.map(run, jobs))
        finally:  # an interrupt ends the compilers too, with the processes that they have started
            pool.shutdown(wait=False, cancel_futures=True)
            for job in running:
                if job.poll() is None:
                    os.killpg(job.pid, signal.SIGTERM)
    if any(status != 0 for status in statuses):
        raise _build_error(log.stem.rpartition("-")[0], log)


def _build_error(name: str, log: Path) -> ToolchainError:
    """The lines from the first error on: compilers say afterwards only what follows from it."""
    said = [line for line in log.read_text(errors="replace").splitlines() if line.strip() and not line.startswith("$ ")]
    telling = [index for index, line in enumerate(said) if _ERROR.search(line)]
    lines = said[telling[0] :][:10] if telling else said[-5:]
    return ToolchainError(
        f"Building the Stan program '{name}' failed. The compiler said:\n{chr(10).join(lines)}\nThe whole log: {log}",
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


def _announcement(program: StanProgram, toolchain: Toolchain, home: Path) -> str:
    first = toolchain.kind == "bundled" and not (home / "pathfinder.o").is_file()
    seconds = "half a minute" if first else "a quarter of a minute"
    version = ".".join(toolchain.stan_version.split(".")[:2])
    what = f"Compiling the Stan program '{program.name}' with Stan {version}"
    return f"{what}: about {seconds}, once; it is kept in {home}"


@contextmanager
def _locked(home: Path, say: Message) -> Iterator[None]:
    """Hold the lock of one toolchain's folder; ToolchainError when the folder cannot be written."""
    from filelock import FileLock, Timeout

    lock = FileLock(home / "lock")
    try:
        home.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say("Waiting for another hierfit that is compiling a Stan program")
            lock.acquire()
    except OSError as error:
        raise ToolchainError(
            f"Cannot write to the cache of built programs {home}: {error.strerror or error}.",
            hint="Set the environment variable HIERFIT_CACHE to a folder that you may write to.",
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _workplace(home: Path) -> Iterator[Path]:
    """A temporary folder inside home, which is locked: what killed builds have left there goes first."""
    for leftover in home.glob("building-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="building-", dir=home, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _copy_into_place(file: Path, home: Path) -> None:
    if (home / file.name).is_file():
        return
    shutil.copyfile(file, home / f"{file.name}.part")
    os.replace(home / f"{file.name}.part", home / file.name)


def _executable(path: Path, program: StanProgram, toolchain: Toolchain, seconds: float) -> Executable:
    version = toolchain.stan_version
    if path.parent == SHIPPED:
        version = (SHIPPED / "stan_version").read_text().strip()
    return Executable(path, program.digest, toolchain.kind, version, seconds)


def _identifier(name: str) -> str:
    """A C++ identifier: stanc makes the class name of it, and cmdstanpy cuts file names at dots."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)
