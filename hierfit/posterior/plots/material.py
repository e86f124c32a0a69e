"""What every figure is drawn from, and what a figure function returns.

Letters of this package: S draws of all chains, J levels, M varying coefficients of one factor, N rows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design
from hierfit.model.spec import POSITIVE, Kind, ModelSpec, Parameter
from hierfit.posterior.convergence import Convergence, EffectScreen, assess, screen_effects
from hierfit.posterior.digits import decimals, format_number
from hierfit.posterior.draws import Draws
from hierfit.posterior.group_summary import GroupSummary, summarize_groups
from hierfit.posterior.truth import Truth

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
T = TypeVar("T")
CI = 0.95
INTERVAL = (0.025, 0.975)
CLIP_SDS = 6.0
SEED = 20_240_601


@dataclass(frozen=True)
class Plate:
    """One finished figure.

    Attributes:
        figure: the matplotlib Figure, on the Agg canvas.
        caption: one or two sentences that say what it shows; also the PNG's description for screen readers.
    """

    figure: Figure
    caption: str


class Per(StrEnum):
    """What coefficients are of."""

    UNIT = "unit"  # of their column
    SD = "sd"  # of it, where it holds more than two values


@dataclass(frozen=True)
class Choices:
    """What the user wants to see instead of what a figure would choose.

    Attributes:
        column: the predictor that figures run along.
        per: what coefficients are of.
    """

    column: str | None = None
    per: Per | None = None


NO_CHOICES = Choices()


@dataclass(frozen=True)
class Material:
    """One fitted model, ready to be drawn.

    Attributes:
        draws: the posterior draws.
        design: the data.
        spec: formula, family and priors.
        truth: the true values, for simulated data.
        known: convergence numbers of the population-level parameters, where they are at hand already.
        summary: the group summary, where it is at hand already.
        failed: whether the checks of the run failed, which every figure then says.
        choices: what the user wants to see instead of what a figure would choose.
    """

    draws: Draws
    design: Design
    spec: ModelSpec
    truth: Truth | None = None
    known: Convergence | None = None
    summary: GroupSummary | None = None
    failed: bool = False
    choices: Choices = NO_CHOICES

    @property
    def caveat(self) -> str:
        """What keeps a figure from saying what it seems to say; empty where nothing does."""
        if self.spec.prior_only:
            return "Drawn from the priors alone: says nothing of the data"
        return "The checks of this run FAILED: do not use what is shown" if self.failed else ""

    def finding(self, text: str) -> str:
        """Return a finding as a title has it; of the priors alone it is none of the data."""
        return f"Under the priors alone: {text}" if self.spec.prior_only else text

    @cached_property
    def convergence(self) -> Convergence:
        """Convergence numbers of the population-level parameters."""
        return self.known or assess(self.draws.values)

    @cached_property
    def group_summary(self) -> GroupSummary:
        """The levels of all factors with 95 % intervals."""
        usable = self.summary is not None and self.summary.ci == CI
        return self.summary if self.summary and usable else summarize_groups(self.draws, self.design, self.spec, CI)

    @cached_property
    def screens(self) -> Mapping[str, EffectScreen]:
        """Convergence numbers of the effects of each factor that were kept."""
        kept = [group for group in self.design.groups if group.factor in self.draws.effects]
        return {group.factor: screen_effects(self.draws.effects_of(group)) for group in kept}

    @cached_property
    def _kept(self) -> dict[Hashable, Any]:
        return {}

    def once(self, name: Hashable, work_out: Callable[[], T]) -> T:
        """Return what goes by a name in this package, worked out the first time that a figure asks for it."""
        if name not in self._kept:
            self._kept[name] = work_out()
        found: T = self._kept[name]
        return found

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator with the fixed seed of the figures, so that a figure can be drawn again."""
        return np.random.default_rng(SEED)

    def true_value(self, name: str) -> float | None:
        """Return the true value of a population-level parameter, None where it is not known."""
        return None if self.truth is None else self.truth.parameters.get(name)

    def free(self, *kinds: Kind) -> list[int]:
        """Return the indices of the parameters of these kinds (all when none is given) that move and are finite."""
        wanted = kinds or tuple(Kind)
        moves = ~self.convergence.fixed & np.isfinite(self.draws.values).all(axis=(0, 1))
        return [i for i, p in enumerate(self.draws.parameters) if p.kind in wanted and moves[i]]

    def values(self, index: int) -> Array:
        """Return the draws of one parameter, the chains joined [S]."""
        return self.draws.values[:, :, index].ravel()

    def support(self, index: int) -> tuple[float, float]:
        """Return the bounds of one parameter."""
        parameter = self.draws.parameters[index]
        return support(parameter) if parameter.kind is Kind.CORRELATION else self.spec.range_of(parameter.name)

    def limits(self, index: int) -> tuple[float, float]:
        """Return the range of one parameter's draws for an axis."""
        return limits(self.values(index), self.draws.parameters[index], self.support(index))


def support(parameter: Parameter) -> tuple[float, float]:
    """Return the bounds of a population-level parameter of its kind."""
    if parameter.kind is Kind.CORRELATION:
        return -1.0, 1.0
    return (0.0, np.inf) if parameter.kind in POSITIVE else (-np.inf, np.inf)


def interval_text(values: Array) -> str:
    """Return "2.39 (2.15 to 2.63)": mean and 95 % equal-tailed interval of draws [S]."""
    places = decimals(float(moments.sd(values)))
    low, high = np.quantile(values, INTERVAL)
    return (
        f"{format_number(float(moments.mean(values)), places)} "
        f"({format_number(float(low), places)} to {format_number(float(high), places)})"
    )


def limits(values: Array, parameter: Parameter, bounds: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return the range of draws [S] for an axis: with a margin, at most 6 sds from the mean, within the support."""
    low, lower, upper, high = np.quantile(values, (0.0005, *INTERVAL, 0.9995))
    margin = 0.3 * (upper - lower)
    mean, reach, bounds = moments.mean(values), CLIP_SDS * moments.sd(values, ddof=0), bounds or support(parameter)
    return float(max(low - margin, mean - reach, bounds[0])), float(min(high + margin, mean + reach, bounds[1]))


def coverage_sentence(lower: Array, upper: Array, truth: Array, what: str = "") -> str:
    """Return "48 of 50 intervals of WHAT contain the truth (expect 47.5)" for bounds and true values [J]."""
    known = np.isfinite(truth)
    inside = int(((lower <= truth) & (truth <= upper))[known].sum())
    total = int(known.sum())
    expected = f"{(INTERVAL[1] - INTERVAL[0]) * total:,.1f}"
    intervals = f"intervals of {what}" if what else "intervals"
    return f"{inside:,} of {total:,} {intervals} contain the truth (expect {expected.removesuffix('.0')})"


def evenly(items: Sequence[int], most: int) -> list[int]:
    """Return at most `most` items, evenly spaced."""
    if len(items) <= most:
        return list(items)
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, most).round().astype(int))]
