"""Grouping factors with the true effects of their levels, deviations from the population values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.model.grammar import INTERCEPT
from hierfit.posterior.predict.linear import LevelEffects
from hierfit.posterior.predict.linear import group_part as summed_effects
from hierfit.simulate.predictors import Array


@dataclass(frozen=True)
class Factor:
    """One grouping factor with the true effects of its J levels.

    Attributes:
        name: of its column.
        labels: of the levels.
        codes: level of each row [N].
        terms: names of the M varying coefficients; none where nothing varies.
        effects: deviations from the population values [J, M].
    """

    name: str
    labels: tuple[str, ...]
    codes: NDArray[np.integer]
    terms: tuple[str, ...]
    effects: Array

    @property
    def column(self) -> tuple[str, ...]:
        """The label of each row."""
        return tuple(self.labels[code] for code in self.codes.tolist())

    @property
    def truth(self) -> dict[str, Any]:
        """What truth.json says of it."""
        return {"terms": list(self.terms), "values": dict(zip(self.labels, self.effects.tolist(), strict=True))}


def linear_predictor(design: Design, parameters: Mapping[str, float], factors: Sequence[Factor]) -> Array:
    """Return intercept, predictors, offset and group effects, row by row [N].

    Effects of the first factor go onto the coefficients, so that without noise its rows lie on their line exactly.
    """
    names, X = (INTERCEPT, *design.coefficients), np.column_stack([np.ones(design.n_rows), design.X])
    B = np.tile([parameters.get(name, 0.0) for name in names], (design.n_rows, 1))
    others = np.zeros(design.n_rows) if design.offset is None else design.offset
    for number, (group, factor) in enumerate(zip(design.groups, factors, strict=True)):
        for m in group.columns_of(None):
            term = group.terms[m]
            u, z = factor.effects[group.codes, m], group.Z[:, m]
            k = names.index(term) if term in names and not number else None
            if k is not None and np.array_equal(z, X[:, k]):
                B[:, k] += u
            else:
                others = others + z * u
    return np.asarray(B[:, 0] + np.sum(design.X * B[:, 1:], axis=1) + others)


def group_part(design: Design, factors: Sequence[Factor], parameter: str) -> Array:
    """Return what group effects add to the predictor of a parameter beside the mean, row by row [N]."""
    rows = design.at(slice(None))
    effects = [
        LevelEffects(factor.effects[:, :, None], group.codes)
        for group, factor in zip(design.groups, factors, strict=True)
    ]
    found: Array = summed_effects(design.groups, rows.groups, effects, parameter, (1, design.n_rows))[0]
    return found
