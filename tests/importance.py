"""Posteriors without a Markov chain: group effects integrated out, the other parameters by importance sampling.

In comes a `Model`: outcome, columns and labels as arrays, laid out by hand; out go the posterior means and sds of the
parameters under hierfit's default priors, which are written down here once more (docs/models.md, docs/families.md).
Nothing of hierfit is used. N rows, K predictors, J levels; q [D] is the vector that is sampled: the intercept (or the
thresholds) at the mean of x, coefficients in units of their priors' sds, logarithms of sds, an atanh of a correlation
(of varying intercepts, these too, at the mean of x),
auxiliary parameters on their real scales.

Group effects: gaussian outcomes are multivariate normal without them. In other families a factor has an intercept only
and its effects are sd z, z ~ normal(0, 1), summed over z = -7.5, -7.4, ..., 7.5: for smooth integrands that end far
from the ends the error falls exponentially, and is below 1e-8 as long as a level's likelihood is wider than 0.1 in z.
Levels with the same rows are computed once.

The proposal is a Student t with 7 degrees of freedom, placed by the weighted moments of a first sample around the mode.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.special import betaln, expit, gammaln, logit

Array = NDArray[np.float64]
Z = np.arange(-75, 76) / 10
LOG_NORMAL = -0.5 * Z**2 - np.log(np.exp(-0.5 * Z**2).sum())
NU = 7.0


@dataclass(frozen=True)
class Factor:
    """Labels as numbers from 0 on [N], and the predictor whose slope varies."""

    codes: NDArray[np.intp]
    slope: str | None = None


@dataclass(frozen=True)
class Model:
    """Outcome [N], predictors by name [N], factors by name, and what a family needs beside these.

    `gamma_priors`: shape and rate for the auxiliary parameters that have not their default prior. `predictors`: by
    name, what the log of sigma or the logit of zi depends on, columns by name [N].
    """

    family: str
    y: Array
    x: Mapping[str, Array] = field(default_factory=dict)
    factors: Mapping[str, Factor] = field(default_factory=dict)
    trials: Array | None = None
    offset: Array | None = None
    gamma_priors: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    predictors: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)

    @cached_property
    def X(self) -> Array:
        """[N, K]."""
        return np.column_stack([np.empty((len(self.y), 0)), *self.x.values()]).astype(float)


@dataclass(frozen=True)
class Estimate:
    """Posterior mean and sd with their Monte Carlo standard errors."""

    mean: float
    sd: float
    mean_error: float
    sd_error: float


# --- densities of one row, constants of the data left out -----------------------------------------------------------

Values = Mapping[str, float | Array]
Density = Callable[[Array, Array, Values, Array], Array]


def _binomial(y: Array, eta: Array, aux: Values, trials: Array) -> Array:
    return y * eta - trials * np.logaddexp(0, eta)


def _poisson(y: Array, eta: Array, aux: Values, trials: Array) -> Array:
    return y * eta - np.exp(eta)


def _negbinomial(y: Array, eta: Array, aux: Values, trials: Array) -> Array:
    k = aux["shape"]
    return gammaln(y + k) - gammaln(k) + k * np.log(k) + y * eta - (y + k) * np.logaddexp(np.log(k), eta)


def _zero_inflated_poisson(y: Array, eta: Array, aux: Values, trials: Array) -> Array:
    zi = aux["zi"]
    counts = np.log1p(-zi) + y * eta - np.exp(eta)
    return np.where(y == 0, np.logaddexp(np.log(zi), counts), counts)


def _beta(y: Array, eta: Array, aux: Values, trials: Array) -> Array:
    a, b = aux["phi"] * expit(eta), aux["phi"] * expit(-eta)
    return (a - 1) * np.log(y) + (b - 1) * np.log1p(-y) - betaln(a, b)


def _beta_binomial(y: Array, eta: Array, aux: Values, trials: Array) -> Array:
    a, b = aux["phi"] * expit(eta), aux["phi"] * expit(-eta)
    return betaln(y + a, trials - y + b) - betaln(a, b)


def _student(y: Array, eta: Array, aux: Values, trials: Array) -> Array:
    nu, sigma = aux["nu"], aux["sigma"]
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu) - np.log(sigma)
    return constant - (nu + 1) / 2 * np.log1p(((y - eta) / sigma) ** 2 / nu)


DENSITIES: dict[str, Density] = {
    "bernoulli": _binomial,
    "binomial": _binomial,
    "poisson": _poisson,
    "negbinomial": _negbinomial,
    "zero_inflated_poisson": _zero_inflated_poisson,
    "beta": _beta,
    "beta_binomial": _beta_binomial,
    "student": _student,
}
AUXILIARIES = {
    "gaussian": ("sigma",),
    "student": ("sigma", "nu"),
    "negbinomial": ("shape",),
    "beta": ("phi",),
    "beta_binomial": ("phi",),
    "zero_inflated_poisson": ("zi",),
}
LINKS: dict[str, Callable[[float], float]] = {
    "gaussian": float,
    "student": float,
    "bernoulli": logit,
    "binomial": logit,
    "beta": logit,
    "beta_binomial": logit,
    "poisson": np.log,
    "negbinomial": np.log,
    "zero_inflated_poisson": np.log,
    "cumulative": lambda mean: 0.0,
}


# --- one model's posterior ------------------------------------------------------------------------------------------


class Posterior:
    """The log density of q under the default priors, and what q says in the units of the data."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.trials = np.ones_like(model.y) if model.trials is None else model.trials
        self.offset = np.zeros_like(model.y) if model.offset is None else model.offset
        self.rows, self.starts, self.copies = self._distinct_levels()
        identity = LINKS[model.family] is float
        self.s_y = model.y.std(ddof=1) if identity else 1.0
        mean = model.y.sum() / self.trials.sum() if model.trials is not None else model.y.mean()
        self.m_y = LINKS[model.family](mean) - self.offset.mean()
        self.s_x = model.X.std(axis=0, ddof=1)
        self.auxiliaries = tuple(aux for aux in AUXILIARIES.get(model.family, ()) if aux not in model.predictors)
        self.n_thresholds = int(model.y.max()) - 1 if model.family == "cumulative" else 0
        self.sds = {
            name: 2.5 * self.s_y / (1.0 if slope is None else model.x[slope].std(ddof=1))
            for factor, term in model.factors.items()
            for name, slope in [(f"sd({factor})", None), (f"sd({factor}: {term.slope})", term.slope)][
                : 1 + bool(term.slope)
            ]
        }
        self.sloped = [(name, term.slope) for name, term in model.factors.items() if term.slope]
        self.correlations = [f"cor({name}: Intercept, {slope})" for name, slope in self.sloped]
        self.sizes = (
            max(1, self.n_thresholds), len(model.x), len(self.sds), len(self.correlations), len(self.auxiliaries),
            *(1 + len(columns) for columns in model.predictors.values()),
        )  # fmt: skip

    def _distinct_levels(self) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
        """The rows of the levels that differ, where each begins among these, and how many levels are like it."""
        if self.model.family == "gaussian" or not self.model.factors:
            return np.arange(len(self.model.y)), np.arange(len(self.model.y)), np.ones(len(self.model.y))
        (factor,) = self.model.factors.values()
        further = [column for columns in self.model.predictors.values() for column in columns.values()]
        table = np.column_stack([self.model.y, self.trials, self.offset, self.model.X, *further])
        found: dict[bytes, tuple[NDArray[np.intp], int]] = {}
        for level in range(factor.codes.max() + 1):
            rows = np.flatnonzero(factor.codes == level)
            key = table[rows].tobytes()
            found[key] = (rows, found.get(key, (rows, 0))[1] + 1)
        levels, copies = zip(*found.values(), strict=True)
        starts = np.cumsum([0, *map(len, levels[:-1])])
        return np.concatenate(levels), starts, np.array(copies, dtype=float)

    def start(self) -> Array:
        """A point from which the mode can be climbed to."""
        spread = np.linspace(-1, 1, self.n_thresholds) if self.n_thresholds else np.zeros(1)
        steps = np.concatenate([spread[:1], np.log(np.diff(spread))])
        levels = {"zi": -1.0, "sigma": np.log(0.7 * self.s_y)}
        predicted = [[levels[name], *np.zeros(len(columns))] for name, columns in self.model.predictors.items()]
        return np.concatenate(
            [steps, np.zeros(self.sizes[1]), np.full(self.sizes[2], -1.0), np.zeros(sum(self.sizes[3:5])), *predicted]
        )

    def log_density(self, q: Array) -> float:
        """Log prior, log Jacobian and log likelihood."""
        first, b, log_sds, atanh, aux, *predicted = np.split(q, np.cumsum(self.sizes)[:-1])
        values = self.parameters(q)
        log_prior = -0.5 * b @ b + sum(log_sds) - 2 * np.log1p(np.exp(2 * log_sds) / 3).sum()
        log_prior += np.log1p(-(np.tanh(atanh) ** 2)).sum()  # a uniform correlation
        if self.n_thresholds:
            at_mean = self._thresholds(first)
            log_prior += first[1:].sum() - 2 * np.log1p((at_mean / 2.5) ** 2 / 3).sum()
        else:
            log_prior -= 0.5 * first[0] ** 2
        for name, real in zip(self.auxiliaries, aux, strict=True):
            log_prior += self._auxiliary_prior(name, values[name], real)
        for name, (level, *slopes) in zip(self.model.predictors, predicted, strict=True):
            log_prior += self._level_prior(name, level) - 0.5 * sum(slope**2 for slope in slopes)
        return float(log_prior + self._log_likelihood(values))

    def parameters(self, q: Array) -> dict[str, float]:
        """The parameters by the names that hierfit prints, in the units of the data."""
        first, b, log_sds, atanh, aux, *predicted = np.split(q, np.cumsum(self.sizes)[:-1])
        slopes = 2.5 * self.s_y / self.s_x * b
        at_zero = slopes @ self.model.X.mean(axis=0)
        if self.n_thresholds:
            cuts = enumerate(self._thresholds(first) + at_zero, 1)
            values = {f"threshold[{k}|{k + 1}]": float(cut) for k, cut in cuts}
        else:
            values = {"Intercept": self.m_y + 2.5 * self.s_y * first[0] - at_zero}
        values |= dict(zip(self.model.x, slopes, strict=True))
        values |= dict(zip(self.sds, np.exp(log_sds) * list(self.sds.values()), strict=True))
        values |= dict(zip(self.correlations, np.tanh(atanh), strict=True))
        for name, slope in self.sloped:
            values |= self._at_zero(values, name, slope)
        for (name, columns), (level, *steps) in zip(self.model.predictors.items(), predicted, strict=True):
            own = {
                f"{name}_{x}": step / column.std(ddof=1)
                for (x, column), step in zip(columns.items(), steps, strict=True)
            }
            at_zero = sum(b * column.mean() for b, column in zip(own.values(), columns.values(), strict=True))
            values |= {f"{name}_Intercept": float(level - at_zero), **own}
        return values | {name: self._auxiliary(name, real) for name, real in zip(self.auxiliaries, aux, strict=True)}

    def _of_rows(self, values: Mapping[str, float]) -> dict[str, Array]:
        """The parameters that have predictors, in every row [N]."""
        found = {}
        for name, columns in self.model.predictors.items():
            link = values[f"{name}_Intercept"] + sum(values[f"{name}_{x}"] * column for x, column in columns.items())
            found[name] = expit(link) if name == "zi" else np.exp(link)
        return found

    def _level_prior(self, name: str, level: float) -> float:
        """Log prior of a link at the mean of its predictors: logistic(0, 1), or student_t(3, log of s_y, 2.5)."""
        if name == "zi":
            return float(-level - 2 * np.log1p(np.exp(-level)))
        return float(-2 * np.log1p(((level - np.log(self.s_y)) / 2.5) ** 2 / 3))

    def _at_zero(self, values: Mapping[str, float], name: str, slope: str) -> dict[str, float]:
        """Sd of the intercept and its correlation with the slope at 0 of the predictor, from those at its mean."""
        sd, slope_sd = values[f"sd({name})"], values[f"sd({name}: {slope})"]
        mean, correlation = self.model.x[slope].mean(), values[f"cor({name}: Intercept, {slope})"]
        covariance = correlation * sd * slope_sd - mean * slope_sd**2
        variance = sd**2 - 2 * mean * correlation * sd * slope_sd + mean**2 * slope_sd**2
        return {
            f"sd({name})": float(np.sqrt(variance)),
            f"sd({name}: Intercept_at_mean)": sd,
            f"cor({name}: Intercept, {slope})": float(covariance / np.sqrt(variance) / slope_sd),
        }

    @staticmethod
    def _thresholds(first: Array) -> Array:
        return np.cumsum(np.concatenate([first[:1], np.exp(first[1:])]))

    def _auxiliary(self, name: str, real: float) -> float:
        if name == "zi":
            return float(expit(real))
        return float((self.s_y if name == "sigma" else 1.0) * np.exp(real) + (name == "nu"))

    def _auxiliary_prior(self, name: str, value: float, real: float) -> float:
        """Log prior with the Jacobian of the way from the real line."""
        if name == "zi":  # uniform
            return float(np.log(value) + np.log1p(-value))
        if name in self.model.gamma_priors:
            shape, rate = self.model.gamma_priors[name]
            return (shape - 1) * float(np.log(value)) - rate * value + real
        prior = {
            "sigma": lambda: -value / self.s_y,  # exponential
            "nu": lambda: np.log(value) - 0.1 * value,  # gamma(2, 0.1) above 1
            "shape": lambda: -1.4 * np.log(value) - 0.3 / value,  # inv_gamma(0.4, 0.3)
            "phi": lambda: -1.4 * np.log(value) - 0.3 / value,
        }[name]
        return float(prior() + real)

    def _log_likelihood(self, values: Mapping[str, float]) -> float:
        model = self.model
        slopes = np.array([values[name] for name in model.x])
        eta = (values.get("Intercept", 0.0) + model.X @ slopes + self.offset)[self.rows]
        of_rows = {name: theta[self.rows] for name, theta in self._of_rows(values).items()}
        if model.family == "gaussian":
            return self._gaussian(eta, values, of_rows.get("sigma", values.get("sigma", 0.0)))
        if not model.factors:
            return float(self._row_densities(eta, {**values, **of_rows}).sum())
        (name,) = model.factors
        beside = {parameter: theta[:, np.newaxis] for parameter, theta in of_rows.items()}
        rows = self._row_densities(eta[:, np.newaxis] + values[f"sd({name})"] * Z, {**values, **beside})
        levels = np.add.reduceat(rows, self.starts, axis=0) + LOG_NORMAL
        top = levels.max(axis=1)
        return float(self.copies @ (top + np.log(np.exp(levels - top[:, np.newaxis]).sum(axis=1))))

    def _row_densities(self, eta: Array, values: Values) -> Array:
        """Log density of every distinct row; eta is [rows] or [rows, Z]."""
        shape = (-1, *[1] * (eta.ndim - 1))
        y, trials = self.model.y[self.rows].reshape(shape), self.trials[self.rows].reshape(shape)
        if not self.n_thresholds:
            return DENSITIES[self.model.family](y, eta, values, trials)
        cuts = [values[f"threshold[{k}|{k + 1}]"] for k in range(1, self.n_thresholds + 1)]
        bounds = np.array([-np.inf, *cuts, np.inf])
        k = y.astype(int)
        probability = expit(bounds[k] - eta) - expit(bounds[k - 1] - eta)
        return np.asarray(np.log(np.maximum(probability, 1e-300)))

    def _gaussian(self, eta: Array, values: Mapping[str, float], sigma: float | Array) -> float:
        y = self.model.y
        V = np.diag(np.broadcast_to(np.square(sigma), len(y))).copy()
        for name, factor in self.model.factors.items():
            sd = values[f"sd({name})"]
            kernel = np.full_like(V, sd**2)
            if factor.slope:
                x, slope_sd = self.model.x[factor.slope], values[f"sd({name}: {factor.slope})"]
                covariance = values[f"cor({name}: Intercept, {factor.slope})"] * sd * slope_sd
                kernel += covariance * np.add.outer(x, x) + slope_sd**2 * np.outer(x, x)
            V += kernel * (factor.codes[:, np.newaxis] == factor.codes)
        L = cholesky(V, lower=True)
        a = solve_triangular(L, y - eta, lower=True)
        return float(-np.log(np.diag(L)).sum() - 0.5 * a @ a)


