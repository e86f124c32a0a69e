"""Posteriors that are known another way: the other engine, integration and lme4 on real data, simulated truths."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hierfit import workflow
from hierfit.model.formula import Formula, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import Roles
from hierfit.posterior.group_summary import summarize_groups
from hierfit.runs.finished import Fit
from hierfit.sampling import SamplerOptions
from hierfit.simulate.files import write_simulation
from hierfit.simulate.scenarios import find_scenario
from hierfit.simulate.simulate import simulate
from tests.reference_cases import CASES, FOLDER, ReferenceCase, misses, read_estimates, read_posteriors
from tests.reference_table import shown_fits
from tests.test_docs import assert_near, moments_in, monte_carlo

pytestmark = pytest.mark.stan

SAMPLE_DATA = Path(__file__).parents[1] / "sample_data"
PENICILLIN, OATS = (f"../tests/reference_data/{name}.csv" for name in ("penicillin", "oats"))
# Few groups leave a funnel that the full engine needs small steps for.
SMALL_STEPS = SamplerOptions(draws=4000, seed=6, adapt_delta=0.99)
RATS = formula_from_flags("weight", ["day"], "rat", ["day"])


def write_csv(path: Path, columns: Mapping[str, Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def fit(data: Path, formula: Formula, folder: Path, engine: str = "auto", **changes: object) -> Fit:
    sampler = SamplerOptions(draws=2000, seed=5)
    request = replace(FitRequest(data, formula, engine=engine, sampler=sampler), **changes)  # type: ignore[arg-type]
    return workflow.fit(workflow.prepare(request), folder)


@pytest.mark.parametrize(
    ("data", "formula", "priors"),
    [
        ("rats.csv", RATS, ()),
        ("rats.csv", replace(RATS, groups=(replace(RATS.groups[0], correlated=False),)), ()),
        ("rats.csv", formula_from_flags("weight", ["day"], "rat"), ()),
        ("rats.csv", formula_from_flags("weight", ["day"], "rat"), ("day ~ laplace(5, 0.2)", "Intercept ~ flat()")),
        ("dyestuff.csv", formula_from_flags("yield", [], "batch"), ()),
        ("tutorial_schools.csv", formula_from_flags("score", ["hours"], "school"), ()),
        (PENICILLIN, parse_formula("diameter ~ 1 + (1 | plate) + (1 | sample)"), ()),
        (OATS, parse_formula("yield ~ nitrogen + (1 | block / variety)"), ("nitrogen ~ flat()",)),
        (OATS, parse_formula("yield ~ 1 + (1 + nitrogen | block) + (1 | block:variety)"), ("cor(block) ~ lkj(2)",)),
    ],
    ids=["slopes", "uncorrelated", "intercepts", "one coefficient sampled", "six batches", "two schools", "crossed",
         "nested", "nested slopes"],
)  # fmt: skip
def test_the_engines_agree(data: str, formula: Formula, priors: tuple[str, ...], tmp_path: Path) -> None:
    assert_engines_agree(SAMPLE_DATA / data, formula, tmp_path, priors=priors)


@pytest.mark.parametrize("formula", [RATS, parse_formula("weight ~ day + (1 | rat) + (1 | visit)")], ids=["one", "two"])
def test_the_engines_agree_on_a_lognormal_outcome(formula: Formula, tmp_path: Path) -> None:
    rows = [line.split(",") for line in (SAMPLE_DATA / "rats.csv").read_text().splitlines()]
    columns = {rows[0][at]: [row[at] for row in rows[1:]] for at in range(3)}
    data = write_csv(tmp_path / "rats.csv", {**columns, "visit": columns["day"]})
    assert_engines_agree(data, formula, tmp_path, SamplerOptions(draws=1500, seed=6), family="lognormal")


@pytest.mark.parametrize("formula", [RATS, parse_formula("weight ~ day + (1 + day || rat)")], ids=["correlated", "not"])
def test_chains_of_one_factor_agree_with_stan(formula: Formula, tmp_path: Path) -> None:
    assert_engines_agree(SAMPLE_DATA / "rats.csv", formula, tmp_path, fast="marginal")


def assert_engines_agree(
    data: Path,
    formula: Formula,
    folder: Path,
    full_options: SamplerOptions = SMALL_STEPS,
    fast: str = "collapsed",
    **changes: object,
) -> None:
    collapsed = fit(data, formula, folder / "collapsed", fast, **changes)
    full = fit(data, formula, folder / "full", "full", **{**changes, "sampler": full_options})
    named = "marginal" if len(collapsed.design.groups) > 1 else fast
    assert collapsed.manifest["engine"] == named and full.manifest["engine"] == "full"
    for one, other in zip(collapsed.summary.rows, full.summary.rows, strict=True):
        # Five standard errors of the difference of two means; medians and tails follow in the quantile check below.
        error = np.hypot(one.mcse_mean, other.mcse_mean)
        assert abs(one.mean - other.mean) < 5 * error, one.name
        # A 2.5 % quantile of 1,000 effective draws sits at the 1 % to 4.6 % point (5 binomial standard errors).
        draws, other_draws = collapsed.draws.of(one.name), full.draws.of(one.name)
        for probability in (0.025, 0.5, 0.975):
            ess = min(one.ess_tail, other.ess_tail, one.ess_bulk, other.ess_bulk)
            share = np.mean(other_draws < np.quantile(draws, probability))
            allowed = 5 * np.sqrt(2 * probability * (1 - probability) / ess)
            assert abs(share - probability) < allowed, (one.name, probability)
    for factor in formula.factors:
        ours, theirs = (
            summarize_groups(each.draws, each.design, each.spec).table(factor) for each in (collapsed, full)
        )
        # 400 effective draws at least, for each engine.
        error = np.hypot(ours.deviation_sd, theirs.deviation_sd) / np.sqrt(400)
        assert (np.abs(ours.deviation_mean - theirs.deviation_mean) < 5 * error).all()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_published_data(case: ReferenceCase, tmp_path: Path) -> None:
    """Posteriors are those of integration, and near the estimates of others: see tests/reference_data/README.md."""
    done = workflow.fit(workflow.prepare(case.request), tmp_path / "run")
    known, estimates = read_posteriors()[case.name], read_estimates()[case.name]
    assert {parameter.name for parameter in done.draws.parameters} - {*known} <= {"Intercept_at_mean"}
    shown = shown_fits()
    # Chains that disagree would have standard errors so large that everything is within them.
    assert all(row.rhat < 1.05 and row.ess_bulk > 100 for row in done.summary.rows)
    for name, reference in known.items():
        mean, sd, *_ = monte_carlo(done.draws.of(name), 0.95)
        for (value, mcse), expected, error in (
            (mean, reference.mean, reference.mean_error),
            (sd, reference.sd, reference.sd_error),
        ):
            # Five standard errors of the difference: of some 170 comparisons one fails by chance in 10,000 seeds.
            assert abs(value - expected) < 5 * np.hypot(mcse, error), (name, value, expected)
        if name in estimates:  # of sds at the mean there are none
            assert misses(estimates[name], mean[0], sd[0], (5 * mean[1], 5 * sd[1]), skewed=case.skewed) == [], name
        if name in case.shown:
            for text, number in zip(*moments_in([shown[case.name, name]]), (mean, sd), strict=True):
                assert_near(text, number, name)


def test_sweeping_out_means_changes_nothing_but_the_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    person, item = np.divmod(np.arange(40 * 12), 12)
    hard = rng.normal(0, 1, 12)[item]
    eta = 0.5 + rng.normal(0, 1, 40)[person] - hard + 0.8 * (item % 2)
    yes = (rng.random(480) < 1 / (1 + np.exp(-eta))).astype(int)
    columns = {"yes": yes, "person": person, "item": item, "kind": item % 2}
    data = write_csv(tmp_path / "answers.csv", {name: column.tolist() for name, column in columns.items()})
    formula = parse_formula("yes ~ kind + (1 | person) + (1 | item)")
    swept = fit(data, formula, tmp_path / "swept", family="bernoulli")
    monkeypatch.setattr("hierfit.engines.full.sweeping._is_wide", lambda *_: False)
    plain = fit(data, formula, tmp_path / "plain", family="bernoulli")
    for one, other in zip(swept.summary.rows, plain.summary.rows, strict=True):
        # Five standard errors of a difference of means, and of sds whose draws are half as effective.
        assert abs(one.mean - other.mean) < 5 * np.hypot(one.mcse_mean, other.mcse_mean), one.name
        errors = [1 / np.sqrt(min(row.ess_bulk, row.ess_tail) / 2) for row in (one, other)]
        assert abs(np.log(one.sd / other.sd)) < 5 * np.hypot(*errors), one.name
    ours, theirs = (summarize_groups(done.draws, done.design, done.spec).table("item") for done in (swept, plain))
    error = np.hypot(ours.deviation_sd, theirs.deviation_sd) / np.sqrt(400)
    assert (np.abs(ours.deviation_mean - theirs.deviation_mean) < 5 * error).all()
    sizes = {row.name: row.ess_bulk for row in swept.summary.rows}
    # Unswept, the intercept had a quarter of the others'.
    assert sizes["Intercept_at_mean"] > 0.5 * sorted(sizes.values())[len(sizes) // 2]


def test_repeated_rows_have_the_posterior_of_their_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    group, x = np.arange(600) % 10, np.arange(600) // 10 % 3
    p = 1 / (1 + np.exp(-(0.4 - 0.5 * x + rng.normal(0, 0.7, 10)[group])))
    columns = {"y": (rng.random(600) < p).astype(int), "n": rng.poisson(3 * p), "x": x, "g": group}
    data = write_csv(tmp_path / "repeated.csv", {name: column.tolist() for name, column in columns.items()})
    for family, response in (("bernoulli", "y"), ("poisson", "n")):
        formula = parse_formula(f"{response} ~ x + (1 | g)")
        summed = fit(data, formula, tmp_path / f"summed-{family}", family=family)
        assert summed.manifest["rows_sampled"] == 30 and len(summed.design.y) == 600
        with monkeypatch.context() as patched:
            patched.setattr("hierfit.engines.full.repeated.LEAST_SAVING", 0.0)
            plain = fit(data, formula, tmp_path / f"plain-{family}", family=family)
        assert plain.manifest["rows_sampled"] == 600
        for one, other in zip(summed.summary.rows, plain.summary.rows, strict=True):
            assert abs(one.mean - other.mean) < 5 * np.hypot(one.mcse_mean, other.mcse_mean), (family, one.name)
            errors = [1 / np.sqrt(min(row.ess_bulk, row.ess_tail) / 2) for row in (one, other)]
            assert abs(np.log(one.sd / other.sd)) < 5 * np.hypot(*errors), (family, one.name)


def test_prior_only_draws_the_priors(tmp_path: Path) -> None:
    priors = ("Intercept ~ normal(100, 20)", "day ~ normal(0, 2)", "sigma ~ exponential(0.1)", "cor(rat) ~ lkj(2)")
    for engine in ("collapsed", "full"):
        done = fit(SAMPLE_DATA / "rats.csv", RATS, tmp_path / engine, engine, priors=priors, prior_only=True)
        at_mean = done.summary.row("Intercept_at_mean")
        assert abs(at_mean.mean - 100) < 5 * at_mean.mcse_mean
        assert_sds(done, {"Intercept_at_mean": 20.0, "day": 2.0, "sigma": 10.0})


def test_prior_only_draws_the_priors_at_0(tmp_path: Path) -> None:
    """Sampled at the mean of day, where the collapsed and the full engine see the effects."""
    priors = ("Intercept ~ normal(100, 20)", "day ~ normal(0, 2)", "sd(rat) ~ normal(0, 9)", "cor(rat) ~ lkj(2)")
    for engine in ("collapsed", "full"):
        folder, changes = tmp_path / engine, {"priors": priors, "prior_only": True, "centered": False}
        done = fit(SAMPLE_DATA / "rats.csv", RATS, folder, engine, **changes)
        # lkj(2) of two: (r + 1) / 2 ~ beta(2, 2), whose sd doubled is 1 / sqrt(5); half a normal: sqrt(1 - 2 / pi)
        scale = 9 * np.sqrt(1 - 2 / np.pi)
        assert_sds(done, {"Intercept": 20.0, "day": 2.0, "cor(rat: Intercept, day)": 1 / np.sqrt(5), "sd(rat)": scale})


def assert_sds(done: Fit, expected: Mapping[str, float]) -> None:
    for name, sd in expected.items():
        row = done.summary.row(name)
        # Five standard errors of an sd; the exponential's kurtosis of 9 doubles that of a normal.
        assert abs(row.sd / sd - 1) < 2 * 5 / np.sqrt(2 * min(row.ess_bulk, row.ess_tail)), name


@pytest.mark.parametrize("shift", [2_000, 1_000_000])
@pytest.mark.parametrize("engine", ["collapsed", "full"])
def test_slopes_do_not_depend_on_where_a_column_has_its_0(engine: str, shift: int, tmp_path: Path) -> None:
    """Days from long ago: slope sd, sigma and slope are those by integration of the days as they are."""
    rows = [line.split(",") for line in (FOLDER / "sleepstudy.csv").read_text().splitlines()]
    columns: dict[str, list[object]] = {rows[0][at]: [row[at] for row in rows[1:]] for at in range(len(rows[0]))}
    columns["days"] = [int(str(day)) + shift for day in columns["days"]]
    formula = parse_formula("reaction ~ days + (1 + days | subject)")
    options = SamplerOptions(draws=2000, seed=5, adapt_delta=0.95)
    done = fit(write_csv(tmp_path / "sleep.csv", columns), formula, tmp_path / "run", engine, sampler=options)
    known = read_posteriors()["sleepstudy"]
    for name in ("days", "sd(subject: days)", "sd(subject: Intercept_at_mean)", "sigma"):
        mean, sd, *_ = monte_carlo(done.draws.of(name), 0.95)
        # Five standard errors, as above.
        assert abs(mean[0] - known[name].mean) < 5 * np.hypot(mean[1], known[name].mean_error), name
        assert abs(sd[0] - known[name].sd) < 5 * np.hypot(sd[1], known[name].sd_error), name


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_truth_is_recovered(seed: int, tmp_path: Path) -> None:
    """Every true value lies within four posterior sds, and the 95 % intervals of the groups hold what they promise."""
    simulation = replace(find_scenario("slopes").simulation, seed=seed)
    simulated = simulate(simulation)
    write_simulation(simulated, tmp_path / "sim")
    done = fit(tmp_path / "sim" / "data.csv", formula_from_flags("score", ["ses"], "school", ["ses"]), tmp_path / "run")
    for name, value in simulated.truth.parameters.items():
        row = done.summary.row(name)
        assert abs(row.mean - value) < 4 * row.sd, name
    table = summarize_groups(done.draws, done.design, done.spec).table("school")
    truth = np.array([simulated.truth.content["effects"]["school"]["values"][label] for label in table.labels])
    inside = (table.deviation_lower < truth) & (truth < table.deviation_upper)
    # 80 effects, 95 %: 76 expected, sd 1.9 if independent; 66 are more than five below.
    assert inside.sum() >= 66


def test_an_offset_of_1e12_changes_nothing_else(tmp_path: Path) -> None:
    lines = (SAMPLE_DATA / "rats.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines[1:]]
    shifted = [f"{rat},{day},{int(weight) + 10**12}" for rat, day, weight in rows]
    (tmp_path / "shifted.csv").write_text("\n".join([lines[0], *shifted]) + "\n")
    near = fit(SAMPLE_DATA / "rats.csv", RATS, tmp_path / "near").summary
    far = fit(tmp_path / "shifted.csv", RATS, tmp_path / "far").summary
    for row in near.rows:
        other = far.row(row.name)
        offset = 1e12 if row.name.startswith("Intercept") else 0.0
        error = 5 * np.hypot(row.mcse_mean, other.mcse_mean)
        # Doubles near 1e12 are 1e-4 apart, and so may be means and intercepts.
        assert abs(other.mean - row.mean - offset) < error + 1e-3, row.name


@pytest.mark.parametrize("centered", [True, False], ids=["centred", "raw"])
def test_a_predictor_far_from_0_changes_nothing_but_the_intercept(centered: bool, tmp_path: Path) -> None:
    """The collapsed engine centres for itself: of a raw column the sampler would see the mean and no more."""
    formula = formula_from_flags("weight", ["day"], "rat")
    rows = [line.split(",") for line in (SAMPLE_DATA / "rats.csv").read_text().splitlines()[1:]]
    fits = []
    for offset in (0, 10**12):
        columns = {"rat": [row[0] for row in rows], "weight": [row[2] for row in rows]}
        data = write_csv(tmp_path / f"{offset}.csv", {**columns, "day": [int(row[1]) + offset for row in rows]})
        # At day 0 of the far column the intercept may be anything, so that its prior says nothing of the slope.
        priors = ("Intercept ~ flat()",)
        fits.append(fit(data, formula, tmp_path / f"run{offset}", priors=priors, centered=centered).summary)
    for name in ("day", "sd(rat)", "sigma"):
        near, far = (summary.row(name) for summary in fits)
        assert abs(near.mean - far.mean) < 5 * np.hypot(near.mcse_mean, far.mcse_mean), name
        assert abs(near.sd / far.sd - 1) < 0.15, name  # five standard errors of an sd of 2,000 effective draws


def test_a_varying_column_far_from_0_is_survived(tmp_path: Path) -> None:
    """sd(rat) then speaks of day 0, a million days away; what varies within the data is the same."""
    rows = [line.split(",") for line in (SAMPLE_DATA / "rats.csv").read_text().splitlines()[1:]]
    columns = {"rat": [row[0] for row in rows], "weight": [row[2] for row in rows]}
    data = write_csv(tmp_path / "far.csv", {**columns, "day": [int(row[1]) + 10**6 for row in rows]})
    done = fit(data, RATS, tmp_path / "run")
    assert done.diagnosis.divergent <= 80 and np.isfinite(done.draws.values).all()
    assert abs(done.summary.row("day").mean - 6.19) < 0.6


# --- the modelling language -----------------------------------------------------------------------------------------

SHORT = SamplerOptions(warmup=500, draws=1000, seed=5)


def penicillin(rng: np.random.Generator) -> dict[str, list[object]]:
    """The layout of Davies and Goldsmith's penicillin assay: 24 plates crossed with 6 samples, simulated."""
    plate, sample = np.repeat(np.arange(24), 6), np.tile(np.arange(6), 24)
    diameter = 23 + rng.normal(0, 0.85, 24)[plate] + rng.normal(0, 1.9, 6)[sample] + rng.normal(0, 0.55, 144)
    return {
        "diameter": diameter.round(6).tolist(),
        "plate": [f"p{label}" for label in plate],
        "sample": ["ABCDEF"[label] for label in sample],
    }


