"""ModelSpec x Design -> Layout: how the full engine sees a model. All is chosen here, once, and carried."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.full.blocks import effects_of_mean
from hierfit.engines.full.centering import Centering, choose, place_coefficients
from hierfit.engines.full.nesting import Nesting, nest
from hierfit.engines.full.repeated import Repeated
from hierfit.engines.full.sweeping import Sweeping, sweep
from hierfit.model.spec import ModelSpec


@dataclass(frozen=True)
class Layout:
    """How the sampler sees the effects of the mean; whatever is chosen, the posterior is the same.

    Attributes:
        centering: which effects it sees with their mean.
        sweeping: which means of effects it sees in the coefficients.
        nesting: which factors lie within which.
        repeated: rows that stand for several; None where each stands for itself.
    """

    centering: Centering
    sweeping: Sweeping
    nesting: Nesting
    repeated: Repeated | None

    def seen_anew(self, spec: ModelSpec, design: Design, narrowed: NDArray[np.float64]) -> Layout:
        """Return the same with those effects seen with their mean (`Centering.narrowed`, of all effects)."""
        of_mean = design.of_mean
        centering = place_coefficients(spec, of_mean, _of_mean(narrowed, design))
        return replace(self, centering=centering, sweeping=sweep(spec, of_mean, centering))


def lay_out(
    spec: ModelSpec, design: Design, narrowed: NDArray[np.float64] | None = None, repeated: Repeated | None = None
) -> Layout:
    """Choose; `narrowed` where it was chosen for all effects before, `repeated` where these were found before."""
    of_mean = design.of_mean
    chosen = choose(spec, of_mean) if narrowed is None else _of_mean(narrowed, design)
    centering = place_coefficients(spec, of_mean, chosen)
    return Layout(centering, sweep(spec, of_mean, centering), nest(of_mean), repeated)


def _of_mean(narrowed: NDArray[np.float64], design: Design) -> NDArray[np.float64]:
    where = effects_of_mean(design)
    return narrowed if where.all() else narrowed[where]
