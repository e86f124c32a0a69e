"""Rows averaged before draws come in give what averages under every draw do."""

import numpy as np
import pytest

from hierfit.design.moved_rows import Added, Held, rows_moved
from hierfit.model.roles import Roles
from hierfit.posterior.effects import averages
from hierfit.posterior.effects.averages import averaging
from hierfit.posterior.effects.questions import Groups
from hierfit.posterior.predict.quantities import Asked, Scale

from .test_answer import model, rows

RESPONSE, LINK = Asked(), Asked(Scale.LINK)
POINTS = [{}, {"x": Added(0.5)}, {"x": Held(-1.0), "a": Held("mid")}, {"a": Held("high")}]


def both(made, asked, groups, monkeypatch):
    """Averages over all rows and over some, on the short road and on the long one."""
    rng = np.random.default_rng(1)
    weights = np.stack([np.full(made.design.n_rows, 1 / made.design.n_rows), rng.uniform(size=made.design.n_rows)])
    how = averaging(made.draws, made.design, asked, groups)
    monkeypatch.setattr(averages, "BLOCK", 64)
    short = averages.averages(how, POINTS, weights)
    assert how.is_linear
    monkeypatch.setattr(averages, "MOST_SUMS", -1)
    return short, averages.averages(how, POINTS, weights)


@pytest.mark.parametrize("groups", Groups)
@pytest.mark.parametrize(
    ("text", "family", "asked"),
    [
        ("y ~ x * a + (1 + x | g)", "gaussian", RESPONSE),
        ("y ~ 0 + poly(x, 2) + a + (1 + x || g)", "gaussian", RESPONSE),
        ("y ~ x + a; sigma ~ x + (1 | g)", "gaussian", RESPONSE),
        ("y ~ x + a + (0 + x | g); sigma ~ x", "student", RESPONSE),
        ("y ~ x * a + (1 | g)", "poisson", LINK),
        ("y ~ x * a + offset(x) + (1 + x | g)", "bernoulli", LINK),
    ],
)
def test_both_roads_agree(text, family, asked, groups, monkeypatch):
    made = model(text, family, rows("gaussian" if family == "student" else family))
    short, long = both(made, asked, groups, monkeypatch)
    np.testing.assert_allclose(short, long, rtol=1e-11, atol=1e-11)  # rounding of 90 added rows
    assert np.ptp(short[:, 0]) > 1e-3


@pytest.mark.parametrize("family", ["bernoulli", "poisson"])
def test_what_bends_is_not_taken_for_linear(family):
    made = model("y ~ x + (1 | g)", family)
    assert not averaging(made.draws, made.design, RESPONSE, Groups.OWN).is_linear


def test_sigma_is_not_the_mean():
    made = model("y ~ x; sigma ~ x")
    assert not averaging(made.draws, made.design, Asked(parameter="sigma"), Groups.OWN).is_linear
    assert averaging(made.draws, made.design, Asked(parameter="mu"), Groups.OWN).is_linear


def test_offsets_of_rows_are_added(monkeypatch):
    made = model("y ~ x + a + (1 | g)", "poisson", roles=Roles(offset="x"))
    short, long = both(made, LINK, Groups.OWN, monkeypatch)
    np.testing.assert_allclose(short, long, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("text", ["y ~ x * a + (1 | g)", "y ~ x * a + (1 + x | g)"])
@pytest.mark.parametrize("family", ["bernoulli", "poisson"])
def test_what_groups_add_may_be_worked_out_once(text, family):
    made = model(text, family)
    how = averaging(made.draws, made.design, RESPONSE, Groups.OWN)
    each = [rows_moved(made.design, slice(0, 40), point) for point in POINTS]
    found = how.of_each(each)
    for own, alone in zip(found, each, strict=True):
        np.testing.assert_array_equal(own, np.stack(how.of(alone)))
    assert np.ptp(np.stack(found)[:, 0, 0, 0]) > 0


def test_effects_of_groups_on_other_parameters_stay(monkeypatch):
    made = model("y ~ x; shape ~ x + (1 | g)", "negbinomial", rows("poisson"))
    how = averaging(made.draws, made.design, Asked(parameter="shape"), Groups.OWN)
    each = [rows_moved(made.design, slice(0, 40), point) for point in POINTS]
    for own, alone in zip(how.of_each(each), each, strict=True):
        np.testing.assert_array_equal(own, np.stack(how.of(alone)))
