"""The families' distributions in numpy: simulated outcomes and log densities.

replicate: (rng, mean [..., N], auxiliaries, trials [N]) -> outcomes [..., N]; log_density: (y [N], mean [..., N],
auxiliaries, trials [N]) -> [..., N]. Auxiliaries are [..., 1] by name. What `mean` is the mean of is said in
`model.families`; it is an inverse link's, hence inside (0, 1) for a probability and greater than 0 for a count. Where
that loses digits, a probability next to 1, there is a density at the linear predictor too: (y [N], eta [..., N], name
of the link, auxiliaries, trials [N]) -> [..., N].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.model.links import LEAST, MOST, bounded_exp, log_probabilities, special

Array = NDArray[np.float64]
Auxiliaries = Mapping[str, Array]
Replicate = Callable[[np.random.Generator, Array, Auxiliaries, Array], Array]
LogDensity = Callable[[Array, Array, Auxiliaries, Array], Array]
AtPredictor = Callable[[Array, Array, str, Auxiliaries, Array], Array]
Expected = Callable[[Array, Auxiliaries, Array], Array]

# Beyond, shape, phi and nu say no more (a negative binomial is a Poisson distribution to nine digits), but differences
# of log gamma functions in their densities lose all digits. Densities, Stan's too, are taken at this value instead.
MOST_PRECISE = 1e8
LARGEST_COUNT_MEAN = 1e18  # numpy's Poisson refuses more


def mean_itself(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the mean as it is."""
    return mean


