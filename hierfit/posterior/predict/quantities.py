"""What is asked of rows -> quantities, and their values under draws.

On the response scale: what is expected of the outcome, and outcomes themselves; of ordered categories the probability
of each. On that of the link: the linear predictor. Or one parameter of the distribution, by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.rows import Rows
from hierfit.errors import UsageError, did_you_mean
from hierfit.model.densities import category_probabilities
from hierfit.model.families import FAMILIES, LINKS
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import Indices
from hierfit.posterior.predict.linear import distribution_of
from hierfit.posterior.predict.new_levels import NewEffects
from hierfit.posterior.predict.values import outcomes_by_row

Array = NDArray[np.float64]
MU, EXPECTED, OUTCOME = "mu", "expected", "outcome"


class Scale(StrEnum):
    """The scale of what is predicted."""

    RESPONSE = "response"
    LINK = "link"


@dataclass(frozen=True)
class Asked:
    """What is asked of every row.

    Attributes:
        scale: of the answer.
        parameter: of the distribution, by its name; None for the outcome.
    """

    scale: Scale = Scale.RESPONSE
    parameter: str | None = None


@dataclass(frozen=True)
class Quantity:
    """One number, or category, of every row under every draw.

    Attributes:
        name: what it is called, and begins the names of its columns with.
        mean: whether its mean over draws is told.
        bounds: whether an interval is told.
        whole: whether only values that it can have are told, such as whole numbers.
        categories: what 0, 1, ... stand for.
    """

    name: str
    mean: bool = True
    bounds: bool = True
    whole: bool = False
    categories: tuple[str, ...] = ()


def parameters_of(design: Design) -> tuple[str, ...]:
    """Return the names of the parameters of the outcome's distribution, `mu` first where it has a mean."""
    family = FAMILIES[design.family]
    return (*([] if family.has_thresholds else [MU]), *(aux.name for aux in family.auxiliaries))


def quantities(design: Design, asked: Asked) -> tuple[Quantity, ...]:
    """Return what the answer consists of.

    Raises:
        UsageError: the distribution has no such parameter.
    """
    family, parameter = FAMILIES[design.family], asked.parameter
    if parameter is not None:
        known = parameters_of(design)
        if parameter not in known:
            raise UsageError(
                f"--parameter {parameter}: the family {family.name} has no such parameter."
                f"{did_you_mean(parameter, known)}",
                hint=f"parameters: {', '.join(known)}" if known else "leave --parameter out",
            )
        auxiliary = family.auxiliary(parameter)
        if asked.scale is Scale.RESPONSE or auxiliary is None:
            return (Quantity(parameter if asked.scale is Scale.RESPONSE else "link"),)
        return (Quantity(f"{auxiliary.link}_{parameter}"),)
    if asked.scale is Scale.LINK:
        return (Quantity("link"),)
    outcome = Quantity(OUTCOME, mean=False, whole=family.is_discrete)
    if family.has_thresholds:
        shares = (Quantity(f"probability[{category}]", bounds=False) for category in design.categories)
        return (*shares, Quantity(OUTCOME, mean=False, whole=True, categories=design.categories))
    return (Quantity(EXPECTED), outcome)


def values(
    draws: Draws,
    design: Design,
    rows: Rows,
    picks: Indices,
    asked: Asked,
    rng: np.random.Generator,
    new: NewEffects | None = None,
) -> list[Array]:
    """Return the values of each of the quantities, under chosen draws [S, R]; `rng` draws outcomes."""
    predictor, auxiliaries = distribution_of(draws, design, rows, picks, new)
    trials = np.ones(len(rows.lines)) if rows.trials is None else rows.trials
    return told(design, predictor, auxiliaries, trials, asked, rng)


def told(
    design: Design,
    predictor: Array,
    auxiliaries: Mapping[str, Array],
    trials: Array,
    asked: Asked,
    rng: np.random.Generator | None = None,
) -> list[Array]:
    """Return the values of each quantity at linear predictors [S, R]; without `rng` not those of outcomes."""
    family = FAMILIES[design.family]
    if asked.parameter not in (None, MU):
        own = np.broadcast_to(auxiliaries[str(asked.parameter)], predictor.shape)
        auxiliary = family.auxiliary(str(asked.parameter))
        assert auxiliary is not None
        return [own if asked.scale is Scale.RESPONSE else LINKS[auxiliary.link].forward(own)]
    if asked.scale is Scale.LINK:
        return [predictor]
    return told_at(design, family.mean(predictor, design.link, auxiliaries), auxiliaries, trials, asked, rng)


def told_at(
    design: Design,
    mean: Array,
    auxiliaries: Mapping[str, Array],
    trials: Array,
    asked: Asked,
    rng: np.random.Generator | None = None,
) -> list[Array]:
    """Return the values of each quantity of outcomes, given what their distributions call the mean [..., S, R]."""
    family = FAMILIES[design.family]
    if asked.parameter == MU:
        return [mean]
    if family.has_thresholds:
        found = list(category_probabilities(mean))
    else:
        found = [family.expected(mean, auxiliaries, trials)]
    return found if rng is None else [*found, outcomes_by_row(design, mean, auxiliaries, trials, rng)]
