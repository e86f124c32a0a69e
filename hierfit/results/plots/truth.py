"""truth.json -> Truth: the values that simulated data were made from, aligned with the levels of a Design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import DataError
from hierfit.model.design import Design, Group

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
            DataError: the content does not have the form of a truth.json.
        """
        try:
            parameters = {str(name): float(value) for name, value in content.get("parameters", {}).items()}
            effects = content.get("effects", {})
            known = [group for group in design.groups if group.factor in effects]
            return cls(parameters, {group.factor: _aligned(effects[group.factor], group) for group in known})
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise DataError(
                f"the true values do not have the form of a truth.json ({type(error).__name__}: {error}).",
                hint='expected {"parameters": {name: number}, "effects": {factor: {"terms": [...], "values": {...}}}}',
            ) from error

    def levels(self, group: Group, index: int, *, deviation: bool = False) -> Array | None:
        """Return the true coefficients (population + deviation) of one term [J], None where they are not known."""
        if group.factor not in self.effects:
            return None
        effects = self.effects[group.factor][:, index]
        return effects if deviation else effects + self.parameters.get(group.terms[index], 0.0)


def _aligned(content: Mapping[str, Any], group: Group) -> Array:
    terms = list(content["terms"])
    effects = np.full((group.n_levels, len(group.terms)), np.nan)
    columns = [(index, terms.index(term)) for index, term in enumerate(group.terms) if term in terms]
    for level, label in enumerate(group.labels):
        values = content["values"].get(label)
        if values is not None:
            for index, column in columns:
                effects[level, index] = float(values[column])
    return effects
