"""ModelSpec x Design -> Shape: what occurs in the model, and what all of it is called in its narrow program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from hierfit.design.design import Design
from hierfit.model.families import FAMILIES
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import EVERYWHERE, HORSESHOE_SCALE, Interval, Prior
from hierfit.model.spec import GroupCoefficients, ModelSpec, coefficient_name, cor_name, sd_name, threshold_name
from hierfit.stan.identifiers import Names
from hierfit.stan.shape import AT_MEAN, Block, Factor, LinearPredictor, Scalar, Shape, Vector


def shape_of(spec: ModelSpec, design: Design) -> Shape:
    """Return what occurs in a model."""
    family = FAMILIES[spec.family]
    names = Names(["", *(f"_{own.parameter}" for own in spec.distributional)])
    auxiliaries = tuple(
        Vector(aux.name, (Scalar(aux.name, aux.name, spec.priors[aux.name], aux.within),), single=True)
        for aux in spec.auxiliaries
    )
    factors = {group.factor: Factor(group.factor, names.stem(group.factor)) for group in spec.groups}
    shared = spec.priors[HORSESHOE_SCALE] if spec.shrunk else None
    scale = None if shared is None else _single(HORSESHOE_SCALE, HORSESHOE_SCALE, shared, (0.0, inf))
    return Shape(
        spec=spec,
        predictors=(_of_mean(spec, design, factors, names), *_of_others(spec, names)),
        auxiliaries=auxiliaries,
        factors=tuple(factors.values()),
        thresholds=_thresholds(spec) if family.has_thresholds else None,
        categories=design.categories,
        horseshoe=scale,
        weights=design.weights is not None,
        precision=design.precision is not None,
    )


def _single(identifier: str, name: str, prior: Prior, within: Interval = EVERYWHERE) -> Vector:
    return Vector(identifier, (Scalar(name, identifier, prior, within),), single=True)


def _of_mean(spec: ModelSpec, design: Design, factors: Mapping[str, Factor], names: Names) -> LinearPredictor:
    """Return the linear predictor of the mean."""
    has_level = spec.intercept or FAMILIES[spec.family].has_thresholds
    centered = spec.centered and has_level and bool(spec.coefficients)
    intercept = None
    if spec.intercept:
        intercept = _single(INTERCEPT + AT_MEAN * centered, spec.speaks_of(INTERCEPT), spec.priors[INTERCEPT])
    return LinearPredictor(
        parameter="mu" if spec.link == "identity" else "eta",
        suffix="",
        link=None,
        intercept=intercept,
        coefficients=_coefficients("b", spec.coefficients, spec.coefficients, spec, names),
        terms=spec.coefficients,
        centered=centered,
        blocks=tuple(_block(group, factors[group.factor], "", spec, names) for group in spec.groups),
        offset=design.offset is not None,
    )


def _of_others(spec: ModelSpec, names: Names) -> Iterable[LinearPredictor]:
    """Yield the linear predictors of parameters beside the mean."""
    for own in spec.distributional:
        auxiliary = FAMILIES[spec.family].auxiliary(own.parameter)
        assert auxiliary is not None
        suffix, has_intercept = f"_{own.parameter}", own.terms[0] == INTERCEPT
        centered, intercept = spec.centered and own.has_two_intercepts, None
        if has_intercept:
            name = coefficient_name(own.parameter, INTERCEPT)
            intercept = _single(f"{INTERCEPT}{suffix}{AT_MEAN * centered}", name, spec.priors[name])
        terms = own.terms[int(has_intercept) :]
        printed = [coefficient_name(own.parameter, term) for term in terms]
        coefficients = _coefficients(f"b{suffix}", terms, printed, spec, names)
        yield LinearPredictor(own.parameter, suffix, auxiliary.link, intercept, coefficients, terms, centered)


def _coefficients(
    identifier: str, terms: Sequence[str], printed: Sequence[str], spec: ModelSpec, names: Names
) -> Vector | None:
    scalars = tuple(
        Scalar(name, names.take(f"{identifier}_{term}"), spec.priors[name])
        for term, name in zip(terms, printed, strict=True)
    )
    return Vector(identifier, scalars) if scalars else None


def _block(group: GroupCoefficients, factor: Factor, suffix: str, spec: ModelSpec, names: Names) -> Block:
    """Return what varies by one factor in one predictor."""
    stem, at_mean, single = f"{factor.identifier}{suffix}", spec.has_two_sds(group), len(group.terms) == 1
    identifier = f"sd_{stem}{AT_MEAN * at_mean}"
    scalars = []
    for term in group.terms:
        name = sd_name(group.factor, term)
        own = identifier if single else names.take(f"sd_{stem}_{term}")
        scalars.append(Scalar(spec.speaks_of(name), own, spec.priors[name], (0.0, inf)))
    printed = tuple(sd_name(group.factor, term) for term in group.terms)
    name = cor_name(group.factor)
    cor = (name, spec.priors[name]) if group.correlated and not single else None
    return Block(factor, stem, group.terms, printed, Vector(identifier, tuple(scalars), single=single), cor, at_mean)


def _thresholds(spec: ModelSpec) -> Vector:
    identifier = f"threshold{AT_MEAN * (spec.centered and bool(spec.coefficients))}"
    priors = [(threshold_name(between), spec.priors[threshold_name(between)]) for between in spec.thresholds]
    return Vector(identifier, tuple(Scalar(name, identifier, prior) for name, prior in priors), ordered=True)
