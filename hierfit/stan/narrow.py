"""ModelSpec x Design -> the narrow program, a page that says this model and no other, and its data.

It is the model as a reader would write it: columns in the units of the CSV, priors with their numbers, effects not
centred, and none of what the wide programs (`stan.programs`) do for speed. Both have the same density. Distributions
of the outcome are those of `stan_models/families/`, in which the mean's linear predictor is called eta and every
auxiliary parameter by its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from math import floor, inf, log10
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.scaling import coefficient_scale
from hierfit.model.families import THRESHOLD
from hierfit.model.priors import DISTRIBUTIONS, Prior
from hierfit.model.spec import ModelSpec
from hierfit.stan.programs import STAN_DENSITY, STAN_LOG_PROBABILITY, StanProgram, templates
from hierfit.stan.shape import LinearPredictor, Part, Scalar, Shape, Vector
from hierfit.stan.shaping import shape_of
from hierfit.visible import visible

if TYPE_CHECKING:
    import jinja2

_INVERSE = {"log": "exp({})", "logit": "inv_logit({})", "logm1": "1 + exp({})"}
_INVERSE_OF_MEAN = {"logit": "inv_logit", "probit": "Phi", "cloglog": "inv_cloglog"}
_DIGITS = 6  # of the numbers of priors
_SHORT, _WIDTH = 60, 100  # of names that stand in one line, and of lines of names


def narrow_program(spec: ModelSpec, design: Design) -> StanProgram:
    """Return the program of one model."""
    return program_of(shape_of(spec, design))


def program_of(shape: Shape) -> StanProgram:
    """Return the program of what occurs in a model."""
    spec = shape.spec
    environment = _templates()
    piece: Any = environment.get_template(f"families/{spec.family}.stan.j2").module
    text = environment.get_template("narrow.stan.j2").render(
        shape=shape,
        piece=piece,
        likelihood=_likelihood(piece, shape),
        log_probability=STAN_LOG_PROBABILITY.get(spec.link),
        formula=_in_words_of(shape, _with_inverse(piece, spec.link), each=True),
    )
    return StanProgram(f"{spec.family}_narrow", text)


@lru_cache
def _templates() -> jinja2.Environment:
    """Return what renders the templates of narrow programs, each read once."""
    environment = templates().overlay(trim_blocks=True, lstrip_blocks=True)
    environment.filters = environment.filters | {
        "visible": visible,
        "bounds": _bounds,
        "priors": _priors,
        "density": _density,
        "value": _value,
        "sum": _sum,
        "inverse": _inverse,
        "listed": _listed,
        "beside": _beside,
        "reported": _reported,
    }
    return environment


def narrow_data(spec: ModelSpec, design: Design) -> Mapping[str, Any]:
    """Return the data of that program as numpy arrays and ints."""
    shape = shape_of(spec, design)
    data: dict[str, Any] = {"N": design.n_rows}
    if not spec.prior_only:
        data |= _outcome(shape, design)
    for predictor in shape.predictors:
        data |= _columns(predictor, design)
    for factor in shape.factors:
        group = design.group(factor.name)
        data[factor.size] = group.n_levels
        if not spec.prior_only:
            data[factor.identifier] = group.codes.astype(int) + 1
    if shape.horseshoe:
        units = dict(zip(spec.coefficient_names, coefficient_scale(design), strict=True))
        data["unit"] = np.array([units[name] for name in spec.shrunk])
    return data


def _outcome(shape: Shape, design: Design) -> dict[str, Any]:
    """Return the outcome, and what else is known of every row."""
    family = shape.family
    y = np.rint(design.y).astype(int) + family.has_thresholds if family.is_discrete else design.linear_outcome
    trials = None if design.trials is None else np.rint(design.trials).astype(int)
    rows = {
        "y": y,
        "trials": trials,
        "offsets": design.offset,
        "weights": design.weights,
        "precision": design.precision,
    }
    return {name: values for name, values in rows.items() if values is not None}


def _columns(predictor: LinearPredictor, design: Design) -> dict[str, Any]:
    """Return the columns of one predictor."""
    data: dict[str, Any] = {}
    parameter = None if predictor.link is None else predictor.parameter
    if predictor.coefficients:
        own = design.predictor(predictor.parameter)
        data[f"X{predictor.suffix}"] = design.X if own is None else own.X[:, int(own.intercept) :]
    for part in predictor.parts:
        if part.has_columns:
            group = design.group(part.block.factor.name)
            Z: NDArray[np.float64] = group.Z[:, group.columns_of(parameter)]
            data[f"Z_{part.stem}"] = Z[:, 0] if part.single else Z
    return data


def _sum(predictor: LinearPredictor) -> str:
    """Return a linear predictor in Stan."""
    terms = ["offsets"] if predictor.offset else []
    if predictor.intercept:
        terms.append(predictor.intercept.identifier)
    if predictor.coefficients:
        columns = f"X{'c' if predictor.centered else ''}{predictor.suffix}"
        terms.append(f"{columns} * {predictor.coefficients.identifier}")
    terms += map(_part, predictor.parts)
    if not terms or (predictor.intercept and terms == [predictor.intercept.identifier]):  # no vector among them
        return f"rep_vector({terms[0] if terms else 0}, N)"
    return " + ".join(terms)


def _part(part: Part) -> str:
    columns = f"Z{'c' if part.block.at_mean else ''}_{part.stem}"
    if not part.has_columns:
        return part.effects
    return f"{columns} .* {part.effects}" if part.single else f"rows_dot_product({columns}, {part.effects})"


def _inverse(text: str, link: str | None) -> str:
    return text if link is None else _INVERSE[link].format(text)


def _likelihood(piece: Any, shape: Shape) -> tuple[str, bool]:
    """Return the likelihood in Stan, and whether it is that of a row i, to be added up, or a statement for all."""
    by_row: str = getattr(piece, "by_row", "")
    density: str = getattr(piece, "density", "")
    if shape.weights or shape.spec.link != shape.family.link or not density or (shape.predicted and not by_row):
        return _in_words_of(shape, _under_link(piece.row, shape), each=True), True
    if shape.predicted or (by_row and piece.takes_X):
        return _in_words_of(shape, by_row), False
    # Without X * b, a density that is called `..._glm` is called without that.
    statement = density.replace("_glm(", "(").replace("X, eta, b_in_rows", "eta")
    return _in_words_of(shape, statement), False


def _with_inverse(piece: Any, link: str) -> str:
    """Return what the outcome is distributed as, in words, with the inverse link by its name."""
    return str(piece.formula).replace("inverse_link", _INVERSE_OF_MEAN.get(link, "inverse_link"))


def _under_link(row: str, shape: Shape) -> str:
    """Return the log density of a row under the model's link alone."""
    first, found, other = row.removeprefix("link == 1 ? ").partition(" : ")
    if row.startswith("link == 1 ? ") and found:
        return first if shape.spec.link == shape.family.link else other
    return row.replace(", link)", ")")