def test_crossed_factors_agree_with_the_analysis_of_variance(tmp_path: Path) -> None:
    """In a balanced two-way layout the REML estimates are those of the analysis of variance, in closed form."""
    columns = penicillin(np.random.default_rng(4))
    data = write_csv(tmp_path / "assay.csv", columns)
    formula = parse_formula("diameter ~ 1 + (1 | plate) + (1 | sample)")
    done = fit(data, formula, tmp_path / "run", sampler=replace(SHORT, adapt_delta=0.95))
    y = np.array(columns["diameter"]).reshape(24, 6)
    plates, samples = y.mean(axis=1), y.mean(axis=0)
    residual = y - plates[:, None] - samples + y.mean()
    variance = (residual**2).sum() / (23 * 5)
    reml = {
        "Intercept": (y.mean(), 0.3),
        "sd(plate)": ((plates.var(ddof=1) - variance / 6) ** 0.5, 0.5),
        "sd(sample)": ((samples.var(ddof=1) - variance / 24) ** 0.5, 1.0),  # six samples: the posterior leans right
        "sigma": (variance**0.5, 0.3),
    }
    for name, (estimate, sds) in reml.items():
        row = done.summary.row(name)
        assert abs(row.mean - estimate) < sds * row.sd, name
        assert row.rhat is not None and row.rhat < 1.05
    # The deviations are the shrunken means: within a few standard errors of 400 effective draws.
    tables = summarize_groups(done.draws, done.design, done.spec)
    shrunk = (plates - y.mean()) * (1 - variance / 6 / plates.var(ddof=1))
    table = tables.table("plate")
    assert table.labels == tuple(f"p{label}" for label in range(24))
    # The posterior of the sds shifts each a little, by less than a quarter of its sd.
    assert (np.abs(table.deviation_mean[:, 0] - shrunk) < (0.25 + 5 / 400**0.5) * table.deviation_sd[:, 0]).all()


