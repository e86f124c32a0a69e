"""Priors of one model: the defaults, scaled to the data, and those that the user set.

A prior set by the user is named after one parameter (`ses`, `sd(school: ses)`, `sigma`) or after a class of them: `b`
(all coefficients but the intercept), `sd` (all sds of group effects), `cor` (the correlations of all factors),
`threshold` (all thresholds). The prior of a parameter goes before that of its class, whatever the order; a column that
is called `b`, `sd` or `cor` goes before the class. With `standardize` the priors set on coefficients and on sds of
slopes speak of one sd of their column, and are carried to the units of the CSV here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.design.distributional import PredictorColumns
from hierfit.errors import FormulaError, PriorError, did_you_mean
from hierfit.model.families import FAMILIES, THRESHOLD, Auxiliary, Family
from hierfit.model.formula import Formula
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import HORSESHOE, HORSESHOE_SCALE, SET_BY_USER, Prior, parse_prior
from hierfit.model.spec import (
    Kind,
    ModelSpec,
    PredictorCoefficients,
    coefficient_name,
    cor_name,
    pairs,
    sd_name,
    threshold_name,
)

Array = NDArray[np.float64]

# Names that stand for several parameters, and what these are.
PRIOR_CLASSES = {
    "b": "coefficients beside the intercept",
    "sd": "group effects",
    "cor": "correlations",
    THRESHOLD: "thresholds",
}
THRESHOLD_PRIORS = ("flat", "normal", "student_t", "cauchy", "laplace", "logistic")


def default_priors(family: Family, design: Design) -> dict[str, Prior]:
    """Return the default prior of every parameter, scaled to the data.

    Intercept at the mean of X normal(mean y, 2.5 sd y) and coefficients normal(0, 2.5 sd y / sd x): rstanarm's vignette
    "Prior Distributions for rstanarm Models"; sds half student_t(3, 0, 2.5 sd y / sd x): brms's shape, per unit of x;
    correlations lkj(1): brms and rstanarm; auxiliaries: see `families`. Without an identity link sd y is 1 and mean y
    the link of the mean. Without centring intercepts and their sds are those at x = 0, and their priors as wide as the
    centred ones make them there.
    """
    scale = 2.5 * design.y_scale
    priors: dict[str, Prior] = {}
    if design.intercept:
        priors[INTERCEPT] = _intercept_prior(design, scale)
    unit = "sd(y)" if design.link == "identity" else ""
    for name, x_sd in zip(design.coefficients, design.x_scale, strict=True):
        priors[name] = Prior("normal", (0.0, scale / x_sd), f"rstanarm: 2.5 {unit} / sd(x)".replace("  ", " "))
    for group in design.groups:
        priors |= _sd_priors(design, group, scale, unit)
        if any(block.correlated for block in group.named.blocks):
            priors[cor_name(group.factor)] = Prior("lkj", (1.0,), "brms, rstanarm: uniform over correlation matrices")
    for between in design.thresholds:
        priors[threshold_name(between)] = Prior("student_t", (3.0, 0.0, 2.5), "brms")
    for auxiliary in family.auxiliaries:
        predictor = design.predictor(auxiliary.name)
        if predictor is None:
            priors[auxiliary.name] = auxiliary.prior(design.sigma_scale)
        else:
            priors |= _predictor_priors(design, predictor, auxiliary)
    return priors


def _sd_priors(design: Design, group: Group, scale: float, unit: str) -> dict[str, Prior]:
    """Return the default priors of the sds of a factor: beside the mean on the scale of the parameter's link."""
    found, units = {}, group.units
    terms = zip(group.terms, group.named.of_parameters, group.named.is_intercept, units, strict=True)
    for term, parameter, is_intercept, x_sd in terms:
        width, of = (scale, unit) if parameter is None else (2.5, "")
        source = f"brms: 2.5 {of}".rstrip() + ("" if is_intercept else " / sd(x)")
        if term == INTERCEPT and group.named.has_mean and not design.centered:
            source = f"{source} at mean(x), carried to x = 0"
            width *= _leverage(group.of_mean.mean / group.of_mean.units)
        found[sd_name(group.factor, term)] = Prior("student_t", (3.0, 0.0, width / x_sd), source)
    return found


