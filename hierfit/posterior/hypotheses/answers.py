"""What the posterior says of expressions: mean, sd, interval, probability, evidence ratio, share in a ROPE.

A `Quantity` is summarised as a parameter is. Of a claim there is also how likely it is to be true, and what it is
about is summarised: `a > b` is about a - b, `a > 2` about a, `1 < a < 2` about a; claims joined by words, and other
chains, are about no one quantity. Draws in which an expression has no value are left out, and counted.

The evidence ratio is that of brms: P / (1 - P), and of `=` that of Savage and Dickey (`point`). The Monte Carlo error
of P is that of the mean of zeros and ones, from their effective sample size. Intervals are equal-tailed. A ROPE (region
of practical equivalence) has a share of the draws, and of those within the interval (Kruschke 2018, Advances in Methods
and Practices in Psychological Science 1(2)).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.plain import Count, Key, Measured, to_plain
from hierfit.posterior.convergence import assess, mean_error
from hierfit.posterior.hypotheses.evaluate import Known, truth_of, value_of
from hierfit.posterior.hypotheses.point import NoRatio, point_ratio
from hierfit.posterior.hypotheses.prior import PriorOf
from hierfit.posterior.hypotheses.tree import (
    CLAIMS,
    Chain,
    Comparison,
    Quantity,
    Tree,
    names_in,
    written,
)
from hierfit.posterior.summary import interval_bounds

Array = NDArray[np.float64]
Interval = tuple[float, float]
_Numbers = tuple[float, float, float, float, float, float, float, float]
_NONE: _Numbers = (math.nan,) * 8


@dataclass(frozen=True)
class Answer:
    """What the posterior says of one expression; NaN where a number does not exist.

    Attributes:
        expression: as it was written.
        about: the quantity that mean, sd, interval and ROPE are of; None where there is none.
        mean, sd, lower, upper, mcse_mean, rhat, ess_bulk, ess_tail: of that quantity.
        probability: that the claim is true; NaN of a quantity, and of `=`.
        probability_mcse: its Monte Carlo standard error; NaN where all draws agree.
        evidence_ratio: P / (1 - P), infinite where it is true in all draws; of `=`, posterior over prior density there.
        evidence_ratio_mcse: its Monte Carlo standard error.
        in_rope: share of the draws in the ROPE.
        interval_in_rope: share of those within the interval that is in the ROPE.
        draws: draws that have a value.
        without_value: those that have none.
        reasons: why, and how often.
        no_ratio: why `=` has no evidence ratio.
        is_difference: whether what it is about is the difference of the two sides of a comparison.
    """

    expression: str
    about: str | None
    mean: Measured
    sd: Measured
    lower: Measured
    upper: Measured
    mcse_mean: Measured
    rhat: Measured
    ess_bulk: Measured
    ess_tail: Measured
    probability: Measured
    probability_mcse: Measured
    evidence_ratio: Measured
    evidence_ratio_mcse: Measured
    in_rope: Measured
    interval_in_rope: Measured
    draws: Count
    without_value: Count
    reasons: Mapping[str, Count]
    no_ratio: str | None = None
    is_difference: bool = False

    @property
    def is_claim(self) -> bool:
        """Whether it is true or false."""
        return not math.isnan(self.probability)

    @property
    def fixed(self) -> bool:
        """Whether what it is about has one value."""
        return self.sd == 0


@dataclass(frozen=True)
class Answers:
    """What the posterior says of expressions.

    Attributes:
        rows: one for each, in their order.
        ci: mass of the equal-tailed intervals.
        rope: the ends of the ROPE, or None.
        chains: number of chains.
        effects: effects of levels that are named.
        shared: names that are of a parameter and of an effect, and how the effect is written.
    """

    rows: Annotated[tuple[Answer, ...], Key("expressions")]
    ci: float
    rope: Interval | None
    chains: Count
    effects: tuple[str, ...] = ()
    shared: Mapping[str, str] | None = None

    def csv_rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the header, then the rows at full precision, empty where there is no number."""
        yield COLUMNS
        for row in self.rows:
            plain = to_plain(row)
            infinite = {"evidence_ratio": "inf"} if math.isinf(row.evidence_ratio) else {}
            cells = {**plain, **infinite}
            yield tuple("" if cells[name] is None else cells[name] for name in COLUMNS)


