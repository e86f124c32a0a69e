"""This machine -> findings about what hierfit needs to build and run Stan programs. Nothing here prints or raises."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hierfit import __version__
from hierfit.errors import HierfitError
from hierfit.stan.cache import cache_dir, cache_size
from hierfit.stan.executable import build_executable, find_fault, missing_programs
from hierfit.stan.programs import StanProgram, all_programs
from hierfit.stan.toolchain import COMPILER_ADVICE, Toolchain, cmdstan_folder, find_toolchain

_CACHE_ADVICE = "Set HIERFIT_CACHE to a folder that you may write to."
# A toolchain's driver and a dozen programs take 40 MB, and a build needs 50 MB beside them.
NEEDED_BYTES = 200_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what, such as "compiler".
        ok: whether hierfit can work with it.
        value: what was found.
        advice: what to do when it is not ok.
    """

    name: str
    ok: bool
    value: str
    advice: str = ""


def examine(choice: str = "auto") -> tuple[Finding, ...]:
    """Look at everything that building and running a Stan program needs."""
    machine = Finding("platform", True, f"{platform.system()} {platform.machine()}, {os.cpu_count() or 1} cores")
    findings = [Finding("hierfit", True, __version__), Finding("python", True, platform.python_version()), machine]
    try:
        toolchain = find_toolchain(choice)
    except HierfitError as error:
        findings.append(Finding("toolchain", False, error.message, error.hint or ""))
        return (*findings, *_cache(needed=True))
    programs = tuple(program.name for program in all_programs())
    missing = tuple(program.name for program in missing_programs(toolchain))
    return (
        *findings,
        *_toolchain(toolchain, needed=bool(missing)),
        *_spaces(toolchain),
        *_cache(needed=bool(missing)),
        _built(programs, missing),
        *_changed(toolchain),
    )


def trial_fit(
    program: StanProgram,
    data: Mapping[str, Any],
    choice: str = "auto",
    on_message: Callable[[str], None] | None = None,
) -> Finding:
    """Build a program, unless it is built, and sample from it for a moment."""
    from hierfit.sampling import SamplerOptions
    from hierfit.stan.sampler import sample

    try:
        executable = build_executable(program, find_toolchain(choice), on_message)
        sampling = sample(executable, data, SamplerOptions(chains=2, warmup=200, draws=200, seed=1))
    except HierfitError as error:
        return Finding("trial fit", False, error.message, error.hint or "")
    built = f"built in {executable.seconds:.0f} s, " if executable.seconds else "already built, "
    return Finding("trial fit", True, f"'{program.name}' {built}2 chains sampled in {sampling.seconds.wall:.1f} s")


def _toolchain(toolchain: Toolchain, *, needed: bool) -> list[Finding]:
    """Where Stan comes from, and what it needs where a program has yet to be built."""
    findings = [
        Finding("toolchain", True, f"{toolchain.kind}{', compiled,' if toolchain.shipped else ''} in {toolchain.root}"),
        Finding("Stan", True, toolchain.stan_version),
        *([] if toolchain.shipped else [_stanc(toolchain.stanc)]),
        _compiler(toolchain, needed=needed),
    ]
    given = os.environ.get("CMDSTAN")
    if toolchain.kind == "bundled" and not toolchain.shipped and given and cmdstan_folder() is None:
        advice = "Point CMDSTAN to a built CmdStan (makefile, bin/stanc) or unset it."
        findings.append(Finding("CMDSTAN", False, f"{given} is not a built CmdStan and is not used", advice))
    if toolchain.kind == "cmdstan":
        make = shutil.which("make")
        findings.append(Finding("make", make is not None, make or "none found", "" if make else "Install make."))
    return findings


def _stanc(stanc: Path) -> Finding:
    runs = os.access(stanc, os.X_OK)
    return Finding("stanc", runs, str(stanc), "" if runs else f"Make it executable: chmod +x {stanc}")


def _compiler(toolchain: Toolchain, *, needed: bool) -> Finding:
    if toolchain.compiler:
        return Finding("compiler", True, f"{toolchain.compiler_version} ({' '.join(toolchain.compiler)})")
    if needed:
        return Finding("compiler", False, "none found", COMPILER_ADVICE)
    return Finding("compiler", True, "none needed: all programs are compiled")


def _cache(*, needed: bool) -> list[Finding]:
    """Whether programs can be put there, judged by the nearest folder that exists; unimportant where all are built."""
    place, existing = cache_dir(), _nearest(cache_dir())
    try:
        writable = os.access(existing, os.W_OK | os.X_OK) and existing.is_dir()
        free = shutil.disk_usage(existing).free
        size = f"{place} ({cache_size() / 1e6:.0f} MB)"
    except OSError as error:
        return [Finding("cache", not needed, f"{place}: {error}", "" if not needed else _CACHE_ADVICE)]
    room = free >= NEEDED_BYTES
    return [
        Finding("cache", writable or not needed, size + ("" if writable else ", not writable"), _CACHE_ADVICE),
        Finding(
            "free disk",
            room or not needed,
            f"{free / 1e9:.1f} GB",
            "Make room, or set HIERFIT_CACHE to a folder on another disk.",
        ),
    ]


def _spaces(toolchain: Toolchain) -> list[Finding]:
    """CmdStan's makefile cannot work in paths with spaces; the bundled toolchain can."""
    if toolchain.kind == "bundled":
        return []
    spoiled = [str(path) for path in (cache_dir(), toolchain.root) if " " in str(path)]
    advice = "Move it to a path without spaces, or use --toolchain bundled." if spoiled else ""
    return [Finding("paths", not spoiled, ", ".join(spoiled) or "no spaces", advice)]


def _built(programs: Sequence[str], missing: Sequence[str]) -> Finding:
    """How many programs are ready, and which are not."""
    ready = f"{len(programs) - len(missing)} of {len(programs)}"
    if not missing:
        return Finding("built programs", True, ready)
    later = "compiled when first needed, or all now by `hierfit doctor --build`"
    which = "all" if len(missing) == len(programs) else ", ".join(missing)
    return Finding("built programs", True, f"{ready}; {later}: {which}")


def _changed(toolchain: Toolchain) -> list[Finding]:
    """The programs that are there and are not what was built; of those that came along, that is not to be mended."""
    advice = "Install hierfit again." if toolchain.shipped else ""
    later = "" if toolchain.shipped else "; not run, but compiled again when needed"
    faults = filter(None, (find_fault(program, toolchain) for program in all_programs()))
    return [Finding("changed", not toolchain.shipped, f"{wrong}{later}", advice) for wrong in faults]


def _nearest(place: Path) -> Path:
    """The place itself or the nearest folder above it that exists."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
