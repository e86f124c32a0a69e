"""Family -> the library of its kernel, compiled once and kept in the cache beside the Stan programs."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from hierfit.engines.engine import Message
from hierfit.errors import ToolchainError
from hierfit.stan.cache import cache_dir, locked, workplace
from hierfit.stan.jobs import Jobs
from hierfit.stan.seals import digest_of, fault, seal, take_from_others
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
# What a processor must say of itself for its flags: vectors of 8 numbers, or of 4; without either, of 2.
VECTORS = (
    ({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx2", "fma", "bmi2"}, ("-march=x86-64-v4",)),
    ({"avx2", "fma"}, ("-mavx2", "-mfma")),
)


def find_library(family: str) -> Path | None:
    """Return the library of a family without compiling it; None where it is not built."""
    place = _place(family)
    return place if place.is_file() and fault(place.parent, place.stem, files={place.name}) is None else None


def build_library(family: str, say: Message | None = None) -> Path:
    """Return the library of a family, compiled if need be.

    Raises:
        ToolchainError: no compiler, or it failed.
    """
    ready = find_library(family)
    if ready is not None:
        return ready
    compiler = find_compiler()
    if not compiler:
        raise ToolchainError("The latent engine needs a C++ compiler, and there is none.", hint=COMPILER_ADVICE)
    place, jobs = _place(family), Jobs()
    with jobs, locked(place.parent, place.stem, jobs.check), workplace(place.parent, place.stem) as folder:
        found = find_library(family)
        if found is not None:
            return found
        if say is not None:
            say(f"Compiling the kernel of the family {family}: some seconds, once; it is kept in {place.parent}")
        log, built = place.with_suffix(".log"), folder / place.name
        log.write_text("")
        command = [*compiler, *_flags(), f"-DFAMILY={STRUCTS[family]}", str(SOURCES / "kernel.cpp"), "-o", str(built)]
        if not jobs.run([command], folder, log):
            raise ToolchainError(f"Building the kernel of the family {family} failed. The log: {log}")
        take_from_others(built)
        seal(place.parent, place.stem, {place.name: digest_of(built)})
        os.replace(built, place)
    return place


def _place(family: str) -> Path:
    return cache_dir() / "kernels" / f"{family}-{_fingerprint()}.so"


@lru_cache
def _fingerprint() -> str:
    parts = [*find_compiler(), *_flags(), *(source.name + source.read_text() for source in sorted(SOURCES.iterdir()))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _flags() -> tuple[str, ...]:
    has = _processor()
    return (*FLAGS, *next((flags for needed, flags in VECTORS if needed <= has), ()))


@lru_cache
def _processor() -> frozenset[str]:
    """Return what the processor can do, in Linux's words; nothing where it is not said."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())