def _predictor_priors(design: Design, predictor: PredictorColumns, auxiliary: Auxiliary) -> dict[str, Prior]:
    """Return the default priors of the coefficients of a parameter beside the mean: no steeper than 1 per sd."""
    level = auxiliary.level(design.y_scale)
    if predictor.has_two_intercepts and not design.centered:
        *others, spread = level.arguments
        far = float(np.hypot(spread, np.linalg.norm(predictor.mean / predictor.scale)))
        level = replace(level, arguments=(*others, far), source=f"{level.source} at mean(x), carried to x = 0")
    slopes = (Prior("normal", (0.0, 1.0 / scale), "1 / sd(x)") for scale in predictor.scale)
    return {
        coefficient_name(predictor.parameter, term): level if at_level else slope
        for term, at_level, slope in zip(predictor.coefficients, predictor.carries_level, slopes, strict=True)
    }


def _intercept_prior(design: Design, scale: float) -> Prior:
    if design.centered or not design.coefficients:
        return Prior("normal", (design.intercept_location, scale), _intercept_source(design))
    far = _leverage(moments.column_means(design.X) / design.x_scale)
    return Prior("normal", (design.intercept_location, scale * far), "rstanarm's at mean(x), carried to x = 0")


def _leverage(distance: Array) -> float:
    """Return how many times wider priors are at a distance [K], in sds of the columns, than at their means."""
    return float(np.sqrt(1.0 + np.sum(distance**2)))


def _intercept_source(design: Design) -> str:
    return "rstanarm: mean(y), 2.5 sd(y)" if design.link == "identity" else f"rstanarm: {design.link} of mean(y), 2.5"


def build_spec(
    formula: Formula,
    design: Design,
    prior_texts: Sequence[str] = (),
    *,
    prior_only: bool = False,
    standardize: bool = False,
) -> ModelSpec:
    """Join the formula with its default priors and those that the user set, per sd of the column with `standardize`.

    Raises:
        PriorError: a prior names no parameter of the model, or a distribution that this parameter cannot have.
        FormulaError: the model has no parameter.
    """
    priors = default_priors(FAMILIES[design.family], design)
    if not priors:
        raise FormulaError(
            f"'{formula}' leaves nothing to estimate: {design.family} has no parameter but its mean.",
            hint=f"write {design.response} ~ 1 for an intercept",
        )
    groups = tuple(group.named for group in design.groups)
    distributional = tuple(PredictorCoefficients(own.parameter, own.coefficients) for own in design.distributional)
    spec = ModelSpec(
        formula,
        design.family,
        design.link,
        design.coefficients,
        groups,
        priors,
        design.centered,
        prior_only,
        design.thresholds,
        distributional,
    )
    _refuse_shared_names(spec)
    units = _units(design) if standardize else {}
    for chosen in _chosen(prior_texts, spec):
        for name in chosen.names:
            _check_fits(chosen.text, name, chosen.prior, spec)
            priors[name] = _in_csv_units(chosen, *units[name]) if name in units else chosen.prior
    if spec.shrunk:
        priors[HORSESHOE_SCALE] = _horseshoe_scale(spec, design.n_rows)
    if prior_only:
        _refuse_improper(priors)
    return spec


@dataclass(frozen=True)
class _Chosen:
    """One prior as the user wrote it, and the parameters that it is of."""

    text: str
    prior: Prior
    names: tuple[str, ...]
    of_class: bool


def _chosen(texts: Sequence[str], spec: ModelSpec) -> list[_Chosen]:
    """Read the priors that the user set, those of classes first."""
    found = []
    for text in texts:
        name, prior = parse_prior(text)
        of_class = name in PRIOR_CLASSES and name not in spec.priors
        if prior.distribution == HORSESHOE and not (of_class and name == "b"):
            raise PriorError(
                f'--prior "{text}": a horseshoe is a prior of all coefficients together.',
                hint=f'write --prior "b ~ {prior}"; coefficients with a prior of their own are left out',
            )
        names = _class_members(text, name, spec) if of_class else (_known_name(text, name, spec),)
        found.append(_Chosen(text, prior, names, of_class))
    return sorted(found, key=lambda chosen: not chosen.of_class)


