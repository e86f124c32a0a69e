"""Executable, data and options -> Sampling of the full engine: short warmups first, then another look, then care.

The full engine has a parameter for every effect and funnels without a mode, so it adapts, but for 300 iterations only:
on a dozen data sets these gave the same step sizes and effective draws as 1,000. What the draws of the first attempt
look like decides what follows:

1. nothing wrong: they are kept
2. something wrong, and by these draws other effects had better be seen with their mean (`revision`): a second
   attempt sees them so, as a longer warmup cures no funnel
3. divergences, or something badly wrong with the better of both: the ordinary warmup, in smaller steps; in much
   smaller ones where many diverge and it takes seconds, as with few levels, whose sds may be anything
4. a few divergences of what takes seconds: the short warmup, in smaller steps, as the checks warn of each
5. something wrong after 3 or 4 with what takes seconds: the same with the effects seen as its draws say

The best of all is kept: with the least trouble, then the fewest divergences, then the most effective draws. Few
effective draws alone are no reason for 3: more draws are (`engines.rounds`). Options that the user has set are not
touched: there is one attempt then. What was given up is said in `Start`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.full.revision import revise
from hierfit.engines.start import SHORT_WARMUP, Start, may_try
from hierfit.errors import Interrupted, SamplerError
from hierfit.sampling import Progress, SamplerOptions, Sampling
from hierfit.stan.executable import Executable
from hierfit.stan.sampler import sample
from hierfit.stan.trouble import Trouble, find_trouble

Array = NDArray[np.float64]
Data = Mapping[str, Any]

CENTRED_ANEW = f"after {SHORT_WARMUP}, centred anew"
# adapt_delta. With 3 levels and correlated slopes 103 of 4,000 draws diverge at Stan's 0.8, ten at 0.95, two at 0.99.
CAREFUL, MORE_CAREFUL = 0.95, 0.99
FEW_LEVELS = 0.2  # of a column: seen in another way, they are no reason for another attempt
SMALL_WORK = 5e7  # a few seconds
# Where effects are more than this share of the rows, which happens where each row has one of its own, some of 4 chains
# find too large a step in a short warmup; smaller ones from the start cost nothing there.
CROWDED, CROWDED_DELTA = 0.5, 0.9


@dataclass(frozen=True)
class Views:
    """How the effects can be seen.

    Attributes:
        data: the first choice.
        seen: makes the data of another, given `Centering.narrowed`.
        names: of the sds, in the order of the varying columns.
    """

    data: Data
    seen: Callable[[Array], Data]
    names: Sequence[str]


@dataclass(frozen=True)
class _Attempt:
    """One attempt, and what came of it."""

    what: str
    data: Data
    options: SamplerOptions
    sampling: Sampling
    trouble: Trouble

    @property
    def is_quick(self) -> bool:
        """Whether it took seconds: by its leapfrog steps times rows and effects, the same on any machine."""
        size = int(self.data["N"]) + _n_effects(self.data)
        return float(self.sampling.stats["n_steps"].sum()) * size < SMALL_WORK

    @property
    def diverges(self) -> bool:
        """Whether more draws do than a fit that takes longer than seconds is made again for."""
        return self.trouble.many_divergent or (self.trouble.divergent > 0 and self.is_quick)

    @property
    def is_enough(self) -> bool:
        """Whether nothing is wrong, or the user does not want to wait."""
        return self.sampling.interrupted or not (self.trouble.reasons or self.diverges)


def sample_after_short_warmup(
    executable: Executable,
    views: Views,
    options: SamplerOptions,
    on_progress: Callable[[Progress], None] | None = None,
    sample: Callable[..., Sampling] = sample,
) -> tuple[Sampling, Start]:
    """Sample after a short adapting warmup where that goes well, and otherwise as the head of this module says.

    Raises:
        UsageError, SamplerError, Interrupted: as `sample`.
    """
    started = time.monotonic()
    if not may_try(views.data, options):
        sampling = sample(executable, views.data, options, on_progress)
        return sampling, Start("adaptation", options.warmup_iterations, centered=_centered(views.data, views.names))

    def attempt(what: str, data: Data, options: SamplerOptions) -> _Attempt:
        sampling = sample(executable, data, options, on_progress)
        return _Attempt(what, data, options, sampling, find_trouble(sampling))

    crowded = _n_effects(views.data) > CROWDED * views.data["N"]
    short = replace(options.seeded(), warmup=SHORT_WARMUP, adapt_delta=CROWDED_DELTA if crowded else None)
    made = [attempt(f"after {SHORT_WARMUP}", views.data, short)]
    if not made[0].is_enough:
        other = views.seen(revise(made[0].sampling, views.data))
        if _differ(other, views.data):
            made.append(_or_keep(made[0], lambda: attempt(CENTRED_ANEW, other, short)))
    best = _best(made)
    if not best.is_enough and (best.trouble.severe or best.diverges):
        how, careful = _carefully(best, options.seeded())
        made.append(_or_keep(best, lambda: attempt(how, best.data, careful)))
        last = made[-1]
        if best.is_quick and not last.is_enough:
            anew = views.seen(revise(last.sampling, last.data))
            if _differ(anew, last.data):
                made.append(_or_keep(last, lambda: attempt(f"{how}, centred anew", anew, careful)))
    best = _best(made)
    return best.sampling, _start(best, made, views.names, time.monotonic() - started)


def _n_effects(data: Data) -> int:
    return int(np.sum(np.asarray(data["J"]) * data["M"]))


def _carefully(best: _Attempt, options: SamplerOptions) -> tuple[str, SamplerOptions]:
    """Return how to go on after the best attempt so far, in words and as options."""
    if not (best.trouble.severe or best.trouble.many_divergent):
        return f"after {SHORT_WARMUP}, carefully", replace(options, warmup=SHORT_WARMUP, adapt_delta=CAREFUL)
    much = best.is_quick and best.trouble.many_divergent
    return "carefully", replace(options, adapt_delta=MORE_CAREFUL if much else CAREFUL)


def _or_keep(before: _Attempt, attempt: Callable[[], _Attempt]) -> _Attempt:
    """Make another attempt; where it is stopped or fails, the one before is what there is."""
    try:
        made = attempt()
    except (Interrupted, KeyboardInterrupt):
        return replace(before, sampling=replace(before.sampling, interrupted=True))
    except SamplerError:
        return before
    return replace(before, sampling=replace(before.sampling, interrupted=True)) if made.sampling.interrupted else made


def _best(made: Sequence[_Attempt]) -> _Attempt:
    """Return the best attempt; the last where that was stopped, as there will be no other."""
    return made[-1] if made[-1].sampling.interrupted else min(made, key=lambda one: one.trouble.rank)


def _start(kept: _Attempt, made: Sequence[_Attempt], names: Sequence[str], seconds: float) -> Start:
    others = [one for one in made if one.what != kept.what]
    return Start(
        "adaptation",
        kept.options.warmup_iterations,
        max(seconds - kept.sampling.seconds.wall, 0.0) if others else 0.0,
        str(others[-1].trouble) if others else None,
        others[-1].what if others else "",
        _centered(kept.data, names),
        tuple(f"{one.what}: {one.trouble}" for one in others),
    )


def _differ(data: Data, other: Data) -> bool:
    """Whether two views of the effects differ by more than a few levels of a column."""
    changed = (data["narrowed"] < 1) != (other["narrowed"] < 1)
    return any(column.mean() > FEW_LEVELS for column in _columns(changed, data))


def _centered(data: Data, names: Sequence[str]) -> tuple[str, ...]:
    """Name the sds whose effects are seen with their mean, and how many levels of those that are not all."""
    found = []
    for name, column in zip(names, _columns(data["narrowed"] < 1, data), strict=True):
        if column.any():
            found.append(name if column.all() else f"{name}: {column.sum()} of {len(column)} levels")
    return tuple(found)


def _columns(effects: NDArray[np.bool_], data: Data) -> list[NDArray[np.bool_]]:
    """Return what is said of all effects column by column."""
    ends = np.cumsum(np.repeat(data["J"], data["M"]))
    return np.split(effects, ends[:-1]) if len(ends) else []
