"""Roles: columns and levels that the user gives a part in the model beside outcome, predictors and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Roles:
    """Columns and levels in further roles.

    Attributes:
        trials: column with the number of trials, for families that count successes.
        offset: column that is added to the linear predictor.
        weights: column that says how often each row counts.
        references: text column -> level that the others are compared with; of a binary outcome, the level that is 0.
        levels: column of categories, a predictor or the outcome -> its levels in order.
    """

    trials: str | None = None
    offset: str | None = None
    weights: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that must hold numbers."""
        return tuple(name for name in (self.trials, self.offset, self.weights) if name is not None)


def roles_from_dict(stored: Mapping[str, Any]) -> Roles:
    """Make the Roles whose `dataclasses.asdict` was stored."""
    levels = {column: tuple(levels) for column, levels in stored.get("levels", {}).items()}
    return Roles(**{**stored, "levels": levels})


NO_ROLES = Roles()
