"""Priors: distributions with numbers, their text form, and the table of those that hierfit offers.

A prior is written `NAME ~ distribution(numbers)`, in the units of the CSV; `parse_prior` reads that. On a parameter
that cannot be negative (sds, sigma) a distribution over the whole line stands for its positive half. `constant(v)`
fixes the parameter at v; `horseshoe(n)` is a prior of many coefficients at once, of which about n are expected not to
be near 0. Which parameters there are, and what their defaults are, is said in `model.spec`
and `design.prior_choice`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf, isfinite, log

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import PriorError, did_you_mean
from hierfit.model import distributions
from hierfit.model.distributions import OnLine

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """One distribution that a prior may name.

    Attributes:
        arguments: names of its numbers, as in Stan's manual.
        positive: which of them must be greater than 0.
        lower: lower end of its support.
        upper: upper end of its support.
        make: its numbers -> it, or None where there is no density.
        code: how the Stan programs know it; None where the program never sees it.
    """

    arguments: tuple[str, ...]
    positive: tuple[str, ...] = ()
    lower: float = -inf
    make: Callable[..., OnLine] | None = None
    code: int | None = None
    upper: float = inf


HORSESHOE, HORSESHOE_SCALE = "horseshoe", "horseshoe_scale"


DISTRIBUTIONS: Mapping[str, Distribution] = {
    "flat": Distribution((), code=0),
    "normal": Distribution(("mu", "sigma"), ("sigma",), make=distributions.normal, code=1),
    "student_t": Distribution(("nu", "mu", "sigma"), ("nu", "sigma"), make=distributions.student_t, code=2),
    "cauchy": Distribution(("mu", "sigma"), ("sigma",), make=distributions.cauchy, code=3),
    "laplace": Distribution(("mu", "sigma"), ("sigma",), make=distributions.laplace, code=4),
    "logistic": Distribution(("mu", "scale"), ("scale",), make=distributions.logistic, code=11),
    "lognormal": Distribution(("mu", "sigma"), ("sigma",), 0.0, make=distributions.lognormal, code=5),
    "exponential": Distribution(("rate",), ("rate",), 0.0, make=distributions.exponential, code=6),
    "gamma": Distribution(("shape", "rate"), ("shape", "rate"), 0.0, make=distributions.gamma, code=7),
    "inv_gamma": Distribution(("shape", "scale"), ("shape", "scale"), 0.0, make=distributions.inv_gamma, code=8),
    "uniform": Distribution(("lower", "upper"), make=distributions.uniform, code=9),
    "beta": Distribution(("a", "b"), ("a", "b"), 0.0, make=distributions.beta, code=10, upper=1.0),
    "constant": Distribution(("value",)),
    HORSESHOE: Distribution(("coefficients",), ("coefficients",)),
    "lkj": Distribution(("eta",), ("eta",)),
}


SET_BY_USER = "set by --prior"
Interval = tuple[float, float]
EVERYWHERE: Interval = (-inf, inf)


@dataclass(frozen=True)
class Prior:
    """A distribution with numbers, in the units of the CSV.

    Attributes:
        distribution: one of `DISTRIBUTIONS`, such as "normal".
        arguments: its numbers, such as (0.0, 2.5).
        source: where it comes from, such as "rstanarm default, 2.5 sd(y)" or "set by --prior".
    """

    distribution: str
    arguments: tuple[float, ...]
    source: str

    def __str__(self) -> str:
        return f"{self.distribution}({', '.join(f'{number:.4g}' for number in self.arguments)})"

    @property
    def constant(self) -> float | None:
        """The value that the parameter is fixed at, or None where it is estimated."""
        return self.arguments[0] if self.distribution == "constant" else None

    def rescaled(self, factor: float) -> Prior:
        """Return the prior of the parameter times a factor greater than 0: the same distribution with other numbers.

        Raises:
            PriorError: the distribution has no other scale: beta and lkj.
        """
        if self.distribution == HORSESHOE:  # speaks of no unit
            return self
        if self.distribution in ("beta", "lkj"):
            raise PriorError(f"{self} cannot be carried to another scale.", hint="take another distribution")
        if self.distribution == "lognormal":
            mu, sigma = self.arguments
            return replace(self, arguments=(mu + log(factor), sigma))
        multiples = {"nu": 1.0, "shape": 1.0, "rate": 1.0 / factor}
        names = DISTRIBUTIONS[self.distribution].arguments
        moved = (number * multiples.get(name, factor) for name, number in zip(names, self.arguments, strict=True))
        return replace(self, arguments=tuple(moved))

    def bounds(self, *, positive: bool = False, within: Interval = EVERYWHERE) -> Interval:
        """Return the interval outside which the density is 0.

        `within` is the range of the parameter, such as (0, 1); `positive` is short for one from 0 on.
        """
        kind = DISTRIBUTIONS[self.distribution]
        lower, upper = self.arguments if self.distribution == "uniform" else (kind.lower, kind.upper)
        least = max(within[0], 0.0) if positive else within[0]
        return max(lower, least), min(upper, within[1])

    def density(self, x: Array, *, positive: bool = False, within: Interval = EVERYWHERE) -> Array:
        """Return the normalised density at x, that of the distribution truncated to the range of the parameter.

        NaN where there is none to speak of: flat, constant and lkj.
        """
        make = DISTRIBUTIONS[self.distribution].make
        if make is None:
            return np.full(np.shape(x), np.nan)
        distribution = make(*self.arguments)
        lower, upper = self.bounds(positive=positive, within=within)
        inside = (np.asarray(x) >= lower) & (np.asarray(x) <= upper)
        within_range = distribution.probability_above(lower) - distribution.probability_above(upper)
        return np.where(inside, distribution.density(x) / within_range, 0.0)

    def quantile(self, probability: float, *, within: Interval = EVERYWHERE) -> float:
        """Return a quantile given that the parameter lies in its range; the range's end for what has no density."""
        return float(self.quantiles(np.array([probability]), within=within)[0]) if self.has_density else within[1]

    @property
    def has_density(self) -> bool:
        """Whether it is a distribution on the line that can be drawn from: not flat, constant, horseshoe or lkj."""
        return DISTRIBUTIONS[self.distribution].make is not None

    def quantiles(self, probabilities: Array, *, within: Interval = EVERYWHERE) -> Array:
        """Return quantiles given that the parameter lies in its range, of what has a density."""
        make = DISTRIBUTIONS[self.distribution].make
        assert make is not None
        own = make(*self.arguments)
        below, upto = own.probability_below(within[0]), own.probability_below(within[1])
        return own.quantiles(below + probabilities * (upto - below))

    def log_density(self, x: Array) -> Array:
        """Return the log density at x within its bounds, up to a constant; 0 for a flat prior."""
        make = DISTRIBUTIONS[self.distribution].make
        return np.zeros(np.shape(x)) if make is None else make(*self.arguments).log_density(x)


