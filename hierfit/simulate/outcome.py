"""The linear predictor of every row and true auxiliary parameters -> the outcome, within what a fit can take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hierfit.design.design import Design
from hierfit.design.outcome import LARGEST_COUNT
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES, SIGMA, THRESHOLD, Support
from hierfit.model.links import LEAST, MOST
from hierfit.model.spec import coefficient_name, threshold_name
from hierfit.simulate.effects import Factor, group_part
from hierfit.simulate.predictors import Array

Column = Array | tuple[str, ...]


def draw_rows(
    rng: np.random.Generator,
    design: Design,
    parameters: Mapping[str, float],
    predictor: Array,
    factors: Sequence[Factor],
) -> Column:
    """Draw the outcome of every row of a design given the linear predictor [N], as the file has it: numbers or labels.

    `factors` have the true effects of each group of the design.

    Raises:
        UsageError: counts grow beyond what can be fitted.
    """
    family, auxiliaries = FAMILIES[design.family], true_auxiliaries(design, parameters, factors)
    trials = np.ones(design.n_rows) if design.trials is None else design.trials
    y = family.replicate(rng, family.mean(predictor, design.link, auxiliaries), auxiliaries, trials)
    if family.is_discrete and len(y) and y.max() > LARGEST_COUNT:
        raise UsageError(
            f"counts as large as {y.max():.2g} came out; more than {LARGEST_COUNT:,} cannot be fitted.",
            hint="intercept, coefficients and sds are on the scale of the link: choose smaller ones",
        )
    # Where a proportion or an amount rounds to an end of its range, the outcome is the nearest value inside.
    if family.support is Support.UNIT:
        y = np.clip(y, LEAST, MOST)
    elif family.support is Support.POSITIVE:
        y = np.maximum(y, LEAST)
    return tuple(design.categories[int(code)] for code in y) if design.categories else y


def true_auxiliaries(design: Design, parameters: Mapping[str, float], factors: Sequence[Factor]) -> dict[str, Array]:
    """Return the auxiliary parameters as `model.families` has them: thresholds [Q, 1], a sigma with predictors [N]."""
    found = {
        auxiliary.name: np.array([parameters[auxiliary.name]])
        for auxiliary in FAMILIES[design.family].auxiliaries
        if auxiliary.name in parameters
    }
    if design.thresholds:
        found[THRESHOLD] = np.array([[parameters[threshold_name(between)]] for between in design.thresholds])
    for own in design.distributional:
        b = np.array([parameters[coefficient_name(own.parameter, term)] for term in own.coefficients])
        predictor = own.X @ b + group_part(design, factors, own.parameter)
        found[own.parameter] = FAMILIES[design.family].inverse_of(own.parameter, predictor)
    if design.precision is not None:
        found[SIGMA] = found[SIGMA] / np.sqrt(design.precision)
    return found