def replicate_gaussian(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate normal(mean, sigma)."""
    return rng.normal(mean, auxiliaries["sigma"])


def gaussian_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of normal(mean, sigma)."""
    sigma = auxiliaries["sigma"]
    return np.asarray(-0.5 * ((y - mean) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))


def replicate_bernoulli(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate bernoulli(mean)."""
    return (rng.random(np.shape(mean)) < mean).astype(np.float64)


def bernoulli_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of bernoulli(mean)."""
    return np.asarray(special().xlogy(y, mean) + special().xlog1py(1 - y, -mean))


def bernoulli_at(y: Array, eta: Array, link: str, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of bernoulli at linear predictors."""
    log_p, log_rest = log_probabilities(link, eta)
    return np.asarray(np.where(y == 1, log_p, log_rest))


def replicate_poisson(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate poisson(mean)."""
    return rng.poisson(np.minimum(mean, LARGEST_COUNT_MEAN)).astype(np.float64)


def poisson_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of poisson(mean)."""
    return np.asarray(special().xlogy(y, mean) - mean - special().gammaln(y + 1))


def replicate_binomial(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate binomial(trials, mean)."""
    return rng.binomial(np.asarray(trials, dtype=np.int64), mean).astype(np.float64)


def replicate_negbinomial(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate the negative binomial of that mean and of variance mean + mean^2 / shape."""
    shape = auxiliaries["shape"]
    return replicate_poisson(rng, rng.gamma(shape, mean / shape), auxiliaries, trials)


def negbinomial_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of the negative binomial of that mean and of variance mean + mean^2 / shape."""
    shape, gammaln, xlogy = np.minimum(auxiliaries["shape"], MOST_PRECISE), special().gammaln, special().xlogy
    choose = gammaln(y + shape) - gammaln(shape) - gammaln(y + 1)
    return np.asarray(choose - shape * np.log1p(mean / shape) + xlogy(y, mean) - xlogy(y, shape + mean))


def replicate_student(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate student_t(nu, mean, sigma)."""
    return np.asarray(mean + auxiliaries["sigma"] * rng.standard_t(np.broadcast_to(auxiliaries["nu"], np.shape(mean))))


def student_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of student_t(nu, mean, sigma)."""
    sigma, nu, gammaln = auxiliaries["sigma"], np.minimum(auxiliaries["nu"], MOST_PRECISE), special().gammaln
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(sigma)
    return np.asarray(constant - (nu + 1) / 2 * np.log1p(((y - mean) / sigma) ** 2 / nu))


def replicate_gamma(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate gamma(shape, shape / mean)."""
    shape = auxiliaries["shape"]
    return rng.gamma(shape, mean / shape)


def gamma_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of gamma(shape, shape / mean)."""
    shape = np.minimum(auxiliaries["shape"], MOST_PRECISE)
    rate = shape / mean
    return np.asarray(shape * np.log(rate) + (shape - 1) * np.log(y) - rate * y - special().gammaln(shape))


def replicate_lognormal(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate lognormal(mean, sigma), whose log has that mean."""
    return bounded_exp(rng.normal(mean, auxiliaries["sigma"]))


def lognormal_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of lognormal(mean, sigma), whose log has that mean."""
    return gaussian_log_density(np.log(y), mean, auxiliaries, trials) - np.log(y)


def lognormal_expected(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the mean of y, not of its log."""
    return bounded_exp(mean + auxiliaries["sigma"] ** 2 / 2)


def _beta_shapes(mean: Array, auxiliaries: Auxiliaries, rest: Array | None = None) -> tuple[Array, Array]:
    """Return the two shapes of the beta distribution of that mean and precision, greater than 0; rest is 1 - mean."""
    phi = np.minimum(auxiliaries["phi"], MOST_PRECISE)
    return np.maximum(mean * phi, LEAST), np.maximum((1 - mean if rest is None else rest) * phi, LEAST)


def _beta_shapes_at(eta: Array, link: str, auxiliaries: Auxiliaries) -> tuple[Array, Array]:
    log_mean, log_rest = log_probabilities(link, eta)
    return _beta_shapes(np.exp(log_mean), auxiliaries, np.exp(log_rest))


def replicate_beta(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate beta(mean phi, (1 - mean) phi)."""
    return rng.beta(*_beta_shapes(mean, auxiliaries))


def beta_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of beta(mean phi, (1 - mean) phi)."""
    return _beta_density(y, *_beta_shapes(mean, auxiliaries))


def beta_at(y: Array, eta: Array, link: str, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of beta at linear predictors."""
    return _beta_density(y, *_beta_shapes_at(eta, link, auxiliaries))


def _beta_density(y: Array, a: Array, b: Array) -> Array:
    return np.asarray((a - 1) * np.log(y) + (b - 1) * np.log1p(-y) - special().betaln(a, b))


def _log_choose(trials: Array, y: Array) -> Array:
    gammaln = special().gammaln
    return np.asarray(gammaln(trials + 1) - gammaln(y + 1) - gammaln(trials - y + 1))


def binomial_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of binomial(trials, mean)."""
    return np.asarray(_log_choose(trials, y) + special().xlogy(y, mean) + special().xlog1py(trials - y, -mean))


def binomial_at(y: Array, eta: Array, link: str, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of binomial at linear predictors."""
    log_p, log_rest = log_probabilities(link, eta)
    return np.asarray(_log_choose(trials, y) + y * log_p + (trials - y) * log_rest)


def all_trials(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the mean number of successes."""
    return np.asarray(trials * mean)


def replicate_beta_binomial(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate binomial(trials, p), p from beta(mean phi, (1 - mean) phi)."""
    return replicate_binomial(rng, replicate_beta(rng, mean, auxiliaries, trials), auxiliaries, trials)


def beta_binomial_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of binomial(trials, p), p from beta(mean phi, (1 - mean) phi)."""
    return _beta_binomial_density(y, trials, *_beta_shapes(mean, auxiliaries))


def beta_binomial_at(y: Array, eta: Array, link: str, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log density of beta_binomial at linear predictors."""
    return _beta_binomial_density(y, trials, *_beta_shapes_at(eta, link, auxiliaries))


def _beta_binomial_density(y: Array, trials: Array, a: Array, b: Array) -> Array:
    betaln = special().betaln
    return np.asarray(_log_choose(trials, y) + betaln(y + a, trials - y + b) - betaln(a, b))


def zero_inflated_replicate(replicate: Replicate) -> Replicate:
    """Make outcomes 0 instead with probability zi."""

    def inflated(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
        stays = rng.random(np.shape(mean)) >= auxiliaries["zi"]
        return np.asarray(stays * replicate(rng, mean, auxiliaries, trials))

    return inflated


def zero_inflated_log_density(log_density: LogDensity) -> LogDensity:
    """Return the log density of an outcome that is 0 instead with probability zi."""

    def inflated(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
        zi = np.clip(auxiliaries["zi"], LEAST, MOST)
        counted = np.log1p(-zi) + log_density(y, mean, auxiliaries, trials)
        return np.where(y == 0, np.logaddexp(np.log(zi), counted), counted)

    return inflated


def zero_inflated_expected(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the mean with the excess zeros."""
    return np.asarray((1 - auxiliaries["zi"]) * mean)


def hurdle_log_density(log_density: LogDensity) -> LogDensity:
    """Return the log density of an outcome that is 0 with probability hu, otherwise a count that is not 0."""

    def hurdle(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
        hu = np.clip(auxiliaries["hu"], LEAST, MOST)
        some = -np.expm1(log_density(np.zeros_like(y), mean, auxiliaries, trials))
        counted = np.log1p(-hu) + log_density(y, mean, auxiliaries, trials) - np.log(np.maximum(some, LEAST))
        return np.where(y == 0, np.log(hu), counted)

    return hurdle


def replicate_hurdle_poisson(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate 0 with probability hu, otherwise a Poisson count that is not 0.

    A Poisson count is how many arrivals a process of that rate has until time 1. That there is one at all says when the
    first one comes, and the others follow it.
    """
    first = -np.log1p(rng.random(np.shape(mean)) * np.expm1(-mean)) / mean
    return _behind_hurdle(rng, mean * (1 - np.clip(first, 0, 1)), auxiliaries, trials)


def replicate_hurdle_negbinomial(
    rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array
) -> Array:
    """Simulate 0 with probability hu, otherwise a negative binomial count that is not 0.

    As for Poisson counts, of a process whose rate has a gamma distribution, which the first arrival updates.
    """
    shape = auxiliaries["shape"]
    inverse = shape / mean
    none = -shape * np.log1p(1 / inverse)  # log probability of no arrival
    first = np.clip(inverse * np.expm1(-np.log1p(rng.random(np.shape(mean)) * np.expm1(none)) / shape), 0, 1)
    rate = rng.gamma(shape + 1, 1 / (inverse + first))
    return _behind_hurdle(rng, rate * (1 - first), auxiliaries, trials)


def _behind_hurdle(rng: np.random.Generator, further: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate 0 with probability hu, otherwise one and a Poisson count of that mean."""
    counts = 1 + replicate_poisson(rng, further, auxiliaries, trials)
    return np.asarray((rng.random(np.shape(further)) >= auxiliaries["hu"]) * counts)


def hurdle_expected(log_density: LogDensity) -> Expected:
    """Return how to compute the mean with the zeros, of counts whose own log density is given."""

    def expected(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
        some = -np.expm1(log_density(np.zeros_like(mean), mean, auxiliaries, trials))
        return np.asarray((1 - auxiliaries["hu"]) * mean / np.maximum(some, LEAST))

    return expected


def replicate_cumulative(rng: np.random.Generator, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Simulate ordered categories 0, 1, ...; `mean` holds the probabilities of being at most 0, 1, ... [Q, ..., N]."""
    return np.asarray(np.sum(rng.random(np.shape(mean)[1:]) > mean, axis=0), dtype=np.float64)


def category_probabilities(mean: Array) -> Array:
    """Return the probability of each category [Q + 1, ...] from those of being at most 0, 1, ... [Q, ...]."""
    ends = np.zeros((1, *mean.shape[1:]))
    return np.diff(np.concatenate([ends, mean, ends + 1]), axis=0)


def cumulative_log_density(y: Array, mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log probability of ordered categories; `mean` as in `replicate_cumulative`."""
    shares = category_probabilities(mean)
    codes = np.broadcast_to(y.astype(np.int64), mean.shape[1:])[None]
    return np.asarray(np.log(np.maximum(np.take_along_axis(shares, codes, axis=0)[0], LEAST)))


def cumulative_at(y: Array, eta: Array, link: str, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the log probability of ordered categories at linear predictors.

    That of lying between two thresholds, seen from the side on which both are nearer to the end.
    """
    cuts = np.broadcast_to(auxiliaries["threshold"], (len(auxiliaries["threshold"]), *eta.shape))
    ends = np.full((1, *eta.shape), np.inf)
    codes = np.broadcast_to(y.astype(np.int64), eta.shape)[None]
    whole = np.concatenate([-ends, cuts - eta, ends])
    low, high = (np.take_along_axis(whole, codes + above, axis=0)[0] for above in (0, 1))
    with np.errstate(invalid="ignore"):  # of two categories, both ends may be infinite
        upper = low + high > 0
    low, high = np.where(upper, -high, low), np.where(upper, -low, high)
    log_low, log_high = log_probabilities(link, low)[0], log_probabilities(link, high)[0]
    return np.asarray(log_high + np.log1p(-np.minimum(np.exp(log_low - log_high), MOST)))


def cumulative_expected(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the mean of the categories' codes."""
    return np.asarray(np.sum(1 - mean, axis=0))
