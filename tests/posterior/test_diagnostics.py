"""Every check against crafted draws: clean ones pass, each planted fault is found, named and levelled."""

import dataclasses
import json

import numpy as np
import pytest

from hierfit.model.priors import Prior
from hierfit.plain import to_plain
from hierfit.posterior.convergence import screen_effects, weigh
from hierfit.posterior.diagnostics import (
    EFFECT_SHARE,
    THRESHOLDS,
    Level,
    diagnose,
    ess_wanted,
    max_level,
    where_divergent,
)
from hierfit.posterior.trouble import Asked
from tests.posterior.family_draws import family_case
from tests.posterior.test_convergence import autoregressive

CHAINS, DRAWS = 4, 500


def with_values(case, changes):
    """The case's draws with some parameters replaced: name -> [chains, draws]."""
    values = case.draws.values.copy()
    names = [parameter.name for parameter in case.draws.parameters]
    for name, new in changes.items():
        values[:, :, names.index(name)] = new
    return dataclasses.replace(case.draws, values=values)


def with_stats(case, **stats):
    return dataclasses.replace(case.draws, stats={**case.draws.stats, **stats})


def found(diagnosis, check):
    return next((finding for finding in diagnosis.findings if finding.check == check), None)


def run(case, draws=None):
    return diagnose(draws or case.draws, case.design, case.spec)


def shifted(size):
    """Independent draws, the first chain shifted by `size` sds."""
    values = np.random.default_rng(8).normal(size=(CHAINS, DRAWS))
    values[0] += size
    return values


@pytest.mark.parametrize("n_levels", [5, 40, 160])
def test_clean_draws_pass(synthetic, n_levels):
    diagnosis = run(synthetic(n_levels))
    assert (diagnosis.status, diagnosis.findings, diagnosis.likely, diagnosis.tries) == (Level.OK, (), None, ())
    assert diagnosis.rhat_max < 1.01
    assert diagnosis.divergent == 0
    assert diagnosis.n_draws == 2_000


def test_headline_has_the_numbers_of_the_checks_line(synthetic):
    diagnosis = run(synthetic(5))
    numbers = dataclasses.replace(
        diagnosis, rhat_max=1.0041, ess_bulk_min=912.7, ess_tail_min=1604.0, divergent=1234, bfmi_min=0.84
    )
    assert numbers.headline == "R-hat max 1.004 · ESS min 912 bulk, 1,604 tail · 1,234 divergent · E-BFMI min 0.84"


@pytest.mark.parametrize(("size", "level"), [(0.3, Level.WARN), (2.0, Level.FAIL)])
def test_rhat_warns_and_fails(synthetic, size, level):
    case = synthetic(12)
    diagnosis = run(case, with_values(case, {"sd(school: ses)": 1 + 0.01 * shifted(size)}))
    finding = found(diagnosis, "rhat")
    limits = THRESHOLDS["rhat"]
    assert finding.level is level
    assert finding.parameters == ("sd(school: ses)",)
    assert finding.threshold == "< 1.01"
    assert (diagnosis.rhat_max > limits.fail) == (level is Level.FAIL)
    assert diagnosis.rhat_max > limits.warn
    assert diagnosis.status is level


def test_one_chain_is_held_against_itself(synthetic):
    case = synthetic(5)
    drift = np.linspace(0, 99, case.draws.n_draws)[:, None]
    for lost, words in (([], "the chains disagree, so"), ([1, 2, 3], "the halves of the chain disagree, so")):
        draws = dataclasses.replace(case.draws, values=case.draws.values + drift).without(lost)
        assert found(run(case, draws), "rhat").meaning.startswith(words)


def test_rhat_names_the_worst_first(synthetic):
    case = synthetic(12)
    diagnosis = run(case, with_values(case, {"ses": shifted(1.0), "sigma": 50 + shifted(3.0)}))
    assert found(diagnosis, "rhat").parameters == ("sigma", "ses")
    assert found(diagnosis, "rhat").value == f"{diagnosis.rhat_max:.2f}"


