"""Family -> the library of its kernel: from the wheel, or compiled once and kept in the cache beside the Stan programs.

A library is compiled for a kind of processor, since vector instructions make it several times as fast.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hierfit.errors import ToolchainError
from hierfit.stan.cache import cache_dir, locked, workplace
from hierfit.stan.executable import Message
from hierfit.stan.jobs import Jobs
from hierfit.stan.seals import digest_of, fault, record_of, seal, take_from_others
from hierfit.stan.shipped import SHIPPED
from hierfit.stan.toolchain import COMPILER_ADVICE, find_compiler

SOURCES = Path(__file__).parent / "cpp"
STRUCTS = {
    "bernoulli": "Bernoulli",
    "binomial": "Binomial",
    "poisson": "Poisson",
    "negbinomial": "NegBinomial",
    "gamma": "GammaFamily",
    "beta": "Beta",
    "beta_binomial": "BetaBinomial",
    "student": "Student",
    "cumulative": "Cumulative",
    "zero_inflated_poisson": "ZeroInflated<Poisson>",
    "zero_inflated_negbinomial": "ZeroInflated<NegBinomial>",
    "hurdle_poisson": "Hurdle<Poisson>",
    "hurdle_negbinomial": "Hurdle<NegBinomial>",
}
FLAGS = ("-std=c++17", "-O3", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC", "-pthread", "-Wno-psabi")


@dataclass(frozen=True)
class Variant:
    """A kind of processor.

    Attributes:
        name: of the kind.
        needs: what a processor must say of itself, in Linux's words.
        flags: of the compiler.
    """

    name: str
    needs: frozenset[str]
    flags: tuple[str, ...]


# Vectors of 8 numbers, of 4, of 2; the best that a machine has is taken.
VARIANTS = (
    Variant(
        "v4",
        frozenset(
            ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx2", "fma", "bmi1", "bmi2", "f16c", "movbe"]
        ),
        ("-march=x86-64-v4",),
    ),
    Variant("v3", frozenset(["avx2", "fma"]), ("-mavx2", "-mfma")),
    Variant("v1", frozenset(), ()),
)


def find_library(family: str) -> Path | None:
    """Return the library of a family without compiling it, from the wheel or the cache; None where it is in neither."""
    for variant in _suiting():
        carried = SHIPPED / _shipped_name(family, variant)
        if carried.is_file() and _fault(carried, installed_with=Path(__file__)) is None:
            return carried
    place = _place(family, _suiting()[0])
    return place if place.is_file() and _fault(place) is None else None


def can_be_had(family: str) -> bool:
    """Whether there is a library of a family, or a compiler that makes one."""
    return bool(find_compiler()) or find_library(family) is not None


def build_library(family: str, say: Message | None = None, jobs: Jobs | None = None) -> Path:
    """Return the library of a family, compiled if need be.

    Raises:
        ToolchainError: no compiler, or it failed.
    """
    ready = find_library(family)
    if ready is not None:
        return ready
    place, jobs = _place(family, _suiting()[0]), jobs or Jobs()
    with jobs, locked(place.parent, place.stem, jobs.check):
        found = find_library(family)
        if found is not None:
            return found
        if say is not None:
            say(f"Compiling the kernel of the family {family}: some seconds, once; it is kept in {place.parent}")
        with workplace(place.parent, place.stem) as folder:
            built = _compile(family, _suiting()[0], folder / place.name, place.with_suffix(".log"), jobs)
            take_from_others(built)
            seal(place.parent, place.stem, {place.name: digest_of(built)})
            os.replace(built, place)
    return place


def build_libraries(say: Message | None = None) -> None:
    """Compile the libraries of all families that are missing, on all cores.

    Raises:
        ToolchainError: no compiler, or it failed.
    """
    missing, jobs = [family for family in STRUCTS if find_library(family) is None], Jobs()
    if missing and say is not None:
        say(f"Compiling the kernels of {len(missing)} families")
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, jobs:
        list(pool.map(lambda family: build_library(family, None, jobs), missing))


def ship_libraries(folder: Path) -> tuple[Path, ...]:
    """Compile the libraries of all families for all kinds of processors into the folder that a wheel carries.

    Raises:
        ToolchainError: no compiler, or it failed.
    """
    jobs = Jobs()

    def ship(made: tuple[str, Variant]) -> list[Path]:
        built = _compile(*made, folder / _shipped_name(*made), folder / f"{_shipped_name(*made)}.log", jobs)
        built.with_name(f"{built.name}.log").unlink()
        seal(folder, built.stem, {built.name: digest_of(built)})
        return [built, record_of(folder, built.stem)]

    every = [(family, variant) for family in STRUCTS for variant in VARIANTS]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, jobs:
        return tuple(file for files in pool.map(ship, every) for file in files)


def _compile(family: str, variant: Variant, target: Path, log: Path, jobs: Jobs) -> Path:
    compiler = find_compiler()
    if not compiler:
        raise ToolchainError("The latent engine needs a C++ compiler, and there is none.", hint=COMPILER_ADVICE)
    log.write_text("")
    flags = [*FLAGS, *variant.flags, "-s", f"-DFAMILY={STRUCTS[family]}"]
    if not jobs.run([[*compiler, *flags, str(SOURCES / "kernel.cpp"), "-o", str(target)]], target.parent, log):
        raise ToolchainError(
            f"Building the kernel of the family {family} failed. The log: {log}",
            hint="`hierfit doctor` checks compiler, disk and paths; --engine full does without it",
        )
    return target


def _place(family: str, variant: Variant) -> Path:
    return cache_dir() / "kernels" / f"{family}-{variant.name}-{_fingerprint()}.so"


def _shipped_name(family: str, variant: Variant) -> str:
    return f"latent_{family}-{variant.name}.so"


def _fault(place: Path, installed_with: Path | None = None) -> str | None:
    return fault(place.parent, place.stem, files={place.name}, installed_with=installed_with)


@lru_cache
def _fingerprint() -> str:
    parts = [*find_compiler(), *FLAGS, *(source.name + source.read_text() for source in sorted(SOURCES.iterdir()))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@lru_cache
def _suiting() -> tuple[Variant, ...]:
    """Return the variants that this processor can run, the best first."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    has = set(next((line for line in lines if line.startswith("flags")), "").split())
    return tuple(variant for variant in VARIANTS if variant.needs <= has)
