"""ModelSpec x Design -> SinglePosterior: the density of what is sampled of one factor, and a proposal near it.

A point is one value of the sds, correlations and sigma, as real numbers. With what the levels say together (`sums`),
and I coefficients integrated out, the rows' products are a small matrix whose Cholesky factor, y last, is
[[L, 0], [l', s]]:

    log density = -(N - J M) log sigma - sum of log det A_j / 2 - sum of log diag L - s^2 / 2 + log prior.

The coefficients given the point are normal(L'^-1 l, (L L')^-1).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.scaling import counted_rows
from hierfit.engines.collapsed.reduction import Collapsed, collapse, gather
from hierfit.engines.marginal.density import nearest, threads
from hierfit.engines.marginal.parameters import Parameters, parameters
from hierfit.engines.marginal.products import constants
from hierfit.engines.proposal import LogDensity, Pilot, Proposal, fly, propose
from hierfit.engines.single.sums import LevelSums, level_sums
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]

_NARROWER, _DEGREES = 1.12, 40.0


@dataclass(frozen=True)
class Given:
    """What follows from points.

    Attributes:
        log_density: marginal log density with the prior, up to a constant; -inf where the numbers do not suffice [s].
        L: Cholesky factor of the products of what is integrated out, y last [s, I + 1, I + 1].
    """

    log_density: Array
    L: Array


@dataclass(frozen=True)
class SingleModel:
    """A model of one factor without its rows.

    Attributes:
        rows: what is left of them.
        n_rows: N, rows with a weight counted by it.
        sums: what the density needs of the levels.
        constant: coefficients that are not integrated out, in the sampler's units and as `rows` counts them [K].
        parameters: what is sampled.
    """

    rows: Collapsed
    n_rows: float
    sums: LevelSums
    constant: Array
    parameters: Parameters

    def given(self, reals: Array, pool: ThreadPoolExecutor) -> Given:
        """Work out points [s, d]."""
        values = self.parameters.values(reals)
        T, sigma = values.factors[0].T, values.sigma
        log_determinants, gram = self.sums.at(T, sigma, pool)
        gram += self.rows.within / np.square(sigma)[:, np.newaxis, np.newaxis] + self.rows.prior
        L, sound = _factored(self._folded(gram))
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.diagonal(L[:, :-1, :-1], axis1=1, axis2=2)).sum(axis=1)
            n_effects = T.shape[1] * self.rows.levels.S.shape[2]
            density = -(self.n_rows - n_effects) * np.log(sigma) - log_determinants / 2 - logs
            density += values.log_prior - np.square(L[:, -1, -1]) / 2
        return Given(np.where(sound & ~np.isnan(density), density, -np.inf), L)

    def draw(self, L: Array, rng: np.random.Generator) -> Array:
        """Return coefficients, of which the integrated ones are drawn given points, as `rows` counts them [s, K]."""
        b = np.tile(self.constant, (len(L), 1))
        right = L[:, -1, :-1] + rng.standard_normal((len(L), L.shape[1] - 1))
        towards = np.swapaxes(L[:, :-1, :-1], 1, 2)
        b[:, self.rows.integrated] = np.linalg.solve(towards, right[..., np.newaxis])[..., 0]
        return b

    def _folded(self, gram: Array) -> Array:
        """Return the products of the integrated columns and of y less the constant ones [s, I + 1, I + 1]."""
        integrated, kept = self.rows.integrated, self.rows.kept
        fold = np.zeros((gram.shape[1], len(integrated) + 1))
        fold[integrated, np.arange(len(integrated))] = 1
        fold[kept, -1] = -self.constant[kept]
        fold[-1, -1] = 1
        return np.asarray(fold.T @ gram @ fold)


@dataclass(frozen=True)
class SinglePosterior:
    """The marginal posterior of one model, and all that is needed to draw from it.

    Attributes:
        model: the model without its rows.
        proposal: what is close to the posterior.
        pilot: points of it.
    """

    model: SingleModel
    proposal: Proposal
    pilot: Pilot


def reduce_single(spec: ModelSpec, design: Design) -> SingleModel:
    """Return a model with one factor without its rows."""
    rows = collapse(spec, design)
    sums = level_sums(gather(rows.levels))
    return SingleModel(rows, counted_rows(design), sums, constants(spec, design), parameters(spec, design))


def find_posterior(spec: ModelSpec, design: Design, seed: int) -> SinglePosterior:
    """Reduce the rows, find the mode, and what is close to the posterior.

    Raises:
        NoProposalError: nothing is close to it.
    """
    model = reduce_single(spec, design)
    with threads() as pool:

        def approach(own: Parameters) -> SinglePosterior:
            as_own = replace(model, parameters=own)
            rng = np.random.default_rng(seed)

            def log_density(points: Array) -> Array:
                return as_own.given(points, pool).log_density

            found = propose(log_density, own.start, own.bounds, rng)
            return SinglePosterior(as_own, *_narrowed(log_density, *found, rng))

        return nearest(approach, model.parameters, lambda: parameters(spec, design, as_priors=True))


def _narrowed(
    log_density: LogDensity, proposal: Proposal, pilot: Pilot, rng: np.random.Generator
) -> tuple[Proposal, Pilot]:
    """Return the proposal with a body nearly as narrow and light as a normal density, where that is the closer one.

    With many levels it is. What the tails lack is left to the wide part, which bounds the weights.
    """
    body, *others = proposal.parts
    narrow = replace(body, widths=body.widths / _NARROWER, degrees=_DEGREES)
    closer = replace(proposal, parts=(narrow, *others))
    again = fly(log_density, closer, len(pilot.weights), rng)
    return (closer, again) if again.efficiency > pilot.efficiency else (proposal, pilot)


def _factored(products: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return Cholesky factors [s, n, n], and for which of the matrices there is one [s]."""
    sound = np.ones(len(products), dtype=np.bool_)
    try:
        return np.asarray(np.linalg.cholesky(products), dtype=np.float64), sound
    except np.linalg.LinAlgError:  # one is enough
        L = np.full(products.shape, np.nan)
        for at, product in enumerate(products):
            try:
                L[at] = np.linalg.cholesky(product)
            except np.linalg.LinAlgError:
                sound[at] = False
        return L, sound
