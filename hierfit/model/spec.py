"""ModelSpec: the whole model as one frozen value: formula, family, and a prior for every parameter.

Default priors are weakly informative and scaled to the data (see `default_priors` for numbers and sources).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from math import inf
from typing import Any

import numpy as np

from hierfit.errors import FormulaError, PriorError, did_you_mean
from hierfit.model.design import Design
from hierfit.model.families import FAMILIES, Family
from hierfit.model.formula import INTERCEPT, Formula, formula_from_dict
from hierfit.model.priors import EVERYWHERE, Interval, Prior, parse_prior
from hierfit.model.scaling import varying_units

INTERCEPT_AT_MEAN = "Intercept_at_mean"


class Kind(StrEnum):
    """What a population-level parameter is."""

    COEFFICIENT = "coefficient"
    SD = "sd"
    CORRELATION = "correlation"
    AUXILIARY = "auxiliary"


@dataclass(frozen=True)
class Parameter:
    """One population-level parameter.

    Attributes:
        name: as the user reads and writes it: `ses`, `sd(school: ses)`, `cor(school: Intercept, ses)`, `sigma`.
        kind: coefficient, sd, correlation or auxiliary.
        group: the grouping factor it belongs to, or None.
        term: the coefficient it speaks of (`Intercept`, `ses`; "Intercept, ses" for a correlation), or None for an
            auxiliary.
    """

    name: str
    kind: Kind
    group: str | None = None
    term: str | None = None


@dataclass(frozen=True)
class GroupCoefficients:
    """The varying coefficients of one grouping factor.

    Attributes:
        factor: name of the factor, `school` or `school:class`.
        terms: names of the varying coefficients, `Intercept` first where it varies.
        correlated: whether correlations are estimated.
    """

    factor: str
    terms: tuple[str, ...]
    correlated: bool


@dataclass(frozen=True)
class ModelSpec:
    """Formula, family and priors of one model.

    Attributes:
        formula: what predicts what.
        family: name of the outcome's distribution, such as "gaussian".
        link: name of the link between its mean and the predictors.
        coefficients: names of the population-level coefficients, the intercept not counted.
        groups: the varying coefficients, factor by factor.
        priors: prior of every parameter by its name; one `cor(school)` for all correlations of a factor. The prior
            named `Intercept` speaks of the intercept at the mean of X when `centered`, at x = 0 otherwise.
        centered: whether X is centred for the sampler.
        prior_only: whether the outcome is left out, so that the draws come from the prior.
    """

    formula: Formula
    family: str
    link: str
    coefficients: tuple[str, ...]
    groups: tuple[GroupCoefficients, ...]
    priors: Mapping[str, Prior]
    centered: bool = True
    prior_only: bool = False

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The population-level parameters, in the order of the tables."""
        coefficients = [Parameter(name, Kind.COEFFICIENT, None, name) for name in self.coefficient_names]
        if self.has_two_intercepts:
            coefficients.insert(1, Parameter(INTERCEPT_AT_MEAN, Kind.COEFFICIENT, None, INTERCEPT))
        sds = [
            Parameter(sd_name(group.factor, term), Kind.SD, group.factor, term)
            for group in self.groups
            for term in group.terms
        ]
        correlations = [
            Parameter(f"cor({group.factor}: {pair})", Kind.CORRELATION, group.factor, pair)
            for group in self.groups
            for pair in pairs(group)
        ]
        auxiliaries = [Parameter(aux.name, Kind.AUXILIARY) for aux in FAMILIES[self.family].auxiliaries]
        return (*coefficients, *sds, *correlations, *auxiliaries)

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the population-level coefficients, the intercept first where there is one."""
        return ((INTERCEPT,) if self.formula.intercept else ()) + self.coefficients

    @property
    def has_two_intercepts(self) -> bool:
        """Whether the intercept at the mean of X and the one at x = 0 are different things, both worth naming."""
        return self.centered and self.formula.intercept and bool(self.coefficients)

    def is_positive(self, name: str) -> bool:
        """Whether the parameter of that name cannot be negative: sds and auxiliaries."""
        return any(
            parameter.name == name and parameter.kind in (Kind.SD, Kind.AUXILIARY) for parameter in self.parameters
        )

    def range_of(self, name: str) -> Interval:
        """Return the ends of the range of the parameter of that name."""
        for auxiliary in FAMILIES[self.family].auxiliaries:
            if auxiliary.name == name:
                return auxiliary.within
        return (0.0, inf) if self.is_positive(name) else EVERYWHERE

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready plain values, from which `ModelSpec.from_dict` makes the same ModelSpec."""
        return {**asdict(self), "priors": {name: asdict(prior) for name, prior in self.priors.items()}}

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> ModelSpec:
        """Make the ModelSpec that `to_dict` wrote."""
        return ModelSpec(
            formula_from_dict(stored["formula"]),
            stored["family"],
            stored["link"],
            tuple(stored["coefficients"]),
            tuple(
                GroupCoefficients(group["factor"], tuple(group["terms"]), group["correlated"])
                for group in stored["groups"]
            ),
            {
                name: Prior(prior["distribution"], tuple(prior["arguments"]), prior["source"])
                for name, prior in stored["priors"].items()
            },
            stored["centered"],
            stored["prior_only"],
        )


