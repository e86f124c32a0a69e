"""Rows, or levels of a factor -> folds: each is left out once, all of a fold together.

Folds follow from the seed and from how many rows there are, or which labels, and so are the same for all models that
are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.errors import UsageError
from hierfit.model.spec import ModelSpec, coefficient_name
from hierfit.posterior.words import counted, plural

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Folds:
    """Which parts of the data are left out together.

    Attributes:
        of_part: number of each part's fold, from 0 [N].
        by: the factor whose levels the parts are; None where they are rows.
    """

    of_part: Indices
    by: Group | None = None

    @property
    def count(self) -> int:
        """K."""
        return int(self.of_part.max()) + 1

    def parts(self, fold: int) -> Indices:
        """Return the parts of a fold."""
        return np.flatnonzero(self.of_part == fold)

    def rows(self, fold: int) -> Indices:
        """Return the rows of a fold."""
        of_row = self.of_part if self.by is None else self.of_part[self.by.codes]
        return np.flatnonzero(of_row == fold)


def deal_rows(n_rows: int, count: int, seed: int) -> Folds:
    """Deal rows at random to `count` folds, whose sizes differ by one at most.

    Raises:
        UsageError: there are fewer rows than folds.
    """
    _refuse(count, n_rows, "row", f"{n_rows:,} rows")
    dealt = np.arange(n_rows) % count
    return Folds(np.random.default_rng(seed).permutation(dealt))


def deal_levels(factor: Group, count: int, seed: int) -> Folds:
    """Deal the levels of a factor at random to `count` folds: as many levels each, one more or less, and about as many
    rows.

    Raises:
        UsageError: there are fewer levels than folds.
    """
    _refuse(count, factor.n_levels, factor.factor, counted(factor.n_levels, factor.factor))
    by_label = np.argsort(np.array(factor.labels))  # the order of levels is that of one file
    shuffled = np.random.default_rng(seed).permutation(by_label)
    order = shuffled[np.argsort(-factor.rows_per_level[shuffled], kind="stable")]
    place = np.arange(factor.n_levels)
    there_and_back = np.where(place // count % 2 == 0, place % count, count - 1 - place % count)
    of_level = np.empty(factor.n_levels, dtype=np.int64)
    of_level[order] = there_and_back
    return Folds(of_level, factor)


def _refuse(count: int, most: int, part: str, there: str) -> None:
    if not 2 <= count <= most:
        each = plural(part) if part != "row" else "rows"
        raise UsageError(
            f"--folds {count}: there are {there}, and each fold holds one at least.",
            hint=f"--folds 2 to {most}; with {most}, {each} are left out one by one",
        )


def unlearnt(design: Design, left_out: Indices) -> Iterator[str]:
    """Yield the coefficients of which no row says anything when some are left out: their columns do not vary then."""
    kept = np.ones(design.n_rows, dtype=np.bool_)
    kept[left_out] = False
    if design.weights is not None:
        kept &= design.weights > 0
    for name, column in zip(design.coefficients, design.X[kept].T, strict=True):
        if np.ptp(column) == 0 and (design.has_level or not column.any()):
            yield name
    for own in design.distributional:
        for term, column in zip(own.coefficients, own.X[kept].T, strict=True):
            if np.ptp(column) == 0 and (not column.any() or (own.intercept and term != own.coefficients[0])):
                yield coefficient_name(own.parameter, term)


def refuse_unknown(spec: ModelSpec, names: tuple[str, ...], what: str) -> None:
    """Refuse to leave out what alone says something of a coefficient with a flat prior.

    Raises:
        UsageError: there is such a coefficient.
    """
    flat = [name for name in names if spec.priors[name].distribution == "flat"]
    if flat:
        raise UsageError(
            f"without {what} no row says anything of {flat[0]}, and neither does its prior, which is flat.",
            hint=f"another --seed or more --folds may leave some of these rows in; or fit with a prior, such as "
            f'--prior "{flat[0]} ~ normal(0, 10)"',
        )
