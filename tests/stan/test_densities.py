"""Every Stan program against the posterior density written out in numpy, at the sampler's own draws.

The density is evaluated row by row with dense matrices and scipy's distributions, or those of `model.families`, which
have a test of their own; lp__ may differ from it by a constant only. The tolerance is that of draws written with ten
digits: their rounding moves a log density of a few hundred by less than 1e-5.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from hierfit.design.building import build_design
from hierfit.design.design import Design, Group
from hierfit.design.distributional import PredictorColumns, evaluate_predictor, predictor_columns
from hierfit.design.origin import predictor_center, x_center, z_center
from hierfit.design.prior_choice import build_spec
from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.engines.correlations import cholesky_from_partials
from hierfit.engines.engine import Engine
from hierfit.engines.full.centering import Centering, by_column, column_sizes, place_coefficients
from hierfit.engines.full.engine import FULL
from hierfit.engines.full.nesting import nest
from hierfit.engines.full.sweeping import sweep
from hierfit.model.families import FAMILIES, SIGMA, THRESHOLD
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.formula_text import parse_predictor
from hierfit.model.priors import HORSESHOE, HORSESHOE_SCALE, Prior
from hierfit.model.spec import ModelSpec, coefficient_name, sd_name, threshold_name
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.executable import build_executable
from hierfit.stan.sampler import sample
from hierfit.stan.toolchain import bundled_toolchain
from tests.family_cases import FAMILY_CASES, FORMULA, FamilyCase, family_design
from tests.model.cases import crossed_table, nested_table, repeated

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]

INTERCEPT = Formula("y", ("a",), (GroupTerm("g"),))
SLOPES = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a", "b")),))
UNCORRELATED = Formula("y", ("a",), (GroupTerm("g", True, ("a",), False),))
NO_INTERCEPT = Formula("y", ("a",), (GroupTerm("g", False, ("a",)),))
CROSSED = Formula("y", ("a",), (GroupTerm("g", True, ("a",)), GroupTerm("h", True, ("b",))))
PLAIN = Formula("y", ("a", "b"))
CASES = [
    (INTERCEPT, (), True),
    (INTERCEPT, ("sd(g) ~ constant(2)", "a ~ laplace(1, 2)", "sigma ~ gamma(2, 1)"), False),
    (INTERCEPT, ("Intercept ~ constant(25)", "a ~ uniform(-1, 9)", "sigma ~ lognormal(0, 1)"), True),
    (SLOPES, ("cor(g) ~ lkj(2.5)", "sd(g: a) ~ uniform(0, 20)", "b ~ cauchy(0, 3)"), True),
    (UNCORRELATED, ("sd(g) ~ inv_gamma(2, 3)", "sd(g: a) ~ normal(1, 2)", "Intercept ~ student_t(4, 20, 9)"), True),
    (SLOPES, ("cor(g) ~ lkj(2.5)", "sd(g) ~ gamma(2, 0.1)", "Intercept ~ student_t(4, 20, 9)"), False),
    (SLOPES, ("sd(g) ~ constant(3)", "cor(g) ~ lkj(2)"), False),
    (SLOPES, ("sd(g) ~ uniform(0, 30)", "Intercept ~ uniform(-90, 90)"), False),
    (NO_INTERCEPT, ("Intercept ~ flat()", "sd(g: a) ~ exponential(0.5)", "sigma ~ uniform(0, 10)"), False),
]
SLOPES_CROSSED = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a",)), GroupTerm("h", True, ("a", "b"))))
SIDE_BY_SIDE = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a",), False), GroupTerm("h", True, ("a", "b"), False)))
FULL_ONLY = [
    (CROSSED, ("cor(h) ~ lkj(3)",), True),
    (PLAIN, (), True),
    (SLOPES_CROSSED, ("Intercept ~ student_t(4, 20, 9)", "a ~ normal(1, 8)"), True),
    (SLOPES_CROSSED, ("Intercept ~ constant(20)",), False),
    (SLOPES_CROSSED, ("cor(h) ~ lkj(3)", "sd(g) ~ exponential(0.1)"), False),
    (SIDE_BY_SIDE, ("b ~ uniform(-9, 9)", "Intercept ~ normal(15, 6)"), True),
]
ALL = [(*case, engine) for case in CASES for engine in (FULL, COLLAPSED)] + [(*case, FULL) for case in FULL_ONLY]


@pytest.mark.parametrize(("formula", "priors", "centered", "engine"), ALL, ids=str)
def test_lp_is_the_density_up_to_a_constant(
    formula: Formula, priors: tuple[str, ...], centered: bool, engine: Engine
) -> None:
    design = build_design(formula, crossed_table(), centered=centered)
    spec = build_spec(formula, design, priors)
    sampling = run(spec, design, engine)
    expected = [log_density(state, spec, design, engine) for state in states(sampling, spec, design)]
    difference = sampling.stats["lp"].ravel() - np.array(expected)
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(difference) < 1e-5


# Which of the varying columns are centred, column by column.
CENTRED = ["00000", "11111", "10101", "01010", "01100", "10011"]


@pytest.mark.parametrize("centred", CENTRED)
@pytest.mark.parametrize("formula", [CROSSED, SLOPES_CROSSED, SIDE_BY_SIDE], ids=str)
def test_lp_is_the_density_where_means_are_swept_out(formula: Formula, centred: str) -> None:
    design = build_design(formula, crossed_table())
    spec = build_spec(formula, design, ("Intercept ~ normal(15, 6)", "b ~ student_t(4, 1, 9)"))
    narrowed = narrowed_where(centred, design)
    assert sweep(spec, design, place_coefficients(spec, design, narrowed)).swept.any()
    sampling = run(spec, design, FULL, narrowed)
    expected = [log_density(state, spec, design, FULL) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


@pytest.mark.parametrize("further", [False, True], ids=["", "offset and weights"])
@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_lp_is_the_density_of_every_family_and_link(case: FamilyCase, further: bool) -> None:
    design = family_design(case, further=further, centered=not further)
    spec = build_spec(FORMULA, design, case.priors)
    sampling = run(spec, design, FULL)
    expected = [family_log_density(state, spec, design) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


ONE_OF_EACH = [case for case in FAMILY_CASES if case.link == FAMILIES[case.family].link]


@pytest.mark.parametrize("formula", [PLAIN, Formula("y", ()), Formula("y", ("a",), intercept=False)], ids=str)
@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_lp_is_the_density_of_every_family_without_groups(case: FamilyCase, formula: Formula) -> None:
    design = family_design(case, formula=formula)
    design = replace(design, intercept=design.intercept and formula.intercept)
    spec = build_spec(formula, design, case.priors)
    sampling = run(spec, design, FULL)
    expected = [family_log_density(state, spec, design) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 0.1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


@pytest.mark.parametrize("centred", ["000", "111", "101", "010"])
def test_lp_is_the_density_where_thresholds_take_means_up(centred: str) -> None:
    case = next(case for case in FAMILY_CASES if FAMILIES[case.family].has_thresholds)
    design = family_design(case)
    spec = build_spec(FORMULA, design, ("threshold ~ student_t(5, 1, 2)",))
    narrowed = narrowed_where(centred, design)
    assert sweep(spec, design, place_coefficients(spec, design, narrowed)).Z_in_thresholds.any()
    sampling = run(spec, design, FULL, narrowed)
    expected = [family_log_density(state, spec, design) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


CHAIN = Formula("y", ("a",), (GroupTerm("r"), GroupTerm("g"), GroupTerm("h")))
CHAIN_OF_SLOPES = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a",)), GroupTerm("h", True, ("b",)), GroupTerm("r")))


@pytest.mark.parametrize("centered", [True, False], ids=["", "no center"])
@pytest.mark.parametrize("seen", ["none", "all", "some", "inner"])
@pytest.mark.parametrize("formula", [CHAIN, CHAIN_OF_SLOPES], ids=str)
def test_lp_is_the_density_of_nested_factors(formula: Formula, seen: str, centered: bool) -> None:
    design = build_design(formula, nested_table(), centered=centered)
    spec = build_spec(formula, design, ("a ~ student_t(4, 1, 9)", "Intercept ~ normal(15, 6)"))
    narrowed = narrowed_in(seen, spec, design)
    mixed = [0 < (column < 1).mean() < 1 for column in by_column(narrowed, design)]
    assert np.sum(mixed) == (2 if seen in ("some", "inner") else 0)
    sampling = run(spec, design, FULL, narrowed)
    expected = [log_density(state, spec, design, FULL) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


@pytest.mark.parametrize("seen", ["none", "all", "some"])
def test_lp_is_the_density_of_nested_factors_with_thresholds(seen: str) -> None:
    made = family_design(next(case for case in FAMILY_CASES if FAMILIES[case.family].has_thresholds))
    g, h = made.groups
    h = replace(h, codes=g.codes // 2, labels=h.labels[:4])
    design = replace(made, groups=(g, h))
    spec = build_spec(FORMULA, design, ("threshold ~ student_t(5, 1, 2)",))
    sampling = run(spec, design, FULL, narrowed_in(seen, spec, design))
    expected = [family_log_density(state, spec, design) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


def test_prior_only_leaves_the_outcome_of_nested_factors_out() -> None:
    design = build_design(CHAIN_OF_SLOPES, nested_table())
    spec = build_spec(CHAIN_OF_SLOPES, design, prior_only=True)
    sampling = run(spec, design, FULL)
    expected = [log_prior(state, spec, design, FULL) for state in states(sampling, spec, design)]
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


def narrowed_in(seen: str, spec: ModelSpec, design: Design) -> Array:
    """Have effects centred in no level, in all, or in some where that may be; `inner`: the same, and no outermost."""
    given = np.random.default_rng(2).uniform(0.2, 0.9, int(column_sizes(design).sum()))
    some = np.arange(len(given)) % 3 > 0
    outermost = np.repeat([group.factor == "h" for group in design.groups for _ in group.terms], column_sizes(design))
    centred = {"none": ~some & some, "all": some | ~some, "some": some, "inner": some & ~outermost}[seen]
    return place_coefficients(spec, design, np.where(centred, given, 1.0)).narrowed


def narrowed_where(centred: str, design: Design) -> Array:
    """Have the columns centred whose digit is 1, each narrowed in a way of its own."""
    columns = np.array([digit == "1" for digit in centred])[: sum(len(group.terms) for group in design.groups)]
    return np.where(columns, np.linspace(0.3, 0.8, len(columns)), 1.0)


PREDICTED = [(name, auxiliary.name) for name, family in FAMILIES.items() for auxiliary in family.auxiliaries]


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted, at 0"])
@pytest.mark.parametrize("right", ["1 + a", "1 + h", "0 + h"])
@pytest.mark.parametrize(("name", "parameter"), PREDICTED)
def test_lp_is_the_density_with_predictors_of_a_parameter(
    name: str, parameter: str, right: str, weighted: bool
) -> None:
    others = [other for other in PREDICTED if other[0] == name and other[1] != parameter]
    case = next(case for case in FAMILY_CASES if case.family == name)
    design = family_design(case, further=weighted, centered=not weighted)
    predictors = [parse_predictor(parameter, right), *(parse_predictor(other, "a") for _, other in others)]
    formula = replace(FORMULA, distributional=tuple(predictors))
    columns = [evaluate_predictor(own, formula, crossed_table(), {"h": "h0"}, FAMILIES[name]) for own in predictors]
    laid_out = map(predictor_columns, predictors, columns, [crossed_table()] * len(columns))
    design = replace(design, distributional=tuple(laid_out))
    bounded = coefficient_name(parameter, design.distributional[0].coefficients[1])
    spec = build_spec(formula, design, [f"{bounded} ~ uniform(-0.4, 0.5)"])
    sampling = run(spec, design, FULL)
    expected = [family_log_density(state, spec, design) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


@pytest.mark.parametrize("intercept", ["constant(20)", "normal(20, 3)"])
@pytest.mark.parametrize("engine", (FULL, COLLAPSED))
def test_lp_is_the_density_with_a_horseshoe(engine: Engine, intercept: str) -> None:
    formula = Formula("y", ("a", "b"), (GroupTerm("g"),))
    design = build_design(formula, crossed_table())
    spec = build_spec(formula, design, (f"Intercept ~ {intercept}",))
    shared = {name: Prior(HORSESHOE, (1.0,), "") for name in ("a", "b")}
    spec = replace(spec, priors={**spec.priors, **shared, HORSESHOE_SCALE: Prior("cauchy", (0.0, 0.3), "")})
    sampling = run(spec, design, engine)
    expected = [log_density(state, spec, design, engine) for state in states(sampling, spec, design)]
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


@pytest.mark.parametrize("name", FAMILIES)
def test_prior_only_leaves_the_outcome_of_every_family_out(name: str) -> None:
    design = family_design(next(case for case in FAMILY_CASES if case.family == name), further=True)
    spec = build_spec(FORMULA, design, prior_only=True)
    sampling = run(spec, design, FULL)
    expected = [log_prior(state, spec, design, FULL) for state in states(sampling, spec, design)]
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


def test_the_collapsed_engine_takes_an_offset() -> None:
    made = build_design(SLOPES, crossed_table())
    design = replace(made, offset=np.random.default_rng(4).normal(0, 2, made.n_rows))
    spec = build_spec(SLOPES, design)
    sampling = run(spec, design, COLLAPSED)
    expected = [log_density(state, spec, design, COLLAPSED) for state in states(sampling, spec, design)]
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


@pytest.mark.parametrize("engine", (FULL, COLLAPSED))
def test_rows_of_other_precision_have_their_own_variance(engine: Engine) -> None:
    made = build_design(SLOPES, crossed_table())
    design = replace(made, precision=np.random.default_rng(4).gamma(2, 50, made.n_rows))
    spec = build_spec(SLOPES, design)
    sampling = run(spec, design, engine)
    expected = [log_density(state, spec, design, engine) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


def test_the_collapsed_engine_counts_a_row_as_often_as_its_weight_says() -> None:
    made = build_design(UNCORRELATED, crossed_table(), centered=False)
    design = replace(made, weights=np.random.default_rng(4).integers(0, 4, made.n_rows).astype(float))
    spec, often = build_spec(SLOPES, design), repeated(design)
    sampling = run(spec, design, COLLAPSED)
    expected = [log_density(state, spec, often, COLLAPSED) for state in states(sampling, spec, design)]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


def test_prior_only_leaves_the_outcome_out() -> None:
    design = build_design(INTERCEPT, crossed_table())
    spec = build_spec(INTERCEPT, design, prior_only=True)
    for engine in (FULL, COLLAPSED):
        sampling = run(spec, design, engine)
        expected = [log_prior(state, spec, design, engine) for state in states(sampling, spec, design)]
        assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


def run(spec: ModelSpec, design: Design, engine: Engine, narrowed: Array | None = None) -> Sampling:
    executable = build_executable(engine.program(design), bundled_toolchain())
    # From near 0 and in small steps: nothing is asked of the draws but that they differ, and are not absurd.
    options = SamplerOptions(
        chains=1, warmup=0, adapt=False, inits=0.3, step_size=0.01, max_treedepth=6, draws=20, seed=3
    )
    return sample(executable, engine.data(spec, design, narrowed), options)


def states(sampling: Sampling, spec: ModelSpec, design: Design) -> list[Mapping[str, Array]]:
    draws = sampling.stats["lp"].size
    seen = {} if sampling.narrowed is None else {"narrowed": sampling.narrowed}
    found = [seen | {name: values[0, i] for name, values in sampling.variables.items()} for i in range(draws)]
    return [unswept(state, spec, design) for state in found]


def centering_of(state: Mapping[str, Array], spec: ModelSpec, design: Design) -> Centering:
    return place_coefficients(
        spec, design, state.get("narrowed", np.ones(sum(len(group.terms) for group in design.groups)))
    )


def unswept(state: Mapping[str, Array], spec: ModelSpec, design: Design) -> Mapping[str, Array]:
    """Add `u`, the effects in the units of the CSV, factor by factor; take their means out of b where it has them.

    What is swept out is told by the module, but which coefficients have it is put together by hand.
    """
    if "z" not in state:
        return state
    swept = sweep(spec, design, centering_of(state, spec, design)).swept
    b, effects, c, level = state["b"].copy(), [], 0, 0.0
    names = list(spec.coefficient_names)
    for group, (T, z) in zip(design.groups, sampled_factors({**state, "swept": swept}, spec, design), strict=True):
        u = z @ T.T
        for m, term in enumerate(group.terms):
            if swept[c + m] and term == "Intercept":
                level += u[:, m].mean()
            elif swept[c + m]:
                b[names.index(term)] -= u[:, m].mean()
                k = design.coefficients.index(term)  # its columns of X and Z may be centred differently
                level += u[:, m].mean() * (x_center(spec, design)[k] - z_center(spec, group)[m])
        effects.append(u)
        c += len(group.terms)
    if design.intercept:
        b[0] -= level
    moved = {"threshold": state["threshold"] + level} if spec.thresholds else {}
    return {**state, **moved, "b": b, "u": effects}


def log_density(state: Mapping[str, Array], spec: ModelSpec, design: Design, engine: Engine) -> float:
    """Likelihood times prior times the Jacobian of Stan's unconstraining transforms."""
    mean = population_predictor(state, spec, design)
    sigma = state["aux"][0]
    precision = np.ones(design.n_rows) if design.precision is None else design.precision
    covariance = sigma**2 * np.diag(1 / precision)
    for group, (T, z) in zip(design.groups, factors(state, spec, design), strict=True):
        if engine is FULL:
            mean = mean + np.sum((group.Z - z_center(spec, group)) * (z @ T.T)[group.codes], axis=1)
        else:
            same_level = group.codes[:, None] == group.codes
            Z = group.Z - z_center(spec, group)
            covariance += same_level * (Z @ T @ T.T @ Z.T)
    prior = log_prior(state, spec, design, engine)
    if engine is FULL:
        return float(stats.multivariate_normal(mean, covariance).logpdf(design.y)) + prior
    return log_marginal(design.y - mean, covariance, spec, design) + prior


