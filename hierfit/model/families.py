"""Families: what the outcome is distributed as.

One record each; the Stan side is `stan_models/families/<name>.stan.j2`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """The distribution of the outcome given its linear predictor eta.

    Attributes:
        name: as in `--family` and the name of the Stan program.
        link: "identity" here; eta is in the units of the outcome.
        auxiliaries: names of the further parameters, in the order of the Stan program's `aux`.
        replicate: (rng, eta [..., N], auxiliaries by name [..., 1]) -> simulated outcomes [..., N].
        collapsible: whether group effects can be integrated out exactly: normal outcome, identity link.
    """

    name: str
    link: str
    auxiliaries: tuple[str, ...]
    replicate: Callable[[np.random.Generator, Array, Mapping[str, Array]], Array]
    collapsible: bool = False


def _replicate_gaussian(rng: np.random.Generator, eta: Array, auxiliaries: Mapping[str, Array]) -> Array:
    return rng.normal(eta, auxiliaries["sigma"])


FAMILIES: Mapping[str, Family] = {
    "gaussian": Family("gaussian", "identity", ("sigma",), _replicate_gaussian, collapsible=True),
}
