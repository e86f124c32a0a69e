"""Draws -> GroupSummary: the coefficients of every level of every grouping factor, vectorised over levels.

Letters: S draws of all chains, J levels, M varying coefficients of one factor. A level's coefficient is the
population value plus its deviation, draw by draw, in the units of the CSV. Levels are taken in blocks, so that no copy
of all effects is ever made; 10,000 levels x 2 coefficients x 4,000 draws take a second.

`shrunk_by` is the pooling factor of Gelman and Hill (2007, section 21.6; Gelman, Pardoe 2006, Technometrics 48(2)):
Var(u_jk | y) / E(sd_k^2 | y), cut at 1, the posterior variance of the deviation being taken given the population
coefficients (what a linear regression on them across draws leaves over), since these belong to no level. For a
gaussian varying intercept and known sds it is the textbook's (sigma^2 / n_j) / (sd^2 + sigma^2 / n_j): 0 where a level
speaks for itself, 1 where it says nothing. NaN for a level with a single row, where there is no estimate of its own to
shrink, and where the sd is 0.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.model.spec import ModelSpec, sd_name
from hierfit.posterior.draws import Draws
from hierfit.posterior.summary import interval_bounds
from hierfit.posterior.words import all_in_words

Array = NDArray[np.float64]
BLOCK_NUMBERS = 500_000  # what a core's cache holds
COLUMNS = (
    "group", "level", "rows", "term", "mean", "lower", "upper",
    "deviation", "deviation_sd", "deviation_lower", "deviation_upper", "shrunk_by",
)  # fmt: skip


@dataclass(frozen=True)
class GroupTable:
    """The levels of one grouping factor.

    Attributes:
        factor: the grouping factor.
        terms: its M varying coefficients.
        words: the same in words: "intercepts", "slopes of ses".
        labels: its J levels.
        rows: rows of each level [J].
        population: posterior mean of the population value of each term [M], 0 where it has none.
        mean: population + deviation [J, M].
        lower: lower bound of its equal-tailed interval [J, M].
        upper: upper bound [J, M].
        deviation_mean: deviation from the population value [J, M].
        deviation_sd: its posterior sd [J, M].
        deviation_lower: lower bound of its interval [J, M].
        deviation_upper: upper bound [J, M].
        shrunk_by: pooling factor, 0 none to 1 complete [J, M]; see the module.
    """

    factor: str
    terms: tuple[str, ...]
    words: tuple[str, ...]
    labels: tuple[str, ...]
    rows: NDArray[np.int64]
    population: Array
    mean: Array
    lower: Array
    upper: Array
    deviation_mean: Array
    deviation_sd: Array
    deviation_lower: Array
    deviation_upper: Array
    shrunk_by: Array

    @property
    def differs(self) -> NDArray[np.bool_]:
        """Whether the interval of the coefficient, as it is shown, excludes the population value [J, M]."""
        return np.asarray((self.lower > self.population) | (self.upper < self.population))

    @property
    def n_differing(self) -> NDArray[np.int64]:
        """Levels whose interval excludes the population value, for each term [M]."""
        return np.asarray(self.differs.sum(axis=0))

    def csv_rows(self) -> Iterator[tuple[object, ...]]:
        """Yield one row per level and term in the order of `COLUMNS`, empty where there is no number."""
        blocks = (
            self.mean, self.lower, self.upper,
            self.deviation_mean, self.deviation_sd, self.deviation_lower, self.deviation_upper, self.shrunk_by,
        )  # fmt: skip
        numbers = np.stack(blocks, axis=2).tolist()
        for label, rows, level in zip(self.labels, self.rows.tolist(), numbers, strict=True):
            for term, values in zip(self.terms, level, strict=True):
                yield (self.factor, label, rows, term, *("" if value != value else value for value in values))


@dataclass(frozen=True)
class GroupSummary:
    """The levels of all grouping factors.

    Attributes:
        tables: one per factor, in the order of the design.
        ci: mass of the equal-tailed intervals.
    """

    tables: tuple[GroupTable, ...]
    ci: float

    def table(self, factor: str) -> GroupTable:
        """Return the table of one factor; KeyError for an unknown name."""
        for table in self.tables:
            if table.factor == factor:
                return table
        raise KeyError(factor)

    def csv_rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the header of groups.csv, then the rows of every factor at full precision."""
        yield COLUMNS
        for table in self.tables:
            yield from table.csv_rows()


def summarize_groups(draws: Draws, design: Design, spec: ModelSpec, ci: float = 0.95) -> GroupSummary:
    """Return the table of every grouping factor whose effects were kept.

    Raises:
        UsageError: `ci` is not between 0 and 1.
    """
    bounds = interval_bounds(ci)
    kept = (group for group in design.groups if group.factor in draws.effects)
    return GroupSummary(tuple(_group_table(draws, group, bounds) for group in kept), ci)


def population_values(draws: Draws, terms: Sequence[str]) -> Array:
    """Return the draws of the population value of each term [S, M], 0 for a term without one."""
    names = {parameter.name: index for index, parameter in enumerate(draws.parameters)}
    values = draws.values.reshape(-1, len(draws.parameters))
    nothing = np.zeros(len(values))
    return np.column_stack([values[:, names[term]] if term in names else nothing for term in terms])


