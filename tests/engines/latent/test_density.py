"""The density of the real numbers against likelihood, priors and slopes in numpy, and its way to the posterior.

Both sides are of a log density of about -100; differences of order 4 for the slopes, and integration, leave less than
1e-7.
"""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.latent import posterior as module
from hierfit.engines.latent.density import MOST_NODES, NODE_ERROR, CoarseError, find_mode
from hierfit.engines.latent.kernel import LatentRows
from hierfit.engines.latent.posterior import find_posterior
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from hierfit.model.links import LINKS
from hierfit.model.spec import ModelSpec
from tests.engines.latent.kernels import CASES, case_of
from tests.engines.latent.models import density_of, model, near_posterior, numpy_density, points_of
from tests.family_cases import FamilyCase
from tests.model.cases import table

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]
INTERCEPTS, SLOPES = "y ~ a + b + (1 | g)", "y ~ a + b + (1 + b | g)"
PRIORS = [
    ("poisson", SLOPES, ("sd(g) ~ exponential(2)", "sd(g: b) ~ gamma(2, 1)", "cor(g) ~ lkj(3)", "a ~ cauchy(0, 1)")),
    ("poisson", SLOPES, ("sd(g) ~ uniform(0, 9)", "sd(g: b) ~ constant(0.7)", "a ~ laplace(0, 1)")),
    ("bernoulli", INTERCEPTS, ("Intercept ~ constant(1)", "a ~ uniform(-3, 4)", "b ~ logistic(0, 2)")),
    ("bernoulli", INTERCEPTS, ("Intercept ~ flat()", "a ~ student_t(4, 0, 1)", "sd(g) ~ lognormal(0, 1)")),
    ("binomial", "y ~ a + (1 + b || g)", ("sd(g) ~ inv_gamma(2, 1)", "Intercept ~ student_t(4, 0, 3)")),
    ("negbinomial", INTERCEPTS, ("shape ~ uniform(0, 40)", "sd(g) ~ constant(0.4)")),
    ("negbinomial", INTERCEPTS, ("shape ~ constant(3)", "sd(g) ~ normal(0.2, 1)")),
    ("zero_inflated_poisson", INTERCEPTS, ("zi ~ uniform(0.1, 0.8)", "sd(g) ~ cauchy(0, 1)")),
    ("hurdle_poisson", INTERCEPTS, ("hu ~ normal(0, 0.5)", "b ~ normal(1, 2)")),
    ("student", INTERCEPTS, ("nu ~ uniform(2, 30)", "sigma ~ lognormal(0, 1)", "Intercept ~ normal(15, 6)")),
    ("student", INTERCEPTS, ("sigma ~ exponential(1)", "nu ~ constant(4)")),
    ("cumulative", SLOPES, ("threshold ~ student_t(5, 1, 2)", "a ~ constant(0.3)")),
    ("gamma", "y ~ a + (0 + b | g)", ("shape ~ gamma(2, 1)", "sd(g: b) ~ uniform(0.01, 20)")),
    ("poisson", "y ~ a + (1 + a + b | g)", ("cor(g) ~ lkj(2)",)),
]
PREDICTED = [
    (name, own.name) for name, family in FAMILIES.items() if not family.collapsible for own in family.auxiliaries
]


def apart(case: FamilyCase | str, text: str, *priors: str, nodes: int = 61, **how: bool) -> None:
    """Compare densities at points."""
    spec, design = model(case, text, *priors, **how)
    density = density_of(spec, design, nodes)
    real = points_of(density, 3 if nodes > 15 else 2)
    expected = numpy_density(spec, design, density, real)
    assert np.ptp(expected) > 0.5, "the points must differ for the comparison to say anything"
    assert np.ptp(density(real) - expected) < 1e-6