def test_rhat_of_group_effects_is_counted_in_the_users_words(synthetic):
    case = synthetic(12)
    effects = case.draws.effects["school"].copy()
    effects[0, :, :6, 1] += 5
    finding = found(run(case, dataclasses.replace(case.draws, effects={"school": effects})), "rhat")
    assert finding.parameters == ("slopes of ses of 6 of 12 schools",)
    assert finding.level is Level.FAIL
    effects[0, :, 9, 0] += 20
    finding = found(run(case, dataclasses.replace(case.draws, effects={"school": effects})), "rhat")
    assert finding.parameters == ("effects of 7 of 12 schools",)


def test_one_of_thousands_of_effects_warns_and_many_fail(synthetic):
    case = synthetic(5_000, n_draws=100, rows=3)
    effects = case.draws.effects["school"].copy()
    effects[0, :, 0, 0] += 30
    finding = found(run(case, dataclasses.replace(case.draws, effects={"school": effects})), "rhat")
    assert finding.level is Level.WARN
    effects[0, :, :300, 0] += 30
    finding = found(run(case, dataclasses.replace(case.draws, effects={"school": effects})), "rhat")
    assert finding.level is Level.FAIL


def test_rhat_of_few_draws_exceeds_its_limit_by_chance(synthetic):
    case = synthetic(3_000, n_draws=250, rows=3)
    effects = autoregressive(0.22, (CHAINS, 250, 6_000)).reshape(CHAINS, 250, 3_000, 2)
    screen = screen_effects(effects)
    assert (screen.rhat > 1.01).mean() > 2 * EFFECT_SHARE  # nothing is wrong with them
    assert not [each for each in run(case, dataclasses.replace(case.draws, effects={"school": effects})).findings
                if each.check == "rhat"]  # fmt: skip


@pytest.mark.parametrize(("rho", "level"), [(0.75, Level.WARN), (0.97, Level.FAIL)])
def test_ess_warns_below_400_and_fails_below_100(synthetic, rho, level):
    # 2,000 draws: ESS about 2,000 (1 - rho) / (1 + rho) = 286 and 30.
    case = synthetic(12)
    diagnosis = run(case, with_values(case, {"ses": autoregressive(rho, (CHAINS, DRAWS, 1))[:, :, 0]}))
    finding = found(diagnosis, "ess")
    assert finding.level is level
    assert finding.parameters == ("ses",)
    assert finding.threshold == ">= 400"
    least = min(diagnosis.ess_bulk_min, diagnosis.ess_tail_min)
    assert (least < 100) == (level is Level.FAIL)
    assert finding.value == f"{int(diagnosis.ess_bulk_min)} bulk, {int(diagnosis.ess_tail_min)} tail"


@pytest.mark.parametrize(("chains", "wanted"), [(1, 100), (2, 200), (4, 400), (8, 400)])
def test_fewer_chains_want_fewer_independent_draws(synthetic, chains, wanted):
    case = synthetic(5)
    draws = dataclasses.replace(case.draws, values=np.zeros((chains, 10, 6)))
    assert ess_wanted(draws.n_chains) == wanted


def test_too_few_draws_for_any_number_fail(synthetic):
    case = synthetic(5)
    stats = {name: values[:, :3] for name, values in case.draws.stats.items()}
    effects = {"school": case.draws.effects["school"][:, :3]}
    draws = dataclasses.replace(case.draws, values=case.draws.values[:, :3], effects=effects, stats=stats)
    diagnosis = run(case, draws)
    assert diagnosis.status is Level.FAIL
    assert len(found(diagnosis, "ess").parameters) == 6
    json.dumps(to_plain(diagnosis), allow_nan=False)


