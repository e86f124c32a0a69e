"""Design x ModelSpec -> the cross-products that a gaussian model with several grouping factors needs, and no rows.

The factor with most effects is eliminated block by block, since its Z'Z is block diagonal: one M x M block for each of
its J levels. The rest, W = [Z of the other factors, X, y], is kept together. With H_j a small matrix for each level,
all that a density needs is

    W'W,   Z_j'Z_j,   and the sandwich   sum over levels of C_j' H_j C_j,   C_j = Z_j'W   [M, n].

Most of C is 0, because a level meets few levels of the other factors, so the sandwich is one product of a sparse matrix
(made once, from the pairs of columns that a level meets) with the entries of H; where C is not so empty, or small, it
is one of dense matrices.

Letters: N rows, n = columns of W, y the last. Units are the sampler's, and the coefficients count from near their least
squares solution (`engines.collapsed.reduction`), so that huge offsets lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.origin import z_center
from hierfit.design.scaling import coefficient_scale, counted_rows, row_root, scaled_varying
from hierfit.engines.collapsed.reduction import Coefficients, columns_to_reduce
from hierfit.engines.sizes import all_but, eliminated_factor, met_pairs, n_effects
from hierfit.model.spec import ModelSpec

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
_DENSE_IS_FASTER = 30  # multiplications of a dense product that take as long as one of a sparse one
_SMALL = 10_000_000  # multiplications of a density that take about a millisecond


@dataclass(frozen=True)
class Dense:
    """C as it is.

    Attributes:
        C: [J, M, n].
        rest: W'W [n, n].
    """

    C: Array
    rest: Array

    def less_sandwich(self, root: Array, scale: Array) -> Array:
        """Return W'W less the sum of C_j' R_j R_j' C_j [n, n], of roots R [J, M, M]; rows and columns times a scale."""
        n_levels, n_terms, n = self.C.shape
        half = (np.swapaxes(root, 1, 2) @ self.C).reshape(n_levels * n_terms, n)
        less = self.rest - half.T @ half
        less *= scale
        less *= scale[:, np.newaxis]
        return less

    def of(self, x: Array) -> Array:
        """Return C x [J, M] of a vector [n]."""
        return self.C @ x


@dataclass(frozen=True)
class Sparse:
    """C where it is not 0, and the products of its entries.

    Attributes:
        n_terms: M.
        C: [J M, n].
        products: of pairs of entries of the same level, summed over what H multiplies alike [E, J M (M + 1) / 2].
        rows, columns: where the E belong in an n x n matrix, below its diagonal or on it.
        places: the same, counted row by row.
        rest: W'W there; elsewhere it is 0, since columns that meet in a row meet in its level [E].
    """

    n_terms: int
    C: csr_array[Any]
    products: csr_array[Any]
    rows: Indices
    columns: Indices
    places: Indices
    rest: Array

    def less_sandwich(self, root: Array, scale: Array) -> Array:
        """Return W'W less the sum of C_j' R_j R_j' C_j [n, n], of roots R [J, M, M]; rows and columns times a scale.

        Above the diagonal there is nothing.
        """
        halves = np.tril_indices(self.n_terms)
        H = root @ np.swapaxes(root, 1, 2)
        less = self.rest - self.products @ H[:, *halves].ravel()
        less *= scale[self.rows]
        less *= scale[self.columns]
        n = len(scale)
        S = np.zeros((n, n))
        S.reshape(-1)[self.places] = less
        return S

    def of(self, x: Array) -> Array:
        """Return C x [J, M] of a vector [n]."""
        return np.asarray(self.C @ x).reshape(-1, self.n_terms)


@dataclass(frozen=True)
class Products:
    """What is left of the rows.

    Attributes:
        n_rows: N, or the sum of weights.
        first: position of the factor that is eliminated first.
        own: Z_j'Z_j of its levels [J, M, M].
        cross: C, and W'W.
        prior: what the priors of coefficients add to the last I + 1 rows and columns of W'W / sigma^2.
        sizes: levels and varying columns of the other factors, in the order of W.
        coefficients: which are integrated out, and from where all are counted.
        constant: values of those that are not [K], 0 for the others.
    """

    n_rows: float
    first: int
    own: Array
    cross: Dense | Sparse
    prior: Array
    sizes: tuple[tuple[int, int], ...]
    coefficients: Coefficients
    constant: Array

    @property
    def is_small(self) -> bool:
        """Whether a density takes about a millisecond at most, so that a closer proposal pays."""
        n = sum(n_levels * n_terms for n_levels, n_terms in self.sizes)
        return bool(n**2 * (n + self.own.shape[0] * self.own.shape[1]) < _SMALL)

    @property
    def is_simple(self) -> bool:
        """Whether every other factor has one varying column."""
        return all(n_terms == 1 for _, n_terms in self.sizes)


def multiply_out(spec: ModelSpec, design: Design) -> Products:
    """Return the cross-products of a model whose coefficients have normal, flat or constant priors."""
    columns, coefficients = columns_to_reduce(spec, design)
    constant = constants(spec, design)
    taken = [*coefficients.integrated.tolist(), len(constant)]
    fold = np.eye(len(constant) + 1)[:, taken]
    fold[:-1, -1] -= constant
    first = eliminated_factor(design.groups)
    group = design.groups[first]
    others = all_but(design.groups, first)
    varying = {each.factor: _rows_of(spec, design, each) for each in design.groups}
    positions, values = _entries(others, varying, columns @ fold)
    n = sum(map(n_effects, others)) + len(taken)
    return Products(
        n_rows=counted_rows(design),
        first=first,
        own=_own(group, varying[group.factor]),
        cross=_cross(group, varying[group.factor], positions, values, n),
        prior=fold.T @ coefficients.prior @ fold,
        sizes=tuple((other.n_levels, len(other.terms)) for other in others),
        coefficients=coefficients,
        constant=constant,
    )


