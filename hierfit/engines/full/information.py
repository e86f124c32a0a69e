"""Rows -> what each says of its linear predictor: the slope of its log density, and the expected curvature (Fisher).

Arrays are [N]. The slopes are differences of the families' own log densities, the curvatures are in closed form: exact
but for beta, beta_binomial and the zero-inflated counts, whose first two moments stand for the whole distribution
(McCullagh and Nelder 1989, section 9.2). Letters as in `model.families`; auxiliaries [1] by name, thresholds [Q, 1].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.model.densities import MOST_PRECISE, category_probabilities
from hierfit.model.families import FAMILIES, LINKS, SIGMA, THRESHOLD

Array = NDArray[np.float64]

STEP = 1e-4  # of the linear predictor, for differences
LEAST = 1e-12


@dataclass(frozen=True)
class Rows:
    """What the rows are distributed as.

    Attributes:
        family: its name.
        link: its name.
        y: outcome; less its mean and over its sd where the family allows that.
        trials: ones where the family has none.
        auxiliaries: sigma in units of y.
    """

    family: str
    link: str
    y: Array
    trials: Array
    auxiliaries: Mapping[str, Array]

    def log_density(self, eta: Array) -> Array:
        """Return the log density of each row."""
        family = FAMILIES[self.family]
        return family.log_density(self.y, family.mean(eta, self.link, self.auxiliaries), self.auxiliaries, self.trials)

    def slope(self, eta: Array) -> Array:
        """Return the derivative of the log density with respect to eta."""
        if SIGMA in self.auxiliaries and self.family != "student":  # y is linear here, lognormal's too
            return np.asarray((self.y - eta) / self.auxiliaries[SIGMA] ** 2)
        return (self.log_density(eta + STEP) - self.log_density(eta - STEP)) / (2 * STEP)

    def information(self, eta: Array) -> Array:
        """Return the expected negative second derivative."""
        return np.maximum(_INFORMATION[self.family](self, eta), LEAST)

    def _mean_and_slope(self, eta: Array) -> tuple[Array, Array]:
        inverse = LINKS[self.link].inverse
        return inverse(eta), (inverse(eta + STEP) - inverse(eta - STEP)) / (2 * STEP)


def _normal(rows: Rows, eta: Array) -> Array:
    return np.full(len(eta), float(rows.auxiliaries[SIGMA][0]) ** -2)


def _student(rows: Rows, eta: Array) -> Array:
    nu = float(rows.auxiliaries["nu"][0])
    return _normal(rows, eta) * (nu + 1) / (nu + 3)


def _successes(rows: Rows, eta: Array) -> Array:
    p, slope = rows._mean_and_slope(eta)
    return rows.trials * slope**2 / np.maximum(p * (1 - p), LEAST)


def _beta(rows: Rows, eta: Array) -> Array:
    return (1 + rows.auxiliaries["phi"]) * _successes(rows, eta)


def _beta_binomial(rows: Rows, eta: Array) -> Array:
    return _successes(rows, eta) / (1 + (rows.trials - 1) / (1 + rows.auxiliaries["phi"]))


def _gamma(rows: Rows, eta: Array) -> Array:
    return np.full(len(eta), float(rows.auxiliaries["shape"][0]))


def _inverse_shape(rows: Rows) -> Array | float:
    """Return 1 over the shape of a negative binomial; 0 for a Poisson distribution, its limit."""
    return 1 / np.minimum(rows.auxiliaries["shape"], MOST_PRECISE) if "shape" in rows.auxiliaries else 0.0


def _counts(rows: Rows, eta: Array) -> Array:
    mean = LINKS[rows.link].inverse(eta)
    return np.asarray(mean / (1 + mean * _inverse_shape(rows)))


def _zero_inflated(rows: Rows, eta: Array) -> Array:
    mean, zi = LINKS[rows.link].inverse(eta), rows.auxiliaries["zi"]
    return np.asarray((1 - zi) * mean / (1 + mean * (zi + _inverse_shape(rows))))


def _hurdle(rows: Rows, eta: Array) -> Array:
    """Variance of the slope of the untruncated log density, (y - mean) / (1 + mean / shape), where y > 0."""
    mean, inverse_shape = LINKS[rows.link].inverse(eta), _inverse_shape(rows)
    spread = 1 + mean * inverse_shape
    zero = np.exp(-mean) if "shape" not in rows.auxiliaries else spread ** (-1 / inverse_shape)
    some = np.maximum(1 - zero, LEAST)
    variance = (mean * spread + mean**2) / some - (mean / some) ** 2
    return np.asarray((1 - rows.auxiliaries["hu"]) * variance / spread**2)


def _categories(rows: Rows, eta: Array) -> Array:
    """Sum over the categories of the squared slope of their probability over the probability itself."""
    family = FAMILIES[rows.family]
    shares = category_probabilities(family.mean(eta, rows.link, rows.auxiliaries))
    above = category_probabilities(family.mean(eta + STEP, rows.link, rows.auxiliaries))
    below = category_probabilities(family.mean(eta - STEP, rows.link, rows.auxiliaries))
    return np.asarray(np.sum(((above - below) / (2 * STEP)) ** 2 / np.maximum(shares, LEAST), axis=0))


_INFORMATION: Mapping[str, Callable[[Rows, Array], Array]] = {
    "gaussian": _normal,
    "lognormal": _normal,
    "student": _student,
    "bernoulli": _successes,
    "binomial": _successes,
    "beta": _beta,
    "beta_binomial": _beta_binomial,
    "poisson": _counts,
    "negbinomial": _counts,
    "gamma": _gamma,
    "zero_inflated_poisson": _zero_inflated,
    "zero_inflated_negbinomial": _zero_inflated,
    "hurdle_poisson": _hurdle,
    "hurdle_negbinomial": _hurdle,
    "cumulative": _categories,
}
__all__ = ["THRESHOLD", "Rows"]
