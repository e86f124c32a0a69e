"""Design x ModelSpec -> all that the collapsed engine needs of the rows, which is small.

Given what is sampled (sds, correlations, sigma, and coefficients whose priors are not normal), outcome, coefficients
with normal or flat priors and group effects are jointly normal, so the last two are integrated out. For that the rows
enter through an orthogonal decomposition, level by level: Z_j = Q_j S_j with Q_j'Q_j = I and S_j upper triangular.
[X_j, y_j] becomes q_j = Q_j'[X_j, y_j] (what the effects of level j can take up) and the products of the rest,
[X_j, y_j] - Q_j q_j. Since these are made from the rest itself, nothing cancels when sigma is near 0, when a column is
1e12 plus something small, or when the predictors explain nearly everything.

Letters: N rows, J levels, M varying coefficients, K population coefficients (the intercept first where there is one),
R = K + 1 columns, y the last. Units are the sampler's (`design.scaling`), the coefficients count from their
`reference`, and X is centred wherever the intercept is integrated out, whatever `--no-center` says of the intercept's
prior; `at_origin` is the way back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.design.origin import z_center
from hierfit.design.scaling import coefficient_scale, row_root, scaled_offset, scaled_outcome
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

INTEGRABLE = ("normal", "flat")
_RANK_TOLERANCE = 1e-13  # a column whose part outside the span of the earlier ones is shorter lies in that span
_BLOCK_ROWS = 1 << 20
_SAME = 1e-12  # levels whose S differ by less, relative to the largest of a column, count as the same


@dataclass(frozen=True)
class Levels:
    """What each level says of its effects.

    Attributes:
        S: triangular factors of Z_j'Z_j [M, M, J].
        q: parts of the columns of [X, y] that the effects can take up [M, J, R].
    """

    S: Array
    q: Array


@dataclass(frozen=True)
class Classes:
    """Levels with the same S together.

    Attributes:
        S: triangular factors [M, M, D].
        count: levels of each class [D].
        of_level: class of each level [J], 0-based.
        members: class of each row of q [E], 0-based.
        q: rows with the same sums of products, class by class, as those of all levels [M, E, R]; no more than M R for
            a class.
    """

    S: Array
    count: Array
    of_level: Indices
    members: Indices
    q: Array


@dataclass(frozen=True)
class Coefficients:
    """How the population coefficients are dealt with, and from where they are counted.

    Attributes:
        integrated: which are integrated out [I], 0-based.
        kept: which are sampled or constant [K - I].
        prior: products of the rows of [X, y] that the priors of the integrated ones amount to [R, R].
        reference: what they count from [K].
        shift: their intercept is at these values of the columns [K], 0 for the intercept's own.
    """

    integrated: Indices
    kept: Indices
    prior: Array
    reference: Array
    shift: Array

    def at_origin(self, coefficients: Array) -> Array:
        """Carry the coefficients [..., K] to where the design's intercept is, counting from 0."""
        b = coefficients + self.reference
        if self.shift.any():
            b[..., 0] -= b @ self.shift
        return b


@dataclass(frozen=True)
class Collapsed(Coefficients):
    """The rows as the collapsed engine sees them.

    Attributes:
        n_rows: N; 0 where the outcome is left out.
        levels: level by level.
        within: products of what no effect can take up [R, R].
    """

    n_rows: int
    levels: Levels
    within: Array

    def without_rows(self) -> Collapsed:
        """Return the same without any row, so that only the priors speak."""
        none = Levels(np.zeros_like(self.levels.S), np.zeros_like(self.levels.q))
        return replace(self, n_rows=0, levels=none, within=np.zeros_like(self.within))


def integrated_coefficients(spec: ModelSpec) -> Indices:
    """Return which coefficients the collapsed engine integrates out: those with a normal or a flat prior [I]."""
    priors = [spec.priors[name].distribution for name in spec.coefficient_names]
    return np.array([index for index, prior in enumerate(priors) if prior in INTEGRABLE], dtype=np.int64)


