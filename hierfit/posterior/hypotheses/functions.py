"""The functions of expressions: how many quantities each takes, what it makes of them, and where it has no value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import pi

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Function:
    """A function of quantities.

    Attributes:
        compute: their values -> its values, NaN or infinite where it has none.
        without: where it has no value, in words that follow "in so many draws".
        several: whether it takes two or more quantities, not one.
    """

    compute: Callable[..., Array]
    without: str = "a number is too large"
    several: bool = False


def _inv_logit(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _logit(p: Array) -> Array:
    return np.asarray(np.log(p) - np.log1p(-p))


def _normal_cdf(x: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(ndtr(x))


def _normal_quantile(p: Array) -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri(p))


def _least(*values: Array) -> Array:
    return np.asarray(reduce(np.minimum, values))


def _most(*values: Array) -> Array:
    return np.asarray(reduce(np.maximum, values))


_NOT_POSITIVE, _NO_SHARE = "the logarithm is of a number that is not above 0", "the number is not between 0 and 1"
FUNCTIONS: Mapping[str, Function] = {
    "exp": Function(np.exp),
    "log": Function(np.log, _NOT_POSITIVE),
    "log2": Function(np.log2, _NOT_POSITIVE),
    "log10": Function(np.log10, _NOT_POSITIVE),
    "log1p": Function(np.log1p, "the logarithm is of a number that is not above 0"),
    "expm1": Function(np.expm1),
    "sqrt": Function(np.sqrt, "the root is of a number below 0"),
    "abs": Function(np.abs),
    "min": Function(_least, several=True),
    "max": Function(_most, several=True),
    "inv_logit": Function(_inv_logit),
    "plogis": Function(_inv_logit),
    "logit": Function(_logit, _NO_SHARE),
    "qlogis": Function(_logit, _NO_SHARE),
    "Phi": Function(_normal_cdf),
    "pnorm": Function(_normal_cdf),
    "qnorm": Function(_normal_quantile, _NO_SHARE),
    "tanh": Function(np.tanh),
    "atanh": Function(np.arctanh, "the number is not between -1 and 1"),
}
CONSTANTS: Mapping[str, float] = {"pi": pi}