@pytest.mark.parametrize("further", [False, True], ids=["", "offset and weights, at 0"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_family_and_link(case: FamilyCase, further: bool) -> None:
    apart(case, INTERCEPTS, *case.priors, further=further, centered=not further)


@pytest.mark.parametrize("centered", [True, False], ids=["", "no center"])
@pytest.mark.parametrize(("family", "text", "priors"), PRIORS)
def test_priors_of_all_kinds(family: str, text: str, priors: tuple[str, ...], centered: bool) -> None:
    varying = text.partition("(")[2].count("+")
    apart(family, text, *priors, centered=centered, nodes={0: 61, 1: 41, 2: 15}[varying])


@pytest.mark.parametrize("centered", [True, False], ids=["", "no center"])
@pytest.mark.parametrize("right", ["1 + a", "0 + h"])
@pytest.mark.parametrize(("family", "parameter"), PREDICTED)
def test_predictors_of_auxiliaries(family: str, parameter: str, right: str, centered: bool) -> None:
    others = "".join(f"; {other} ~ b" for name, other in PREDICTED if name == family and other != parameter)
    bounded = f"{parameter}_{right.split()[-1]}{'[h1]' * (right == '0 + h')} ~ uniform(-0.9, 0.8)"
    apart(family, f"{INTERCEPTS}; {parameter} ~ {right}{others}", bounded, centered=centered)


@pytest.mark.parametrize("centered", [True, False], ids=["", "no center"])
@pytest.mark.parametrize(
    ("family", "text", "priors"),
    [
        *PRIORS,
        *(
            (case.family, f"{SLOPES}{rest}", ())
            for case, rest in (
                (case_of("negbinomial"), "; shape ~ a"),
                (case_of("student"), "; sigma ~ a; nu ~ b"),
                (case_of("hurdle_negbinomial"), "; hu ~ a"),
            )
        ),
    ],
)
def test_slopes_are_those_of_the_density(family: str, text: str, priors: tuple[str, ...], centered: bool) -> None:
    """Of central differences of a log density, 1e-4 apart, eight digits are left."""
    spec, design = model(family, text, *priors, centered=centered)
    density = density_of(spec, design, 41 if text.count("a + b |") == 0 else 11)
    real = points_of(density, 3)
    d, step = real.shape[1], 1e-4
    values, slopes, _ = density.slopes(real)
    np.testing.assert_allclose(values, density(real), rtol=1e-12)
    steps = step * np.concatenate([np.eye(d), -np.eye(d)])
    forth, back = np.split(density((real[:, np.newaxis] + steps).reshape(-1, d)).reshape(len(real), 2 * d), 2, axis=1)
    tolerance = 1e-5 if text.count("a + b |") == 0 else 2e-3  # of few nodes
    np.testing.assert_allclose(slopes, (forth - back) / (2 * step), rtol=tolerance, atol=tolerance)


def test_no_density_beyond_the_range_of_a_prior() -> None:
    spec, design = model("bernoulli", INTERCEPTS, "a ~ uniform(-1, 1)", "sd(g) ~ uniform(0.2, 2)")
    density = density_of(spec, design)
    inside = density.parameters.start
    for at in (1, len(inside) - 1):
        beyond = inside.copy()
        beyond[at] = density.parameters.bounds[at, 1] + 1e-6
        found = density(np.stack([inside, beyond]))
        assert np.isfinite(found[0]) and found[1] == -np.inf


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_mode_is_one(case: FamilyCase) -> None:
    spec, design = model(case, INTERCEPTS, *case.priors)
    density = density_of(spec, design)
    mode, precision = find_mode(density, density.parameters.start)
    steps = 0.3 * np.linalg.cholesky(np.linalg.inv(precision)).T
    lower, upper = density.parameters.bounds.T
    around = np.clip(np.concatenate([mode + steps, mode - steps]), lower, upper)
    assert (density(around) < density(mode[np.newaxis]) + 1e-3).all()  # flat where an sd is 0


def test_nodes_are_raised_until_they_are_enough() -> None:
    """Rare events in small levels: the posterior has large sds, where few nodes do not do."""
    spec, design = model("bernoulli", INTERCEPTS, "sd(g) ~ normal(0, 20)")
    rare = replace(design, y=(np.arange(design.n_rows) < 2).astype(float))
    found = near_posterior(spec, rare, seed=1)
    assert found.node_error < NODE_ERROR or found.density.kernel.n_nodes == MOST_NODES[1]
    assert found.density.kernel.n_nodes > module.FIRST_NODES[1]


def far_apart(link: str, rows: int, sd: float) -> tuple[ModelSpec, Design]:
    """Yes or no of 300 levels of so many rows, whose effects have that sd."""
    rng, levels = np.random.default_rng(7), 300
    source, formula = table(levels * rows, levels), parse_formula("y ~ a + (1 | g)")
    p = LINKS[link].inverse(sd * rng.normal(size=levels)[np.arange(levels * rows) % levels])
    made = replace(source, numbers={**source.numbers, "y": (rng.random(len(p)) < p).astype(float)})
    design = replace(build_design(formula, made, family="bernoulli"), link=link)
    return build_spec(formula, design, ()), design


@pytest.mark.parametrize(("link", "sd"), [("logit", 5.0), ("cloglog", 4.0)])
def test_the_error_that_is_told_is_what_is_left(link: str, sd: float) -> None:
    """Against 161 nodes, at points of the posterior; twice as many nodes and one would tell it to a tenth."""
    rng, (spec, design) = np.random.default_rng(1), far_apart(link, 5, sd)
    found = near_posterior(spec, design, seed=1)
    points = found.pilot.points[rng.choice(len(found.pilot.weights), 100, p=found.pilot.weights)]
    given, used = found.values(points).points, found.density.kernel
    left = float(np.std(used.log_density(given) - used.with_nodes(161).log_density(given)))
    assert left < 2 * found.node_error + 0.005


def test_a_density_that_no_number_of_nodes_makes_exact_is_refused() -> None:
    """One row a level says so little of the sd that quadrature's error at large ones makes a mode of its own."""
    with pytest.raises(CoarseError, match="nodes of quadrature leave an error of"):
        find_posterior(*far_apart("logit", 1, 3.0), seed=1)


def test_a_tenth_of_the_levels_has_their_rows() -> None:
    n, sizes = 120, np.arange(25) % 7
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    n = int(start[-1])
    rows = LatentRows(
        "poisson",
        0,
        start,
        np.arange(n) * 1.0,
        np.zeros(n),
        np.ones((2, n)),
        np.ones((1, n)),
        weights=np.arange(n) + 0.5,
    )
    few = module._tenth(rows)
    expected = np.concatenate([np.arange(start[j], start[j + 1]) for j in (0, 10, 20)])
    np.testing.assert_array_equal(few.y, expected)
    np.testing.assert_array_equal(few.weights, expected + 0.5)
    np.testing.assert_array_equal(np.diff(few.start), sizes[[0, 10, 20]])
    assert few.X.shape == (2, len(expected)) and few.trials.size == 0


def test_counts_in_millions_are_known_to_many_digits() -> None:
    """Coefficients have sds of 1e-5 where the sd of a factor is hardly known: one scale does not fit both."""
    _, design = model("poisson", INTERCEPTS)
    x = (design.X - design.X.mean(axis=0)) / design.X.std(axis=0)
    eta = np.log(3e7) + x @ np.array([0.2, -0.1])
    design = replace(design, y=np.random.default_rng(1).poisson(np.exp(eta)).astype(np.float64))
    found = near_posterior(build_spec(parse_formula(INTERCEPTS), design, ()), design, seed=1)
    assert found.pilot.efficiency > 0.6
    points = found.proposal.draw(4000, np.random.default_rng(2))
    slopes = found.density.parameters.values(points).points.b[:, 1:] * (design.X.std(axis=0) / design.x_scale)
    # A regression without groups has sds of 1 / sqrt(40 x 3e7) = 2.9e-5 or more; columns are correlated but little.
    assert slopes.mean(axis=0) == pytest.approx([0.2, -0.1], abs=3e-4)
    assert (slopes.std(axis=0) < 1e-4).all()