def level_quantiles(draws: Draws, group: Group, probabilities: Sequence[float]) -> Array:
    """Return quantiles of every level's coefficients, population + deviation [J, M, number of probabilities]."""
    population = population_values(draws, group.terms).T
    effects = flat_effects(draws, group)
    quantiles = np.empty((group.n_levels, len(group.terms), len(probabilities)))

    def fill(block: slice) -> None:
        quantiles[block] = sorted_quantiles(_by_level(effects[:, block]) + population, probabilities)

    _in_blocks(fill, effects)
    return quantiles


def flat_effects(draws: Draws, group: Group) -> Array:
    """Return the deviations of one factor with the chains joined [S, J, M]."""
    effects = draws.effects_of(group)
    return effects.reshape(-1, *effects.shape[2:])


def _in_blocks(work: Callable[[slice], None], effects: Array) -> None:
    """Do the work for slices of the levels of effects [S, J, M], each of bounded size, on all cores."""
    n_draws, n_levels, n_terms = effects.shape
    width = max(1, BLOCK_NUMBERS // max(1, n_draws * n_terms))
    blocks = [slice(start, min(start + width, n_levels)) for start in range(0, n_levels, width)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(work, blocks))


def sorted_quantiles(values: Array, probabilities: Sequence[float]) -> Array:
    """Return quantiles along the last axis of [..., S] -> [..., number of probabilities]; sorts `values` in place."""
    values.sort(axis=-1)
    position = np.asarray(probabilities) * (values.shape[-1] - 1)
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, values.shape[-1] - 1)
    weight = position - below
    return np.asarray(values[..., below] + weight * (values[..., above] - values[..., below]))


def _by_level(values: Array) -> Array:
    """Copy with the draws last, each level's side by side, in double precision: [S, J, M] -> [J, M, S]."""
    return np.asarray(_draws_last(values), dtype=np.float64)


def _draws_last(values: Array) -> Array:
    """Copy with the draws last, each level's side by side: [S, J, M] -> [J, M, S]."""
    n_draws, n_levels, n_terms = values.shape
    return np.array(values.reshape(n_draws, -1).T, order="C").reshape(n_levels, n_terms, n_draws)


def _group_table(draws: Draws, group: Group, bounds: tuple[float, float]) -> GroupTable:
    population = population_values(draws, group.terms).T
    effects = flat_effects(draws, group)
    shape = (group.n_levels, len(group.terms))
    deviation, value, deviation_sd = np.empty((*shape, 2)), np.empty((*shape, 2)), np.empty(shape)
    own_variance, deviation_mean = np.empty(shape), np.empty(shape)
    basis = _population_basis(draws)
    rows = group.rows_per_level
    mean = moments.mean(population, axis=1)
    # Effects in single precision are sorted as such, in a fifth of the time; what is added to them is of their size.
    around = (population - mean[:, np.newaxis]).astype(effects.dtype)

    def fill(block: slice) -> None:
        part = _draws_last(effects[:, block])
        value[block] = sorted_quantiles(part + around, bounds) + mean[:, np.newaxis]
        deviation_mean[block] = moments.mean(part, axis=2)
        deviation_sd[block], own_variance[block] = _spreads(part - deviation_mean[block][..., np.newaxis], basis)
        deviation[block] = sorted_quantiles(part, bounds)

    _in_blocks(fill, effects)
    words = tuple(all_in_words(group.named, m) for m in range(len(group.terms)))
    return GroupTable(
        group.factor, group.terms, words, group.labels, rows, mean, mean + deviation_mean, value[..., 0], value[..., 1],
        deviation_mean, deviation_sd, deviation[..., 0], deviation[..., 1],
        _pooling_factor(draws, group, own_variance, rows),
    )  # fmt: skip


def _population_basis(draws: Draws) -> Array:
    """Orthonormal columns that span the centred draws of the population coefficients [S, at most K + 2]."""
    columns = [index for index, parameter in enumerate(draws.parameters) if parameter.kind == "coefficient"]
    values = draws.values.reshape(-1, len(draws.parameters))[:, columns]
    centred = np.nan_to_num(values - moments.mean(values, axis=0))
    spread = centred.std(axis=0)
    standard = centred[:, spread > 0] / spread[spread > 0]
    left, singular, _ = np.linalg.svd(standard, full_matrices=False)
    return np.asarray(left[:, singular > 1e-6 * singular.max(initial=0.0)])


def _spreads(centred: Array, basis: Array) -> tuple[Array, Array]:
    """Return sd, and variance given the population coefficients, of centred draws [J, M, S] -> [J, M] each."""
    n_draws = centred.shape[2]
    total = np.einsum("jms,jms->jm", centred, centred)
    explained = np.square(centred @ basis).sum(axis=2)
    return np.sqrt(total / (n_draws - 1)), (total - explained) / max(1, n_draws - 1 - basis.shape[1])


def _pooling_factor(draws: Draws, group: Group, own_variance: Array, rows: NDArray[np.int64]) -> Array:
    names = [sd_name(group.factor, term) for term in group.terms]
    variance = np.array([np.square(draws.of(name)).mean() for name in names])
    with np.errstate(all="ignore"):
        factor = np.where(variance > 0, np.clip(own_variance / variance, 0.0, 1.0), np.nan)
    factor[rows < 2] = np.nan
    return np.asarray(factor)
