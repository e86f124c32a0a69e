"""Curves are the answers of `hierfit effects RUN --marginal --at`, digit by digit, at points that the data have."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.posterior.effects.answer import answer
from hierfit.posterior.effects.curves import (
    FEW_VALUES,
    LEAST_POINTS,
    MOST_POINTS,
    axes_of,
    curves_of,
    predictors,
    strongest,
)
from hierfit.posterior.effects.questions import EffectScale, Groups, Question

from .test_answer import LEVELS, X, model, rows


def axes(text, family="gaussian"):
    made = model(text, family)
    return made, {axis.column: axis for axis in axes_of(made.draws, made.design, predictors(made.design))}


@pytest.mark.parametrize("family", ["gaussian", "poisson", "bernoulli"])
def test_numbers_are_those_of_the_command(family):
    made, found = axes("y ~ x * a + (1 + x | g)", family)
    curves = curves_of(made.draws, made.design, found["x"])
    at = {"a": ("mid",), "x": found["x"].points[3:4]}
    (effect,) = answer(
        made.draws, made.design, Question(at=at, marginal=True), EffectScale.RESPONSE, Groups.OWN, None, 0.95
    )
    (one,) = curves.each[found["x"].held.index("mid")][3]
    assert (one.mean, *one.bounds(0.95)) == (effect.mean, effect.lower, effect.upper)
    assert effect.at == {"a": "mid", "x": f"{found['x'].points[3]:.10g}"}


def test_points_span_the_column_and_levels_are_its_own():
    _, found = axes("y ~ x * a + (1 | g)")
    points = found["x"].points
    assert (len(points), points[0], points[-1]) == (MOST_POINTS, X.min(), X.max())
    assert (found["x"].beside, found["x"].held) == ("a", tuple(sorted(LEVELS)))
    assert (found["a"].points, found["a"].beside) == (tuple(sorted(LEVELS)), None)


def test_a_number_beside_a_number_is_held_around_its_mean():
    z = np.random.default_rng(2).normal(100, 10, len(X))
    table = rows("gaussian")
    made = model("y ~ x * z + (1 | g)", table=replace(table, numbers={**table.numbers, "z": z}))
    (axis,) = axes_of(made.draws, made.design, ["x"])
    wanted = [z.mean() + step * z.std(ddof=1) for step in (-1, 0, 1)]
    assert axis.beside == "z" and axis.held == pytest.approx(wanted, abs=0.05)  # three digits of the sd


@pytest.mark.parametrize(("family", "n_points"), [("poisson", LEAST_POINTS), ("gaussian", MOST_POINTS)])
def test_much_work_takes_fewer_points(family, n_points, monkeypatch):
    monkeypatch.setattr("hierfit.posterior.effects.curves.WORK", 1.0)
    _, found = axes("y ~ x + (1 | g)", family)
    assert len(found["x"].points) == n_points


def test_a_column_of_few_values_keeps_them():
    made = model("y ~ x")
    few = np.round(X).astype(float)
    design = made.design.inputs.numbers
    design["x"][:] = few
    points = axes_of(made.draws, made.design, ["x"])[0].points
    assert points == tuple(np.unique(few)) and len(points) <= FEW_VALUES


def test_the_strongest_are_kept_in_their_order():
    made = model("y ~ x + a + (1 | g)")
    values = made.draws.values
    for at, parameter in enumerate(made.draws.parameters):
        if parameter.name.startswith("a["):
            values[:, :, at] = 1e-6
        if parameter.name == "x":
            values[:, :, at] = 2.0
    assert strongest(made.draws, made.design, ("x", "a"), 1) == ["x"]
    assert strongest(made.draws, made.design, ("x", "a"), 2) == ["x", "a"]