def same_posterior(one: Fit, other: Fit, names: Mapping[str, str]) -> None:
    """Compare two fits of the same model; `names` translates from the first to the second.

    Five standard errors of the difference of two means, and of two sds: the relative error of an sd is 1 / sqrt(2 ESS)
    for a normal, half as much again is allowed for heavier tails.
    """
    assert len(one.summary.rows) == len(other.summary.rows)
    for row in one.summary.rows:
        near = other.summary.row(names.get(row.name, row.name))
        assert abs(row.mean - near.mean) < 5 * np.hypot(row.mcse_mean, near.mcse_mean), row.name
        ess = min(row.ess_bulk, row.ess_tail, near.ess_bulk, near.ess_tail)
        assert abs(row.sd / near.sd - 1) < 1.5 * 5 / ess**0.5, row.name


def test_a_text_predictor_is_its_dummy_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    group, dose = np.arange(120) % 12, np.array(["none", "high", "low"])[rng.integers(0, 3, 120)]
    high, low = (dose == "high").astype(int), (dose == "low").astype(int)
    y = 3 + 2 * high + low + rng.normal(0, 1, 12)[group] + rng.normal(0, 1, 12)[group] * high + rng.normal(0, 1, 120)
    columns = {"y": y.tolist(), "dose": dose.tolist(), "high": high.tolist(), "low": low.tolist(), "g": group.tolist()}
    data = write_csv(tmp_path / "doses.csv", columns)
    text = parse_formula("y ~ dose + (1 + dose | g)")
    roles = Roles(references={"dose": "none"})
    one = fit(data, text, tmp_path / "text", sampler=SHORT, roles=roles)
    other = fit(data, parse_formula("y ~ high + low + (1 + high + low | g)"), tmp_path / "dummies", sampler=SHORT)
    names = {
        parameter.name: parameter.name.replace("dose[high]", "high").replace("dose[low]", "low")
        for parameter in one.draws.parameters
    }
    assert one.design.coefficients == ("dose[high]", "dose[low]")
    same_posterior(one, other, names)
    assert abs(one.summary.row("dose[high]").mean - 2) < 4 * one.summary.row("dose[high]").sd


