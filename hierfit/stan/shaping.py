"""ModelSpec x Design -> Shape: what occurs in the model, and what all of it is called in its narrow program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from math import inf

from hierfit.design.design import Design
from hierfit.model.families import FAMILIES
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import EVERYWHERE, HORSESHOE_SCALE, Interval, Prior
from hierfit.model.spec import (
    GroupCoefficients,
    ModelSpec,
    below_diagonal,
    coefficient_name,
    cor_name,
    pair_name,
    sd_name,
    threshold_name,
    varying_name,
)
from hierfit.stan.identifiers import Names
from hierfit.stan.shape import AT_MEAN, Block, Factor, LinearPredictor, Part, Scalar, Shape, Vector


def shape_of(spec: ModelSpec, design: Design) -> Shape:
    """Return what occurs in a model."""
    family = FAMILIES[spec.family]
    names = _names(spec)
    auxiliaries = tuple(
        Vector(aux.name, (Scalar(aux.name, aux.name, spec.priors[aux.name], aux.within),), single=True)
        for aux in spec.auxiliaries
    )
    factors = {group.factor: Factor(group.factor, names.stem(group.factor)) for group in spec.groups}
    parts = _parts(spec, factors, names)
    shared = spec.priors[HORSESHOE_SCALE] if spec.shrunk else None
    scale = None if shared is None else _single(HORSESHOE_SCALE, HORSESHOE_SCALE, shared, (0.0, inf))
    return Shape(
        spec=spec,
        predictors=(_of_mean(spec, design, parts[None], names), *_of_others(spec, parts, names)),
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


def _predicted(spec: ModelSpec) -> tuple[str, ...]:
    return tuple(own.parameter for own in spec.distributional)


def _names(spec: ModelSpec) -> Names:
    """Return names of which none is taken but those of predictors."""
    predictors = [[parameter] for parameter in (None, *_predicted(spec))]
    blocks = [
        group.of_parameters[columns.start : columns.stop]
        for group in spec.groups
        for columns in _columns_of_blocks(group)
    ]
    return Names(list(dict.fromkeys(map(_suffix, [*predictors, *blocks]))))


def _of_mean(spec: ModelSpec, design: Design, parts: Sequence[Part], names: Names) -> LinearPredictor:
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
        parts=tuple(parts),
        offset=design.offset is not None,
    )


def _of_others(spec: ModelSpec, parts: Mapping[str | None, Sequence[Part]], names: Names) -> Iterator[LinearPredictor]:
    """Yield the linear predictors of parameters beside the mean."""
    for own in spec.distributional:
        auxiliary = FAMILIES[spec.family].auxiliary(own.parameter)
        assert auxiliary is not None
        suffix, has_intercept = _suffix([own.parameter]), own.terms[0] == INTERCEPT
        centered, intercept = spec.centered and own.has_two_intercepts, None
        if has_intercept:
            name = coefficient_name(own.parameter, INTERCEPT)
            intercept = _single(f"{INTERCEPT}{suffix}{AT_MEAN * centered}", name, spec.priors[name])
        terms = own.terms[int(has_intercept) :]
        printed = [coefficient_name(own.parameter, term) for term in terms]
        coefficients = _coefficients(f"b{suffix}", terms, printed, spec, names)
        varying = tuple(parts[own.parameter])
        yield LinearPredictor(own.parameter, suffix, auxiliary.link, intercept, coefficients, terms, centered, varying)


def _coefficients(
    identifier: str, terms: Sequence[str], printed: Sequence[str], spec: ModelSpec, names: Names
) -> Vector | None:
    scalars = tuple(
        Scalar(name, names.take(f"{identifier}_{term}"), spec.priors[name])
        for term, name in zip(terms, printed, strict=True)
    )
    return Vector(identifier, scalars) if scalars else None


def _suffix(parameters: Iterable[str | None]) -> str:
    """Return after what variables of predictors are called: nothing where that of the mean is among them."""
    own = dict.fromkeys(parameters)
    return "" if None in own else "".join(f"_{parameter}" for parameter in own)


def _columns_of_blocks(group: GroupCoefficients) -> Iterator[range]:
    """Yield which coefficients of a factor are those of each block."""
    start = 0
    for block in group.blocks:
        yield range(start, start + block.size)
        start += block.size


def _parts(spec: ModelSpec, factors: Mapping[str, Factor], names: Names) -> Mapping[str | None, Sequence[Part]]:
    """Return what varies in the predictor of each parameter, None for the mean."""
    found: dict[str | None, list[Part]] = {parameter: [] for parameter in (None, *_predicted(spec))}
    for group in spec.groups:
        factor, parameters = factors[group.factor], group.of_parameters
        for columns in _columns_of_blocks(group):
            block = _block(group, columns, factor, spec, names)
            for parameter, own in groupby(columns, parameters.__getitem__):
                places = list(own)
                before = varying_name(parameter, "")
                terms = tuple(group.terms[place].removeprefix(before) for place in places)
                stem = f"{factor.identifier}{_suffix([parameter])}"
                found[parameter].append(Part(block, stem, terms, places[0] - columns.start))
    return found


def _block(group: GroupCoefficients, columns: range, factor: Factor, spec: ModelSpec, names: Names) -> Block:
    """Return one block of what varies by a factor: its coefficients at the places `columns`."""
    terms = group.terms[columns.start : columns.stop]
    stem = f"{factor.identifier}{_suffix(group.of_parameters[columns.start : columns.stop])}"
    at_mean, single = columns.start == 0 and spec.has_two_sds(group), len(terms) == 1
    identifier = f"sd_{stem}{AT_MEAN * at_mean}"
    printed = tuple(sd_name(group.factor, term) for term in terms)
    scalars = []
    for term, name in zip(terms, printed, strict=True):
        own = identifier if single else names.take(f"sd_{factor.identifier}_{term}")
        scalars.append(Scalar(spec.speaks_of(name), own, spec.priors[name], (0.0, inf)))
    correlations = tuple(
        cor_name(group.factor, pair_name(group.terms[low], group.terms[high]))
        for high, low in below_diagonal(group)
        if low in columns
    )
    name = cor_name(group.factor)
    cor = (name, spec.priors[name]) if correlations else None
    sds = Vector(identifier, tuple(scalars), single=single)
    return Block(factor, stem, terms, printed, sds, cor, correlations, at_mean)


def _thresholds(spec: ModelSpec) -> Vector:
    identifier = f"threshold{AT_MEAN * (spec.centered and bool(spec.coefficients))}"
    priors = [(threshold_name(between), spec.priors[threshold_name(between)]) for between in spec.thresholds]
    return Vector(identifier, tuple(Scalar(name, identifier, prior) for name, prior in priors), ordered=True)
