"""Densities of sets of rows of any family, effects of their levels integrated out numerically, draw by draw.

Letters: S draws, R rows, L sets of rows (levels of a factor, mostly), q effects of one set, Q nodes. With eta what the
draw says of rows without these effects, z standard normal and B = U T as in `integrated`,

    p(y of a set) = integral of prod over rows of p(y_r | eta_r + B_r z) normal(z | 0, I) dz.

The integrand is measured in units of its own width, from its mode: z = mode + C x, C C' the inverse of its curvature
there. One or two effects take the product of Gauss-Hermite rules (adaptive quadrature, as lme4's nAGQ; Pinheiro and
Bates 1995), exact where the integrand is normal; as many nodes as `nodes_for` finds to be enough. More effects take
points drawn from a multivariate t (importance sampling), whose mean is right whatever their number, but whose noise is
none that leaving out by weights could bear: they serve where draws have not seen the set.

Derivatives are differences of the families' own log densities along eta, where these have a width near 1, or sigma.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import lgamma, log, pi

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.families import FAMILIES, SIGMA
from hierfit.posterior.compare.integrated import Entries, cholesky, level_columns, precision, solve, whole_levels
from hierfit.posterior.log_likelihood import BLOCK_NUMBERS, LogLikelihood
from hierfit.posterior.predict.new_levels import level_scales
from hierfit.posterior.predict.values import trials_of

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MOST_COLUMNS = 2
COUNTS = (5, 7, 9, 13, 19, 27)  # nodes along each effect that are tried
ENOUGH, TOLERABLE = 0.005, 0.1  # error of a log density
_PILOT_DRAWS, _PILOT_LEVELS = 12, 60
_STEP = 1e-2  # of eta, for differences
_MOST_STEPS, _CLOSE, _LONGEST = 40, 0.4, 3.0
_DEGREES, _POINTS = 5.0, 4


def is_quadrable(design: Design, within: Sequence[Group]) -> bool:
    """Whether effects of these factors can be integrated out by nodes: one factor, with one or two of the mean."""
    return len(within) == 1 and len(within[0].terms) <= MOST_COLUMNS and is_of_mean(within)


def is_of_mean(within: Sequence[Group]) -> bool:
    """Whether all effects of these factors are of the mean."""
    return all(len(group.columns_of(None)) == len(group.terms) for group in within)


@dataclass(frozen=True, eq=False)
class Nodes:
    """Where an integrand is looked at, in units of its own width.

    Attributes:
        x: the places [Q, q], or of each draw its own [Q, q, S].
        log_weight: logarithms of what its values are multiplied by before they are summed [Q], or [Q, S].
        count: along each effect; 0 where they are no product of rules.
    """

    x: Array
    log_weight: Array
    count: int = 0

    @property
    def own(self) -> bool:
        """Whether each draw has its own."""
        return self.x.ndim == 3


def hermite(count: int, size: int) -> Nodes:
    """Return the product of Gauss-Hermite rules of so many nodes along each of `size` effects."""
    x, w = np.polynomial.hermite_e.hermegauss(count)
    places = np.array(list(product(x, repeat=size))).reshape(-1, size)
    weights = np.array([np.prod(own) for own in product(w, repeat=size)])
    return Nodes(places, np.log(weights) - 0.5 * size * log(2 * pi) + 0.5 * np.sum(places**2, axis=1), count)


def random_nodes(size: int, n_draws: int, rng: np.random.Generator, count: int = _POINTS) -> Nodes:
    """Return points of a multivariate t distribution of `size` dimensions for each draw, mirrored in pairs."""
    half = rng.standard_normal((count // 2, size, n_draws))
    half /= np.sqrt(rng.chisquare(_DEGREES, (count // 2, 1, n_draws)) / _DEGREES)
    x = np.concatenate([half, -half])
    constant = lgamma((_DEGREES + size) / 2) - lgamma(_DEGREES / 2) - 0.5 * size * log(_DEGREES * pi)
    density = constant - 0.5 * (_DEGREES + size) * np.log1p(np.sum(x**2, axis=1) / _DEGREES)
    return Nodes(x, -density - 0.5 * size * log(2 * pi) - log(len(x)))


class Integrand:
    """Rows of some sets under some draws, as a function of the effects z of their sets, q of [S, L]."""

    def __init__(self, likelihood: LogLikelihood, rows: Indices, without: tuple[str, ...], B: list[Array],
                 places: Indices) -> None:  # fmt: skip
        design = likelihood.design
        self.family, self.link, self.y = FAMILIES[design.family], design.link, design.y[rows]
        self.eta, self.auxiliaries = likelihood.predictor(rows, without), likelihood.auxiliaries(rows)
        self.trials, self.weights = trials_of(design, rows), likelihood.weights(rows)
        self.B, self.places = B, places
        self.starts = np.flatnonzero(np.diff(places, prepend=-1))

    def log_likelihood(self, z: Sequence[Array], further: Array | float = 0.0) -> Array:
        """Return that of each row at effects z, and so far from there along eta [S, R]."""
        eta = self.eta + further
        for own, part in zip(self.B, z, strict=True):
            eta += own * part[:, self.places]
        found = self.family.log_density_at(self.y, eta, self.link, self.auxiliaries, self.trials)
        return found * self.weights

    def of_sets(self, by_row: Array) -> Array:
        """Return sums over the rows of each set [S, R] -> [S, L]."""
        return np.asarray(np.add.reduceat(by_row, self.starts, axis=1))

    def curvature(self, z: Sequence[Array]) -> tuple[list[Array], Entries]:
        """Return the slope of the log of the integrand at z, and its curvature by entries as `precision` has them."""
        step = _STEP * self.auxiliaries[SIGMA] if SIGMA in self.auxiliaries else _STEP
        above, here, below = (self.log_likelihood(z, further) for further in (step, 0.0, -step))
        slope, bend = (above - below) / (2 * step), np.maximum((2 * here - above - below) / step**2, 0.0)
        slopes = [self.of_sets(own * slope) - part for own, part in zip(self.B, z, strict=True)]
        return slopes, precision({}, self.B, bend, self.starts)

    def mode(self, z: list[Array]) -> tuple[list[Array], Entries]:
        """Return where the integrand is largest, nearly, from a first guess, and the factor of its curvature there."""
        for _ in range(_MOST_STEPS):
            slopes, A = self.curvature(z)
            L = cholesky(A)
            scaled = solve(L, slopes)  # the step in units of the width
            length = np.sqrt(sum(np.square(part) for part in scaled))
            shorter = np.minimum(1.0, _LONGEST / np.maximum(length, _LONGEST))
            moved = back(L, [part * shorter for part in scaled])
            z = [part + step for part, step in zip(z, moved, strict=True)]
            if not (length > _CLOSE).any():  # the next step would be its square, about
                return z, L
        return z, cholesky(self.curvature(z)[1])

    def integral(self, nodes: Nodes, start: list[Array]) -> Array:
        """Return the logarithm of the integral of each set under each draw [S, L]."""
        mode, L = self.mode(start)
        shape, values = mode[0].shape, []
        for x, log_weight in zip(nodes.x, nodes.log_weight, strict=True):
            places = [np.broadcast_to(part[:, None] if nodes.own else part, shape) for part in x]
            z = [centre + part for centre, part in zip(mode, back(L, places), strict=True)]
            value = self.of_sets(self.log_likelihood(z)) - 0.5 * sum(np.square(part) for part in z)
            values.append(value + (log_weight[:, None] if nodes.own else log_weight))
        most = np.max(values, axis=0)
        total = most + np.log(np.sum([np.exp(value - most) for value in values], axis=0))
        return np.asarray(total - sum(np.log(L[i, i]) for i in range(len(mode))))


def back(L: Entries, right: Sequence[Array]) -> list[Array]:
    """Return the solution x of L' x = right, entry by entry."""
    x = list(right)
    for i in reversed(range(len(x))):
        x[i] = (x[i] - sum(L[k, i] * x[k] for k in range(i + 1, len(x)))) / L[i, i]
    return x


