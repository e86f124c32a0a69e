"""Links: how the mean of the outcome and the linear predictor are tied.

Array [...] -> Array [...], both ways. Probabilities stay inside (0, 1) and means finite and above 0 however extreme the
linear predictor is, so that whatever is computed from them is finite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Where a probability would round to 0 or 1, and exp overflow.
LEAST, MOST = 1e-300, 1 - 2.0**-53
LARGEST_EXPONENT = 690.0


@dataclass(frozen=True)
class Link:
    """How the mean of the outcome and the linear predictor are tied.

    Attributes:
        name: as in `--link`; logm1, of what is greater than 1, is none of these.
        forward: mean -> linear predictor.
        inverse: linear predictor -> mean.
    """

    name: str
    forward: Callable[[Array], Array]
    inverse: Callable[[Array], Array]


def special() -> Any:
    """Return scipy.special, which takes 0.1 s to import."""
    from scipy import special

    return special


def bounded_exp(eta: Array) -> Array:
    """Return exp(eta), neither 0 nor infinite."""
    return np.asarray(np.exp(np.clip(eta, -LARGEST_EXPONENT, LARGEST_EXPONENT)))


def _inside(p: Array) -> Array:
    return np.asarray(np.clip(p, LEAST, MOST))


LINKS: Mapping[str, Link] = {
    link.name: link
    for link in (
        Link("identity", lambda mean: mean, lambda eta: eta),
        Link("log", lambda mean: np.asarray(np.log(mean)), bounded_exp),
        Link("logit", lambda p: np.asarray(special().logit(p)), lambda eta: _inside(special().expit(eta))),
        Link("probit", lambda p: np.asarray(special().ndtri(p)), lambda eta: _inside(special().ndtr(eta))),
        Link("logm1", lambda mean: np.asarray(np.log(mean - 1)), lambda eta: 1 + bounded_exp(eta)),
        Link("cloglog", lambda p: np.log(-np.log1p(-p)), lambda eta: _inside(-np.expm1(-bounded_exp(eta)))),
    )
}

_LOGS: Mapping[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "logit": (lambda eta: special().log_expit(eta), lambda eta: special().log_expit(-eta)),
    "probit": (lambda eta: special().log_ndtr(eta), lambda eta: special().log_ndtr(-eta)),
    "cloglog": (lambda eta: np.log(-np.expm1(-bounded_exp(eta))), lambda eta: -bounded_exp(eta)),
}


def log_probabilities(link: str, eta: Array) -> tuple[Array, Array]:
    """Return log p and log(1 - p) of probabilities p at linear predictors, to every digit also where p is next to 1."""
    log_p, log_rest = _LOGS[link]
    return np.asarray(log_p(eta)), np.asarray(log_rest(eta))