def test_two_bars_are_uncorrelated_and_a_slash_is_two_factors(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    school, room = np.repeat(np.arange(10), 12), np.tile(np.repeat(np.arange(3), 4), 10)
    x = rng.normal(0, 1, 120)
    y = 5 + x + rng.normal(0, 2, 10)[school] + rng.normal(0, 1, 30)[3 * school + room] + rng.normal(0, 1, 120)
    columns = {
        "y": y.tolist(),
        "x": x.tolist(),
        "school": school.tolist(),
        "room": room.tolist(),
        "both": [f"{a}-{b}" for a, b in zip(school, room, strict=True)],
    }
    data = write_csv(tmp_path / "rooms.csv", columns)
    bars = fit(data, parse_formula("y ~ x + (x || school)"), tmp_path / "bars", sampler=SHORT)
    flags = formula_from_flags("y", ["x"], "school", ["x"], correlated=False)
    same_posterior(bars, fit(data, flags, tmp_path / "flags", sampler=SHORT), {})
    assert not any(parameter.name.startswith("cor(") for parameter in bars.draws.parameters)
    nested = fit(data, parse_formula("y ~ x + (1 | school/room)"), tmp_path / "nested", sampler=SHORT)
    by_hand = fit(data, parse_formula("y ~ x + (1 | school) + (1 | both)"), tmp_path / "both", sampler=SHORT)
    same_posterior(nested, by_hand, {"sd(school:room)": "sd(both)"})
    assert [label.replace(":", "-") for label in nested.design.group("school:room").labels] == [
        *by_hand.design.group("both").labels
    ]
    assert abs(nested.summary.row("sd(school:room)").mean - 1) < 4 * nested.summary.row("sd(school:room)").sd


def test_weights_are_repeated_rows_and_an_offset_is_taken_from_the_outcome(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    group, x, t, w = np.arange(60) % 6, rng.normal(0, 1, 60), rng.normal(0, 3, 60), rng.integers(1, 4, 60)
    y = 1 + 2 * x + rng.normal(0, 1, 6)[group] + rng.normal(0, 1, 60)
    columns = {"y": y, "shifted": y + t, "x": x, "t": t, "w": w, "g": group}
    once = write_csv(tmp_path / "once.csv", {name: column.tolist() for name, column in columns.items()})
    repeated = {name: np.repeat(column, w).tolist() for name, column in columns.items()}
    often = write_csv(tmp_path / "often.csv", repeated)
    # Default priors follow the data, which differ: here both have the same.
    priors = ("Intercept ~ normal(0, 10)", "x ~ normal(0, 10)", "sd(g) ~ normal(0, 5)", "sigma ~ exponential(1)")
    options = {"priors": priors, "centered": False, "sampler": SHORT}
    fits = {
        "weights": fit(once, parse_formula("y ~ x + (1 | g)"), tmp_path / "w", roles=Roles(weights="w"), **options),
        "rows": fit(often, parse_formula("y ~ x + (1 | g)"), tmp_path / "r", **options),
        "offset": fit(once, parse_formula("shifted ~ x + (1 | g)"), tmp_path / "o", roles=Roles(offset="t"), **options),
        "plain": fit(once, parse_formula("y ~ x + (1 | g)"), tmp_path / "p", **options),
    }
    for one, other in (("weights", "rows"), ("offset", "plain")):
        same_posterior(fits[one], fits[other], {})
    assert fits["weights"].summary.row("x").sd < 0.9 * fits["plain"].summary.row("x").sd
