"""MarginalPosterior -> Sampling: chains of independence Metropolis.

Every point is proposed without regard to where a chain stands, so all can be worked out side by side, and a chain
accepts one with probability min(1, ratio of the weights density over proposal). That is exact whatever the proposal
(Tierney 1994, section 2.3.2); how good that is shows in the share accepted, and in R-hat and ESS as for any chain.
Effects and coefficients come with the points, drawn given each; a chain that stays draws them anew.

There is no warmup: the proposal is settled before the first draw, and chains start from the pilot sample by its
weights. No gradient is needed, which for a matrix of a thousand effects would cost several times as much as the
density.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.independence import collect, generators_of, starts_of
from hierfit.engines.marginal.density import MarginalPosterior, Point, threads
from hierfit.sampling import Progress, SamplerOptions, Sampling

Array = NDArray[np.float64]
Generators = Sequence[np.random.Generator]

AT_A_TIME = 16  # draws of each chain between two looks at the keyboard


@dataclass(frozen=True)
class Step:
    """Where a chain stands after a proposal.

    Attributes:
        point: the last that was accepted.
        stayed: how many proposals were refused there.
        accepted: the probability that this one was accepted with.
        weight: that of the proposal, log of density over proposal.
    """

    point: Point
    stayed: int = 0
    accepted: float = 1.0
    weight: float = 0.0

    @property
    def b(self) -> Array:
        """Coefficients drawn given the point [K]."""
        return np.asarray(self.point.b[min(self.stayed, len(self.point.b) - 1)])

    @property
    def u(self) -> Array:
        """Effects drawn given the point [U]."""
        return np.asarray(self.point.u[min(self.stayed, len(self.point.u) - 1)])


def sample(
    posterior: MarginalPosterior, options: SamplerOptions, on_progress: Callable[[Progress], None] | None = None
) -> Sampling:
    """Run the chains: from the pilot sample, or from where `options.inits` says; the seed must be given.

    The variables are those of the Stan program, but `b` lacks nothing, and the effects are `u`, as those of a Point;
    `real` holds the points themselves. On KeyboardInterrupt the draws that are finished are returned.

    Raises:
        Interrupted: stopped before there was a draw.
    """
    return collect(
        _blocks(posterior, options),
        options,
        on_progress,
        variables=lambda found: _under_names_of_stan(posterior, found),
    )


def _blocks(posterior: MarginalPosterior, options: SamplerOptions) -> Iterator[Mapping[str, Array]]:
    """Yield a few draws of every chain [chains, draws, ...] after another."""
    generators = generators_of(options)
    with threads() as pool:
        starts = starts_of(posterior.pilot, options, generators)
        here = [Step(point) for point in posterior.points(starts, generators, pool)]
        for start in range(0, options.draws, AT_A_TIME):
            proposed = _propose(posterior, min(AT_A_TIME, options.draws - start), generators, pool)
            walks = [list(_walk(*chain)) for chain in zip(here, proposed, generators, strict=True)]
            here = [walk[-1] for walk in walks]
            yield {
                "real": np.array([[step.point.real for step in walk] for walk in walks]),
                "b": np.array([[step.b for step in walk] for walk in walks]),
                "u": np.array([[step.u for step in walk] for walk in walks]),
                "lp": np.array([[step.point.log_density for step in walk] for walk in walks]),
                "acceptance_rate": np.array([[step.accepted for step in walk] for walk in walks]),
                "log_weight": np.array([[step.weight for step in walk] for walk in walks]),
            }


def _propose(
    posterior: MarginalPosterior, size: int, generators: Generators, pool: ThreadPoolExecutor
) -> list[list[Point]]:
    """Return points that are proposed to each chain."""
    reals = [real for rng in generators for real in posterior.proposal.draw(size, rng)]
    own = [noise for rng in generators for noise in rng.spawn(size)]
    points = posterior.points(np.array(reals), own, pool)
    return [points[at * size : (at + 1) * size] for at in range(len(generators))]


def _walk(here: Step, proposed: Sequence[Point], rng: np.random.Generator) -> Iterator[Step]:
    """Yield where a chain stands after each proposal."""
    for point in proposed:
        accepted = float(np.exp(min(0.0, point.weight - here.point.weight)))
        moves = rng.random() < accepted
        weight = point.weight
        here = Step(point, 0, accepted, weight) if moves else Step(here.point, here.stayed + 1, accepted, weight)
        yield here


def _under_names_of_stan(posterior: MarginalPosterior, found: Mapping[str, Array]) -> Mapping[str, Array]:
    """Return the chains under the names of the Stan program."""
    shape = (*found["real"].shape[:2], -1)
    values = posterior.model.parameters.values(found["real"].reshape(-1, found["real"].shape[2]))
    variables = {
        "b": found["b"],
        "sd": np.concatenate([factor.sd for factor in values.factors], axis=1),
        "cor": np.concatenate([factor.cor for factor in values.factors], axis=1),
        "aux": values.sigma * posterior.model.parameters.sigma.unit,
        "real": found["real"],
        "u": found["u"],
    }
    return {name: values.reshape(shape) for name, values in variables.items() if values.size}
