"""ModelSpec x Design -> Layout: how the full engine sees a model. All is chosen here, once, and carried."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.full.centering import Centering, choose, place_coefficients
from hierfit.engines.full.nesting import Nesting, nest
from hierfit.engines.full.repeated import Repeated
from hierfit.engines.full.sweeping import Sweeping, sweep
from hierfit.model.spec import ModelSpec


@dataclass(frozen=True)
class Layout:
    """How the sampler sees a model; whatever is chosen, the posterior is the same.

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
        """Return the same with those effects seen with their mean (`Centering.narrowed`)."""
        centering = place_coefficients(spec, design, narrowed)
        return replace(self, centering=centering, sweeping=sweep(spec, design, centering))


def lay_out(
    spec: ModelSpec, design: Design, narrowed: NDArray[np.float64] | None = None, repeated: Repeated | None = None
) -> Layout:
    """Choose; `narrowed` where effects were chosen before, `repeated` where these were found before."""
    centering = place_coefficients(spec, design, choose(spec, design) if narrowed is None else narrowed)
    return Layout(centering, sweep(spec, design, centering), nest(design), repeated)
