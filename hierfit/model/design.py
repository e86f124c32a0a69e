"""Formula x Table -> Design: the numbers a regression needs, in the units of the CSV.

Letters: N rows, K population coefficients (the intercept not counted), F grouping factors, J levels of one
factor, M varying coefficients of one factor.
Codes are 0-based here; `stan.data` makes them 1-based. The scaling that the sampler sees is described by the
`Scaling` kept beside the raw
columns, so that everything reported can be in the units of the CSV and huge offsets (1e12 + small) lose nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """One grouping factor with its varying coefficients.

    Attributes:
        factor: column that holds the labels.
        labels: the J labels, exactly as written.
        codes: level of each row [N], 0-based.
        terms: names of the M varying coefficients, `Intercept` first where it varies.
        Z: columns that the coefficients multiply [N, M], raw; ones for the intercept.
        correlated: whether correlations are estimated.
    """

    factor: str
    labels: tuple[str, ...]
    codes: NDArray[np.int32]
    terms: tuple[str, ...]
    Z: Array
    correlated: bool

    @property
    def n_levels(self) -> int:
        """J, the number of levels."""
        return len(self.labels)

    @property
    def rows_per_level(self) -> NDArray[np.int64]:
        """Rows of each level [J]."""
        return np.bincount(self.codes, minlength=self.n_levels)


@dataclass(frozen=True)
class Design:
    """All columns of one regression, in the units of the CSV.

    Attributes:
        source: the CSV file.
        response: name of the outcome.
        y: outcome [N].
        coefficients: names of the K population coefficients.
        X: their columns [N, K], raw.
        intercept: whether there is a population-level intercept.
        centered: whether the sampler's X is centred, so that the intercept's prior speaks of the mean of X.
        groups: the grouping factors.
        lines: line of the CSV file for each row [N].
    """

    source: Path
    response: str
    y: Array
    coefficients: tuple[str, ...]
    X: Array
    intercept: bool
    centered: bool
    groups: tuple[Group, ...]
    lines: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """N, the number of rows."""
        return len(self.y)

    @property
    def x_mean(self) -> Array:
        """What is subtracted from each column of X before sampling [K]: its mean, or 0 where X is not centred."""
        if not (self.centered and self.intercept):
            return np.zeros(len(self.coefficients))
        return np.asarray(self.X.mean(axis=0), dtype=np.float64)