_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PRIOR = re.compile(r"\s*(?P<name>.+?)\s*~\s*(?P<distribution>\w+)\s*\(\s*(?P<numbers>[^()]*)\)\s*", re.DOTALL)


def parse_prior(text: str) -> tuple[str, Prior]:
    """Read `sd(school) ~ student_t(3, 0, 10)` -> ("sd(school)", Prior).

    Raises:
        PriorError: the text has another form, an unknown distribution, or numbers that it cannot have.
    """
    match = _PRIOR.fullmatch(text)
    if match is None:
        raise PriorError(
            f'--prior "{text}" could not be read: expected NAME ~ distribution(numbers).',
            hint='for example --prior "ses ~ normal(0, 2.5)" or --prior "sd(school) ~ student_t(3, 0, 10)"',
        )
    name = match["distribution"]
    if name not in DISTRIBUTIONS:
        raise PriorError(
            f"--prior \"{text}\": there is no distribution '{name}'.{did_you_mean(name, DISTRIBUTIONS)}",
            hint=f"distributions: {', '.join(DISTRIBUTIONS)}",
        )
    return match["name"], Prior(name, _numbers(text, name, match["numbers"]), SET_BY_USER)


def _numbers(text: str, name: str, written: str) -> tuple[float, ...]:
    """Read and check the numbers of one distribution."""
    distribution = DISTRIBUTIONS[name]
    parts = [part.strip() for part in written.split(",")] if written.strip() else []
    signature = f"{name}({', '.join(distribution.arguments)})"
    for part in parts:
        if not re.fullmatch(_NUMBER, part) or not isfinite(float(part)):
            raise PriorError(f"--prior \"{text}\": '{part}' is not a number.", hint=f"expected {signature}")
    if len(parts) != len(distribution.arguments):
        raise PriorError(
            f'--prior "{text}": {name} takes {len(distribution.arguments)} numbers, {len(parts)} given.',
            hint=f"expected {signature}",
        )
    numbers = tuple(float(part) for part in parts)
    for argument, number in zip(distribution.arguments, numbers, strict=True):
        if argument in distribution.positive and number <= 0:
            raise PriorError(
                f'--prior "{text}": {argument} must be greater than 0, but is {number:g}.',
                hint=f"expected {signature}",
            )
    if name == "uniform" and numbers[0] >= numbers[1]:
        raise PriorError(f'--prior "{text}": the lower end is not below the upper.', hint=f"expected {signature}")
    return numbers
