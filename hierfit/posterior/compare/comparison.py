"""What models say of parts of the data, left out -> the table that holds them against each other, and what it means.

elpd of a model is the sum over the N parts; its standard error, and that of a difference, follows from how the parts
scatter: sqrt(N) times their sd. A difference below 4 is small whatever its standard error, which is too small where
models are alike or parts are few (Sivula, Magnusson, Matamoros, Vehtari 2020, arXiv:2008.10296): so two models are told
apart where they differ by 4 and by two standard errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from hierfit.posterior.compare.left_out import LARGEST_K, LeftOut
from hierfit.posterior.compare.stacking import stacking_weights

Array = NDArray[np.float64]
LEAST_DIFFERENCE, STANDARD_ERRORS = 4.0, 2.0
FEW_PARTS = 100


@dataclass(frozen=True)
class Standing:
    """How one of several models predicts data that it has not seen.

    Attributes:
        name: of the model.
        elpd: log predictive density of all parts, each left out in turn.
        se: its standard error.
        mcse: its Monte Carlo standard error.
        p_loo: the effective number of parameters.
        difference: from the best model's elpd, 0 or less.
        difference_se: its standard error; 0 for the best.
        weight: share of the model in the best mixture of all (stacking).
        doubtful: parts whose k is above the threshold.
        above: parts whose k is above 0.7.
        threshold: of k; see `left_out`.
        n_draws: of all chains.
    """

    name: str
    elpd: float
    se: float
    mcse: float
    p_loo: float
    difference: float
    difference_se: float
    weight: float
    doubtful: int
    above: int
    threshold: float
    n_draws: int

    def interval(self, ci: float) -> tuple[float, float]:
        """Return the normal interval of the difference of that probability; NaN for the best."""
        if self.difference_se == 0:
            return float("nan"), float("nan")
        reach = NormalDist().inv_cdf(0.5 + ci / 2) * self.difference_se
        return self.difference - reach, self.difference + reach

    @property
    def is_told_apart(self) -> bool:
        """Whether it predicts worse than the best model, and not by chance."""
        return self.difference <= -max(LEAST_DIFFERENCE, STANDARD_ERRORS * self.difference_se)


@dataclass(frozen=True)
class Comparison:
    """Models held against each other.

    Attributes:
        standings: the models, the best first.
        left_out: what each says of each part, by its name.
    """

    standings: tuple[Standing, ...]
    left_out: Mapping[str, LeftOut]

    @property
    def n_parts(self) -> int:
        """N."""
        return len(self.left_out[self.standings[0].name].elpd)


def compare(left_out: Mapping[str, LeftOut]) -> Comparison:
    """Hold models against each other, by their names, that say something of the same parts in the same order."""
    weights = dict(zip(left_out, stacking_weights([each.elpd for each in left_out.values()]), strict=True))
    order = sorted(left_out, key=lambda name: -float(left_out[name].elpd.sum()))
    best = left_out[order[0]]
    return Comparison(
        tuple(_standing(name, left_out[name], best, float(weights[name])) for name in order), dict(left_out)
    )


def _standing(name: str, own: LeftOut, best: LeftOut, weight: float) -> Standing:
    difference = own.elpd - best.elpd
    return Standing(
        name=name,
        elpd=float(own.elpd.sum()),
        se=standard_error(own.elpd),
        mcse=float(np.sqrt(np.square(own.mcse).sum())),
        p_loo=float(own.p.sum()),
        difference=float(difference.sum()),
        difference_se=standard_error(difference),
        weight=weight,
        doubtful=len(own.doubtful),
        above=int(np.sum(own.k > LARGEST_K)),
        threshold=own.threshold,
        n_draws=own.n_draws,
    )


def standard_error(parts: Array) -> float:
    """Return the standard error of a sum over parts [N]; NaN for a single one."""
    return float(np.sqrt(len(parts)) * parts.std(ddof=1)) if len(parts) > 1 else float("nan")


def verdict(comparison: Comparison, parts: str) -> str:
    """Return in a sentence or two which model predicts the parts, "rows" or "schools", better; nothing of one model."""
    best, *others = comparison.standings
    if not others:
        return ""
    worse = [other for other in others if other.is_told_apart]
    alike = [other for other in others if not other.is_told_apart]
    sentences = []
    if worse:
        by = [f"{_amount(-other.difference)} (SE {_amount(other.difference_se)}) than {other.name}" for other in worse]
        sentences.append(f"{best.name} predicts new {parts} better by {_joined(by)}.")
    if alike:
        whom = _joined([other.name for other in alike])
        sentences.append(
            f"{best.name} and {whom} cannot be told apart: the difference is less than "
            f"{LEAST_DIFFERENCE:g} or within {STANDARD_ERRORS:g} standard errors."
        )
    if comparison.n_parts < FEW_PARTS:
        sentences.append(f"With {comparison.n_parts} {parts}, standard errors are rough, and rather too small.")
    return " ".join(sentences)


def _amount(value: float) -> str:
    return f"{value:,.1f}"


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