def log_marginal(y: Array, covariance: Array, spec: ModelSpec, design: Design) -> float:
    """Log density of y, whose mean takes no account of coefficients with normal or flat priors, these integrated out.

    normal(m, s): mean X m, covariance X s^2 X'. flat: what Harville (1974) calls the restricted likelihood.
    """
    X = population_columns(design, design.x_mean)
    flat = np.empty((len(y), 0))
    for index, name in enumerate(spec.coefficient_names):
        prior = spec.priors[name]
        if prior.distribution == "normal":
            location = prior.arguments[0] - (design.intercept_origin if name == "Intercept" else 0.0)
            y = y - X[:, index] * location
            covariance = covariance + prior.arguments[1] ** 2 * np.outer(X[:, index], X[:, index])
        elif prior.distribution == "flat":
            flat = np.column_stack([flat, X[:, index]])
    weighted = np.linalg.solve(covariance, np.column_stack([flat, y]))
    precision = flat.T @ weighted[:, :-1]
    taken = flat.T @ weighted[:, -1]
    quadratic = y @ weighted[:, -1] - taken @ np.linalg.solve(precision, taken)
    return float(-0.5 * (np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(precision)[1] + quadratic))


def population_columns(design: Design, center: Array) -> Array:
    X = design.X - center
    return np.asarray(np.column_stack([*([np.ones(design.n_rows)] * design.intercept), X]))


