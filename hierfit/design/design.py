"""Design: the numbers that a regression needs, in the units of the CSV. `design.building` lays them out.

Letters: N rows, K population-level coefficients (the intercept not counted), F grouping factors, J levels of one
factor, M varying coefficients of one factor. Codes are 0-based here; `stan.data` makes them 1-based and scales the
columns for the sampler, so that huge offsets (1e12 + small) lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.data.source import place
from hierfit.data.table import Table
from hierfit.design import moments
from hierfit.design.derive import with_derived
from hierfit.design.distributional import PredictorColumns
from hierfit.design.grouping import levels_on, refuse_new_levels
from hierfit.design.outcome import read_trials
from hierfit.design.row_columns import read_row_columns
from hierfit.design.rows import GroupRows, NewLevels, RowChoice, Rows
from hierfit.design.terms import Term, columns_on
from hierfit.model.families import FAMILIES, LINKS, SIGMA
from hierfit.model.grammar import INTERCEPT
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.model.spec import Block, GroupCoefficients

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """One grouping factor with its varying coefficients.

    Attributes:
        factor: column that holds the labels.
        labels: the J labels, exactly as written.
        codes: level of each row [N], 0-based.
        terms: names of the M varying coefficients, those of the mean first (see `model.spec.GroupCoefficients`).
        Z: columns that the coefficients multiply [N, M], raw; ones for intercepts.
        correlated: whether correlations are estimated, between those of the first block.
        slopes: what the columns beside the intercepts' are made from.
        crossing: the columns whose combinations are the levels; empty where the factor is one column.
        parameters: the parameter that each coefficient is of, None for the mean; empty where all are of that.
        further: the blocks after the first; the last terms are theirs.
    """

    factor: str
    labels: tuple[str, ...]
    codes: NDArray[np.int32]
    terms: tuple[str, ...]
    Z: Array
    correlated: bool
    slopes: tuple[Term, ...] = ()
    crossing: tuple[str, ...] = ()
    parameters: tuple[str | None, ...] = ()
    further: tuple[Block, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold the labels."""
        return self.crossing or (self.factor,)

    @property
    def named(self) -> GroupCoefficients:
        """The same without the rows."""
        return GroupCoefficients(self.factor, self.terms, self.correlated, self.parameters, self.further)

    def columns_of(self, parameter: str | None) -> NDArray[np.int64]:
        """Return which of the coefficients are of a parameter, None for the mean."""
        return np.array([m for m, other in enumerate(self.named.of_parameters) if other == parameter], dtype=np.int64)

    @property
    def of_mean(self) -> Group:
        """The same with the coefficients of the mean alone."""
        count = len(self.columns_of(None))
        if count == len(self.terms):
            return self
        slopes, left = [], count - int(self.terms[:1] == (INTERCEPT,))
        for term in self.slopes:
            if left > 0:
                slopes.append(term)
                left -= sum(term.kept)
        correlated = self.correlated and count > 1
        terms, Z = self.terms[:count], self.Z[:, :count]
        return replace(self, terms=terms, Z=Z, correlated=correlated, slopes=tuple(slopes), parameters=(), further=())

    def on(self, table: Table, new_levels: NewLevels) -> GroupRows:
        """Return what the factor has on other rows.

        Raises:
            DataError: the table lacks a column, or holds a level that no row of the fit had, where that is an error.
            FormulaError: a term cannot be evaluated there.
        """
        labels, codes = levels_on(self.columns, self.labels, table)
        if new_levels is NewLevels.ERROR:
            refuse_new_levels(self.factor, labels, codes, self.n_levels, table)
        return GroupRows(labels, codes, self.columns_on(table))

    def columns_on(self, table: Table) -> Array:
        """Return the columns that its coefficients multiply on other rows [N, M]; errors as `terms.columns_on`."""
        Z = np.ones((table.n_rows, len(self.terms)))
        Z[:, ~np.array(self.named.is_intercept)] = columns_on(self.slopes, table)
        return Z

    def at(self, rows: RowChoice) -> GroupRows:
        """Return what the factor has on chosen rows of the fit."""
        return GroupRows(self.labels, self.codes[rows], self.Z[rows])

    @property
    def n_levels(self) -> int:
        """J, the number of levels."""
        return len(self.labels)

    @cached_property
    def mean(self) -> Array:
        """Means of the slopes' columns, 0 for intercepts' [M]."""
        return np.where(self.named.is_intercept, 0.0, moments.column_means(self.Z))

    @cached_property
    def units(self) -> Array:
        """What one unit of each varying column is to the sampler: 1 of intercepts, otherwise the column's sd [M]."""
        columns = zip(self.named.is_intercept, self.Z.T, strict=True)
        return np.array([1.0 if is_intercept else float(moments.sd(column)) for is_intercept, column in columns])

    @cached_property
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
        distributional: what predicts other parameters than the mean; those not named are the same for all rows.
        precision: what the variance of each row is divided by: sigma^2 / precision [N].
        terms: what the columns of X are made from.
        inputs: the columns of the CSV that terms read, those of slopes and of other parameters among them.
        roles: the further columns of rows, by name.
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
    distributional: tuple[PredictorColumns, ...] = ()
    precision: Array | None = None
    left_out: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    inputs: Table | None = None
    roles: Roles = NO_ROLES

    def on(self, table: Table, *, new_levels: NewLevels = NewLevels.ERROR) -> Rows:
        """Return what the model needs to know of other rows, as it would have been among the rows of the fit.

        Raises:
            DataError: the table lacks a column, a value cannot be had there, or a level is not known.
            FormulaError: a term cannot be evaluated there.
        """
        family, roles = FAMILIES[self.family], replace(self.roles, weights=None)
        table = with_derived(table, roles.columns)
        further = read_row_columns(table, family, self.link, roles, sigma_varies=self.predictor(SIGMA) is not None)
        return Rows(
            source=table.path,
            lines=table.lines,
            X=columns_on(self.terms, table),
            groups=tuple(group.on(table, new_levels) for group in self.groups),
            offset=further.offset,
            trials=read_trials(table, family, roles),
            distributional={own.parameter: own.on(table) for own in self.distributional},
            precision=further.precision,
        )

    def place(self, row: int) -> str:
        """Return where a row stands, "line 17", for messages."""
        return place(self.source, int(self.lines[row]))

    def at(self, rows: RowChoice) -> Rows:
        """Return chosen rows of the fit, as `on` returns others."""
        every = Rows(
            source=self.source,
            lines=self.lines,
            X=self.X,
            groups=tuple(group.at(slice(None)) for group in self.groups),
            offset=self.offset,
            trials=self.trials,
            distributional={own.parameter: own.X for own in self.distributional},
            precision=self.precision,
        )
        return every.at(rows)

    @property
    def all_terms(self) -> tuple[Term, ...]:
        """The terms of the mean, of what varies between groups, and of other parameters."""
        of_groups = (term for group in self.groups for term in group.slopes)
        return (*self.terms, *of_groups, *(term for own in self.distributional for term in own.terms))

    @property
    def of_mean(self) -> Design:
        """The same with the groups of the mean alone."""
        groups = tuple(group.of_mean for group in self.groups if len(group.columns_of(None)))
        return replace(self, groups=groups)

    def without(self, rows: RowChoice) -> Design:
        """Return the same with some rows left out: they count 0 times, and what the columns are measured by stays."""
        weights = np.ones(self.n_rows) if self.weights is None else self.weights.copy()
        weights[rows] = 0.0
        return replace(self, weights=weights)

    def predictor(self, parameter: str) -> PredictorColumns | None:
        """Return what predicts a parameter beside the mean, None where it is the same for all rows."""
        return next((own for own in self.distributional if own.parameter == parameter), None)

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

    @cached_property
    def x_mean(self) -> Array:
        """Where the columns of X are as the intercept's prior speaks of it [K]: at their means, or at 0."""
        if not (self.centered and self.has_level):
            return np.zeros(len(self.coefficients))
        return moments.column_means(self.X)

    @cached_property
    def y_mean(self) -> float:
        """What is subtracted from the outcome before sampling: its mean, or 0 where no intercept could absorb it."""
        return float(moments.mean(self.linear_outcome)) if self.intercept and self.is_scaled else 0.0

    @cached_property
    def y_scale(self) -> float:
        """The sd of the outcome, 1 where it is not scaled."""
        return float(moments.sd(self.linear_outcome)) if self.is_scaled else 1.0

    @property
    def sigma_scale(self) -> float:
        """The unit of sigma: y_scale, of a row of mean precision where rows differ in that."""
        return self.y_scale if self.precision is None else self.y_scale * float(np.sqrt(self.mean_precision))

    @cached_property
    def mean_precision(self) -> float:
        """The mean precision of the rows that count, 1 where rows do not differ in that."""
        return 1.0 if self.precision is None else float(np.average(self.precision, weights=self.weights))

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

    @cached_property
    def x_scale(self) -> Array:
        """The sd of each column of X [K]."""
        return moments.column_sds(self.X)

    def group(self, factor: str) -> Group:
        """Return the grouping factor of that name; KeyError if there is none."""
        for group in self.groups:
            if group.factor == factor:
                return group
        raise KeyError(factor)
