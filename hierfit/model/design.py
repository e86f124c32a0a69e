"""Formula x Table -> Design: the numbers that a regression needs, in the units of the CSV.

Letters: N rows, K population-level coefficients (the intercept not counted), F grouping factors, J levels of one
factor, M varying coefficients of one factor. Codes are 0-based here; `stan.data` makes them 1-based and scales the
columns for the sampler, so that huge offsets (1e12 + small) lose nothing.

Refused with a DataError: a constant outcome or predictor, fewer rows than a residual sd needs, a factor with one
level.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import DataError
from hierfit.model.formula import INTERCEPT, Formula, GroupTerm
from hierfit.model.table import Table

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

    @property
    def y_mean(self) -> float:
        """What is subtracted from the outcome before sampling: its mean, or 0 where no intercept could absorb it."""
        return float(self.y.mean()) if self.intercept else 0.0

    @property
    def y_scale(self) -> float:
        """The sd of the outcome."""
        return float(self.y.std(ddof=1))

    @property
    def x_scale(self) -> Array:
        """The sd of each column of X [K]."""
        return np.asarray(self.X.std(axis=0, ddof=1), dtype=np.float64)

    def group(self, factor: str) -> Group:
        """Return the grouping factor of that name; KeyError if there is none."""
        for group in self.groups:
            if group.factor == factor:
                return group
        raise KeyError(factor)


def build_design(formula: Formula, table: Table, *, centered: bool = True) -> Design:
    """Lay out the columns that `formula` names.

    Raises:
        DataError: the data cannot carry the model; the message says which column and why.
    """
    design = Design(
        source=table.path,
        response=formula.response,
        y=table.numbers[formula.response],
        coefficients=formula.terms,
        X=_columns(table, formula.terms),
        intercept=formula.intercept,
        centered=centered,
        groups=tuple(_group(term, table) for term in formula.groups),
        lines=table.lines,
    )
    _check_rows(design)
    _check_columns(design)
    for group in design.groups:
        _check_group(group, design)
    return design


def _columns(table: Table, names: tuple[str, ...]) -> Array:
    columns = [np.ones(table.n_rows) if name == INTERCEPT else table.numbers[name] for name in names]
    return np.column_stack(columns) if columns else np.empty((table.n_rows, 0))


def _group(term: GroupTerm, table: Table) -> Group:
    return Group(
        factor=term.factor,
        labels=table.levels[term.factor],
        codes=table.labels[term.factor],
        terms=term.terms,
        Z=_columns(table, term.terms),
        correlated=term.correlated and len(term.terms) > 1,
    )


def _check_rows(design: Design) -> None:
    """Refuse fewer rows than two, or than there are coefficients: nothing is left to estimate a residual from."""
    needed = max(2, len(design.coefficients) + int(design.intercept) + 1)
    if design.n_rows < needed:
        raise DataError(
            f"{design.source} has {design.n_rows} complete row{'s' if design.n_rows != 1 else ''}; "
            f"{len(design.coefficients)} predictors need at least {needed}.",
            hint="add rows, or leave out predictors",
        )


def _check_columns(design: Design) -> None:
    """Refuse columns that hold one value only, and predictors that repeat each other."""
    if np.ptp(design.y) == 0:
        raise DataError(
            f"{design.source}, column '{design.response}': all {design.n_rows:,} values are {design.y[0]:g}; "
            "there is nothing to explain.",
            hint="name another outcome with --y",
        )
    for name, column in zip(design.coefficients, design.X.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"{design.source}, column '{name}': all {design.n_rows:,} values are {column[0]:g}; "
                "its coefficient cannot be told from the intercept.",
                hint=f"leave out --x {name}",
            )
    if len(design.coefficients) > 1:
        standardized = (design.X - design.X.mean(axis=0)) / design.x_scale
        _, triangle = np.linalg.qr(standardized)
        small = np.abs(np.diag(triangle)) < 1e-9 * np.sqrt(design.n_rows)
        if small.any():
            name = design.coefficients[int(np.argmax(small))]
            raise DataError(
                f"{design.source}, column '{name}' is a sum of multiples of the other predictors; "
                "their coefficients cannot be told apart.",
                hint=f"leave out --x {name}",
            )


def _check_group(group: Group, design: Design) -> None:
    """Refuse a factor with a single level."""
    if group.n_levels == 1:
        raise DataError(
            f"{design.source}, column '{group.factor}': all {design.n_rows:,} rows have the label "
            f"'{group.labels[0]}'; the variation between groups needs at least two groups.",
            hint="name another column with --group, or leave --group out",
        )