def is_integrated(name: str, spec: ModelSpec, engine: Engine) -> bool:
    return engine is COLLAPSED and spec.priors[name].distribution in ("normal", "flat")


def population_predictor(state: Mapping[str, Array], spec: ModelSpec, design: Design) -> Array:
    own = state.get("b", np.empty(0))  # thresholds alone have none
    b = own + (np.arange(len(own)) == 0) * design.intercept_origin * design.intercept
    offset = np.zeros(design.n_rows) if design.offset is None else design.offset
    center = x_center(spec, design) if "z" in state else design.x_mean
    return np.asarray(population_columns(design, center) @ b + offset)


def family_log_density(state: Mapping[str, Array], spec: ModelSpec, design: Design) -> float:
    family = FAMILIES[design.family]
    eta = population_predictor(state, spec, design)
    for group, (T, z) in zip(design.groups, factors(state, spec, design), strict=True):
        eta = eta + np.sum((group.Z - z_center(spec, group)) * (z @ T.T)[group.codes], axis=1)
    aux = state.get("aux", np.empty(0))
    auxiliaries = {auxiliary.name: aux[[index]] for index, auxiliary in enumerate(family.auxiliaries)}
    if design.thresholds:
        auxiliaries[THRESHOLD] = state["threshold"][:, None]
    for own, b in distributional_of(state, design):
        center = predictor_center(spec, own)
        auxiliaries[own.parameter] = family.inverse_of(own.parameter, (own.X - center) @ b)
    ones = np.ones(design.n_rows)
    trials = ones if design.trials is None else design.trials
    rows = family.log_density(design.y, family.mean(eta, design.link, auxiliaries), auxiliaries, trials)
    if design.precision is not None:
        auxiliaries[SIGMA] = auxiliaries[SIGMA] / np.sqrt(design.precision)
    weights = ones if design.weights is None else design.weights
    return float(weights @ rows) + log_prior(state, spec, design, FULL)