def sd_name(factor: str, term: str) -> str:
    """Return `sd(school)` for the intercept and `sd(school: ses)` for a slope."""
    return f"sd({factor})" if term == INTERCEPT else f"sd({factor}: {term})"


def pairs(group: GroupCoefficients) -> Iterator[str]:
    """Yield "Intercept, ses" for every correlation of the factor, row by row below the diagonal."""
    if group.correlated:
        for i, second in enumerate(group.terms):
            for first in group.terms[:i]:
                yield f"{first}, {second}"


def default_priors(family: Family, design: Design) -> dict[str, Prior]:
    """Return the default prior of every parameter, scaled to the data.

    Intercept at the mean of X normal(mean y, 2.5 sd y) and coefficients normal(0, 2.5 sd y / sd x): rstanarm's vignette
    "Prior Distributions for rstanarm Models"; sds half student_t(3, 0, 2.5 sd y / sd x): brms's shape, per unit of x;
    correlations lkj(1): brms and rstanarm; auxiliaries: see `families`. Without an identity link sd y is 1 and mean y
    the link of the mean. Without centring the intercept is that at x = 0, and its prior is the one that the centred
    priors imply there.
    """
    scale = 2.5 * design.y_scale
    priors: dict[str, Prior] = {}
    if design.intercept:
        priors[INTERCEPT] = _intercept_prior(design, scale)
    unit = "sd(y)" if design.link == "identity" else ""
    for name, x_sd in zip(design.coefficients, design.x_scale, strict=True):
        priors[name] = Prior("normal", (0.0, scale / x_sd), f"rstanarm: 2.5 {unit} / sd(x)".replace("  ", " "))
    for group in design.groups:
        for term, x_sd in zip(group.terms, varying_units(group), strict=True):
            source = f"brms: 2.5 {unit}".rstrip() + ("" if term == INTERCEPT else " / sd(x)")
            priors[sd_name(group.factor, term)] = Prior("student_t", (3.0, 0.0, scale / x_sd), source)
        if group.correlated:
            priors[f"cor({group.factor})"] = Prior("lkj", (1.0,), "brms, rstanarm: uniform over correlation matrices")
    for auxiliary in family.auxiliaries:
        priors[auxiliary.name] = auxiliary.prior(design.y_scale)
    return priors


def _intercept_prior(design: Design, scale: float) -> Prior:
    if design.centered or not design.coefficients:
        return Prior("normal", (design.intercept_location, scale), _intercept_source(design))
    leverage = 1.0 + float(np.sum((design.X.mean(axis=0) / design.x_scale) ** 2))
    return Prior(
        "normal", (design.intercept_location, scale * leverage**0.5), "rstanarm's at mean(x), carried to x = 0"
    )