def collapse(spec: ModelSpec, design: Design) -> Collapsed:
    """Reduce the rows of a model with one grouping factor."""
    columns, coefficients = columns_to_reduce(spec, design)
    group = design.groups[0]
    levels, within = project(group, z_center(spec, group), columns, row_root(design), use_up=True)
    return Collapsed(**vars(coefficients), n_rows=design.n_rows, levels=levels, within=within)


def columns_to_reduce(spec: ModelSpec, design: Design) -> tuple[Array, Coefficients]:
    """Return [X, y] [N, R] counted from near their least squares solution, and how that is."""
    integrated = integrated_coefficients(spec)
    kept = np.setdiff1d(np.arange(len(spec.coefficient_names)), integrated)
    columns, shift = _columns(design, centred=design.intercept and 0 in integrated)
    reference = np.zeros(len(shift))
    own = columns[:-1] if len(kept) == 0 else columns[integrated]
    reference[integrated] = np.linalg.lstsq(own @ own.T, own @ columns[-1], rcond=None)[0]
    columns[-1] -= reference[integrated] @ own
    prior = _prior_rows(spec, design, integrated, shift)
    prior[:, -1] -= prior[:, :-1] @ reference
    return columns.T, Coefficients(integrated, kept, prior.T @ prior, reference, shift)


def _columns(design: Design, *, centred: bool) -> tuple[Array, Array]:
    """Return [X, y] in the sampler's units, column by column [R, N], and where X is 0 as the design counts [K]."""
    mean, x_mean, x_scale = moments.column_means(design.X) if centred else design.x_mean, design.x_mean, design.x_scale
    first = int(design.intercept)
    columns = np.ones((first + len(mean) + 1, design.n_rows))
    for k, column in enumerate(columns[first:-1]):
        np.subtract(design.X[:, k], mean[k], out=column)
        column /= x_scale[k]
    columns[-1] = scaled_outcome(design)
    if design.offset is not None:
        columns[-1] -= scaled_offset(design)
    root = row_root(design)
    if root is not None:
        columns *= root
    return columns, np.concatenate([np.zeros(first), (mean - x_mean) / x_scale])


def _prior_rows(spec: ModelSpec, design: Design, integrated: Indices, shift: Array) -> Array:
    """Return the normal priors as rows of [X, y] with an sd of 1 [I, R]; of a flat one, zeros.

    Where the sampler's intercept is another than the design's, its prior's row says so: c_0 - sum of shift_k b_k.
    """
    names = spec.coefficient_names
    units = coefficient_scale(design)
    rows = np.zeros((len(integrated), len(names) + 1))
    for row, index in zip(rows, integrated.tolist(), strict=True):
        prior = spec.priors[names[index]]
        if prior.distribution == "flat":
            continue
        unit = units[index]
        location, sd = prior.arguments
        row[index] = 1
        if design.intercept and index == 0:
            row[:-1] -= shift
            location -= design.intercept_origin
        row[-1] = location / unit
        row *= unit / sd
    return rows


class _ByLevel:
    """Products by level of columns with N rows, block by block, without a new array of that length for each."""

    def __init__(self, group: Group) -> None:
        starts = range(0, len(group.codes), _BLOCK_ROWS)
        self._blocks = [(slice(at, at + _BLOCK_ROWS), group.codes[at : at + _BLOCK_ROWS]) for at in starts]
        self._n_levels = group.n_levels

    def total(self, first: Array, second: Array) -> Array:
        """Return the sums of products [J]."""
        sums = np.zeros(self._n_levels)
        for block, codes in self._blocks:
            sums += np.bincount(codes, weights=first[block] * second[block], minlength=self._n_levels)
        return sums

    def multiply(self, column: Array, factors: Array) -> None:
        """Multiply a column by the factors [J] of its levels."""
        for block, codes in self._blocks:
            column[block] *= factors[codes]

    def take_out(self, column: Array, Q: Array, along: Array) -> None:
        """Subtract the multiples [J] of another column."""
        for block, codes in self._blocks:
            column[block] -= Q[block] * along[codes]


