"""The rough fit: near the truth where rows say much, its ratios as they come out by hand, and quick."""

from dataclasses import replace
from time import process_time

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.design.scaling import effect_scale
from hierfit.engines.full.first_estimate import FirstEstimate, estimate
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from tests.family_cases import FAMILY_CASES, FamilyCase
from tests.model.cases import design, table

Array = NDArray[np.float64]


def simulated(case: FamilyCase, sds: tuple[float, float], levels: int = 40, rows: int = 40) -> FirstEstimate:
    """y ~ x + (1 + x | g); true sds, and those that are found, in units of the linear predictor."""
    rng = np.random.default_rng(2)
    family, codes = FAMILIES[case.family], np.repeat(np.arange(levels, dtype=np.int32), rows)
    x = rng.normal(size=len(codes))
    eta = (
        case.intercept + 0.4 * x + sds[0] * rng.normal(size=levels)[codes] + sds[1] * rng.normal(size=levels)[codes] * x
    )
    trials = np.full(len(codes), 6.0 if family.has_trials else 1.0)
    made = design(rows=len(codes), levels=levels)
    group = replace(made.groups[0], codes=codes, terms=("Intercept", "x"), Z=np.column_stack([np.ones(len(x)), x]))
    made = replace(
        made,
        y=family.replicate(rng, family.mean(eta, case.link, case.values), case.values, trials),
        X=x[:, None], coefficients=("x",), groups=(group,), family=case.family, link=case.link,
        lines=np.arange(len(codes)), intercept=not family.has_thresholds,
        categories=("never", "seldom", "often", "always") if family.has_thresholds else (),
        trials=trials if family.has_trials else None,
    )  # fmt: skip
    formula = parse_formula("y ~ x + (1 + x | g)")
    found = estimate(build_spec(formula, made), made)
    return replace(found, sd=found.sd * effect_scale(made, group))


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_sds_are_near_the_truth_in_every_family(case: FamilyCase) -> None:
    found = simulated(case, (0.8, 0.4))
    # 40 levels know an sd to 11 %; for this purpose a factor of 1.7 is near.
    assert np.all(np.abs(np.log(found.sd / [0.8, 0.4])) < np.log(1.7))
    assert np.median(found.ratio[:40]) > 2  # of the intercepts
    none = simulated(case, (0.0, 0.0))
    assert np.all(none.ratio < 1)


def test_ratios_of_a_balanced_layout_are_known() -> None:
    """n rows of a level say n / sigma^2; the sd of its effects says 1 / sd^2."""
    formula = parse_formula("y ~ 1 + (1 | g)")
    made = design(formula, rows=400, levels=20)
    spec = build_spec(formula, made, ("sd(g) ~ constant(3)", "sigma ~ constant(2)"))
    found = estimate(spec, made)
    np.testing.assert_allclose(found.ratio, 20 * 3**2 / 2**2)
    B = found.ratio[0] / (1 + found.ratio[0])
    assert found.log_sd_error[0] == pytest.approx(1 / np.sqrt(2 * 19 * B**2))


def two_factors(h: NDArray[np.int32], sd_h: float) -> Array:
    """Return the median ratios of 20 levels of g, 20 rows each, and of a second factor; sd(g) and sigma are 1."""
    source = table(400, 20)
    levels = tuple(str(level) for level in range(h.max() + 1))
    source = replace(source, labels={**source.labels, "h": h}, levels={**source.levels, "h": levels})
    formula = parse_formula("y ~ 1 + (1 | g) + (1 | h)")
    made = build_design(formula, source)
    fixed = ("sd(g) ~ constant(1)", f"sd(h) ~ constant({sd_h})", "sigma ~ constant(1)")
    ratio = estimate(build_spec(formula, made, fixed), made).ratio
    return np.array([np.median(ratio[:20]), np.median(ratio[20:])])


@pytest.mark.parametrize("sd_inner", [0.1, 1.0, 3.0])
def test_levels_inside_others_hide_what_rows_say(sd_inner: float) -> None:
    """Two levels of h in each of g, ten rows each: a mean of each that is known to 1 / 10 + sd(h)^2.

    What they say of levels of h is not hidden: the effect of g is in the mean of theirs.
    """
    row = np.arange(400, dtype=np.int32)
    ratio = two_factors(row % 20 * 2 + row // 20 % 2, sd_inner)
    assert ratio[0] == pytest.approx(2 / (sd_inner**2 + 0.1), rel=0.02)
    assert ratio[1] == pytest.approx(10 * sd_inner**2)


def test_crossed_factors_hide_little() -> None:
    ratio = two_factors(np.arange(400, dtype=np.int32) // 20, 1.0)
    assert np.all(ratio > 0.9 * 20) and np.all(ratio < 20)


def test_it_takes_a_moment() -> None:
    case = next(case for case in FAMILY_CASES if case.family == "bernoulli")
    started = process_time()
    simulated(case, (1.0, 0.5), levels=200, rows=50)
    # 10,000 rows take 0.1 s; the bound is for a machine that is busy with something else.
    assert process_time() - started < 1.5
