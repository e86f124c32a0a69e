"""Densities of normal outcomes, effects of levels integrated out: of whole levels, and of a row given the others.

Letters: S draws, R rows, L levels, q effects. In a level, outcomes less what the draw says of them otherwise are
r = B z + e: z standard normal, B = U T its rows' columns U times the factor T of the covariance of effects, e normal
with precisions v = w / sigma^2, w the weights. With A = I + B'VB and h = B'Vr,

    log p(y of a level) = -1/2 sum of w log(2 pi sigma^2) - 1/2 log |A| - 1/2 (r'Vr - h'A^-1 h),

and of row i given the other rows of its level, with c = 1 - v_i b_i'A^-1 b_i and e = r_i - b_i'A^-1 h,

    log p(y_i | others) = -1/2 w_i log(2 pi sigma_i^2) + 1/2 log c - 1/2 v_i e^2 / c.

The draws of what is left (coefficients, sds, correlations, effects of other factors) hang on a single row far less than
the effects of its level do, so that leaving it out of them takes small weights; what is left out is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.families import FAMILIES, SIGMA
from hierfit.posterior.log_likelihood import BLOCK_NUMBERS, LogLikelihood
from hierfit.posterior.predict.new_levels import level_scales

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Entries = Mapping[tuple[int, int], Array]
_LOG_2PI = float(np.log(2 * np.pi))


def is_integrable(design: Design, factors: Sequence[str]) -> bool:
    """Whether effects of these factors can be integrated out: outcomes are normal, and effects of their mean alone."""
    own = [group for group in design.groups if group.factor in factors]
    of_mean = all(len(group.columns_of(None)) == len(group.terms) for group in own)
    return FAMILIES[design.family].collapsible and of_mean


class _Residuals:
    """Outcomes where they are normal, less what draws say of them without some factors; and how precise they are."""

    def __init__(self, likelihood: LogLikelihood, without: tuple[str, ...]) -> None:
        self.likelihood, self.without = likelihood, without
        design, family = likelihood.design, FAMILIES[likelihood.design.family]
        y, ones = design.linear_outcome, np.ones(design.n_rows)
        normal = -0.5 * _LOG_2PI
        # Density of the outcome over that of what is normal, of each row: 1 / y where that is log y.
        self.jacobian = family.log_density(design.y, y, {SIGMA: ones}, ones) - normal
        self.y, self.w = y, likelihood.weights(np.arange(design.n_rows))

    def at(self, rows: Indices) -> tuple[Array, Array, Array]:
        """Return r [S, R], v [S, R] or [S, 1] x weights, and what the density has beside them [S, R]."""
        sigma = self.likelihood.auxiliaries(rows)[SIGMA]
        r = self.y[rows] - self.likelihood.predictor(rows, self.without)
        w = self.w[rows]
        beside = w * (self.jacobian[rows] - 0.5 * _LOG_2PI - np.log(sigma))
        return r, w / sigma**2, beside


def rows_given_others(
    likelihood: LogLikelihood, group: Group, wanted: Indices, numbers: int = BLOCK_NUMBERS
) -> Iterator[tuple[Indices, Array]]:
    """Yield the wanted rows [R], level by level, and the log density of each given the others of its level [S, R].

    Only so many numbers are held at a time, about, and a few times that.
    """
    residuals, T = _Residuals(likelihood, (group.factor,)), level_scales(likelihood.draws, group)
    is_wanted = np.zeros(len(group.codes), dtype=np.bool_)
    is_wanted[wanted] = True
    width = max(1, numbers // (likelihood.n_draws * T.shape[-1]))
    for rows in whole_levels(group, np.unique(group.codes[wanted]), width):
        blocks = [rows[start : start + width] for start in range(0, len(rows), width)]
        A: Entries = {}
        h: list[Array] = []
        for block in blocks:
            A, h = _Terms(residuals, group, T, block).added_to(A, h)
        L = cholesky(A)
        mean = solve(L, h)
        for block in blocks:
            own = block[is_wanted[block]]
            if len(own):
                terms = _Terms(residuals, group, T, own)
                level = np.searchsorted(np.unique(group.codes[rows]), group.codes[own])
                b = terms.B
                half = solve({at: entry[:, level] for at, entry in L.items()}, b)
                # Where a level has one row and its sd is a hundred million sigmas, nothing is left of c.
                c = np.maximum(1 - terms.v * sum(np.square(part) for part in half), np.finfo(np.float64).eps)
                e = terms.r - sum(part * centre[:, level] for part, centre in zip(half, mean, strict=True))
                yield own, terms.beside + 0.5 * np.log(c) - 0.5 * terms.v * e**2 / c


def levels(
    likelihood: LogLikelihood, group: Group, numbers: int = BLOCK_NUMBERS, wanted: Indices | None = None
) -> Iterator[Array]:
    """Yield the log density of all rows of each level of a factor, or of wanted ones [S, L], in their order.

    Bounded as `rows_given_others`.
    """
    residuals, T = _Residuals(likelihood, (group.factor,)), level_scales(likelihood.draws, group)
    width = max(1, numbers // (likelihood.n_draws * T.shape[-1]))
    for rows in whole_levels(group, np.arange(group.n_levels) if wanted is None else wanted, width):
        A: Entries = {}
        h: list[Array] = []
        beside = np.zeros(())
        for start in range(0, len(rows), width):
            terms = _Terms(residuals, group, T, rows[start : start + width])
            A, h = terms.added_to(A, h)
            apart = terms.beside - 0.5 * terms.v * np.square(terms.r)
            beside = beside + np.add.reduceat(apart, terms.starts, axis=1)
        L = cholesky(A)
        quadratic = np.sum([np.square(part) for part in solve(L, h)], axis=0)
        yield beside + 0.5 * quadratic - np.sum([np.log(L[i, i]) for i in range(len(h))], axis=0)


class _Terms:
    """What rows bring in: columns B, q of [S, R]; r, v and what stands beside them [S, R] or [S, 1]."""

    def __init__(self, residuals: _Residuals, group: Group, T: Array, rows: Indices) -> None:
        self.r, self.v, self.beside = residuals.at(rows)
        size = T.shape[-1]
        self.B = [T[:, :, k] @ group.Z[rows].T for k in range(size)]
        _, self.starts = np.unique(group.codes[rows], return_index=True)

    def added_to(self, A: Entries, h: Sequence[Array]) -> tuple[Entries, list[Array]]:
        """Return A and h, q of [S, L], with what these rows bring in."""
        found = list(h) or [np.zeros(())] * len(self.B)
        for i, own in enumerate(self.B):
            found[i] = found[i] + np.add.reduceat(self.v * own * self.r, self.starts, axis=1)
        return precision(A, self.B, self.v, self.starts), found


def precision(A: Entries, B: Sequence[Array], v: Array, starts: Indices) -> Entries:
    """Return A, by its entries at and below the diagonal, each [S, L], with further rows; at first it is I + B'VB.

    B: q of [S, R]; v: precisions [S, R] or [S, 1] x weights; starts: where in the rows each level starts [L].
    """
    found = dict(A)
    for i, own in enumerate(B):
        weighed = v * own
        for j in range(i + 1):
            products = np.add.reduceat(weighed * B[j], starts, axis=1)
            found[i, j] = products + A.get((i, j), np.asarray(float(i == j)))
    return found


def cholesky(A: Entries) -> Entries:
    """Return the Cholesky factor of many small matrices, entry by entry: numpy's takes ten times as long.

    The matrices are 1 plus a square, so that no entry of the diagonal is less than 1 but by rounding.
    """
    L: dict[tuple[int, int], Array] = {}
    for i, j in A:
        left = A[i, j] - sum(L[i, k] * L[j, k] for k in range(j))
        L[i, j] = np.sqrt(np.maximum(left, 1.0)) if i == j else left / L[j, j]
    return L


def solve(L: Entries, right: Sequence[Array]) -> list[Array]:
    """Return the solution x of L x = right, entry by entry."""
    x: list[Array] = []
    for i, own in enumerate(right):
        x.append((own - sum(L[i, k] * x[k] for k in range(i))) / L[i, i])
    return x


def whole_levels(group: Group, levels: Indices, width: int) -> Iterator[Indices]:
    """Yield the rows of some levels, sorted by level, as many as are about `width`; of one level, however many."""
    order = np.argsort(group.codes, kind="stable")
    ends = np.cumsum(group.rows_per_level)
    rows = [order[end - count : end] for end, count in zip(ends[levels], group.rows_per_level[levels], strict=True)]
    batch: list[Indices] = []
    for own in rows:
        if batch and sum(map(len, batch)) + len(own) > width:
            yield np.concatenate(batch)
            batch = []
        batch.append(own)
    yield np.concatenate(batch)


def level_density(
    likelihood: LogLikelihood,
    rows: Indices,
    factors: Sequence[Group],
    scales: Sequence[Array],
    numbers: int = BLOCK_NUMBERS,
) -> Array:
    """Return the log density of the rows of one level [S], the effects of factors within it integrated out.

    factors: that of the level, where the model has it, and those whose levels lie in its own; scales: what
    `level_scales` says of them.
    """
    residuals = _Residuals(likelihood, tuple(group.factor for group in factors))
    columns = [level_columns(group, rows) for group in factors]
    size = sum(U.shape[1] * U.shape[2] for U in columns)
    r, v, beside = residuals.at(rows)
    found = np.sum(beside, axis=1) - 0.5 * np.sum(v * r**2, axis=1)
    if not size:
        return np.asarray(found)
    v = np.broadcast_to(v, r.shape)
    step = max(1, numbers // (size * (size + len(rows))))
    for start in range(0, len(found), step):
        some = slice(start, start + step)
        B = np.concatenate(
            [
                np.einsum("rlk,skm->srlm", U, T[some]).reshape(len(T[some]), len(rows), -1)
                for U, T in zip(columns, scales, strict=True)
            ],
            axis=2,
        )
        VB = v[some, :, None] * B
        A = np.swapaxes(B, 1, 2) @ VB + np.eye(size)
        h = np.sum(VB * r[some, :, None], axis=1)
        L = np.linalg.cholesky(A)
        half = np.linalg.solve(L, h[..., None])[..., 0]
        found[some] += 0.5 * np.sum(half**2, axis=1) - np.sum(np.log(np.diagonal(L, axis1=1, axis2=2)), axis=1)
    return np.asarray(found)


def level_columns(group: Group, rows: Indices) -> Array:
    """Return the columns of a factor by the levels that these rows have [R, L, M], 0 where a row is of another."""
    levels, own = np.unique(group.codes[rows], return_inverse=True)
    found = np.zeros((len(rows), len(levels), len(group.terms)))
    found[np.arange(len(rows)), own] = group.Z[rows]
    return found