@dataclass(frozen=True, eq=False)
class Levels:
    """Levels of one factor, their effects to be integrated out.

    Attributes:
        likelihood: under the draws.
        group: the factor.
        scales: what `level_scales` says of it under all draws.
        likely: where effects of each level are thought to lie [J, M]: where the search for modes starts.
    """

    likelihood: LogLikelihood
    group: Group
    scales: Array
    likely: Array

    def batches(self, wanted: Indices, numbers: int = BLOCK_NUMBERS) -> Iterator[Indices]:
        """Yield the rows of levels, level by level, of as many levels as have about so many numbers."""
        yield from whole_levels(self.group, wanted, max(1, numbers // self.likelihood.n_draws))

    def density(self, rows: Indices, nodes: Nodes, picks: Indices | None = None, numbers: int = BLOCK_NUMBERS) -> Array:
        """Return the log density of all rows of each of their levels [S, L], under chosen draws or all."""
        picks = np.arange(self.likelihood.n_draws) if picks is None else picks
        step = max(1, 2 * numbers // len(rows))
        return np.concatenate(
            [self._density(rows, nodes, picks[at : at + step]) for at in range(0, len(picks), step)], axis=0
        )

    def _density(self, rows: Indices, nodes: Nodes, picks: Indices) -> Array:
        T, levels = self.scales[picks], np.unique(self.group.codes[rows])
        B = [T[:, :, k] @ self.group.Z[rows].T for k in range(T.shape[-1])]
        places = np.searchsorted(levels, self.group.codes[rows])
        integrand = Integrand(self.likelihood.some(picks), rows, (self.group.factor,), B, places)
        return integrand.integral(nodes, _first_guess(T, self.likely[levels]))


def levels_of(likelihood: LogLikelihood, group: Group, likely: Array | None = None) -> Levels:
    """Return the levels of a factor under draws; without `likely` their effects are where the draws have them."""
    found = likelihood.draws.effects_of(group).mean(axis=(0, 1)) if likely is None else likely
    return Levels(likelihood, group, level_scales(likelihood.draws, group), found)


def _first_guess(T: Array, effects: Array) -> list[Array]:
    """Return the standard normal z for which effects are T z, [q] of [S, L]; 0 where an sd is 0, and never far off."""
    z: list[Array] = []
    for i, own in enumerate(effects.T):
        left = own[None] - sum(T[:, i, k, None] * z[k] for k in range(i))
        sd = T[:, i, i, None]
        z.append(np.where(sd > 1e-6, np.clip(left / np.maximum(sd, 1e-6), -4, 4), 0.0))
    return z


def nodes_for(levels: Levels) -> tuple[Nodes, float]:
    """Return as many nodes as are enough, tried on a few draws and levels, and the largest error found there."""
    rng = np.random.default_rng(0)
    group, n_draws = levels.group, levels.likelihood.n_draws
    picks = np.sort(rng.choice(n_draws, min(_PILOT_DRAWS, n_draws), replace=False))
    order = np.argsort(group.rows_per_level, kind="stable")
    some = order[np.unique(np.linspace(0, len(order) - 1, _PILOT_LEVELS).astype(np.int64))]
    rows = np.concatenate([np.flatnonzero(group.codes == level) for level in np.sort(some)])
    size = len(group.terms)
    before = levels.density(rows, hermite(COUNTS[0], size), picks)
    error = np.inf
    for count, more in zip(COUNTS, [*COUNTS[1:], COUNTS[-1] + 12], strict=True):
        after = levels.density(rows, hermite(more, size), picks)
        error = float(np.max(np.abs(after - before)))
        if error < ENOUGH:
            return hermite(count, size), error
        before = after
    return hermite(COUNTS[-1], size), error


def drawn_density(
    likelihood: LogLikelihood, rows: Indices, factors: Sequence[Group], scales: Sequence[Array],
    rng: np.random.Generator, numbers: int = BLOCK_NUMBERS,
) -> Array:  # fmt: skip
    """Return an estimate of the density of a set of rows under each draw, its logarithm [S], by points that are drawn.

    factors, scales: as `integrated.level_density` takes them, effects of the mean. The mean over draws of the
    densities, not of their logarithms, is without bias.
    """
    columns = [level_columns(group, rows) for group in factors]
    size = sum(U.shape[1] * U.shape[2] for U in columns)
    step = max(1, numbers // (len(rows) * max(1, size)))
    found = []
    for start in range(0, likelihood.n_draws, step):
        picks = np.arange(start, min(start + step, likelihood.n_draws))
        B = [
            T[picks][:, :, k] @ U[:, level].T
            for U, T in zip(columns, scales, strict=True)
            for level in range(U.shape[1])
            for k in range(U.shape[2])
        ]
        without = tuple(group.factor for group in factors)
        places = np.zeros(len(rows), dtype=np.int64)
        integrand = Integrand(likelihood.some(picks), rows, without, B, places)
        nodes = random_nodes(size, len(picks), rng)
        found.append(integrand.integral(nodes, [np.zeros((len(picks), 1)) for _ in B])[:, 0])
    return np.concatenate(found)
