"""truth.json -> Truth: the values that simulated data were made from, aligned with the levels of a Design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.plain import Later, UnexpectedError, below, from_plain

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """True values, as far as they are known.

    Attributes:
        parameters: population-level parameter -> value.
        effects: grouping factor -> deviations of every level [J, M] in the order of the design's labels and terms,
            NaN where unknown.
    """

    parameters: Mapping[str, float]
    effects: Mapping[str, Array]

    @classmethod
    def from_json(cls, content: Mapping[str, Any], design: Design) -> Truth:
        """Return the truth that a truth.json holds; levels and terms that the design lacks are left out.

        Raises:
            UnexpectedError: the content does not have the form of a truth.json.
        """
        stored = read_truth(content)
        known = [group for group in design.groups if group.factor in stored.effects]
        return cls(stored.parameters, {group.factor: _aligned(stored.effects[group.factor], group) for group in known})

    def levels(self, group: Group, index: int, *, deviation: bool = False) -> Array | None:
        """Return the true coefficients (population + deviation) of one term [J], None where they are not known."""
        if group.factor not in self.effects:
            return None
        effects = self.effects[group.factor][:, index]
        return effects if deviation else effects + self.parameters.get(group.terms[index], 0.0)


@dataclass(frozen=True)
class StoredEffects:
    """The true deviations of the levels of one factor, as a truth.json has them: a number for each term."""

    terms: tuple[str, ...]
    values: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class StoredTruth:
    """What is read of a truth.json."""

    parameters: Later[Mapping[str, float]] = field(default_factory=dict)
    effects: Later[Mapping[str, StoredEffects]] = field(default_factory=dict)


def read_truth(content: Mapping[str, Any]) -> StoredTruth:
    """Return the true values that a truth.json holds.

    Raises:
        UnexpectedError: the content does not have the form of one.
    """
    stored = from_plain(StoredTruth, content, extra=True)
    for factor, effects in stored.effects.items():
        where = below(below("effects", factor), "values")
        for level, values in effects.values.items():
            if len(values) != len(effects.terms):
                expected = f"one for each of {len(effects.terms)} terms"
                raise UnexpectedError(below(where, level), f"has {len(values)} numbers; expected {expected}")
    return stored


def _aligned(stored: StoredEffects, group: Group) -> Array:
    effects = np.full((group.n_levels, len(group.terms)), np.nan)
    columns = [(index, stored.terms.index(term)) for index, term in enumerate(group.terms) if term in stored.terms]
    for level, label in enumerate(group.labels):
        values = stored.values.get(label)
        if values is not None:
            for index, column in columns:
                effects[level, index] = values[column]
    return effects
