"""StanProgram and Toolchain -> Executable, built once and kept in a cache.

The cache lies under the user's cache directory, or where HIERFIT_CACHE says:

    <cache>/<stan version>-<fingerprint of the toolchain>/    one folder per toolchain
        <program>-<digest of its text>                        the executables
        driver.o, pathfinder.o, libtbb.so.2                   bundled only: built and copied once
        *.lock, *.log, *.sha256                               one of each for every program and for the driver

Everything is made in a temporary folder inside, under the lock of that program, and renamed into place. So different
programs are built at the same time, two processes never build the same one, and a killed build leaves nothing broken.
A program is verified each time before it is used (`seals`); one that is not what was built is built again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from hierfit.errors import ToolchainError
from hierfit.stan.cache import cache_dir, locked, workplace
from hierfit.stan.compiling import DRIVER_PART, compile_program, has_driver, identifier
from hierfit.stan.jobs import Jobs
from hierfit.stan.programs import StanProgram, all_programs
from hierfit.stan.seals import digest_of, fault, seal, sealed, take_from_others
from hierfit.stan.shipped import LIBRARY, find_shipment
from hierfit.stan.toolchain import Toolchain

Message = Callable[[str], None]

# What g++ takes to compile one program.
COMPILER_BYTES = 2_700_000_000
_COMPILED_AGAIN = "It is not run, but compiled again."


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


def toolchain_folder(toolchain: Toolchain) -> Path:
    """Return the folder of the cache that belongs to one toolchain."""
    return cache_dir() / f"{toolchain.stan_version}-{toolchain.fingerprint[:16]}"


def executable_path(program: StanProgram, toolchain: Toolchain) -> Path:
    """Return where the executable of a program is or would be."""
    return toolchain_folder(toolchain) / f"{identifier(program.name)}-{program.digest[:16]}"


def find_executable(program: StanProgram, toolchain: Toolchain) -> Executable | None:
    """Return the executable of a program without building it: from the wheel or from the cache; None when in neither.

    What is not as it was built does not count. Without a compiler, what another compiler has built will do.
    """
    target = executable_path(program, toolchain)
    shipment = find_shipment() if toolchain.shipped else None
    carried = shipment.find(target.name) if shipment else None
    places = [target]
    if not toolchain.compiler:
        places += sorted(cache_dir().glob(f"{toolchain.stan_version}-*/{target.name}"))
    path = carried or next((place for place in places if _is_sound(place)), None)
    return None if path is None else _executable(path, program, toolchain, 0.0)


def _is_sound(place: Path) -> bool:
    return place.is_file() and os.access(place, os.X_OK) and fault(place.parent, place.name) is None


def find_fault(program: StanProgram, toolchain: Toolchain) -> str | None:
    """Return which executable of a program is not used, and why; None where there is none, or it is as it was built."""
    target = executable_path(program, toolchain)
    shipment = find_shipment() if toolchain.shipped else None
    wrong = shipment.fault(target.name) if shipment else None
    if shipment and wrong is not None:
        return f"{shipment.folder / target.name}: {wrong}"
    if not target.is_file() or _is_sound(target):
        return None
    return f"{target}: {fault(target.parent, target.name) or 'it may not be run'}"


def build_executable(
    program: StanProgram, toolchain: Toolchain, on_message: Message | None = None, jobs: Jobs | None = None
) -> Executable:
    """Return the executable of a program, built if the cache lacks it; on_message hears of a build before it starts.

    Raises:
        ToolchainError: no compiler, no place to write, or a failed build.
    """
    ready = find_executable(program, toolchain)
    if ready is not None:
        return ready
    alone = jobs is None and _workers() > 1
    jobs, say = jobs or Jobs(), on_message or (lambda text: None)
    jobs.check()
    target, started = executable_path(program, toolchain), time.monotonic()

    def wait() -> None:
        say("Waiting for another hierfit that is compiling this Stan program")

    with jobs, locked(target.parent, target.name, jobs.check, wait):
        if _is_sound(target):  # another process has built it while this one waited
            return _executable(target, program, toolchain, 0.0)
        wrong = find_fault(program, toolchain)
        if wrong is not None and toolchain.shipped:
            raise ToolchainError(f"{wrong}. It is not run.", hint="Install hierfit again.")
        toolchain.require_compiler()
        if wrong is not None:
            say(f"{wrong}. {_COMPILED_AGAIN}")
        say(_announcement(program, toolchain))
        with workplace(target.parent, target.name) as folder:
            _put(compile_program(program, toolchain, folder, jobs, two_cores=alone), target)
    return _executable(target, program, toolchain, time.monotonic() - started)


def _put(built: Path, target: Path) -> None:
    """Put a program in its place, with what it is: itself and, where it came with one, its library."""
    take_from_others(built)
    try:
        libraries = {LIBRARY: sealed(target.parent, DRIVER_PART)[LIBRARY]}
    except (OSError, ValueError, KeyError):  # CmdStan's are in its own folder
        libraries = {}
    seal(target.parent, target.name, {target.name: digest_of(built), **libraries})
    os.replace(built, target)


def build_all(
    toolchain: Toolchain, on_message: Message | None = None, programs: Iterable[StanProgram] | None = None
) -> tuple[Executable, ...]:
    """Return the executables of all programs, the missing ones built side by side; on_message hears of each.

    Raises:
        ToolchainError: no compiler, no place to write, or a failed build; the others are built nevertheless.
    """
    wanted, say = tuple(all_programs() if programs is None else programs), on_message or (lambda text: None)
    missing = missing_programs(toolchain, wanted)
    if missing:
        toolchain.require_compiler()
        home, jobs = toolchain_folder(toolchain), Jobs()
        with jobs, locked(home, "all", jobs.check, lambda: say("Waiting for another hierfit that is compiling")):
            _build_missing(missing_programs(toolchain, wanted), toolchain, say, jobs)
    return tuple(build_executable(program, toolchain) for program in wanted)


def missing_programs(toolchain: Toolchain, programs: Iterable[StanProgram] | None = None) -> tuple[StanProgram, ...]:
    """Return the programs that would have to be built; without `programs`, of all."""
    wanted = all_programs() if programs is None else programs
    return tuple(program for program in wanted if find_executable(program, toolchain) is None)


def _build_missing(programs: tuple[StanProgram, ...], toolchain: Toolchain, say: Message, jobs: Jobs) -> None:
    """Build programs in as many threads as the machine bears; the first error is raised when all are through."""
    workers = min(len(programs), _workers() if toolchain.kind == "bundled" else 1)  # CmdStan's makefile knows no lock
    if not programs:
        return
    say(
        f"Compiling {len(programs)} Stan programs with Stan {_short(toolchain)}, {workers} at a time: about a "
        f"minute each, once; they are kept in {toolchain_folder(toolchain)}"
    )
    for wrong in filter(None, (find_fault(program, toolchain) for program in programs)):
        say(f"{wrong}. {_COMPILED_AGAIN}")
    errors = []
    with ThreadPoolExecutor(workers) as pool, jobs:
        building = {pool.submit(build_executable, program, toolchain, None, jobs): program for program in programs}
        for number, built in enumerate(as_completed(building), start=1):
            error = built.exception()
            if error is not None:
                errors.append(error)
            else:
                say(f"  {number} of {len(programs)}: {building[built].name}, {built.result().seconds:.0f} s")
    if errors:
        raise errors[0]


def _workers() -> int:
    """As many compilers at a time as there are cores, and as memory allows."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return cores
    return max(1, min(cores, memory // COMPILER_BYTES))


def _announcement(program: StanProgram, toolchain: Toolchain) -> str:
    """What is compiled and how long it takes; the first time also why, and how to have it all done at once."""
    home = toolchain_folder(toolchain)
    what = f"Compiling the Stan program '{program.name}' with Stan {_short(toolchain)}"
    if toolchain.kind != "bundled" or has_driver(home):
        return f"{what}: about a minute, once; it is kept in {home}"
    return (
        f"{what}, since this installation brought none compiled: a minute or two, once; it is kept in {home}. "
        "Others are compiled when a fit first needs them, or all now by `hierfit doctor --build`"
    )


def _short(toolchain: Toolchain) -> str:
    return ".".join(toolchain.stan_version.split(".")[:2])


def _executable(path: Path, program: StanProgram, toolchain: Toolchain, seconds: float) -> Executable:
    return Executable(path, program.digest, toolchain.kind, toolchain.stan_version, seconds)
