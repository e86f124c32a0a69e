"""Formula x Table -> Design: the numbers that a regression needs, in the units of the CSV.

Letters: N rows, K population-level coefficients (the intercept not counted), F grouping factors, J levels of one
factor, M varying coefficients of one factor. Codes are 0-based here; `stan.data` makes them 1-based and scales the
columns for the sampler, so that huge offsets (1e12 + small) lose nothing.

Refused with a DataError: a constant outcome or predictor, fewer rows than a residual sd needs, a factor with one
level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import DataError, FormulaError
from hierfit.model import moments
from hierfit.model.families import FAMILIES, LINKS
from hierfit.model.formula import INTERCEPT, Formula, GroupTerm
from hierfit.model.levels import check_columns, check_levels
from hierfit.model.outcome import find_family, read_outcome
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.model.row_columns import read_row_columns
from hierfit.model.sigma import SigmaColumns, evaluate_sigma, sigma_columns
from hierfit.model.table import Table
from hierfit.model.terms import Columns, Term, evaluate_terms, reference_levels

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
        slopes: what the columns beside the intercept's are made from.
    """

    factor: str
    labels: tuple[str, ...]
    codes: NDArray[np.int32]
    terms: tuple[str, ...]
    Z: Array
    correlated: bool
    slopes: tuple[Term, ...] = ()

    @property
    def n_levels(self) -> int:
        """J, the number of levels."""
        return len(self.labels)

    @cached_property
    def mean(self) -> Array:
        """Means of the slopes' columns, 0 for the intercept's [M]."""
        return np.where([term == INTERCEPT for term in self.terms], 0.0, moments.column_means(self.Z))

    @property
    def rows_per_level(self) -> NDArray[np.int64]:
        """Rows of each level [J]."""
        return np.bincount(self.codes, minlength=self.n_levels)


@dataclass(frozen=True, eq=False)
class Design:
    """All columns of one regression, in the units of the CSV.

    Attributes:
        source: the CSV file.
        response: name of the outcome.
        y: outcome [N]; codes 0, 1, ... of `categories` where it has these.
        coefficients: names of the K population coefficients.
        X: their columns [N, K], raw.
        intercept: whether there is a population-level intercept; not beside thresholds.
        centered: whether priors of intercepts and of their sds speak of the mean of the columns, not of x = 0.
        groups: the grouping factors.
        lines: line of the CSV file for each row [N].
        family: name of the outcome's distribution.
        link: name of the link between its mean and the predictors.
        categories: labels of an outcome of categories, in order.
        references: factor, a text predictor or a call such as C(grade), -> level that its others are compared with;
            not where all levels are kept.
        left_out: names of columns that are not there because cells without a row leave nothing to them.
        levels: text predictor -> its levels in order, where the user stated it.
        trials: number of trials of each row [N], for families that count successes.
        offset: what is added to the linear predictor, on the scale of the link [N].
        weights: how often each row counts in the likelihood [N].
        sigma: what predicts the residual sd; None where it is the same for all rows.
        precision: what the variance of each row is divided by: sigma^2 / precision [N].
        terms: what the columns of X are made from.
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
    family: str = "gaussian"
    link: str = "identity"
    categories: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trials: Array | None = None
    offset: Array | None = None
    weights: Array | None = None
    sigma: SigmaColumns | None = None
    precision: Array | None = None
    left_out: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()

    @property
    def n_rows(self) -> int:
        """N, the number of rows."""
        return len(self.y)

    @property
    def is_scaled(self) -> bool:
        """Whether the sampler sees the outcome centred and over its sd; not where that would be another outcome."""
        return FAMILIES[self.family].linear is not None

    @property
    def linear_outcome(self) -> Array:
        """The outcome where the linear predictor is its mean [N]: its log for lognormal, itself otherwise."""
        linear = FAMILIES[self.family].linear
        return self.y if linear is None else linear(self.y)

    @property
    def has_level(self) -> bool:
        """Whether something takes up the mean of X: an intercept, or thresholds in its place."""
        return self.intercept or FAMILIES[self.family].has_thresholds

    @property
    def thresholds(self) -> tuple[str, ...]:
        """What the thresholds lie between, "low|medium"; empty where the outcome has no ordered categories."""
        if not FAMILIES[self.family].has_thresholds:
            return ()
        return tuple(f"{below}|{above}" for below, above in pairwise(self.categories))

    @property
    def x_mean(self) -> Array:
        """Where the columns of X are as the intercept's prior speaks of it [K]: at their means, or at 0."""
        if not (self.centered and self.has_level):
            return np.zeros(len(self.coefficients))
        return moments.column_means(self.X)

    @property
    def y_mean(self) -> float:
        """What is subtracted from the outcome before sampling: its mean, or 0 where no intercept could absorb it."""
        return float(moments.mean(self.linear_outcome)) if self.intercept and self.is_scaled else 0.0

    @property
    def y_scale(self) -> float:
        """The sd of the outcome, 1 where it is not scaled."""
        return float(moments.sd(self.linear_outcome)) if self.is_scaled else 1.0

    @property
    def sigma_scale(self) -> float:
        """The unit of sigma: y_scale, of a row of mean precision where rows differ in that."""
        return self.y_scale if self.precision is None else self.y_scale * float(np.sqrt(self.precision.mean()))

    @property
    def intercept_location(self) -> float:
        """The link of the outcome's mean, less the mean offset, where the intercept's default prior lies."""
        y = self.linear_outcome
        mean = float(moments.mean(y))
        if self.trials is not None:  # half a success and half a failure at least
            total = float(self.trials.sum())
            mean = float(np.clip(y.sum(), 0.5, total - 0.5)) / total
        offset = 0.0 if self.offset is None else float(moments.mean(self.offset))
        return float(LINKS[self.link].forward(np.asarray(mean))) - offset

    @property
    def intercept_origin(self) -> float:
        """What the sampler's intercept counts from: y_mean, or its default prior's place where y is not scaled."""
        return self.y_mean if self.is_scaled or not self.intercept else self.intercept_location

    @property
    def x_scale(self) -> Array:
        """The sd of each column of X [K]."""
        return moments.column_sds(self.X)

    def group(self, factor: str) -> Group:
        """Return the grouping factor of that name; KeyError if there is none."""
        for group in self.groups:
            if group.factor == factor:
                return group
        raise KeyError(factor)


