"""A Simulation -> data with a known truth, under the model that a fit of the same formula has.

The columns that the formula names are drawn first. From them Design and parameters come about as for a fit, on the rows
that a fit would keep, so that truth.json calls everything by the names of the fit's table and data-dependent terms such
as `poly(age, 2)` mean the same in both. Group effects are normal(0, D R D), D the sds and R the correlations; the truth
has them as deviations from the population values. The same Simulation gives the same bytes; other true values or
missing cells leave groups and predictors as they are. Letters as in `design.design`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from hierfit.design.building import build_design
from hierfit.design.design import Design, Group
from hierfit.design.outcome import find_family
from hierfit.design.prior_choice import build_spec
from hierfit.design.rows import NewLevels
from hierfit.errors import DataError, FormulaError, UsageError
from hierfit.model.spec import GroupCoefficients, sd_name
from hierfit.simulate.columns import Drawn, Rows, draw_columns, draw_holes, table_of
from hierfit.simulate.effects import Factor, linear_predictor
from hierfit.simulate.files import Simulated
from hierfit.simulate.outcome import Column, draw_rows
from hierfit.simulate.predictors import Array
from hierfit.simulate.simulation import TRIALS, Simulation
from hierfit.simulate.true_values import correlation_matrix, given_values, true_values
from hierfit.simulate.truth import TrueModel


def simulate(simulation: Simulation) -> Simulated:
    """Draw the data that a Simulation describes.

    Raises:
        DataError, FormulaError: the columns cannot carry the model, such as the logarithm of a negative predictor.
        UsageError: true values that make no sense, or counts beyond what can be fitted.
    """
    rng = np.random.default_rng(simulation.seed)
    drawn = draw_columns(simulation, rng)
    holes = draw_holes(simulation, drawn)
    complete = ~np.any(list(holes.values()), axis=0)
    fitted = _design(simulation, drawn, complete)
    spec = build_spec(simulation.formula, fitted)
    given = given_values(spec, simulation.true)
    parameters = true_values(spec, fitted, given)
    design = fitted if complete.all() else _on_all_rows(simulation, drawn, fitted)
    factors = [
        Factor(group.factor, group.labels, group.codes, group.terms, _effects(rng, drawn, group, varying, parameters))
        for group, varying in zip(design.groups, spec.groups, strict=True)
    ]
    y = draw_rows(rng, design, parameters, linear_predictor(design, parameters, factors), factors)
    _check_categories(design, y, complete)
    settings = {"seed": simulation.seed, "simulation": {**_settings(simulation), "true": given}}
    truth = TrueModel(simulation.formula, parameters, tuple(factors), settings, given)
    return Simulated(_columns(simulation, drawn, y, holes), truth)


def _design(simulation: Simulation, drawn: Drawn, rows: Rows) -> Design:
    """Return the design that a fit of these rows has, with a placeholder as outcome."""
    try:
        return build_design(
            simulation.formula,
            table_of(simulation, drawn, rows),
            family=simulation.family,
            link=simulation.link,
            roles=simulation.roles,
        )
    except FormulaError as error:
        raise FormulaError(error.message, hint=_hint(simulation, error)) from error


def _hint(simulation: Simulation, error: FormulaError) -> str | None:
    """Return what to try where a term cannot be evaluated on the columns that were drawn."""
    numbers = [name for name in simulation.number_columns if name in error.message]
    coded = [name for name in simulation.all_categories if name in error.message]
    if "finite" in error.message and numbers:
        return f'say what the column is drawn from: --predictors "{numbers[0]} ~ uniform(1, 10)"'
    if "levels" in error.message and coded:
        levels = ",".join(simulation.all_categories[coded[0]])
        return f"the levels of '{coded[0]}' are {levels}; for words, --levels {coded[0]}=A,B and Treatment('A')"
    return error.hint


def _on_all_rows(simulation: Simulation, drawn: Drawn, fitted: Design) -> Design:
    """Return the design of all rows, with the columns that the terms of the fit have there.

    Raises:
        DataError: a level of a text predictor occurs in none of the rows that a fit keeps.
    """
    everywhere = np.ones(drawn.n_rows, dtype=np.bool_)
    whole = _design(simulation, drawn, everywhere)
    try:
        rows = fitted.on(table_of(simulation, drawn, everywhere), new_levels=NewLevels.DRAW)
    except DataError as error:
        raise DataError(
            f"so many cells are missing that a fit, which drops their rows, would lack a level: {error.message}",
            hint="ask for more rows, or a smaller share with --missing",
        ) from error
    groups = tuple(replace(group, Z=kept.Z) for group, kept in zip(whole.groups, rows.groups, strict=True))
    distributional = tuple(replace(own, X=rows.distributional[own.parameter]) for own in whole.distributional)
    return replace(whole, X=rows.X, groups=groups, distributional=distributional)


def _effects(
    rng: np.random.Generator,
    drawn: Drawn,
    group: Group,
    varying: GroupCoefficients,
    parameters: Mapping[str, float],
) -> Array:
    """Return the deviations of the levels' coefficients from the population values [J, M]."""
    sds = np.array([parameters[sd_name(group.factor, term)] for term in group.terms])
    if group.factor in drawn.deviates:
        number = {label: code for code, label in enumerate(drawn.texts[group.factor].cells)}
        z = drawn.deviates[group.factor][[number[label] for label in group.labels]]
    else:
        z = rng.normal(size=(group.n_levels, len(sds)))
    return np.asarray((z @ np.linalg.cholesky(correlation_matrix(varying, parameters)).T) * sds)


def _check_categories(design: Design, y: Column, complete: Rows) -> None:
    """Refuse an outcome in words that lacks one of them: a fit would not know of it."""
    kept = {label for label, stays in zip(y, complete.tolist(), strict=True) if stays} if design.categories else ()
    for category in design.categories:
        if category not in kept:
            raise UsageError(
                f"no row came out as '{category}'.", hint="ask for more rows, or bring the true values closer to 0"
            )


def _columns(simulation: Simulation, drawn: Drawn, y: Column, holes: Mapping[str, Rows]) -> dict[str, Column]:
    """Return the columns of the file: outcome, trials, predictors and offset, groups; empty cells as NaN or ""."""
    columns: dict[str, Column] = {simulation.formula.response: y}
    columns |= {TRIALS: drawn.numbers[TRIALS]} if TRIALS in drawn.numbers else {}
    labels = {name: tuple(text.cells[code] for code in text.codes.tolist()) for name, text in drawn.texts.items()}
    for name in dict.fromkeys((*simulation.formula.predictors, *simulation.number_columns, *labels)):
        columns[name] = labels[name] if name in labels else drawn.numbers[name]
    return columns | {name: _with_holes(columns[name], empty) for name, empty in holes.items()}


def _with_holes(column: Column, empty: Rows) -> Column:
    if isinstance(column, np.ndarray):
        return np.where(empty, np.nan, column)
    return tuple("" if hole else label for label, hole in zip(column, empty.tolist(), strict=True))


def _settings(simulation: Simulation) -> dict[str, Any]:
    """Return what was asked for with the defaults filled in, as truth.json has it."""
    return {
        **asdict(simulation),
        "formula": str(simulation.formula),
        "link": find_family(simulation.family, simulation.link)[1],
        "levels": simulation.all_levels,
        "rows": simulation.all_rows,
        "categories": simulation.all_categories,
        "trials": simulation.all_trials,
    }
