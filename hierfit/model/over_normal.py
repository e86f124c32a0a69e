"""Link x normal linear predictor -> the mean of what the link makes of it, E g(eta + sd Z), Z standard normal.

Of the identity, log and probit links these are closed forms. Of the logit link it is the trapezoidal rule, whose error
falls exponentially (Trefethen and Weideman 2014, SIAM Review 56(3)): at steps h of Z it is about exp(-2 pi^2 / h^2), or
where the poles of expit at +-i pi are nearer than the saddle of the normal density, at sd > h / 2,

    exp(-2 pi^2 / (sd h) + pi^2 / (2 sd^2)) sqrt(2 pi) / sd.

Steps are as large as keep it below `ERROR`. Two nodes at +-z take one division, and no exponential function of eta:

    expit(eta + sd z) + expit(eta - sd z) = 1 + sinh(eta) / (cosh(eta) + cosh(sd z)).

Where sd is above `WIDE` the roles are changed: it is the mean of the probit function over a logistic variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, exp, log, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from hierfit.model.links import LEAST, LINKS, MOST, bounded_exp

Array = NDArray[np.float64]
OverNormal = Callable[[Sequence[Array], Array], list[Array]]

ERROR = 1e-9
WIDE = 60.0  # cosh(sd z) stays finite up to there
_CELLS = 1 << 13  # predictors that are worked on at a time, 64 kB: they stay in a processor's nearest caches
_MUCH_LARGER, _LEAST_SD = 1.25, 0.3  # than the mean sd; sds up to the least take the same step
_FAR, _STEP = 40.5, 0.75  # of the logistic variable


def over_normal(link: str) -> OverNormal | None:
    """Return how g is averaged, None where there is no fast rule: (predictors, sd) -> means, all of one shape."""
    return _RULES.get(link)


def exponent_over_normal(predictors: Sequence[Array], sd: Array) -> list[Array]:
    """Return the predictors at which exp is what it is on average."""
    rest = np.square(sd) / 2
    return [eta + rest for eta in predictors]


def _identity(predictors: Sequence[Array], sd: Array) -> list[Array]:
    return list(predictors)


def _log(predictors: Sequence[Array], sd: Array) -> list[Array]:
    return [bounded_exp(eta) for eta in exponent_over_normal(predictors, sd)]


def _log_above_1(predictors: Sequence[Array], sd: Array) -> list[Array]:
    return [1 + mean for mean in _log(predictors, sd)]


def _probit(predictors: Sequence[Array], sd: Array) -> list[Array]:
    scale = 1 / np.sqrt(1 + np.square(sd))
    return [LINKS["probit"].inverse(eta * scale) for eta in predictors]


def _logit(predictors: Sequence[Array], sd: Array) -> list[Array]:
    shape = predictors[0].shape
    flat = [np.asarray(eta).T.reshape(-1) for eta in predictors]  # draws side by side, as rows have them
    spread = np.broadcast_to(sd, shape).T.reshape(-1)
    found = np.empty((len(flat), len(spread)))
    with np.errstate(over="ignore", invalid="ignore"):  # of those that are worked out again
        for start in range(0, len(spread), _CELLS):
            part = slice(start, start + _CELLS)
            found[:, part] = _of_some(np.stack([eta[part] for eta in flat]), spread[part])
    np.clip(found, LEAST, MOST, out=found)
    return [own.reshape(shape[::-1]).T for own in found]


_RULES: Mapping[str, OverNormal] = {
    "identity": _identity,
    "log": _log,
    "logm1": _log_above_1,
    "probit": _probit,
    "logit": _logit,
}


def _of_some(eta: Array, sd: Array) -> Array:
    """Return means at predictors [P, N]; the few sds that are much larger than most [N] take steps of their own."""
    most, bound = float(sd.max()), max(_MUCH_LARGER * float(sd.mean()), _LEAST_SD)
    if most <= bound:
        return _of_alike(eta, sd, most)
    found, finer = _of_alike(eta, sd, bound), np.flatnonzero(sd > bound)
    found[:, finer] = _of_some(eta[:, finer], sd[finer])
    return found


def _of_alike(eta: Array, sd: Array, most: float) -> Array:
    return _wide(eta, sd) if most > WIDE else _trapezoid(*rule(max(most, _LEAST_SD)), eta, sd)


def rule(sd: float) -> tuple[float, Array]:
    """Return the step of Z up to an sd, and the weights of nodes 0, +-1, +-2, ... steps away [K]."""
    digits = -log(ERROR)
    normal = pi * sqrt(2 / digits)
    poles = 2 * pi**2 / (sd * (pi**2 / (2 * sd**2) + max(log(sqrt(2 * pi) / sd), 0.0) + digits))
    step = normal if normal > 2 * sd else min(normal, poles)
    places = step * np.arange(ceil(sqrt(2 * digits) / step) + 1)
    return step, step * np.exp(-(places**2) / 2) / sqrt(2 * pi)


def _trapezoid(step: float, weights: Array, eta: Array, sd: Array) -> Array:
    """Return 1/2 + sinh(eta) (w_0 / 2 / (cosh(eta) + 1) + sum over k of w_k / (cosh(eta) + cosh(step k sd)))."""
    share = (weights / (weights[0] + 2 * weights[1:].sum())).tolist()
    up = bounded_exp(eta)
    down = 1 / up
    cosh, sinh = (up + down) / 2, (up - down) / 2
    total: Array = share[0] / 2 / (cosh + 1)
    room = np.empty_like(eta)
    twice = 2 * np.cosh(step * sd)
    before, last = np.ones_like(sd), twice / 2
    for weight in share[1:]:
        np.add(cosh, last, out=room)
        np.divide(weight, room, out=room)
        total += room
        before *= -1.0  # in place: the next is 2 cosh(step sd) times the last, less the one before
        before += twice * last
        before, last = last, before
    total *= sinh
    total += 0.5
    return total


def _wide(eta: Array, sd: Array) -> Array:
    """Return sums over x of the logistic density times the probit function of (eta - x) / sd."""
    found = np.zeros_like(eta)
    for place in np.arange(-_FAR, _FAR + _STEP, _STEP).tolist():
        density = _STEP * exp(-abs(place)) / (1 + exp(-abs(place))) ** 2
        found += density * LINKS["probit"].inverse((eta - place) / sd)
    return found