def build_design(
    formula: Formula,
    table: Table,
    *,
    centered: bool = True,
    family: str = "gaussian",
    link: str | None = None,
    roles: Roles = NO_ROLES,
) -> Design:
    """Lay out the columns that `formula` names.

    Raises:
        DataError: the data cannot carry the model; the message says which column and why.
        FormulaError, UsageError: a term cannot be evaluated; a family, link or reference level does not exist.
    """
    kind, link = find_family(family, link)
    if kind.has_thresholds and not formula.intercept:
        raise FormulaError(
            f"'{formula}' leaves out the intercept, in whose place {family} has thresholds.", hint="leave out the 0"
        )
    check_columns(roles, formula.response, formula.predictors)
    outcome = read_outcome(table, formula.response, kind, roles)
    table = _with_orders(table, formula, roles)
    wanted = {name: level for name, level in roles.references.items() if name != formula.response}
    references = reference_levels(table, formula.predictors, wanted)
    population = evaluate_terms(formula.terms, table, references, intercept=formula.intercept)
    varying = [evaluate_terms(term.slopes, table, references, intercept=term.intercept) for term in formula.groups]
    groups = tuple(_group(term, slopes, table) for term, slopes in zip(formula.groups, varying, strict=True))
    of_sigma = evaluate_sigma(formula, table, references, kind)
    evaluated = (population, *varying, *([] if of_sigma is None else [of_sigma]))
    rows = read_row_columns(table, formula, kind, link, roles)
    design = Design(
        source=table.path,
        response=formula.response,
        y=outcome.y,
        coefficients=population.names,
        X=population.values,
        intercept=formula.intercept and not kind.has_thresholds,
        centered=centered,
        groups=groups,
        lines=table.lines,
        family=family,
        link=link,
        categories=outcome.categories,
        references={factor: level for columns in evaluated for factor, level in columns.references.items()},
        levels=table.orders,
        trials=outcome.trials,
        offset=rows.offset,
        weights=rows.weights,
        sigma=None if of_sigma is None else sigma_columns(formula, of_sigma, table),
        precision=rows.precision,
        left_out=tuple(dict.fromkeys(name for columns in evaluated for name in columns.left_out)),
        terms=population.terms,
    )
    _check_rows(design)
    _check_columns(design)
    for group in design.groups:
        _check_group(group, design)
    return design


