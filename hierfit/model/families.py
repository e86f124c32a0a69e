"""Families: what the outcome is distributed as. One record each; Stan's side is `stan_models/families/<name>.stan.j2`.

Letters: eta [..., N] is the linear predictor on the scale of the link, mean [..., N] its inverse link, auxiliaries
[..., 1] by name, trials [N] (ones where the family has none). An outcome of categories is held as codes 0, 1, ... in
the order of its levels.

The mean is that of the outcome, except: of one trial (binomial, beta_binomial), of log y (lognormal), of the counts
that are not excess zeros (zero_inflated_*), of the counts before 0 was excluded (hurdle_*). For ordered categories
(cumulative) `mean` stands for the probabilities of being at most 0, 1, ..., along a first axis; so do the thresholds
among the auxiliaries [Q, ..., 1]. `Family.expected` is the mean of the outcome throughout, of codes for categories.
Probabilities stay inside (0, 1) and means finite however extreme eta is, so that log densities are finite too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from hierfit.model import densities, variances
from hierfit.model.links import LINKS as LINKS
from hierfit.model.links import Link as Link
from hierfit.model.priors import Prior
from hierfit.model.variances import LinkScale as LinkScale

Array = NDArray[np.float64]
SIGMA, THRESHOLD = "sigma", "threshold"


class Support(StrEnum):
    """What values the outcome may take."""

    REAL = "any number"
    POSITIVE = "numbers greater than 0"
    UNIT = "numbers between 0 and 1, the ends not included"
    COUNT = "whole numbers from 0 on"
    BINARY = "two values"
    SUCCESSES = "whole numbers from 0 to the number of trials"
    CATEGORIES = "ordered categories"


@dataclass(frozen=True)
class Auxiliary:
    """A further parameter of the outcome's distribution, not negative; the same for all rows, or with predictors.

    Attributes:
        name: `sigma`, `nu`, `shape`, `phi`, `zi`, ...
        prior: sd of the outcome (1 where it is not scaled) -> default prior.
        in_outcome_units: whether it is an amount of the outcome, as sigma is, so that the sampler may scale it.
        most: above it the density is that at this value; see `densities.MOST_PRECISE`.
        lower: lower end of its range.
        upper: upper end of its range, 1 for a probability.
        link: name of the link between it and its predictors.
        level: sd of the outcome -> default prior of its link where its predictors are at their means.
        meaning: what it is, in words.
    """

    name: str
    prior: Callable[[float], Prior]
    in_outcome_units: bool = False
    most: float = inf
    lower: float = 0.0
    upper: float = inf
    link: str = "log"
    level: Callable[[float], Prior] = lambda scale: Prior("student_t", (3.0, 0.0, 2.5), "brms")

    meaning: str = ""

    @property
    def within(self) -> tuple[float, float]:
        """Its range."""
        return self.lower, self.upper

    @property
    def linked(self) -> str:
        """What its predictors add up to: "log sigma", "log(nu - 1)"."""
        return f"log({self.name} - 1)" if self.link == "logm1" else f"{self.link} {self.name}"


class Expects(StrEnum):
    """How the mean of the outcome depends on what its distribution calls the mean."""

    MULTIPLE = "a multiple of it"  # or, of categories, sums
    EXPONENTIAL = "a multiple of exp of it"
    OTHERWISE = "otherwise"


def _same(y: Array) -> Array:
    return y


@dataclass(frozen=True)
class Family:
    """The distribution of the outcome given its linear predictor eta.

    Attributes:
        name: as in `--family` and the name of the Stan program.
        title: the name of the distribution in equations and prose.
        links: names of the links it can have, the default first.
        support: what values the outcome may take.
        auxiliaries: further parameters, in the order of the Stan program's `aux`.
        replicate: (rng, mean [..., N], auxiliaries, trials) -> simulated outcomes [..., N].
        log_density: (y [N], mean [..., N], auxiliaries, trials) -> log density of each row [..., N].
        variance: (mean [..., N], auxiliaries, trials) -> variance of the outcome [..., N].
        link_scale: what stands for that variance on the scale of the link.
        linear: outcome -> the scale on which the linear predictor is its mean, where the sampler sees it centred and
            over its sd; None where it sees the outcome as it is.
        collapsible: whether it is normal on that scale, so that group effects can be integrated out exactly.
        expected: (mean [..., N], auxiliaries, trials) -> mean of the outcome [..., N].
        expects: how that depends on the first of these.
        at_predictor: (y [N], eta [..., N], link, auxiliaries, trials) -> log density of each row, where `log_density`
            at the mean loses digits; None where it does not.
    """

    name: str
    title: str
    links: tuple[str, ...]
    support: Support
    auxiliaries: tuple[Auxiliary, ...]
    replicate: densities.Replicate
    log_density: densities.LogDensity
    variance: variances.Variance
    link_scale: LinkScale = LinkScale.NONE
    linear: Callable[[Array], Array] | None = None
    collapsible: bool = False
    expected: densities.Expected = densities.mean_itself
    expects: Expects = Expects.MULTIPLE
    at_predictor: densities.AtPredictor | None = None

    @property
    def is_discrete(self) -> bool:
        """Whether the outcome is whole numbers."""
        return self.support in (Support.COUNT, Support.BINARY, Support.SUCCESSES, Support.CATEGORIES)

    @property
    def is_normal(self) -> bool:
        """Whether the outcome itself is normal, and not its logarithm."""
        return self.collapsible and self.support is Support.REAL

    @property
    def has_trials(self) -> bool:
        """Whether the outcome counts successes among a known number of trials."""
        return self.support is Support.SUCCESSES

    @property
    def takes_precision(self) -> bool:
        """Whether y or its log is normal with sd sigma, so that weights can divide the variance of rows."""
        return self.linear is not None and [auxiliary.name for auxiliary in self.auxiliaries] == [SIGMA]

    @property
    def has_thresholds(self) -> bool:
        """Whether thresholds between ordered categories take the place of the intercept."""
        return self.support is Support.CATEGORIES

    def auxiliary(self, name: str) -> Auxiliary | None:
        """Return the auxiliary parameter of that name, None where the family has none."""
        return next((auxiliary for auxiliary in self.auxiliaries if auxiliary.name == name), None)

    def inverse_of(self, parameter: str, eta: Array) -> Array:
        """Return the values of a parameter beside the mean where its linear predictor is eta [...]."""
        auxiliary = self.auxiliary(parameter)
        assert auxiliary is not None
        return LINKS[auxiliary.link].inverse(eta)

    def mean(self, eta: Array, link: str, auxiliaries: Mapping[str, Array]) -> Array:
        """Return what the distributions call the mean, at linear predictors [..., N]."""
        inverse = LINKS[link].inverse
        return inverse(auxiliaries[THRESHOLD] - eta) if self.has_thresholds else inverse(eta)

    def log_density_at(self, y: Array, eta: Array, link: str, auxiliaries: Mapping[str, Array], trials: Array) -> Array:
        """Return the log density of each row at linear predictors, to every digit [..., N]."""
        if self.at_predictor is not None:
            return self.at_predictor(y, eta, link, auxiliaries, trials)
        return self.log_density(y, self.mean(eta, link, auxiliaries), auxiliaries, trials)

    @property
    def link(self) -> str:
        """The default link."""
        return self.links[0]


def _sigma_prior(scale: float) -> Prior:
    return Prior("exponential", (1.0 / scale,), "rstanarm: 1 / sd(y)")


def _log_sigma_prior(scale: float) -> Prior:
    return Prior("exponential", (1.0 / scale,), "rstanarm: 1 / sd, of log y")


def _nu_prior(scale: float) -> Prior:
    return Prior("gamma", (2.0, 0.1), "brms: Juarez & Steel 2010, nu > 1")


# gamma(0.01, 0.01), brms's own for gamma's shape and beta's phi, has a median of 4e-29: no prior to draw from.
def _dispersion_prior(scale: float) -> Prior:
    return Prior("inv_gamma", (0.4, 0.3), "brms, for negbinomial's shape")


def _zi_prior(scale: float) -> Prior:
    return Prior("beta", (1.0, 1.0), "brms: uniform")


def _sigma_level(scale: float) -> Prior:
    return Prior("student_t", (3.0, log(scale), 2.5), "brms: 2.5, at log of sd(y)")


def _zi_level(scale: float) -> Prior:
    return Prior("logistic", (0.0, 1.0), "brms: uniform probability")


_RESIDUAL = "the residual sd"
_SIGMA = Auxiliary(SIGMA, _sigma_prior, in_outcome_units=True, level=_sigma_level, meaning=_RESIDUAL)
_LOG_SIGMA = Auxiliary(SIGMA, _log_sigma_prior, in_outcome_units=True, level=_sigma_level, meaning=_RESIDUAL)
_NU = Auxiliary("nu", _nu_prior, lower=1.0, link="logm1", most=densities.MOST_PRECISE, meaning="the degrees of freedom")
_SHAPE = Auxiliary("shape", _dispersion_prior, most=densities.MOST_PRECISE, meaning="the higher, the less scatter")
_PHI = Auxiliary("phi", _dispersion_prior, most=densities.MOST_PRECISE, meaning="the higher, the less scatter")
_ZI = Auxiliary("zi", _zi_prior, upper=1.0, link="logit", level=_zi_level, meaning="the share of excess zeros")
_HU = Auxiliary("hu", _zi_prior, upper=1.0, link="logit", level=_zi_level, meaning="the probability of 0")
_PROBABILITY_LINKS = ("logit", "probit", "cloglog")


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family(
            "gaussian",
            "Normal",
            ("identity",),
            Support.REAL,
            (_SIGMA,),
            densities.replicate_gaussian,
            densities.gaussian_log_density,
            variances.around_mean,
            LinkScale.AROUND,
            linear=_same,
            collapsible=True,
        ),
        Family(
            "bernoulli",
            "Bernoulli",
            _PROBABILITY_LINKS,
            Support.BINARY,
            (),
            densities.replicate_bernoulli,
            densities.bernoulli_log_density,
            variances.bernoulli,
            LinkScale.HIDDEN,
            at_predictor=densities.bernoulli_at,
        ),
        Family(
            "poisson",
            "Poisson",
            ("log",),
            Support.COUNT,
            (),
            densities.replicate_poisson,
            densities.poisson_log_density,
            variances.poisson,
            LinkScale.LOG,
        ),
        Family(
            "binomial",
            "Binomial",
            _PROBABILITY_LINKS,
            Support.SUCCESSES,
            (),
            densities.replicate_binomial,
            densities.binomial_log_density,
            variances.binomial,
            LinkScale.HIDDEN,
            expected=densities.all_trials,
            at_predictor=densities.binomial_at,
        ),
        Family(
            "negbinomial",
            "Negative binomial",
            ("log",),
            Support.COUNT,
            (_SHAPE,),
            densities.replicate_negbinomial,
            densities.negbinomial_log_density,
            variances.negbinomial,
            LinkScale.LOG,
        ),
        Family(
            "student",
            "Student's t",
            ("identity",),
            Support.REAL,
            (_SIGMA, _NU),
            densities.replicate_student,
            densities.student_log_density,
            variances.around_mean,
            LinkScale.AROUND,
            linear=_same,
        ),
        Family(
            "gamma",
            "Gamma",
            ("log",),
            Support.POSITIVE,
            (_SHAPE,),
            densities.replicate_gamma,
            densities.gamma_log_density,
            variances.gamma,
            LinkScale.LOG,
        ),
        Family(
            "lognormal",
            "Lognormal",
            ("identity",),
            Support.POSITIVE,
            (_LOG_SIGMA,),
            densities.replicate_lognormal,
            densities.lognormal_log_density,
            variances.lognormal,
            LinkScale.AROUND,
            linear=np.log,
            collapsible=True,
            expected=densities.lognormal_expected,
            expects=Expects.EXPONENTIAL,
        ),
        Family(
            "beta",
            "Beta",
            ("logit",),
            Support.UNIT,
            (_PHI,),
            densities.replicate_beta,
            densities.beta_log_density,
            variances.beta,
            at_predictor=densities.beta_at,
        ),
        Family(
            "zero_inflated_poisson",
            "Zero-inflated Poisson",
            ("log",),
            Support.COUNT,
            (_ZI,),
            densities.zero_inflated_replicate(densities.replicate_poisson),
            densities.zero_inflated_log_density(densities.poisson_log_density),
            variances.zero_inflated(variances.poisson),
            expected=densities.zero_inflated_expected,
        ),
        Family(
            "zero_inflated_negbinomial",
            "Zero-inflated negative binomial",
            ("log",),
            Support.COUNT,
            (_SHAPE, _ZI),
            densities.zero_inflated_replicate(densities.replicate_negbinomial),
            densities.zero_inflated_log_density(densities.negbinomial_log_density),
            variances.zero_inflated(variances.negbinomial),
            expected=densities.zero_inflated_expected,
        ),
        Family(
            "beta_binomial",
            "Beta-binomial",
            ("logit",),
            Support.SUCCESSES,
            (_PHI,),
            densities.replicate_beta_binomial,
            densities.beta_binomial_log_density,
            variances.beta_binomial,
            expected=densities.all_trials,
            at_predictor=densities.beta_binomial_at,
        ),
        Family(
            "hurdle_poisson",
            "Hurdle Poisson",
            ("log",),
            Support.COUNT,
            (_HU,),
            densities.replicate_hurdle_poisson,
            densities.hurdle_log_density(densities.poisson_log_density),
            variances.hurdle(variances.poisson, densities.poisson_log_density),
            expected=densities.hurdle_expected(densities.poisson_log_density),
            expects=Expects.OTHERWISE,
        ),
        Family(
            "hurdle_negbinomial",
            "Hurdle negative binomial",
            ("log",),
            Support.COUNT,
            (_SHAPE, _HU),
            densities.replicate_hurdle_negbinomial,
            densities.hurdle_log_density(densities.negbinomial_log_density),
            variances.hurdle(variances.negbinomial, densities.negbinomial_log_density),
            expected=densities.hurdle_expected(densities.negbinomial_log_density),
            expects=Expects.OTHERWISE,
        ),
        Family(
            "cumulative",
            "Cumulative",
            ("logit", "probit"),
            Support.CATEGORIES,
            (),
            densities.replicate_cumulative,
            densities.cumulative_log_density,
            variances.cumulative,
            LinkScale.HIDDEN,
            expected=densities.cumulative_expected,
            at_predictor=densities.cumulative_at,
        ),
    )
}


def auxiliary_of(name: str) -> Auxiliary:
    """Return the auxiliary parameter of that name, which is alike in all families; KeyError if there is none."""
    found = (family.auxiliary(name) for family in FAMILIES.values())
    return {auxiliary.name: auxiliary for auxiliary in found if auxiliary is not None}[name]
