"""Numbers -> verdicts: what a check found, what would be expected were the model right, and what to say of it.

A misfit is information, not an error: no model is right, and in 10,000 rows the smallest difference shows. So there are
three verdicts and no more: ok; look, what happens once in 50 times to a model that is right; differs, once in 500.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hierfit.plain import Measured
from hierfit.posterior.check.binomial import as_unlikely, least_with

Array = NDArray[np.float64]
LOOK, DIFFERS = 0.02, 0.002
INTERVAL = (0.025, 0.975)


class Verdict(StrEnum):
    """What a check comes to."""

    OK = "ok"
    LOOK = "look"
    DIFFERS = "differs"


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: what was looked at: "share of zeros", "schools".
        verdict: what it comes to.
        observed: the number in the data; NaN where there is none.
        expected: what it is in replications, on average.
        lower, upper: between them it lies in 95 % of the replications.
        p: how often a model that is right strays as far; NaN where that is not known.
        says: one sentence.
        tries: commands that answer to it, the best first.
    """

    name: str
    verdict: Verdict
    observed: Measured
    expected: Measured
    lower: Measured
    upper: Measured
    p: Measured
    says: str
    tries: tuple[str, ...] = ()


def judged(p: float) -> Verdict:
    """Return the verdict on what happens so often to a model that is right."""
    if p <= DIFFERS:
        return Verdict.DIFFERS
    return Verdict.LOOK if p <= LOOK else Verdict.OK


def two_sided(observed: float, replicated: Array) -> float:
    """Return how often replications [S] stray as far to either side, the data counted as one of them."""
    known = replicated[np.isfinite(replicated)]
    above, below = np.sum(known >= observed), np.sum(known <= observed)
    return float(min(1.0, 2 * (1 + min(above, below)) / (1 + len(known))))


def binomial_ends(of: int, share: float) -> tuple[float, float]:
    """Return the counts of `of` at that share that 95 % lie between."""
    return float(least_with(INTERVAL[0], of, share)), float(least_with(INTERVAL[1], of, share))


def binomial_p(count: int, of: int, share: float) -> float:
    """Return how often so many of `of`, or something less likely, come out at that share."""
    return as_unlikely(count, of, share) if of else 1.0