def distributional_of(state: Mapping[str, Array], design: Design) -> list[tuple[PredictorColumns, Array]]:
    """Return what predicts each auxiliary parameter, in the order of the program, and its coefficients from 0 on."""
    found, start = [], 0
    for auxiliary in FAMILIES[design.family].auxiliaries:
        own = design.predictor(auxiliary.name)
        if own is not None:
            level = np.where(own.carries_level & (own.parameter == SIGMA), np.log(design.y_scale), 0.0)
            found.append((own, state["b_aux"][start : start + len(own.coefficients)] + level))
            start += len(own.coefficients)
    return found


def factors(state: Mapping[str, Array], spec: ModelSpec, design: Design) -> list[tuple[Array, Array]]:
    """Return, for each factor, the Cholesky factor of its covariance and its z [J, M], with mean 0 and sd 1."""
    found = sampled_factors(state, spec, design)
    if "u" in state:
        found = [(T, np.linalg.solve(T, u.T).T) for (T, _), u in zip(found, state["u"], strict=True)]
    return found


def sampled_factors(state: Mapping[str, Array], spec: ModelSpec, design: Design) -> list[tuple[Array, Array]]:
    """Return the same as the sampler sees them: where a mean is swept out, that is not what belongs to the effects."""
    found: dict[int, tuple[Array, Array]] = {}
    totals: dict[int, Array] = {}
    centering, within = centering_of(state, spec, design), nest(design).within
    columns = by_column(centering.narrowed, design)
    for f in sorted(range(len(design.groups)), key=lambda f: design.groups[f].n_levels):  # inner ones have more
        group, before = design.groups[f], design.groups[:f]
        u, c = sum(g.n_levels * len(g.terms) for g in before), sum(len(g.terms) for g in before)
        p = sum(len(g.terms) * (len(g.terms) - 1) // 2 * g.correlated for g in before)
        m, j = len(group.terms), group.n_levels
        pairs = m * (m - 1) // 2 if group.correlated else 0
        L = cholesky_from_partials(state["partial"][p : p + pairs], m) if pairs else np.eye(m)
        z = state["z"][u : u + j * m].reshape(m, j).T.copy() if "z" in state else np.empty((j, m))
        T = state["sd"][c : c + m, None] * L
        if "z" in state:
            means, swept = mean_effect(state, spec, design, f), state.get("swept", np.zeros(len(columns)))[c : c + m]
            if within[f] >= 0:
                means[group.codes, 0] += totals[within[f]][design.groups[within[f]].codes]
            for i in range(m):  # where it is centred, z holds the effects with their mean
                effect = z[:, i] * (design.y_scale / group.units)[i] - means[:, i]
                if swept[i]:  # the sampler's mean is narrower than that of u
                    effect = effect + effect.mean() * (1 / columns[c + i][0] - 1)
                z[:, i] = np.where(columns[c + i] < 1, (effect - z[:, :i] @ T[i, :i]) / T[i, i], z[:, i])
            u_first = z[:, 0] * T[0, 0]
            totals[f] = means[:, 0] + u_first - swept[0] * u_first.mean()
        found[f] = T, z
    return [found[f] for f in range(len(found))]


def mean_effect(state: Mapping[str, Array], spec: ModelSpec, design: Design, f: int) -> Array:
    """The mean of a factor's effects [J, M] in the units of the CSV, put together by hand, row by row.

    A coefficient belongs to it if its column of X is left out of the rows and it fits: it varies by this factor, or
    its column is constant within the levels and no other factor has it.
    """
    group, centering = design.groups[f], centering_of(state, spec, design)
    mean = np.zeros((group.n_levels, len(group.terms)))
    columns = population_columns(design, x_center(spec, design))
    names = [*(["Intercept"] * design.intercept), *design.coefficients]
    first = sum(other.n_levels for other in design.groups[:f])
    terms = sum(len(other.terms) for other in design.groups[:f])
    for k, name in enumerate(names):
        slope = k in centering.slopes[terms : terms + len(group.terms)]
        if not slope and not centering.level_X[first : first + group.n_levels, k].any():
            continue
        assert not centering.in_rows[k]
        if slope:
            m = group.terms.index(name)
            mean[:, m] += state["b"][k]
            mean[:, 0] += state["b"][k] * (z_center(spec, group)[m] - x_center(spec, design)[k - design.intercept])
        else:
            mean[group.codes, 0] += state["b"][k] * columns[:, k]
    return mean


def log_prior(state: Mapping[str, Array], spec: ModelSpec, design: Design, engine: Engine) -> float:
    names = {
        "b": list(spec.coefficient_names),
        "sd": [sd_name(group.factor, term) for group in design.groups for term in group.terms],
        "threshold": [threshold_name(between) for between in spec.thresholds],
        "b_aux": [name for own, _ in distributional_of(state, design) for name in spec.predictor(own.parameter).names],
        "aux": [auxiliary.name for auxiliary in FAMILIES[spec.family].auxiliaries],
    }
    places = {"Intercept": design.intercept_origin}
    for own, _ in distributional_of(state, design):
        level = np.where(own.carries_level & (own.parameter == SIGMA), np.log(design.y_scale), 0.0)
        places |= dict(zip(spec.predictor(own.parameter).names, level, strict=True))
    ranges = {auxiliary.name: auxiliary.within for auxiliary in FAMILIES[spec.family].auxiliaries}
    ranges |= dict.fromkeys(names["sd"], (0.0, np.inf))
    total, spoken = 0.0, where_priors_speak(state, spec, design)
    for variable, parameters in names.items():
        for index, name in enumerate(parameters):
            prior = spec.priors.get(name)  # none for sigma where it has predictors
            if prior is None or prior.constant is not None or prior.distribution == HORSESHOE:
                continue
            if variable == "b" and is_integrated(name, spec, engine):
                continue
            place, within = places.get(name, 0.0), ranges.get(name, (-np.inf, np.inf))
            if prior.distribution not in ("flat", "uniform"):
                total += float(np.log(prior.density(spoken[variable][index] + place, within=within)))
            total += log_jacobian(float(state[variable][index]) + place, *prior.bounds(within=within))
    if spec.thresholds:  # Stan's transform of ordered vectors: the logs of the distances
        total += float(np.log(np.diff(state["threshold"])).sum())
    if spec.shrunk:
        total += log_horseshoe(state, spec, design, engine)
    for group in design.groups:
        if group.correlated:
            total += lkj(state, spec, design, group)
    if engine is FULL and "z" in state:
        columns, c = by_column(centering_of(state, spec, design).narrowed, design), 0
        for T, z in factors(state, spec, design):
            centered = [int((column < 1).sum()) for column in columns[c : c + len(T)]]
            jacobian = float(np.log(np.diag(T)) @ centered)
            total += float(stats.norm.logpdf(z).sum()) - jacobian
            c += len(T)
    return total


def log_horseshoe(state: Mapping[str, Array], spec: ModelSpec, design: Design, engine: Engine) -> float:
    """Piironen & Vehtari 2017: b = b_std tau lambda / sqrt(1 + tau^2 lambda^2 / c^2), per sd of x and of y."""
    scale, squared_slab = state["horseshoe_global"] * state["horseshoe_local"], state["slab"][0]
    at = [spec.coefficient_names.index(name) for name in spec.shrunk]
    unit = design.y_scale / design.x_scale[[design.coefficients.index(name) for name in spec.shrunk]]
    free = [name for name in spec.coefficient_names if spec.priors[name].constant is None]
    free = [name for name in free if not is_integrated(name, spec, engine)]
    b_std = state["theta_std"][[free.index(name) for name in spec.shrunk]]
    np.testing.assert_allclose(state["b"][at], unit * b_std * scale / np.sqrt(1 + scale**2 / squared_slab), rtol=1e-6)
    local, shared = state["horseshoe_local"], state["horseshoe_global"][0]
    density = stats.norm.logpdf(b_std).sum() + stats.halfcauchy.logpdf(local).sum()
    density += np.log(spec.priors["horseshoe_scale"].density(np.array(shared), positive=True))
    density += stats.invgamma.logpdf(squared_slab, 2, scale=8)
    return float(density + np.log(local).sum() + np.log(shared) + np.log(squared_slab))


def log_jacobian(value: float, lower: float, upper: float) -> float:
    """Stan's transforms: log(x - lower), and the logit of (x - lower) / (upper - lower)."""
    if np.isfinite(lower) and np.isfinite(upper):
        return float(np.log(value - lower) + np.log(upper - value))
    return float(np.log(value - lower)) if np.isfinite(lower) else 0.0


def where_priors_speak(state: Mapping[str, Array], spec: ModelSpec, design: Design) -> dict[str, Array]:
    """Return the state with intercept, thresholds and sds carried to where their priors speak of them."""
    found = {name: state[name].copy() for name in ("b", "sd", "threshold", "b_aux", "aux") if name in state}
    start = 0
    for own, _ in distributional_of(state, design):
        if not spec.centered:  # carried to 0
            b = state["b_aux"][start : start + len(own.coefficients)]
            found["b_aux"][start] -= float(b @ predictor_center(spec, own))
        start += len(own.coefficients)
    if "z" in state:
        b = state["b"][int(design.intercept) :]
        further = float(b @ (design.x_mean - x_center(spec, design)))
        if design.intercept:
            found["b"][0] += further
        elif spec.thresholds:
            found["threshold"] -= further
    c = 0
    for group, (T, _) in zip(design.groups, sampled_factors(state, spec, design), strict=True):
        found["sd"][c : c + len(T)] = sds_and_correlations(T @ T.T, spec, group)[: len(T)]
        c += len(T)
    return found


def sds_and_correlations(V: Array, spec: ModelSpec, group: Group) -> Array:
    """Return those of effects where priors speak of them [M + P], given their covariance as the sampler has it."""
    way = np.eye(len(V))
    if not spec.centered:
        way[0] -= z_center(spec, group)
        way[0, 0] = 1 if group.terms[0] == "Intercept" else way[0, 0]
    there = way @ V @ way.T
    sd = np.sqrt(np.diag(there))
    return np.concatenate([sd, (there / np.outer(sd, sd))[np.tril_indices(len(V), -1)]])


def lkj(state: Mapping[str, Array], spec: ModelSpec, design: Design, group: Group) -> float:
    """det(R)^(eta - 1), times the Jacobian from sds and R to the sampler's sds and partial correlations, and to reals.

    R and the sds are where priors speak of them. The Jacobian is taken by central differences, which owes nothing to
    the formula in the program; the one of the sds to reals is in `log_jacobian`.
    """
    c = p = 0
    for other in design.groups:
        if other.factor == group.factor:
            break
        c, p = c + len(other.terms), p + len(other.terms) * (len(other.terms) - 1) // 2 * other.correlated
    m = len(group.terms)
    pairs = m * (m - 1) // 2
    partial = state["partial"][p : p + pairs]
    point = np.concatenate([state["sd"][c : c + m], partial])

    def there(values: Array) -> Array:
        T = values[:m, np.newaxis] * cholesky_from_partials(values[m:], m)
        return sds_and_correlations(T @ T.T, spec, group)

    steps = 1e-6 * np.diag(np.concatenate([point[:m], np.ones(pairs)]))
    slopes = [(there(point + step) - there(point - step)) / (2 * step.max()) for step in steps]
    R = np.eye(m)
    R[np.tril_indices(m, -1)] = there(point)[m:]
    R = R + np.tril(R, -1).T
    eta = spec.priors[f"cor({group.factor})"].arguments[0]
    unconstrained = float(np.sum(np.log1p(-(partial**2))))
    return float((eta - 1) * np.linalg.slogdet(R)[1] + np.linalg.slogdet(np.array(slopes))[1]) + unconstrained