def _in_words_of(shape: Shape, text: str, *, each: bool = False) -> str:
    """Return a family's text with the variables of this program; with `each`, what differs by row has its index."""
    words = {"eta": shape.predictors[0].parameter}
    if shape.thresholds:
        words[THRESHOLD] = shape.thresholds.identifier
    if shape.precision:
        words["sigma"] = "sigma / sqrt(precision[i])" if each else "sigma ./ sqrt(precision)"
    if each:
        words |= {name: f"{name}[i]" for name in shape.predicted}
    return re.sub(r"\b\w+\b", lambda word: words.get(word[0], word[0]), text)


def _bounds(scalar: Scalar) -> str:
    lower, upper = scalar.bounds
    parts = [f"{name}={number(end)}" for name, end in (("lower", lower), ("upper", upper)) if abs(end) < inf]
    return f"<{', '.join(parts)}>" if parts else ""


def _priors(vector: Vector) -> list[str]:
    """Return the priors of parameters in Stan, one line for neighbours that share one."""
    lines, start = [], 1
    for prior, found in groupby(vector.scalars, lambda one: one.prior):
        members = list(found)
        end = start + len(members) - 1
        place = f"[{start}]" if start == end else f"[{start}:{end}]"
        whole = vector.single or len(members) == len(vector.scalars)
        start = end + 1
        if not members[0].is_declared:
            continue
        if vector.is_declared:
            lines.append(_prior_line(vector.identifier + ("" if whole else place), prior, members))
        else:
            lines += [_prior_line(one.identifier, prior, [one]) for one in members]
    return lines