def constants(spec: ModelSpec, design: Design) -> Array:
    """Return the values of the coefficients that are fixed by their priors, as the sampler counts them [K]."""
    values = np.array([spec.priors[name].constant or 0.0 for name in spec.coefficient_names])
    fixed = np.array([spec.priors[name].constant is not None for name in spec.coefficient_names], dtype=bool)
    if design.intercept and fixed[0]:
        values[0] -= design.intercept_origin
    return values / coefficient_scale(design)


def _rows_of(spec: ModelSpec, design: Design, group: Group) -> Array:
    """Return the varying columns as W has its own [N, M]: their rows multiplied by the root of their precision."""
    Z, root = scaled_varying(group, z_center(spec, group)), row_root(design)
    return Z if root is None else Z * root[:, np.newaxis]


def _entries(others: list[Group], varying: Mapping[str, Array], dense: Array) -> tuple[Indices, Array]:
    """Return where W is not 0 in every row [N, t], and what it is there [N, t]."""
    positions, values, start = [], [], 0
    for other in others:
        n_terms = len(other.terms)
        positions.append(start + other.codes[:, np.newaxis].astype(np.int64) * n_terms + np.arange(n_terms))
        values.append(varying[other.factor])
        start += n_effects(other)
    positions.append(np.broadcast_to(start + np.arange(dense.shape[1]), dense.shape))
    return np.concatenate(positions, axis=1), np.concatenate([*values, dense], axis=1)


def _gram(positions: Indices, values: Array, n: int) -> Array:
    """Return W'W [n, n]."""
    from scipy.sparse import csr_array

    n_rows, width = values.shape
    W = csr_array((values.ravel(), positions.ravel(), np.arange(n_rows + 1) * width), shape=(n_rows, n))
    return np.asarray((W.T @ W).toarray())


def _own(group: Group, Z: Array) -> Array:
    """Return Z_j'Z_j of every level [J, M, M]."""
    n_terms = len(group.terms)
    own = np.empty((group.n_levels, n_terms, n_terms))
    for a in range(n_terms):
        for b in range(a + 1):
            own[:, a, b] = own[:, b, a] = np.bincount(group.codes, Z[:, a] * Z[:, b], group.n_levels)
    return own


def _cross(group: Group, Z: Array, positions: Indices, values: Array, n: int) -> Dense | Sparse:
    """Return C = Z'W of the eliminated factor, and W'W."""
    n_terms, n_levels = len(group.terms), group.n_levels
    keys, where = np.unique(group.codes[:, np.newaxis].astype(np.int64) * n + positions, return_inverse=True)
    sums = [np.bincount(where.ravel(), (Z[:, m : m + 1] * values).ravel()) for m in range(n_terms)]
    entries = np.stack(sums, axis=1).astype(np.float64)
    levels, columns = keys // n, keys % n
    pairs = met_pairs(np.bincount(levels, minlength=n_levels))
    if n_levels * n_terms * n**2 < _DENSE_IS_FASTER * pairs * n_terms * (n_terms + 1):
        C = np.zeros((n_levels, n_terms, n))
        C[levels, :, columns] = entries
        return Dense(C, _gram(positions, values, n))
    return _sparse(levels, columns, entries, _gram(positions, values, n), n_levels)


def _sparse(levels: Indices, columns: Indices, entries: Array, rest: Array, n_levels: int) -> Sparse:
    """Return C and the products of its entries; they come level by level, columns in order."""
    from scipy.sparse import csr_array

    n, n_terms = len(rest), entries.shape[1]
    start = np.searchsorted(levels, np.arange(n_levels))
    partners = np.arange(len(levels)) - start[levels] + 1  # the entry itself, and those of its level before it
    one = np.repeat(np.arange(len(levels)), partners)
    within = np.arange(len(one)) - np.repeat(np.cumsum(partners) - partners, partners)
    other = start[levels][one] + within
    places, row = np.unique(columns[one] * n + columns[other], return_inverse=True)
    halves = [(a, b) for a in range(n_terms) for b in range(a + 1)]
    products = [entries[one, a] * entries[other, b] + (a != b) * entries[one, b] * entries[other, a] for a, b in halves]
    at = levels[one, np.newaxis] * len(halves) + np.arange(len(halves))
    data, rows = np.stack(products, axis=1), np.broadcast_to(row.reshape(-1, 1), at.shape)
    where = (rows.ravel().astype(np.int32), at.ravel().astype(np.int32))  # half the memory to go through for each point
    size = (len(places), n_levels * len(halves))
    C_rows = levels[:, np.newaxis] * n_terms + np.arange(n_terms)
    C_at = (C_rows.ravel(), np.repeat(columns, n_terms))
    C = csr_array((entries.ravel(), C_at), shape=(n_levels * n_terms, n))
    products_of_pairs = csr_array((data.ravel(), where), shape=size)
    return Sparse(n_terms, C, products_of_pairs, places // n, places % n, places, rest.reshape(-1)[places])
