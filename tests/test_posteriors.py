"""Posteriors that are known another way: the other engine, lme4 on real data, and the truth of simulated data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hierfit import workflow
from hierfit.model.formula import Formula, formula_from_flags
from hierfit.model.scenarios import find_scenario
from hierfit.model.simulate import simulate, write_simulation
from hierfit.model.simulation import true_parameters
from hierfit.request import FitRequest
from hierfit.results.group_summary import summarize_groups
from hierfit.stan.sampler import SamplerOptions
from hierfit.workflow import Fit

pytestmark = pytest.mark.stan

SAMPLE_DATA = Path(__file__).parents[1] / "sample_data"
RATS = formula_from_flags("weight", ["day"], "rat", ["day"])


def fit(data: Path, formula: Formula, folder: Path, engine: str = "auto", **changes: object) -> Fit:
    sampler = SamplerOptions(draws=2000, seed=5)
    request = replace(FitRequest(data, formula, engine=engine, sampler=sampler), **changes)  # type: ignore[arg-type]
    return workflow.fit(workflow.prepare(request), folder)


@pytest.mark.parametrize(
    ("data", "formula"),
    [
        ("rats.csv", RATS),
        ("rats.csv", replace(RATS, groups=(replace(RATS.groups[0], correlated=False),))),
        ("rats.csv", formula_from_flags("weight", ["day"], "rat")),
        ("dyestuff.csv", formula_from_flags("yield", [], "batch")),
        ("tutorial_schools.csv", formula_from_flags("score", ["hours"], "school")),
    ],
    ids=["slopes", "uncorrelated", "intercepts", "six batches", "two schools"],
)
def test_the_engines_agree(data: str, formula: Formula, tmp_path: Path) -> None:
    # Few groups leave a funnel that the full engine needs small steps for.
    full_options = SamplerOptions(draws=4000, seed=6, adapt_delta=0.99)
    collapsed = fit(SAMPLE_DATA / data, formula, tmp_path / "collapsed", "collapsed")
    full = fit(SAMPLE_DATA / data, formula, tmp_path / "full", "full", sampler=full_options)
    assert collapsed.manifest["engine"] == "collapsed" and full.manifest["engine"] == "full"
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
    factor = formula.factors[0]
    ours, theirs = (summarize_groups(done.draws, done.design, done.spec).table(factor) for done in (collapsed, full))
    # 400 effective draws at least, for each engine.
    error = np.hypot(ours.deviation_sd, theirs.deviation_sd) / np.sqrt(400)
    assert (np.abs(ours.deviation_mean - theirs.deviation_mean) < 5 * error).all()


def test_rats_agree_with_lme4(tmp_path: Path) -> None:
    """REML by lme4 1.1-31: with 30 rats a posterior mean lies well within a posterior sd of it."""
    summary = fit(SAMPLE_DATA / "rats.csv", RATS, tmp_path / "run").summary
    reml = {
        "Intercept": 106.5676,
        "day": 6.185714,
        "sd(rat)": 10.7433,
        "sd(rat: day)": 0.510558,
        "cor(rat: Intercept, day)": -0.15918,
        "sigma": 6.014612,
    }
    for name, estimate in reml.items():
        row = summary.row(name)
        assert abs(row.mean - estimate) < 0.6 * row.sd, name
    for name, standard_error in {"Intercept": 2.2977, "day": 0.105593}.items():
        # lme4's standard error takes the sds as known; the posterior sd does not, and is a little larger.
        assert 0.95 < summary.row(name).sd / standard_error < 1.25, name


def test_prior_only_draws_the_priors(tmp_path: Path) -> None:
    priors = ("Intercept ~ normal(100, 20)", "day ~ normal(0, 2)", "sigma ~ exponential(0.1)", "cor(rat) ~ lkj(2)")
    for engine in ("collapsed", "full"):
        done = fit(SAMPLE_DATA / "rats.csv", RATS, tmp_path / engine, engine, priors=priors, prior_only=True)
        at_mean = done.summary.row("Intercept_at_mean")
        assert abs(at_mean.mean - 100) < 5 * at_mean.mcse_mean
        expected = {"Intercept_at_mean": 20.0, "day": 2.0, "sigma": 10.0, "cor(rat: Intercept, day)": 1 / np.sqrt(5)}
        for name, sd in expected.items():  # lkj(2) of two: (r + 1) / 2 ~ beta(2, 2), whose sd doubled is 1 / sqrt(5)
            row = done.summary.row(name)
            # Five standard errors of an sd; the exponential's kurtosis of 9 doubles that of a normal.
            assert abs(row.sd / sd - 1) < 2 * 5 / np.sqrt(2 * min(row.ess_bulk, row.ess_tail)), name


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_truth_is_recovered(seed: int, tmp_path: Path) -> None:
    """Every true value lies within four posterior sds, and the 95 % intervals of the groups hold what they promise."""
    simulation = replace(find_scenario("slopes").simulation, seed=seed)
    simulated = simulate(simulation)
    write_simulation(simulated, tmp_path / "sim")
    done = fit(tmp_path / "sim" / "data.csv", formula_from_flags("score", ["ses"], "school", ["ses"]), tmp_path / "run")
    for name, value in true_parameters(simulation).items():
        row = done.summary.row(name)
        assert abs(row.mean - value) < 4 * row.sd, name
    table = summarize_groups(done.draws, done.design, done.spec).table("school")
    truth = np.array([simulated.truth["effects"]["school"]["values"][label] for label in table.labels])
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