@pytest.mark.parametrize(("count", "level", "share"), [(1, Level.WARN, "<0.1%"), (20, Level.FAIL, "1.0%")])
def test_divergences_warn_and_from_one_percent_fail(synthetic, count, level, share):
    case = synthetic(12)
    diverging = np.zeros((CHAINS, DRAWS), dtype=bool)
    diverging.ravel()[np.random.default_rng(2).choice(2_000, count, replace=False)] = True
    diagnosis = run(case, with_stats(case, diverging=diverging))
    finding = found(diagnosis, "divergences")
    assert finding.level is level
    assert finding.value.startswith(f"{count} of 2,000 draws ({share})")
    assert diagnosis.divergent == count
    assert "--adapt-delta 0.99" in [each.flag for each in diagnosis.tries]


def test_divergences_say_which_small_sd_they_sit_at(synthetic):
    case = synthetic(12)
    log_sd = np.random.default_rng(3).normal(size=(CHAINS, DRAWS))
    diverging = log_sd < np.quantile(log_sd, 0.05)
    draws = with_values(case, {"sd(school: ses)": np.exp(log_sd)})
    finding = found(run(case, dataclasses.replace(draws, stats={"diverging": diverging})), "divergences")
    assert finding.parameters == ("sd(school: ses)",)
    assert "100 of 2,000 draws (5.0%), most with sd(school: ses) up to 0." in finding.value


def test_treedepth_warns_only(synthetic):
    case = synthetic(12)
    depth = np.full((CHAINS, DRAWS), 10)
    diagnosis = run(case, with_stats(case, tree_depth=depth))
    assert diagnosis.status is Level.WARN
    assert found(diagnosis, "treedepth").value == "2,000 of 2,000 draws (100%) at 10"
    assert "--max-treedepth 12" in [step.flag for step in diagnosis.tries]


@pytest.mark.parametrize(("rho", "level"), [(0.88, Level.WARN), (0.97, Level.FAIL)])
def test_bfmi_names_the_chain(synthetic, rho, level):
    # E-BFMI is about 2 (1 - rho), 0.24 and 0.06, here with fixed seeds.
    case = synthetic(12)
    energy = np.random.default_rng(5).normal(size=(CHAINS, DRAWS))
    energy[2] = autoregressive(rho, (1, DRAWS, 1), seed=9)[0, :, 0]
    diagnosis = run(case, with_stats(case, energy=energy))
    finding = found(diagnosis, "ebfmi")
    assert finding.level is level
    assert finding.value == f"{diagnosis.bfmi_min:.2f} in chain 3"


def test_a_stuck_chain_fails(synthetic):
    case = synthetic(12)
    values = case.draws.of("sigma").copy()
    values[1] = values[1, 0]
    finding = found(run(case, with_values(case, {"sigma": values})), "stuck")
    assert (finding.level, finding.value, finding.parameters) == (Level.FAIL, "chain 2 never moved", ("sigma",))


def test_a_chain_is_not_stuck_where_only_rounding_moves_the_others(synthetic):
    case = synthetic(12)
    last = np.random.default_rng(1).integers(0, 40, size=case.draws.values.shape[:2])
    values = -1 + last * np.spacing(0.5)
    values[1] = -1.0
    assert found(run(case, with_values(case, {"sigma": values})), "stuck") is None


def test_chains_stuck_at_different_values_fail(synthetic):
    case = synthetic(12)
    values = np.repeat(np.arange(4.0)[:, None], DRAWS, axis=1)
    assert found(run(case, with_values(case, {"sigma": values})), "stuck").value == "chains 1, 2, 3, 4 never moved"


def test_a_parameter_fixed_by_its_prior_is_no_failure(synthetic):
    case = synthetic(12)
    diagnosis = run(case, with_values(case, {"sd(school)": np.ones((CHAINS, DRAWS))}))
    assert diagnosis.status is Level.OK


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_draws_fail(synthetic, bad):
    case = synthetic(12)
    values = case.draws.of("ses").copy()
    values[3, 7:10] = bad
    diagnosis = run(case, with_values(case, {"ses": values}))
    assert found(diagnosis, "nonfinite").value == "3 of 2,000 draws"
    assert found(diagnosis, "nonfinite").parameters == ("ses",)
    assert diagnosis.status is Level.FAIL


