"""Design x ModelSpec -> all that the collapsed engine needs of the rows, which is small.

Given what is sampled (sds, correlations, sigma, and coefficients whose priors are not normal), outcome, coefficients
with normal or flat priors and group effects are jointly normal, so the last two are integrated out. For that the rows
enter through an orthogonal decomposition, level by level: Z_j = Q_j S_j with Q_j'Q_j = I and S_j upper triangular.
[X_j, y_j] becomes q_j = Q_j'[X_j, y_j] (what the effects of level j can take up) and the products of the rest,
[X_j, y_j] - Q_j q_j. Since these are made from the rest itself, nothing cancels when sigma is near 0, when a column is
1e12 plus something small, or when the predictors explain nearly everything.

Letters: N rows, J levels, M varying coefficients, K population coefficients (the intercept first where there is one),
R = K + 1 columns, y the last. Units are the sampler's (`model.scaling`), the coefficients count from their
`reference`, and X is centred wherever the intercept is integrated out, whatever `--no-center` says of the intercept's
prior; `at_origin` is the way back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Design, Group
from hierfit.model.formula import INTERCEPT
from hierfit.model.scaling import coefficient_scale, scaled_offset, scaled_outcome, varying_units
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

INTEGRABLE = ("normal", "flat")
_RANK_TOLERANCE = 1e-13  # a column whose part outside the span of the earlier ones is shorter lies in that span
_SAME = 1e-12  # levels whose S differ by less, relative to the largest, count as the same


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
    levels, within = project(design.groups[0], columns)
    return Collapsed(**vars(coefficients), n_rows=design.n_rows, levels=levels, within=within)


def columns_to_reduce(spec: ModelSpec, design: Design) -> tuple[Array, Coefficients]:
    """Return [X, y] [N, R] counted from near their least squares solution, and how that is."""
    integrated = integrated_coefficients(spec)
    kept = np.setdiff1d(np.arange(len(spec.coefficient_names)), integrated)
    X, shift = _columns(design, centred=design.intercept and 0 in integrated)
    y = scaled_outcome(design) - scaled_offset(design)
    reference = np.zeros(X.shape[1])
    own = X[:, integrated]
    reference[integrated] = np.linalg.lstsq(own.T @ own, own.T @ y, rcond=None)[0]
    prior = _prior_rows(spec, design, integrated, shift)
    prior[:, -1] -= prior[:, :-1] @ reference
    columns = np.column_stack([X, y - own @ reference[integrated]])
    return columns, Coefficients(integrated, kept, prior.T @ prior, reference, shift)


def _columns(design: Design, *, centred: bool) -> tuple[Array, Array]:
    """Return the columns of X in the sampler's units [N, K], and where they are 0 as the design counts [K]."""
    mean = design.X.mean(axis=0) if centred else design.x_mean
    X = (design.X - mean) / design.x_scale
    shift = (mean - design.x_mean) / design.x_scale
    if not design.intercept:
        return X, shift
    return np.column_stack([np.ones(design.n_rows), X]), np.concatenate([[0.0], shift])


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


def project(group: Group, columns: Array) -> tuple[Levels, Array]:
    """Return q and S of every level, and the products of what the effects cannot take up [R, R].

    Modified Gram-Schmidt, level by level, each column of Z orthogonalised twice (Giraud, Langou & Rozloznik 2005).
    """
    codes, (n_terms, n_levels) = group.codes, (len(group.terms), group.n_levels)
    Z, means = _varying_columns(group)
    rest = list(columns.T.copy())
    S = np.zeros((n_terms, n_terms, n_levels))
    q = np.empty((n_terms, n_levels, len(rest)))
    basis: list[Array] = []

    def total(product: Array) -> Array:
        return np.bincount(codes, weights=product, minlength=n_levels).astype(np.float64)

    for m, z in enumerate(Z):
        least = _RANK_TOLERANCE * np.sqrt(total(z * z))
        for _ in range(2):
            for earlier, Q in enumerate(basis):
                along = total(Q * z)
                S[earlier, m] += along
                z = z - Q * along[codes]
        length = np.sqrt(total(z * z))
        S[m, m] = np.where(length > least, length, 0.0)
        Q = z * np.divide(1, length, out=np.zeros(n_levels), where=length > least)[codes]
        for c, column in enumerate(rest):
            q[m, :, c] = total(Q * column)
            rest[c] = column - Q * q[m, :, c][codes]
        basis.append(Q)
    S += S[:, :1] * means[np.newaxis, :, np.newaxis]  # from centred columns to those of the model
    remaining = np.array(rest)
    return Levels(S, q), remaining @ remaining.T


def _varying_columns(group: Group) -> tuple[list[Array], Array]:
    """Return the varying columns in the sampler's units, centred where an intercept varies too, and their means [M]."""
    units, means = varying_units(group), np.zeros(len(group.terms))
    if INTERCEPT not in group.terms:
        return list((group.Z / units).T), means
    slopes = np.array([term != INTERCEPT for term in group.terms])
    centres = np.where(slopes, group.Z.mean(axis=0), 0.0)
    return list(((group.Z - centres) / units).T), centres / units


def gather(levels: Levels) -> Classes:
    """Put levels with the same S together, and few rows in place of many that have the same sums of products."""
    n_terms, n_levels, n_columns = levels.q.shape
    flat = levels.S[np.triu_indices(n_terms)].T
    size = np.maximum(np.abs(flat).max(axis=0), np.finfo(float).tiny)
    keys = np.round(flat / size / _SAME)
    _, first, classes, count = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    classes = classes.ravel()
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