# --- importance sampling --------------------------------------------------------------------------------------------


def posterior_moments(model: Model, draws: int, seed: int = 1) -> tuple[dict[str, Estimate], float]:
    """Mean and sd of every parameter, and the share of the draws that the weights leave effective."""
    posterior, rng = Posterior(model), np.random.default_rng(seed)
    center = minimize(lambda q: -posterior.log_density(q), posterior.start(), method="BFGS").x
    covariance = np.linalg.inv(-_curvature(posterior, center))
    for n in (1000, 1000, draws):
        q, weights = _weighted_sample(posterior, center, 1.2 * covariance, n, rng)
        center, covariance = weights @ q, np.cov(q.T, aweights=weights)
    found = [posterior.parameters(row) for row in q]
    values = {name: np.array([row[name] for row in found]) for name in found[0]}
    return {name: _estimate(value, weights) for name, value in values.items()}, float(1 / np.sum(weights**2) / draws)


def _curvature(posterior: Posterior, q: Array, step: float = 1e-3) -> Array:
    """Second derivatives of the log density at q, by central differences."""
    steps = step * np.eye(len(q))

    def mixed(a: Array, b: Array) -> float:
        return sum(s * t * posterior.log_density(q + s * a + t * b) for s in (1, -1) for t in (1, -1)) / (4 * step**2)

    return np.array([[mixed(a, b) for b in steps] for a in steps])


def _weighted_sample(
    posterior: Posterior, center: Array, scale: Array, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draws of the Student t [n, D] and their weights, which add up to 1."""
    D = len(center)
    normal, chi = rng.normal(size=(n, D)), rng.chisquare(NU, n) / NU
    t = normal / np.sqrt(chi)[:, np.newaxis]
    q = center + t @ np.linalg.cholesky(np.atleast_2d(scale)).T
    log_proposal = -(NU + D) / 2 * np.log1p((t**2).sum(axis=1) / NU)
    log_weights = np.array([posterior.log_density(row) for row in q]) - log_proposal
    weights = np.exp(log_weights - log_weights.max())
    return q, weights / weights.sum()


def _estimate(values: Array, weights: Array) -> Estimate:
    """Weighted moments; their errors by the delta method for a ratio of two means."""
    mean = weights @ values
    squares = (values - mean) ** 2
    variance = weights @ squares
    mean_error = np.sqrt(np.sum((weights * (values - mean)) ** 2))
    variance_error = np.sqrt(np.sum((weights * (squares - variance)) ** 2))
    sd = np.sqrt(variance)
    return Estimate(*(float(number) for number in (mean, sd, mean_error, variance_error / (2 * sd))))
