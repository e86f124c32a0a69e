"""Roles: columns and levels that the user gives a part in the model beside outcome, predictors and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hierfit.model.contrasts import LevelContrasts
from hierfit.plain import Later


@dataclass(frozen=True)
class Roles:
    """Columns and levels in further roles.

    Attributes:
        trials: column with the number of trials, for families that count successes.
        offset: column that is added to the linear predictor.
        weights: column that says how often each row counts.
        exposure: column whose logarithm is added to the linear predictor.
        precision: column that the variance of each row is divided by.
        references: text column -> level that the others are compared with; of a binary outcome, the level that is 0.
        levels: column of categories, a predictor or the outcome -> its levels in order.
        contrasts: text column -> what the coefficients of its levels compare, where that was chosen.
    """

    trials: str | None = None
    offset: str | None = None
    weights: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    levels: Later[Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    exposure: Later[str | None] = None
    precision: Later[str | None] = None
    contrasts: Later[Mapping[str, LevelContrasts]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that must hold numbers."""
        columns = (self.trials, self.offset, self.weights, self.exposure, self.precision)
        return tuple(name for name in columns if name is not None)

    @property
    def row_terms(self) -> tuple[str, ...]:
        """What these columns are to the model: "offset(log(minutes))", "weights(copies)", ..."""
        parts = (
            (self.offset, "offset({})"),
            (self.exposure, "offset(log({}))"),
            (self.trials, "trials({})"),
            (self.weights, "weights({}), which count rows"),
            (self.precision, "precision weights({})"),
        )
        return tuple(form.format(name) for name, form in parts if name is not None)

    @property
    def offset_at_zero(self) -> str | None:
        """Where the offset is 0: "log_min = 0", "minutes = 1"; None without one."""
        parts = [f"{self.offset} = 0"] if self.offset is not None else []
        parts += [f"{self.exposure} = 1"] if self.exposure is not None else []
        return " and ".join(parts) or None


NO_ROLES = Roles()