def project(
    group: Group, center: Array, columns: Array, root: Array | None = None, *, use_up: bool = False
) -> tuple[Levels, Array]:
    """Return q and S of every level, and the products of what the effects cannot take up [R, R].

    Z is less `center` [M]. Modified Gram-Schmidt, level by level, each column of Z orthogonalised twice (Giraud, Langou
    & Rozloznik 2005).
    `root` is what the rows of the columns have been multiplied by, as those of Z are here. With `use_up` the columns
    [N, R] are worked on where they are: with many rows, copies are what fills memory.
    """
    n_terms, n_levels = len(group.terms), group.n_levels
    rest = np.ascontiguousarray(columns.T) if use_up else np.array(columns.T, order="C")
    sums = _ByLevel(group)
    S = np.zeros((n_terms, n_terms, n_levels))
    q = np.empty((n_terms, n_levels, len(rest)))
    basis: list[Array] = []
    centres, units = group.mean if group.terms[0] == INTERCEPT else center, group.units
    for m in range(n_terms):
        z = (group.Z[:, m] - centres[m]) / units[m]
        if root is not None:
            z *= root
        same = [not basis and np.array_equal(column, z) for column in rest]  # the intercept's columns
        least = _RANK_TOLERANCE * np.sqrt(sums.total(z, z))
        for _ in range(2):
            for earlier, Q in enumerate(basis):
                along = sums.total(Q, z)
                S[earlier, m] += along
                sums.take_out(z, Q, along)
        length = np.sqrt(sums.total(z, z))
        S[m, m] = np.where(length > least, length, 0.0)
        sums.multiply(z, np.divide(1, length, out=np.zeros(n_levels), where=length > least))
        for c, column in enumerate(rest):
            if not column.any():
                q[m, :, c] = 0.0
            elif same[c]:  # all of it is taken out
                q[m, :, c] = length
                column[:] = 0.0
            else:
                q[m, :, c] = sums.total(z, column)
                sums.take_out(column, z, q[m, :, c])
        basis.append(z)
    S += S[:, :1] * ((centres - center) / units)[np.newaxis, :, np.newaxis]  # to the columns of the model
    return Levels(S, q), rest @ rest.T


def classify(S: Array) -> tuple[Indices, Indices]:
    """Return the first level of each class of levels with the same S [M, M, J], and the class of each level [J]."""
    n_terms, n_levels = len(S), S.shape[2]
    rows, columns = np.triu_indices(n_terms)
    size = np.maximum(np.abs(S).max(axis=(0, 2)), np.finfo(float).tiny)  # of a column of Z
    keys = np.round((S[rows, columns] / size[columns, np.newaxis]) / _SAME)
    order = np.lexsort(keys)
    differs = (keys[:, order[1:]] != keys[:, order[:-1]]).any(axis=0)
    starts = np.concatenate([[0], np.flatnonzero(differs) + 1])
    classes = np.empty(n_levels, dtype=np.int64)
    classes[order] = np.concatenate([[0], np.cumsum(differs)])
    return order[starts], classes


def gather(levels: Levels) -> Classes:
    """Put levels with the same S together, and few rows in place of many that have the same sums of products."""
    n_terms, n_levels, n_columns = levels.q.shape
    first, classes = classify(levels.S)
    count = np.bincount(classes)
    rows = np.swapaxes(levels.q, 0, 1).reshape(n_levels, -1)
    most = rows.shape[1]
    alone = count[classes] <= most
    members, gathered = [classes[alone]], [rows[alone]]
    order = np.argsort(classes, kind="stable")
    ends = np.cumsum(count)
    for large in np.flatnonzero(count > most):
        gathered.append(np.linalg.qr(rows[order[ends[large] - count[large] : ends[large]]]).R)
        members.append(np.full(most, large))
    q = np.concatenate(gathered).reshape(-1, n_terms, n_columns)
    S, members_of_q = levels.S[:, :, first], np.concatenate(members)
    return Classes(S, count.astype(np.float64), classes, members_of_q, np.swapaxes(q, 0, 1))