def _with_orders(table: Table, formula: Formula, roles: Roles) -> Table:
    """Return the table with the stated orders of the predictors' levels."""
    orders = {name: levels for name, levels in roles.levels.items() if name != formula.response}
    for name, levels in orders.items():
        check_levels(table, name, levels)
    return replace(table, orders=orders)


def _group(term: GroupTerm, slopes: Columns, table: Table) -> Group:
    labels, codes = _combined(term.columns, table)
    ones = [np.ones((table.n_rows, 1))] if term.intercept else []
    names = ((INTERCEPT,) if term.intercept else ()) + slopes.names
    return Group(
        factor=term.factor,
        labels=labels,
        codes=codes,
        terms=names,
        Z=np.column_stack([*ones, slopes.values]),
        correlated=term.correlated and len(names) > 1,
        slopes=slopes.terms,
    )


def _combined(columns: tuple[str, ...], table: Table) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return labels and codes of a factor; of several columns, the combinations that occur, as `a:b`."""
    if len(columns) == 1:
        return table.levels[columns[0]], table.labels[columns[0]]
    labels, codes = table.levels[columns[0]], table.labels[columns[0]].astype(np.int64)
    for column in columns[1:]:
        pairs = codes * len(table.levels[column]) + table.labels[column]
        found, first, codes = np.unique(pairs, return_index=True, return_inverse=True)
        order = np.argsort(first)  # levels in order of first appearance, as everywhere
        one, other = np.divmod(found[order], len(table.levels[column]))
        labels = _joined(
            [(labels[a], table.levels[column][b]) for a, b in zip(one.tolist(), other.tolist(), strict=True)]
        )
        codes = np.argsort(order)[codes]
    return labels, codes.astype(np.int32)


def _joined(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return `a:b` for each pair; `'a':'b'` where labels that hold colons would make two pairs the same."""
    joined = tuple(":".join(pair) for pair in pairs)
    return joined if len(set(joined)) == len(joined) else tuple(f"{first!r}:{second!r}" for first, second in pairs)


def _check_rows(design: Design) -> None:
    """Refuse fewer rows than two, or than there are coefficients: nothing is left to estimate a residual from."""
    needed = max(2, len(design.coefficients) + int(design.has_level) + 1)
    if design.n_rows < needed:
        raise DataError(
            f"{design.source} has {design.n_rows} complete row{'s' if design.n_rows != 1 else ''}; "
            f"{len(design.coefficients)} predictors need at least {needed}.",
            hint="add rows, or leave out predictors",
        )


def _check_columns(design: Design) -> None:
    """Refuse columns that hold one value only, and predictors that repeat each other."""
    if np.ptp(design.y if design.trials is None else design.y / design.trials) == 0:
        raise DataError(
            f"{design.source}, column '{design.response}': all {design.n_rows:,} values are {design.y[0]:g}; "
            "there is nothing to explain.",
            hint="name another outcome with --y",
        )
    for name, column in zip(design.coefficients, design.X.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"{design.source}, column '{name}': all {design.n_rows:,} values are {column[0]:g}; "
                "its coefficient cannot be told from an intercept.",
                hint=f"leave out '{name}'" + ("" if design.has_level else ", and have an intercept"),
            )
    if len(design.coefficients) > 1:
        around = moments.column_means(design.X) if design.has_level else 0.0
        _, triangle = np.linalg.qr((design.X - around) / design.x_scale)
        small = np.abs(np.diag(triangle)) < 1e-9 * np.sqrt(design.n_rows)
        if small.any():
            name = design.coefficients[int(np.argmax(small))]
            raise DataError(
                f"{design.source}, column '{name}' is a sum of multiples of the other predictors; "
                "their coefficients cannot be told apart.",
                hint=f"leave out '{name}'",
            )


def _check_group(group: Group, design: Design) -> None:
    """Refuse a factor with a single level, and slopes along a column that does not change."""
    if group.n_levels == 1:
        raise DataError(
            f"{design.source}, column '{group.factor}': all {design.n_rows:,} rows have the label "
            f"'{group.labels[0]}'; the variation between groups needs at least two groups.",
            hint="name another column with --group, or leave --group out",
        )
    for term, column in zip(group.terms, group.Z.T, strict=True):
        if term != INTERCEPT and np.ptp(column) == 0:
            raise DataError(
                f"{design.source}, column '{term}': all {design.n_rows:,} values are {column[0]:g}; no slope can vary.",
                hint=f"leave '{term}' out of what varies between {group.factor}",
            )