def _intercept_source(design: Design) -> str:
    return "rstanarm: mean(y), 2.5 sd(y)" if design.link == "identity" else f"rstanarm: {design.link} of mean(y), 2.5"


def build_spec(
    formula: Formula, design: Design, prior_texts: Sequence[str] = (), *, prior_only: bool = False
) -> ModelSpec:
    """Join the formula with its default priors and those that the user set.

    Raises:
        PriorError: a prior names no parameter of the model, or a distribution that this parameter cannot have.
    """
    priors = default_priors(FAMILIES[design.family], design)
    groups = tuple(GroupCoefficients(group.factor, group.terms, group.correlated) for group in design.groups)
    spec = ModelSpec(
        formula, design.family, design.link, design.coefficients, groups, priors, design.centered, prior_only
    )
    _refuse_shared_names(spec)
    for text in prior_texts:
        name, prior = parse_prior(text)
        name = _known_name(text, name, spec)
        _check_fits(text, name, prior, spec)
        priors[name] = prior
    if prior_only:
        _refuse_improper(priors)
    return spec


def _refuse_shared_names(spec: ModelSpec) -> None:
    """Refuse a column that is named like another parameter of the model, such as `sigma`."""
    names = [parameter.name for parameter in spec.parameters]
    for name in spec.coefficients:
        if names.count(name) > 1:
            raise FormulaError(
                f"the predictor '{name}' has the name of another parameter of the model.",
                hint=f"rename the column '{name}' in the file",
            )


def _known_name(text: str, name: str, spec: ModelSpec) -> str:
    """Return the parameter's own spelling: `sd(school:ses)` and `sd(school: Intercept)` are understood too."""
    if name in spec.priors:
        return name
    spellings = {"".join(known.split()): known for known in spec.priors}
    for group in spec.groups:
        if INTERCEPT in group.terms:
            spellings["".join(f"sd({group.factor}:{INTERCEPT})".split())] = sd_name(group.factor, INTERCEPT)
        for pair in pairs(group):
            spellings["".join(f"cor({group.factor}:{pair})".split())] = f"cor({group.factor})"
    known = spellings.get("".join(name.split()))
    if known is None:
        raise PriorError(
            f"--prior \"{text}\": the model has no parameter '{name}'.{did_you_mean(name, spec.priors)}",
            hint=f"parameters: {', '.join(spec.priors)}",
        )
    return known


def _check_fits(text: str, name: str, prior: Prior, spec: ModelSpec) -> None:
    """Refuse lkj off the correlations, anything else on them, and priors that leave a positive parameter no room."""
    default = spec.priors[name]
    if (prior.distribution == "lkj") != (default.distribution == "lkj"):
        wanted = "lkj(eta)" if default.distribution == "lkj" else "any distribution but lkj"
        raise PriorError(f'--prior "{text}": {name} takes {wanted}.', hint=f'the default is "{name} ~ {default}"')
    lower, upper = spec.range_of(name)
    room = f"greater than {lower:g}" if upper == inf else f"between {lower:g} and {upper:g}"
    if prior.constant is not None and not lower < prior.constant < upper:
        raise PriorError(
            f'--prior "{text}": {name} must be {room}, but is fixed at {prior.constant:g}.',
            hint="to have nothing vary, leave the term out of the model" if name.startswith("sd(") else None,
        )
    least, most = prior.bounds(within=(lower, upper))
    if least >= most:
        raise PriorError(
            f'--prior "{text}": {name} is {room}, and the prior leaves it no room there.',
            hint=f'the default is "{name} ~ {default}"',
        )


def _refuse_improper(priors: Mapping[str, Prior]) -> None:
    for name, prior in priors.items():
        if prior.distribution == "flat":
            raise PriorError(
                f"--prior-only cannot draw {name} from flat(), which is not a distribution.",
                hint=f'give it one, for example --prior "{name} ~ normal(0, 10)"',
            )
