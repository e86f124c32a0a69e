"""Densities of levels by the kernel against the same in numpy, both with more nodes than they need."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.distributional import PredictorColumns
from hierfit.engines.latent import levels as module
from hierfit.engines.latent.levels import kernel_levels
from hierfit.model.families import FAMILIES
from hierfit.model.spec import Kind, Parameter, coefficient_name
from hierfit.posterior.compare.parts import leave_levels_out
from hierfit.posterior.compare.quadrature import hermite, levels_of, nodes_for
from hierfit.posterior.log_likelihood import LogLikelihood
from tests.engines.latent.kernels import library
from tests.posterior.compare.cases import nested_case, shuffled
from tests.posterior.family_draws import family_case

pytestmark = pytest.mark.stan

FAMILY = ["bernoulli", "binomial", "poisson", "negbinomial", "cumulative", "gamma", "beta", "student",
          "zero_inflated_poisson", "hurdle_negbinomial", "beta_binomial"]  # fmt: skip


def plain(family, **how):
    library(family)
    return shuffled_trials(family_case(family, **({"levels": (8,), "rows": 6, "n_draws": 25} | how)))


def shuffled_trials(case):
    """The same, its rows in another order; `shuffled` leaves trials where they are."""
    order = np.random.default_rng(8).permutation(case.design.n_rows)
    moved = shuffled(case)
    trials = None if case.design.trials is None else case.design.trials[order]
    return replace(moved, design=replace(moved.design, trials=trials))


def weighted():
    case = plain("bernoulli")
    return replace(case, design=replace(case.design, weights=0.5 + np.arange(case.design.n_rows) % 3))


def shape_predicted():
    case = plain("negbinomial", slope=False)
    own = PredictorColumns("shape", ("Intercept", "ses"), np.column_stack([np.ones(case.design.n_rows), case.design.X]))
    names = [coefficient_name("shape", name) for name in own.coefficients]
    rng = np.random.default_rng(2)
    drawn = rng.normal([1.0, 0.4], 0.1, (*case.draws.values.shape[:2], 2))
    kept = [at for at, each in enumerate(case.draws.parameters) if each.name != "shape"]
    parameters = [case.draws.parameters[at] for at in kept] + [Parameter(name, Kind.DISTRIBUTIONAL) for name in names]
    draws = replace(
        case.draws,
        parameters=tuple(parameters),
        values=np.concatenate([case.draws.values[..., kept], drawn], axis=2),
    )
    return replace(case, draws=draws, design=replace(case.design, distributional=(own,)))


def far_column():
    """A slope of a column whose mean is far from 0."""
    case = plain("poisson")
    (group,) = case.design.groups
    return replace(case, design=replace(case.design, groups=(replace(group, Z=group.Z + np.array([0.0, 3.0])),)))


CASES = {
    **{family: lambda family=family: plain(family) for family in FAMILY},
    "one column": lambda: plain("bernoulli", slope=False),
    "crossed": lambda: plain("poisson", levels=(8, 5)),
    "three factors": lambda: plain("bernoulli", levels=(8, 5, 4)),
    "probit": lambda: plain("bernoulli", link="probit"),
    "weighted": weighted,
    "shape ~ ses": shape_predicted,
    "far column": far_column,
}


@pytest.mark.parametrize("name", CASES)
def test_kernel_and_numpy_agree(name):
    """To 1e-6: both rules have converged to that, and modes need not be found to any digits."""
    case = CASES[name]()
    likelihood, group = LogLikelihood(case.draws, case.design), case.design.groups[0]
    picks = np.array([0, 31, 60, 99])
    ours, theirs = kernel_levels(likelihood, group), levels_of(likelihood, group)
    fine = hermite(39, len(group.terms))
    wanted = np.arange(group.n_levels)
    found = [
        np.concatenate([own.density(rows, fine, picks) for rows in own.batches(wanted, 500)], axis=1)
        for own in (ours, theirs)
    ]
    assert found[0].shape == (4, group.n_levels)
    np.testing.assert_allclose(*found, atol=1e-6, rtol=0)
    # and what nodes are taken to be enough is within what was asked for
    nodes, error = nodes_for(ours)
    assert error < 0.005
    np.testing.assert_allclose(ours.density(np.arange(case.design.n_rows), nodes, picks), found[1], atol=0.005)


def test_three_columns_which_numpy_refuses():
    """The sum over the levels of one effect less is the same where the sd of the third is 0."""
    case = plain("bernoulli")
    (group,) = case.design.groups
    names = [each.name for each in case.draws.parameters]
    third = replace(case.draws.parameters[names.index("sd(school: ses)")], name="sd(school: more)")
    draws = replace(
        case.draws,
        parameters=(*case.draws.parameters, third),
        values=np.concatenate([case.draws.values, np.zeros((*case.draws.values.shape[:2], 1))], axis=2),
    )
    wider = replace(group, terms=(*group.terms, "more"), Z=np.column_stack([group.Z, np.arange(len(group.Z)) % 3.0]))
    design = replace(case.design, groups=(wider,))
    found = leave_levels_out(LogLikelihood(draws, design), wider, 0.7, integrator=kernel_levels)
    two = leave_levels_out(LogLikelihood(case.draws, case.design), group, 0.7)
    np.testing.assert_allclose(found.elpd, two.elpd, atol=0.02)


def test_levels_within_a_level_are_left_out_together():
    case = shuffled(nested_case())
    school, item = case.design.groups
    library("bernoulli")
    y = (case.design.y > np.median(case.design.y)).astype(float)
    design = replace(case.design, y=y, family="bernoulli", link="logit", groups=(item,), distributional=())
    likelihood = LogLikelihood(case.draws, design)
    assert kernel_levels(likelihood, item) is not None
    ours = leave_levels_out(likelihood, school, 0.7, integrator=kernel_levels)
    theirs = leave_levels_out(likelihood, school, 0.7)
    np.testing.assert_allclose(ours.elpd, theirs.elpd, atol=0.01)
    np.testing.assert_allclose(ours.p, theirs.p, atol=0.01)


def test_a_kernel_is_compiled_where_that_saves_time(monkeypatch):
    case = plain("bernoulli")
    likelihood, group = LogLikelihood(case.draws, case.design), case.design.groups[0]
    built = []
    monkeypatch.setattr(module, "find_library", lambda family: None)
    monkeypatch.setattr(module, "find_compiler", lambda: ("g++",))
    monkeypatch.setattr(module, "build_library", lambda family: built.append(family) or library(family))
    assert kernel_levels(likelihood, group) is None and built == []
    monkeypatch.setattr(module, "MUCH", 4_000)
    assert kernel_levels(likelihood, group) is not None and built == ["bernoulli"]
    monkeypatch.setattr(module, "find_compiler", tuple)
    assert kernel_levels(likelihood, group) is None and built == ["bernoulli"]


def test_what_is_not_for_the_kernel():
    case = plain("student")
    group = case.design.groups[0]
    for changes in (
        {"precision": np.ones(case.design.n_rows)},
        {"family": "gaussian"},
        {"groups": (replace(group, parameters=(None, "sigma")),)},
    ):
        design = replace(case.design, **changes)
        assert kernel_levels(LogLikelihood(case.draws, design), design.groups[0]) is None
    assert FAMILIES["student"].auxiliaries