COLUMNS = (
    "expression", "about", "mean", "sd", "lower", "upper", "probability", "probability_mcse", "evidence_ratio",
    "evidence_ratio_mcse", "in_rope", "interval_in_rope", "mcse_mean", "rhat", "ess_bulk", "ess_tail", "draws",
    "without_value",
)  # fmt: skip
_POINT = "="


def quantity_of(tree: Tree) -> Quantity | None:
    """Return the quantity that an expression is about."""
    if not isinstance(tree, CLAIMS):
        return tree
    if not isinstance(tree, Comparison):
        return None
    if len(tree.operands) == 2:
        left, right = tree.operands
        return left if _is_number(right) else right if _is_number(left) else Chain(left, (("-", right),))
    among = [operand for operand in tree.operands if not _is_number(operand)]
    return among[0] if len(among) == 1 else None


def _is_number(tree: Tree) -> bool:
    return next(names_in(tree), None) is None


def answer(
    expression: str, tree: Tree, draws: Known, ci: float, rope: Interval | None, prior: PriorOf | None = None
) -> Answer:
    """Return what the draws say of an expression; of `=`, beside what the prior does.

    There is no `prior` where the draws are from it.
    """
    about = quantity_of(tree)
    missing: Counter[str] = Counter()
    values = None if about is None else value_of(about, draws, missing)
    known = np.ones(draws.shape, dtype=np.bool_) if values is None else np.isfinite(values)
    chance, no_ratio = (math.nan, math.nan, math.nan, math.nan), None
    if isinstance(tree, CLAIMS) and not is_point(tree):
        missing.clear()
        truth = truth_of(tree, draws, missing)
        known = known & truth.known
        chance = _chance(truth.holds, known)
    elif isinstance(tree, Comparison) and prior is None:
        no_ratio = "the draws are of the prior"
    elif isinstance(tree, Comparison) and prior is not None:
        try:
            found = point_ratio(tree, draws, prior)
            chance = (math.nan, math.nan, found.value, found.error)
        except NoRatio as reason:
            no_ratio = str(reason)
    numbers = _NONE if values is None else _numbers(values, known, ci)
    shares = (math.nan, math.nan) if values is None or rope is None else _shares(values[known], rope, ci)
    total = int(known.size)
    have = int(np.count_nonzero(known))
    words = None if about is None else written(about)
    apart = isinstance(tree, Comparison) and about is not None and about not in tree.operands
    return Answer(
        expression.strip(), words, *numbers, *chance, *shares, have, total - have, dict(missing), no_ratio, apart
    )


def is_point(tree: Tree) -> bool:
    """Whether an expression says that two quantities are the same."""
    return isinstance(tree, Comparison) and tree.signs == (_POINT,)


def _chance(holds: NDArray[np.bool_], known: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Return probability and evidence ratio of a claim with their errors, from the draws that have a value."""
    if not known.any():
        return math.nan, math.nan, math.nan, math.nan
    share = float(holds[known].mean())
    error = mean_error(holds.astype(np.float64)) if known.all() else math.nan
    if share == 1:
        return share, error, math.inf, math.nan
    return share, error, share / (1 - share), error / (1 - share) ** 2


def _numbers(values: Array, known: NDArray[np.bool_], ci: float) -> _Numbers:
    """Return mean, sd, bounds, Monte Carlo error, R-hat and two ESS; the last four where every draw has a value."""
    some = values[known]
    if not some.size:
        return _NONE
    found = assess(values[..., np.newaxis])
    whole = bool(known.all())
    sd = 0.0 if whole and found.fixed[0] else float(moments.sd(some)) if some.size > 1 else math.nan
    lower, upper = np.quantile(some, interval_bounds(ci)).tolist()
    mean = float(moments.mean(some))
    if not whole:
        return mean, sd, lower, upper, math.nan, math.nan, math.nan, math.nan
    error, rhat, bulk, tail = (float(n[0]) for n in (found.mcse_mean, found.rhat, found.ess_bulk, found.ess_tail))
    return mean, sd, lower, upper, error, rhat, bulk, tail


def _shares(values: Array, rope: Interval, ci: float) -> tuple[float, float]:
    """Return the share of draws in a ROPE, its ends included, and that of the draws within the interval."""
    if not values.size:
        return math.nan, math.nan
    inside = (values >= rope[0]) & (values <= rope[1])
    lower, upper = np.quantile(values, interval_bounds(ci))
    central = (values >= lower) & (values <= upper)
    return float(inside.mean()), float(inside[central].mean())