def test_non_finite_effects_fail(synthetic):
    case = synthetic(12)
    effects = case.draws.effects["school"].copy()
    effects[0, 0, 3, 0] = np.nan
    diagnosis = run(case, dataclasses.replace(case.draws, effects={"school": effects}))
    assert found(diagnosis, "nonfinite").parameters == ("effects of schools",)


def test_failures_come_before_warnings(synthetic):
    case = synthetic(12)
    draws = with_values(case, {"ses": shifted(0.3)})
    diverging = np.ones((CHAINS, DRAWS), dtype=bool)
    diagnosis = run(case, dataclasses.replace(draws, stats={"diverging": diverging}))
    assert [finding.level for finding in diagnosis.findings] == [Level.FAIL, Level.WARN]
    assert max_level(Level.OK, Level.FAIL, Level.WARN) is Level.FAIL


def test_draws_without_sampler_statistics_are_checked_without_them(synthetic):
    case = synthetic(12)
    diagnosis = run(case, dataclasses.replace(case.draws, stats={}))
    assert diagnosis.status is Level.OK
    assert "E-BFMI" not in diagnosis.headline


def test_json_form(synthetic):
    case = synthetic(12)
    content = to_plain(run(case, with_values(case, {"ses": shifted(2.0)})))
    restored = json.loads(json.dumps(content, allow_nan=False))
    assert restored["status"] == "fail"
    assert set(restored["findings"][0]) == {"check", "level", "value", "threshold", "parameters", "meaning"}


def test_every_check_with_a_threshold_names_its_source():
    assert set(THRESHOLDS) == {"rhat", "ess", "divergences", "treedepth", "ebfmi", "pareto_k", "weight"}
    assert all(threshold.source for threshold in THRESHOLDS.values())


def test_advice_is_about_the_factor_in_trouble_among_those_of_similar_name():
    case = family_case("gaussian", levels=(40, 30, 20), slope=False)
    draws = with_values(case, {"sd(school:class)": np.abs(shifted(5.0))[:, :250]})
    wide = {name: Prior("student_t", (3.0, 0.0, 100.0), "x") for name in case.spec.priors}
    spec = dataclasses.replace(case.spec, priors=wide)
    flags = [step.flag for step in diagnose(draws, case.design, spec).tries]
    assert [flag for flag in flags if "--prior" in flag] == [next(f for f in flags if "sd(school:class) ~" in f)]


def test_thresholds_and_coefficients_of_sigma_are_named():
    for case, name in (
        (family_case("cumulative"), "threshold[seldom|often]"),
        (family_case("gaussian", sigma=True), "sigma_ses"),
    ):
        values = np.random.default_rng(8).normal(size=case.draws.values.shape[:2])
        values[0] += 3
        diagnosis = run(case, with_values(case, {name: values}))
        assert found(diagnosis, "rhat").parameters == (name,)
        assert found(diagnosis, "rhat").level is Level.FAIL


def test_divergences_near_a_small_scale_of_a_horseshoe_are_placed_there(synthetic):
    case = synthetic(5)
    index = len(case.draws.parameters) - 1
    values = case.draws.values.copy()
    scale = np.random.default_rng(3).exponential(size=values.shape[:2])
    values[:, :, index] = scale
    parameters = (*case.draws.parameters[:-1], dataclasses.replace(case.draws.parameters[-1], name="horseshoe_scale"))
    draws = dataclasses.replace(case.draws, parameters=parameters, values=values)
    assert where_divergent(draws, scale < 0.05)[0] == "horseshoe_scale"
    # sigma is an auxiliary too, but no scale that effects shrink with
    sigma = dataclasses.replace(draws, parameters=case.draws.parameters)
    assert where_divergent(sigma, scale < 0.05) is None


def test_what_was_asked_reaches_the_advice(synthetic):
    case = synthetic(40)
    draws = with_stats(case, diverging=np.random.default_rng(1).random(case.draws.values.shape[:2]) < 0.05)
    one, other = (
        diagnose(draws, case.design, case.spec, asked=asked).tries[0].flag for asked in (None, Asked(warmup=3))
    )
    assert other == "--warmup 1000" != one