def _prior_line(target: str, prior: Prior, of: Sequence[Scalar]) -> str:
    names = [one.name for one in of]
    if prior.distribution == "flat":
        return f"// {_listed(names)}: flat"
    printed = "" if names == [target] else f"{_listed(names)}: "
    return f"{target} ~ {_density(prior)}; // {printed}{visible(prior.source)}"


def _density(prior: Prior) -> str:
    """Return a prior in Stan; locations with as many digits as their scale asks for."""
    names = DISTRIBUTIONS[prior.distribution].arguments
    numbers = dict(zip(names, prior.arguments, strict=True))
    scale = None if prior.distribution == "lognormal" else numbers.get("sigma", numbers.get("scale"))
    if prior.distribution != "uniform":  # whose ends are the bounds
        numbers = {name: rounded(value, scale if name == "mu" else None) for name, value in numbers.items()}
    called = STAN_DENSITY.get(prior.distribution, prior.distribution).partition("_lpdf")[0]
    return f"{'lkj_corr_cholesky' if called == 'lkj' else called}({', '.join(map(number, numbers.values()))})"


def rounded(value: float, scale: float | None = None) -> float:
    """Return a number with six digits; of a location, as many as its scale asks for."""
    size = abs(value) if scale is None else scale
    if size == 0:
        return value
    return round(value, _DIGITS - 1 - floor(log10(size)))


def number(value: float) -> str:
    """Return a number in Stan; a whole one has no point, unless it is larger than Stan's integers."""
    if value == int(value) and abs(value) < 2**31:
        return str(int(value))
    return repr(float(value))


def _listed(names: Sequence[str]) -> str:
    """Return names in one line; of many the first and the last."""
    text = ", ".join(names)
    short = len(text) < _SHORT or len(names) < 3
    return visible(text if short else f"{names[0]}, {names[1]}, ..., {names[-1]}")


def _beside(names: Sequence[str], declaration: str, *, what: str = "") -> str:
    """Return a declaration of columns with the names of all, beside it or in lines above."""
    text = visible(", ".join(names)) + what
    if len(text) < _SHORT:
        return f"{declaration} // {text}"
    lines = [f"// columns of {declaration.rpartition(' ')[2].rstrip(';')}{what}:"]
    for number, name in enumerate(map(visible, names), 1):
        one = f" {number} {name}{',' if number < len(names) else ''}"
        if number == 1 or len(lines[-1]) + len(one) > _WIDTH:
            lines.append("//  ")
        lines[-1] += one
    return "\n  ".join([*lines, declaration])


def _reported(names: Sequence[str], declaration: str) -> str:
    """Return a declaration with the names of what it reports, beside it or in a line above."""
    text = _listed(names)
    return f"{declaration} // {text}" if len(text) < _SHORT else f"// {text}:\n  {declaration}"


def _value(vector: Vector) -> str:
    """Return the value of parameters that are fixed, or put together from what was declared one by one."""
    elements = [_element(one, vector.shrunk) for one in vector.scalars]
    return elements[0] if vector.single else f"[{', '.join(elements)}]'"


def _element(scalar: Scalar, shrunk: tuple[Scalar, ...]) -> str:
    if scalar.prior.constant is not None:
        return number(scalar.prior.constant)
    return f"b_shrunk[{shrunk.index(scalar) + 1}]" if scalar.is_shrunk else scalar.identifier
