"""A model's parameters -> their true values: those that are given, and defaults for the rest.

Names are those of a fit's table. A class stands for several: `b` (all coefficients but the intercept), `sd`, `cor`,
`cor(school)`; a value for one parameter goes before that of a class, and that of a small class before that of a large
one.

Defaults come from the family's scenario (`simulate.scenarios`): its intercept, its sd of a varying intercept, its
auxiliary parameters. A coefficient has that of the scenario, per unit of its column, the unit being the power of ten
nearest to the column's sd, so that `poly(age, 2)[0]`, whose column is small, has a large one; a slope varies by half of
that. With thresholds all categories are as likely where the linear predictor is 0. Where a parameter
beside the mean has predictors, its link is that of the scenario's value, and changes by 0.3 per unit.
Correlations are 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.distributional import PredictorColumns
from hierfit.design.origin import moved_scales
from hierfit.design.prior_choice import PRIOR_CLASSES
from hierfit.errors import UsageError, did_you_mean
from hierfit.model.families import FAMILIES, LINKS, SIGMA, THRESHOLD
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import (
    INTERCEPT_AT_MEAN,
    GroupCoefficients,
    Kind,
    ModelSpec,
    Parameter,
    below_diagonal,
    coefficient_name,
    cor_name,
    pair_name,
    sd_name,
    threshold_name,
)
from hierfit.simulate.checks import check_correlations, check_increasing
from hierfit.simulate.scenarios import scenario_of

Array = NDArray[np.float64]
DISTRIBUTIONAL_SLOPE = 0.3


def true_values(spec: ModelSpec, design: Design, given: Mapping[str, float]) -> dict[str, float]:
    """Return the true value of every parameter in the order of a fit's table: the `given_values`, and defaults.

    Raises:
        UsageError: a value is out of range, or a parameter that has no default is not given.
    """
    values = _defaults(spec, design) | dict(given)
    parameters = [parameter for parameter in spec.parameters if not parameter.is_at_mean]
    lacking = [parameter.name for parameter in parameters if parameter.name not in values]
    if lacking:
        raise UsageError(
            f"the family {spec.family} needs true values of {', '.join(lacking)}.", hint=f'add --true "{lacking[0]}=1"'
        )
    for parameter in parameters:
        _check_value(parameter, values[parameter.name], spec)
    check_increasing([values[name] for name in _of_kind(Kind.THRESHOLD, spec)])
    for group in spec.groups:
        check_correlations(correlation_matrix(group, values), group.terms)
    if spec.has_two_intercepts:
        b = np.array([values[name] for name in design.coefficients])
        values[INTERCEPT_AT_MEAN] = values[INTERCEPT] + float(design.x_mean @ b)
    for named in filter(spec.has_two_sds, spec.groups):
        at_mean = _sd_at_mean(design.group(named.factor), named, values)
        values[sd_name(named.factor, INTERCEPT_AT_MEAN)] = at_mean
    return {parameter.name: values[parameter.name] for parameter in spec.parameters}


def _sd_at_mean(group: Group, named: GroupCoefficients, values: Mapping[str, float]) -> float:
    size = named.blocks[0].size
    sd = np.array([values[sd_name(group.factor, term)] for term in group.terms[:size]])
    cor = np.array([values[_cor_name(named, low, high)] for high, low in below_diagonal(named) if high < size])
    return float(moved_scales(sd, cor, group.mean[:size])[0][0])


def correlation_matrix(group: GroupCoefficients, values: Mapping[str, float]) -> Array:
    """Return the correlations between the coefficients of one factor [M, M]."""
    R = np.eye(len(group.terms))
    for row, column in below_diagonal(group):
        R[row, column] = R[column, row] = values[_cor_name(group, column, row)]
    return R


def _cor_name(group: GroupCoefficients, first: int, second: int) -> str:
    return cor_name(group.factor, pair_name(group.terms[first], group.terms[second]))


def _defaults(spec: ModelSpec, design: Design) -> dict[str, float]:
    """Return the default of every parameter that has one."""
    start = scenario_of(spec.family).simulation
    slope, spread = start.true[start.formula.terms[0]], start.true[sd_name(start.formula.factors[0], INTERCEPT)]
    auxiliaries = {auxiliary.name for auxiliary in FAMILIES[spec.family].auxiliaries}
    values = {name: value for name, value in start.true.items() if name in auxiliaries}
    if design.intercept:
        values[INTERCEPT] = start.true[INTERCEPT]
    for name, scale in zip(design.coefficients, design.x_scale, strict=True):
        values[name] = _per_unit(slope, scale)
    for group in design.groups:
        named = group.named
        columns = zip(group.terms, named.of_parameters, named.is_intercept, group.units, strict=True)
        for term, parameter, is_intercept, scale in columns:
            whole, step = (spread, abs(slope)) if parameter is None else (DISTRIBUTIONAL_SLOPE, DISTRIBUTIONAL_SLOPE)
            values[sd_name(group.factor, term)] = whole if is_intercept else _per_unit(step / 2, scale)
    values |= dict.fromkeys(_of_kind(Kind.CORRELATION, spec), 0.0)
    forward, count = LINKS[spec.link].forward, len(design.thresholds) + 1
    for number, between in enumerate(design.thresholds, start=1):
        values[threshold_name(between)] = round(float(forward(np.array(number / count))), 2)
    for own in design.distributional:
        values |= _of_predictor(own, spec, values[own.parameter])
    return values


def _of_predictor(own: PredictorColumns, spec: ModelSpec, value: float) -> dict[str, float]:
    """Return the coefficients of a parameter beside the mean, whose own default is `value`."""
    auxiliary = FAMILIES[spec.family].auxiliary(own.parameter)
    assert auxiliary is not None
    level = round(float(LINKS[auxiliary.link].forward(np.array(value))), 2)
    return {
        coefficient_name(own.parameter, term): level if at_level else _per_unit(DISTRIBUTIONAL_SLOPE, scale)
        for term, at_level, scale in zip(own.coefficients, own.carries_level, own.scale, strict=True)
    }


def _per_unit(value: float, scale: float) -> float:
    """Return a value over the power of ten nearest to the scale, without the dust of the division."""
    return float(f"{value / 10.0 ** round(math.log10(scale)):.12g}")


def given_values(spec: ModelSpec, given: Mapping[str, float]) -> dict[str, float]:
    """Return the given values by the parameters' own names, those of classes spread over their members.

    Raises:
        UsageError: a name is no parameter's, or two names are the same one's.
    """
    members = [(name, _members(name, spec), value) for name, value in given.items()]
    values: dict[str, float] = {}
    for name, names, value in sorted(members, key=lambda member: -len(member[1])):
        if len(names) == 1 and [other for _, other, _ in members].count(names) > 1:
            raise UsageError(f"--true gives '{names[0]}' more than once.", hint=f"leave out '{name}' or the other")
        values |= dict.fromkeys(names, value)
    return values


def _members(name: str, spec: ModelSpec) -> tuple[str, ...]:
    """Return the parameters that a name stands for, its own spelling or another: `sd(school: Intercept)`."""
    known: dict[str, tuple[str, ...]] = {
        "b": spec.coefficients,
        "sd": _of_kind(Kind.SD, spec),
        "cor": _of_kind(Kind.CORRELATION, spec),
        THRESHOLD: _of_kind(Kind.THRESHOLD, spec),
    }
    for group in spec.groups:
        known[cor_name(group.factor)] = tuple(_cor_name(group, low, high) for high, low in below_diagonal(group))
        known[f"sd({group.factor}: {INTERCEPT})"] = (sd_name(group.factor, INTERCEPT),) * (INTERCEPT in group.terms)
        for high, low in below_diagonal(group):
            known[_cor_name(group, high, low)] = (_cor_name(group, low, high),)
    known |= {parameter.name: (parameter.name,) for parameter in spec.parameters}
    spellings = {_without_spaces(spelling): names for spelling, names in known.items() if names}
    found = spellings.get(_without_spaces(name))
    following = [parameter for parameter in spec.parameters if parameter.is_at_mean]
    for parameter in following:
        if found == (parameter.name,):
            given = INTERCEPT if parameter.group is None else sd_name(parameter.group, INTERCEPT)
            others = "coefficients" if parameter.group is None else "other sds and correlations"
            raise UsageError(f"--true {name}: it follows from {given} and the {others}.", hint=f"give {given}")
    if found:
        return found
    names = [parameter.name for parameter in spec.parameters if not parameter.is_at_mean]
    at_mean = {parameter.name for parameter in following}
    spelled = [spelling for spelling, members in known.items() if members and spelling not in at_mean]
    levels = [spelling for spelling in spelled if spelling.startswith(f"{name}[")]
    near = f" Did you mean '{levels[0]}'?" if levels else did_you_mean(name, spelled)
    classes = ", ".join(name for name in PRIOR_CLASSES if known[name])
    raise UsageError(
        f"--true: the model has no parameter '{name}'.{near}",
        hint=f"parameters: {', '.join(names)}; classes of them: {classes}",
    )


def _of_kind(kind: Kind, spec: ModelSpec) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in spec.parameters if parameter.kind is kind)


def _without_spaces(name: str) -> str:
    return "".join(name.split())


def _check_value(parameter: Parameter, value: float, spec: ModelSpec) -> None:
    """Refuse values that a parameter cannot have; an sd and sigma may be 0."""
    if not math.isfinite(value):
        raise UsageError(f"{parameter.name} = {value} is not a finite number.", hint="give a finite value")
    if parameter.kind is Kind.SD and value < 0:
        raise UsageError(f"{parameter.name} is negative: {value:g}.", hint="a standard deviation is 0 or more")
    if parameter.kind is Kind.CORRELATION and not -1 < value < 1:
        raise UsageError(f"{parameter.name} cannot be {value:g}.", hint="a correlation lies between -1 and 1")
    lower, upper = spec.range_of(parameter.name)
    if parameter.kind is Kind.AUXILIARY and not (lower < value < upper or (value == 0 and parameter.name == SIGMA)):
        least = f"greater than {lower:g}" if parameter.name != SIGMA else "0 or more"
        room = least if upper == math.inf else f"{least} and less than {upper:g}"
        raise UsageError(f"{parameter.name} cannot be {value:g}.", hint=f"{parameter.name} is {room}")
