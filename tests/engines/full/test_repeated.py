from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.engines.full.repeated import repeated_rows, sampled_family
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from hierfit.model.roles import Roles
from tests.model.cases import crossed_table


def made(family: str, formula: str = "y ~ x + (1 + x | g)", rows: int = 200) -> Design:
    """Counts of 8 levels of g and 3 values of x: 24 distinct rows."""
    rng, source = np.random.default_rng(5), crossed_table(rows)
    y = rng.integers(0, 2 if family == "bernoulli" else 5, rows)
    numbers = {"y": y, "n": y + rng.integers(1, 4, rows), "x": np.arange(rows) % 3 - 0.3}
    source = replace(source, numbers={name: column.astype(np.float64) for name, column in numbers.items()})
    roles = Roles(trials="n") if family == "binomial" else Roles()
    return build_design(parse_formula(formula), source, family=family, roles=roles)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("family", ["bernoulli", "binomial", "poisson"])
def test_the_likelihood_differs_by_a_constant(family: str, offset: bool, weighted: bool) -> None:
    design = made(family)
    levels = design.groups[0].codes
    design = replace(design, offset=levels / 5.0 if offset else None, weights=1.0 + levels % 2 if weighted else None)
    found = repeated_rows(design)
    assert found is not None and len(found.first) == 24
    rng = np.random.default_rng(1)
    differences, densities = [], []
    for _ in range(5):
        b, u = rng.normal(size=2), rng.normal(size=(8, 2))
        eta = b[0] + design.X[:, 0] * b[1] + np.sum(design.groups[0].Z * u[levels], axis=1)
        eta = eta + (design.offset if design.offset is not None else 0.0)
        weights = np.ones(design.n_rows) if design.weights is None else design.weights
        trials = np.ones(design.n_rows) if design.trials is None else design.trials
        mean = FAMILIES[family].mean(eta, design.link, {})
        one = weights @ FAMILIES[family].log_density(design.y, mean, {}, trials)
        some = eta[found.first] + (np.log(found.counts) if family == "poisson" else 0.0)
        as_family = FAMILIES[sampled_family(design, found)]
        sums = np.ones(24) if found.trials is None else found.trials
        density = as_family.log_density(found.y, as_family.mean(some, design.link, {}), {}, sums)
        differences.append(one - weights[found.first] @ density)
        densities.append(one)
    assert np.ptp(densities) > 1, "the densities must differ for the comparison to say anything"
    assert np.ptp(differences) < 1e-8


def test_bernoulli_and_binomial_have_the_same_links() -> None:
    assert FAMILIES["bernoulli"].links == FAMILIES["binomial"].links


def test_rows_that_differ_in_anything_stay_apart() -> None:
    design = made("poisson")
    for changed in (
        replace(design, X=design.X + np.arange(200)[:, np.newaxis]),
        replace(design, offset=np.arange(200.0)),
        replace(design, weights=np.arange(1.0, 201)),
        replace(design, groups=(replace(design.groups[0], Z=design.groups[0].Z + np.arange(200)[:, np.newaxis]),)),
    ):
        assert repeated_rows(changed) is None and sampled_family(changed, None) == "poisson"


def test_not_unless_it_halves_the_rows() -> None:
    assert repeated_rows(made("poisson", rows=48)) is not None
    assert repeated_rows(made("poisson", rows=47)) is None


@pytest.mark.parametrize("family", ["negbinomial", "gaussian"])
def test_families_without_sums_are_left_alone(family: str) -> None:
    assert repeated_rows(made(family)) is None and sampled_family(made(family), None) == family