def _units(design: Design) -> dict[str, tuple[str, float]]:
    """Return name and sd of the column that each coefficient, and each sd of a slope, belongs to."""
    units = {name: (name, x_sd) for name, x_sd in zip(design.coefficients, design.x_scale.tolist(), strict=True)}
    for group in design.groups:
        columns = zip(group.terms, group.named.is_intercept, group.units.tolist(), strict=True)
        for term, is_intercept, x_sd in columns:
            if not is_intercept:
                units[sd_name(group.factor, term)] = (term, x_sd)
    return units


def _in_csv_units(chosen: _Chosen, column: str, x_sd: float) -> Prior:
    """Return a prior that speaks of one sd of a column in the column's own units."""
    if chosen.prior.distribution == "beta":
        raise PriorError(
            f'--prior "{chosen.text}": with --standardize it would end at 1 per sd of {column}, which no beta '
            "distribution does in the units of the CSV.",
            hint="take another distribution, such as uniform, or leave out --standardize",
        )
    source = f"{SET_BY_USER}: {chosen.prior} per sd of {column}"
    return replace(chosen.prior.rescaled(1.0 / x_sd), source=source)


def _class_members(text: str, name: str, spec: ModelSpec) -> tuple[str, ...]:
    """Return the parameters of a class, by the names of their priors."""
    members = {
        "b": spec.coefficients,
        "sd": tuple(parameter.name for parameter in spec.parameters if parameter.kind is Kind.SD),
        "cor": tuple(cor_name(group.factor) for group in spec.groups if any(pairs(group))),
        THRESHOLD: tuple(map(threshold_name, spec.thresholds)),
    }[name]
    if not members:
        raise PriorError(
            f'--prior "{text}": the model has no {PRIOR_CLASSES[name]}.', hint=f"parameters: {', '.join(spec.priors)}"
        )
    return members


def _horseshoe_scale(spec: ModelSpec, n_rows: int) -> Prior:
    """Return the prior of the scale that all coefficients under a horseshoe share, per sd of x and of y.

    Half cauchy(0, n / (K - n) / sqrt(N)) where n of K coefficients are expected not to be near 0: Piironen & Vehtari
    2017, equation 3.12, with a residual sd of 1, which errs on the side of shrinking less.
    """
    count, expected = len(spec.shrunk), spec.priors[spec.shrunk[0]].arguments[0]
    if expected >= count:
        raise PriorError(
            f"horseshoe({expected:g}): all of the {count} coefficients that it is a prior of would be far from 0.",
            hint="its number says how many are expected not to be near 0; for all of them take normal(0, s)",
        )
    scale = expected / (count - expected) / n_rows**0.5
    source = f"Piironen & Vehtari 2017: {expected:g} of {count} coefficients, {n_rows:,} rows"
    return Prior("cauchy", (0.0, scale), source)


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
            spellings["".join(cor_name(group.factor, pair).split())] = cor_name(group.factor)
    known = spellings.get("".join(name.split()))
    if known is None:
        nearest = did_you_mean(name, [*spec.priors, *PRIOR_CLASSES])
        raise PriorError(
            f"--prior \"{text}\": the model has no parameter '{name}'.{nearest}",
            hint=f"parameters: {', '.join(spec.priors)}; classes of them: {', '.join(PRIOR_CLASSES)}",
        )
    return known


def _check_fits(text: str, name: str, prior: Prior, spec: ModelSpec) -> None:
    """Refuse lkj off the correlations, anything else on them, and priors that leave a positive parameter no room."""
    default = spec.priors[name]
    if name in map(threshold_name, spec.thresholds) and prior.distribution not in THRESHOLD_PRIORS:
        raise PriorError(
            f'--prior "{text}": {name} takes {", ".join(THRESHOLD_PRIORS)}.',
            hint="thresholds are any numbers, each greater than the one before",
        )
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
