"""This machine -> findings about what hierfit needs to build and run Stan programs. Nothing here prints or raises."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hierfit import __version__
from hierfit.errors import HierfitError
from hierfit.stan.executable import build_executable, cache_dir, cache_size, toolchain_folder
from hierfit.stan.programs import StanProgram
from hierfit.stan.toolchain import COMPILER_ADVICE, Toolchain, cmdstan_folder, find_toolchain

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
        return (*findings, *_cache(None))
    return (*findings, *_toolchain(toolchain), *_cache(toolchain))


def trial_fit(
    program: StanProgram,
    data: Mapping[str, Any],
    choice: str = "auto",
    on_message: Callable[[str], None] | None = None,
) -> Finding:
    """Build a program, unless it is built, and sample from it for a moment."""
    from hierfit.stan.sampler import SamplerOptions, sample

    try:
        executable = build_executable(program, find_toolchain(choice), on_message)
        sampling = sample(executable, data, SamplerOptions(chains=2, warmup=200, draws=200, seed=1))
    except HierfitError as error:
        return Finding("trial fit", False, error.message, error.hint or "")
    built = f"built in {executable.seconds:.0f} s, " if executable.seconds else "already built, "
    return Finding("trial fit", True, f"'{program.name}' {built}2 chains sampled in {sampling.seconds.wall:.1f} s")


def _toolchain(toolchain: Toolchain) -> list[Finding]:
    compiler = " ".join(toolchain.compiler)
    value = f"{toolchain.compiler_version} ({compiler})" if compiler else "none found"
    findings = [
        Finding("toolchain", True, f"{toolchain.kind} in {toolchain.root}"),
        Finding("Stan", True, toolchain.stan_version),
        _stanc(toolchain.stanc),
        Finding("compiler", bool(compiler), value, "" if compiler else COMPILER_ADVICE),
    ]
    given = os.environ.get("CMDSTAN")
    if toolchain.kind == "bundled" and given and cmdstan_folder() is None:
        advice = "Point CMDSTAN to a built CmdStan (makefile, bin/stanc) or unset it."
        findings.append(Finding("CMDSTAN", False, f"{given} is not a built CmdStan and is not used", advice))
    if toolchain.kind == "cmdstan":
        make = shutil.which("make")
        findings.append(Finding("make", make is not None, make or "none found", "" if make else "Install make."))
    return findings


def _stanc(stanc: Path) -> Finding:
    runs = os.access(stanc, os.X_OK)
    return Finding("stanc", runs, str(stanc), "" if runs else f"Make it executable: chmod +x {stanc}")


def _cache(toolchain: Toolchain | None) -> list[Finding]:
    place = cache_dir()
    try:
        return [_writable(place), _room(place), *_spaces(place, toolchain), *_built(toolchain)]
    except OSError as error:
        return [Finding("cache", False, f"{place}: {error}", "Set HIERFIT_CACHE to a folder that you may write to.")]


def _writable(place: Path) -> Finding:
    """Whether programs can be put there, judged by the nearest folder that exists."""
    existing = _nearest(place)
    ok = os.access(existing, os.W_OK | os.X_OK) and existing.is_dir()
    advice = "" if ok else "Set HIERFIT_CACHE to a folder that you may write to."
    return Finding("cache", ok, f"{place} ({cache_size() / 1e6:.0f} MB)" + ("" if ok else ", not writable"), advice)


def _room(place: Path) -> Finding:
    free = shutil.disk_usage(_nearest(place)).free
    ok = free >= NEEDED_BYTES
    advice = "" if ok else "Make room, or set HIERFIT_CACHE to a folder on another disk."
    return Finding("free disk", ok, f"{free / 1e9:.1f} GB", advice)


def _spaces(place: Path, toolchain: Toolchain | None) -> list[Finding]:
    """CmdStan's makefile cannot work in paths with spaces; the bundled toolchain can."""
    if toolchain is None or toolchain.kind == "bundled":
        return []
    spoiled = [str(path) for path in (place, toolchain.root) if " " in str(path)]
    advice = "Move it to a path without spaces, or use --toolchain bundled." if spoiled else ""
    return [Finding("paths", not spoiled, ", ".join(spoiled) or "no spaces", advice)]


def _built(toolchain: Toolchain | None) -> list[Finding]:
    if toolchain is None:
        return []
    folder = toolchain_folder(toolchain)
    names = [path.name for path in sorted(folder.glob("*-*")) if path.is_file() and not path.suffix]
    return [Finding("built programs", True, ", ".join(names) or "none yet")]


def _nearest(place: Path) -> Path:
    """The place itself or the nearest folder above it that exists."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