@pytest.mark.parametrize("seed", range(20))
def test_where_divergences_are_said_to_lie_most_of_them_lie(synthetic, seed):
    """Whatever the draws: the limit that is named holds for 80 % of the divergent draws and for few of all."""
    case = synthetic(5)
    rng = np.random.default_rng(seed)
    index = [parameter.name for parameter in case.draws.parameters].index("sd(school)")
    values = case.draws.values.copy()
    values[:, :, index] = rng.lognormal(rng.uniform(-5, 3), rng.uniform(0.3, 2), values.shape[:2])
    draws = dataclasses.replace(case.draws, values=values)
    chance = rng.uniform(0.01, 0.3) * np.exp(-values[:, :, index] / np.quantile(values[:, :, index], 0.1))
    diverging = rng.random(chance.shape) < chance
    found = where_divergent(draws, diverging)
    if found is None:  # they lie all over
        assert (values[:, :, index] <= np.quantile(values[:, :, index][diverging], 0.8)).mean() > 0.3
        return
    assert found[0] == "sd(school)"
    limit = float(found[1].removeprefix("sd(school) up to "))
    below = values[:, :, index] <= limit
    assert below[diverging].mean() >= 0.8 and below.mean() < 0.4


def test_chains_that_were_killed_warn(synthetic):
    case = synthetic(5)
    diagnosis = run(case, case.draws.without((1,)))
    finding = found(diagnosis, "lost")
    assert (finding.level, finding.value, diagnosis.status) == (Level.WARN, "1 of 4 chains", Level.WARN)
    assert diagnosis.n_draws == 1_500 and "memory" in finding.meaning
    assert case.draws.without(()) is case.draws


def weighted(largest, tail=0.0, size=(4, 1000)):
    """Log weights with one that is `largest` times the average, and a Pareto tail of shape `tail`."""
    rng = np.random.default_rng(6)
    log_weights = rng.uniform(-0.5, 0.3, size) + tail * rng.exponential(size=size)
    log_weights[1, 7] = np.log(largest) + np.log(np.exp(log_weights).mean())
    return log_weights


@pytest.mark.parametrize(
    ("log_weights", "level"),
    [
        (weighted(2), None),
        (weighted(35), None),
        (weighted(60), Level.WARN),
        (weighted(300), Level.FAIL),
        (weighted(5, tail=0.3), None),
        (weighted(5, tail=0.9), Level.FAIL),  # k is below 1, but the largest is 7 % of all
        (weighted(5, tail=2.0), Level.FAIL),
        (weighted(9, size=(4, 100)), None),  # 2 % of all because there are few
        (np.full((4, 1000), -np.inf), None),
    ],
)
def test_weights_that_are_too_large_are_found(synthetic, log_weights, level):
    case = synthetic(12)
    diagnosis = run(case, with_stats(case, log_weight=log_weights))
    finding = found(diagnosis, "weight") or found(diagnosis, "pareto_k")
    assert (finding.level if finding else None) is level
    assert set(to_plain(diagnosis)["weights"]) == {"pareto_k", "largest", "share", "efficiency"}
    if level:
        assert finding.threshold == "k <= 0.7, largest <= 1.0%" and finding.value.startswith("Pareto k ")


def test_weights_are_measured():
    weights = weigh(weighted(60))
    assert weights.largest == pytest.approx(60, rel=0.02) and weights.share == pytest.approx(60 / 4000, rel=0.02)
    plain = np.exp(weighted(60))
    assert weights.efficiency == pytest.approx(plain.mean() ** 2 / np.square(plain).mean())
    assert weigh(weighted(5, tail=0.9)).pareto_k == pytest.approx(0.9, abs=0.25)  # 190 points in the tail
    assert np.isnan(weigh(np.zeros((4, 10))).pareto_k)
