"""ModelSpec x Design -> MarginalPosterior: the density of what is sampled, a proposal near it, and points of it.

A point is one value of the sds, correlations and sigma; with it come a draw of the effects and coefficients given
them, from the same factored matrices. Points are worked out side by side, a thread for each core.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.scaling import coefficient_scale, effect_scale
from hierfit.engines.marginal.parameters import Parameters, parameters
from hierfit.engines.marginal.products import Products, multiply_out
from hierfit.engines.marginal.system import draw_rest, solve
from hierfit.engines.proposal import GOOD, POOR, NoProposalError, Pilot, Proposal, propose
from hierfit.engines.refining import refine
from hierfit.engines.sharpening import Sharpened, sharpen
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]

SPARE = 2
_DIGITS = 4.0  # that the density must have behind the point


class Approached(Protocol):
    """What is near a posterior."""

    @property
    def pilot(self) -> Pilot:
        """Points of it."""
        ...


Found = TypeVar("Found", bound=Approached)


@dataclass(frozen=True)
class Reduced:
    """A model without its rows.

    Attributes:
        design: the columns.
        products: what is left of the rows.
        parameters: what is sampled.
        effect_units: one unit of the sampler's effects of each factor in those of the CSV [F][M].
        b_units: one unit of the sampler's coefficients in those of the CSV [K].
    """

    design: Design
    products: Products
    parameters: Parameters
    effect_units: tuple[Array, ...]
    b_units: Array

    def in_csv_units(self, effects: Sequence[Array], integrated: Array) -> tuple[Array, Array]:
        """Return coefficients [K] and effects [U], as those of a Point, of what was drawn in the sampler's units."""
        coefficients, b = self.products.coefficients, self.products.constant.copy()
        b[coefficients.integrated] = integrated
        scaled = [(effect * unit).ravel() for effect, unit in zip(effects, self.effect_units, strict=True)]
        return coefficients.at_origin(b) * self.b_units, np.concatenate(scaled)

    def log_densities(self, points: Array, pool: ThreadPoolExecutor) -> tuple[Array, Array]:
        """Return the marginal log densities of points [s, d] with the prior [s], and how many digits they have [s]."""
        values = self.parameters.values(points)

        def work_out(at: int) -> tuple[float, float]:
            solved = solve(self.products, *values.at(at))
            return solved.log_density, solved.digits  # and not the matrices: there may be a gigabyte of them

        found = np.array(list(pool.map(work_out, range(len(points)))))
        return found[:, 0] + values.log_prior, found[:, 1]


@dataclass(frozen=True)
class Point:
    """A point, and what was drawn given it, `SPARE` times: a chain that stays there has something new to say.

    Attributes:
        real: what is sampled, as real numbers [d].
        log_density: its marginal log density with the prior.
        weight: that less its log density in the proposal.
        b: coefficients as the Stan program counts them, in the units of the CSV [SPARE, K].
        u: effects, factor by factor and level by level, in the units of the CSV [SPARE, U].
    """

    real: Array
    log_density: float
    weight: float
    b: Array
    u: Array


@dataclass(frozen=True)
class MarginalPosterior:
    """The marginal posterior of the sds, correlations and sigma of one model, and all that is needed to draw from it.

    Attributes:
        model: the model without its rows.
        proposal: what is close to the posterior.
        pilot: points of it.
    """

    model: Reduced
    proposal: Proposal | Sharpened
    pilot: Pilot

    def points(self, reals: Array, noise: Sequence[np.random.Generator], pool: ThreadPoolExecutor) -> list[Point]:
        """Work out the density at points [s, d], and draw all the rest given each, with random numbers of its own."""
        values = self.model.parameters.values(reals)
        proposed = self.proposal.log_density(reals)

        def work_out(at: int) -> Point:
            T, sigma = values.at(at)
            solved = solve(self.model.products, T, sigma)
            log_density = solved.log_density + float(values.log_prior[at])
            if not np.isfinite(log_density):  # far out; no chain will stand there
                return Point(reals[at], -np.inf, -np.inf, np.empty((0, 0)), np.empty((0, 0)))
            rest = [draw_rest(self.model.products, solved, T, sigma, noise[at]) for _ in range(SPARE)]
            b, u = zip(*(self.model.in_csv_units(*drawn) for drawn in rest), strict=True)
            return Point(reals[at], log_density, log_density - float(proposed[at]), np.array(b), np.array(u))

        return list(pool.map(work_out, range(len(reals))))


def reduce_model(spec: ModelSpec, design: Design) -> Reduced:
    """Return the model without its rows."""
    effect_units = tuple(effect_scale(design, group) for group in design.groups)
    products, sampled = multiply_out(spec, design), parameters(spec, design)
    return Reduced(design, products, sampled, effect_units, coefficient_scale(design))


def find_posterior(spec: ModelSpec, design: Design, seed: int) -> MarginalPosterior:
    """Reduce the rows, find the mode, and what is close to the posterior.

    Raises:
        NoProposalError: nothing is close to it, or its density cannot be computed from cross-products.
    """
    model = reduce_model(spec, design)

    def approach(own: Parameters) -> MarginalPosterior:
        return _approach(replace(model, parameters=own), seed)

    return nearest(approach, model.parameters, lambda: parameters(spec, design, as_priors=True))


def nearest(approach: Callable[[Parameters], Found], own: Parameters, as_priors: Callable[[], Parameters]) -> Found:
    """Return what is near a posterior: its parameters at the center of the columns, or where the priors speak.

    Raises:
        NoProposalError: neither is close.
    """
    found = [approach(own)]
    if found[0].pilot.efficiency < GOOD and not own.are_as_priors:  # these may say more than the rows
        with suppress(NoProposalError):
            found.append(approach(as_priors()))
    best = max(found, key=lambda each: each.pilot.efficiency)
    if best.pilot.efficiency < POOR:
        raise NoProposalError(f"only {best.pilot.efficiency:.0%} of a pilot sample were effective")
    return best


def _approach(model: Reduced, seed: int) -> MarginalPosterior:
    known: list[tuple[Array, Array]] = []
    digits = np.empty(0)
    with threads() as pool:

        def log_density(points: Array) -> Array:
            nonlocal digits
            found, digits = model.log_densities(points, pool)
            known.append((points, found))
            return found

        def sharpened(proposal: Proposal, pilot: Pilot) -> tuple[Proposal | Sharpened, Pilot]:
            points, found = (np.concatenate(each) for each in zip(*known, strict=True))
            return sharpen(log_density, proposal, pilot, (points, found), rng)

        start, bounds, rng = model.parameters.start, model.parameters.bounds, np.random.default_rng(seed)
        proposal, pilot = propose(log_density, start, bounds, rng)
        best, found = sharpened(proposal, pilot)
        if found.efficiency < GOOD and model.products.is_small:
            closer = sharpened(*refine(log_density, proposal, pilot, rng))
            best, found = max(((best, found), closer), key=lambda each: each[1].efficiency)
    if np.median(digits) < _DIGITS + np.log10(model.design.n_rows):
        raise NoProposalError("next to nothing is left for sigma, and cross-products lose too many digits")
    return MarginalPosterior(model, best, found)


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """A thread for each core, each factoring matrices by itself: faster than one after another on all cores."""
    from threadpoolctl import threadpool_limits

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        with threadpool_limits(1, user_api="blas"):
            yield pool
    finally:
        pool.shutdown(cancel_futures=True)
