"""What a model needs to know of rows that it was not fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
RowChoice = NDArray[np.int64] | slice


class NewLevels(Enum):
    """What a level of a grouping factor gets that no row of the fit had."""

    DRAW = "draw"  # effects drawn from the distribution of the levels, one joint draw for each posterior draw
    AVERAGE = "average"  # effects of 0
    ERROR = "error"  # a message


@dataclass(frozen=True, eq=False)
class GroupRows:
    """What rows have of one grouping factor.

    Attributes:
        labels: its levels: those of the fit in their order, then others.
        codes: level of each row [N].
        Z: columns that its varying coefficients multiply [N, M], raw.
    """

    labels: tuple[str, ...]
    codes: NDArray[np.int32]
    Z: Array

    def at(self, rows: RowChoice) -> GroupRows:
        """Return some of the rows."""
        return GroupRows(self.labels, self.codes[rows], self.Z[rows])


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in the columns of a design.

    Attributes:
        source: the file that they are from.
        lines: line of the file for each row [N].
        X: population columns [N, K], raw.
        groups: what they have of each grouping factor.
        offset, trials, precision: as in a Design [N], or None.
        distributional: columns that predict other parameters than the mean, by parameter [N, S].
    """

    source: Path
    lines: NDArray[np.int64]
    X: Array
    groups: tuple[GroupRows, ...]
    offset: Array | None = None
    trials: Array | None = None
    distributional: Mapping[str, Array] = field(default_factory=dict)
    precision: Array | None = None

    def same_groups(self, other: Rows) -> bool:
        """Whether what varying coefficients multiply is the same, of the same rows with other values of columns."""
        return all(np.array_equal(own.Z, its.Z) for own, its in zip(self.groups, other.groups, strict=True))

    def at(self, rows: RowChoice) -> Rows:
        """Return some of the rows."""

        def of(column: Array | None) -> Array | None:
            return None if column is None else column[rows]

        return replace(
            self,
            lines=self.lines[rows],
            X=self.X[rows],
            groups=tuple(group.at(rows) for group in self.groups),
            offset=of(self.offset),
            trials=of(self.trials),
            distributional={name: X[rows] for name, X in self.distributional.items()},
            precision=of(self.precision),
        )
