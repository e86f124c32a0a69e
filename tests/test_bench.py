"""The benchmark's own machinery, on a tiny case and comparators that sample nothing."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest

from bench import scaling, simulated
from bench.__main__ import chosen_cases, chosen_comparators, main, parser, settings_of
from bench.case import Case, Grouping
from bench.cases import CASES, csv_of
from bench.comparators import COMPARATORS
from bench.comparators.contract import Job, Outcome, Sampling, read_table
from bench.compare import Standing, standings
from bench.measure import Measurement, Settings, Status, measure
from bench.report import grids, markdown
from bench.results import Results, describe_case, read_results, write_results
from bench.targets import TARGETS, verdicts
from bench.timing import PROC, Limits, run_timed
from hierfit.data.table import read_table as read_csv
from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.model.formula_text import parse_formula

ROOT = Path(__file__).parents[1]
README = ROOT / "bench" / "README.md"
ROOMY = Limits(60.0, 2**40)
TINY = Case("tiny", "a tiny case", "y", ("x",), (Grouping("g", 2),), 2, lambda path: tiny_csv(path))
# What a comparator does: here, 4 chains of 100 independent draws of three parameters.
DRAW = """
import json, pathlib, random, sys
options = dict(word.split("=", 1) for word in sys.argv[1:])
shift, out = float(options["shift"]), pathlib.Path(options["out"])
assert pathlib.Path(options["csv"]).read_text().startswith("y,x,g")
random.seed(int(options["seed"]))
lines = ["chain,a,b,s"]
for chain in range(int(options["chains"])):
    lines += [f"{chain},{random.gauss(shift, 1)},{random.gauss(0, 2)},{random.random()}" for _ in range(100)]
(out / "population.csv").write_text("\\n".join(lines))
(out / "seconds.json").write_text(json.dumps({"sampling": 0.01}))
"""


def tiny_csv(path: Path) -> None:
    path.write_text("y,x,g\n1,2,1\n2,3,2\n")


@dataclass(frozen=True)
class Fake:
    """A comparator that a script of a few lines plays."""

    name: str = "hierfit"
    shift: float = 0.0
    script: str = DRAW
    absent: str = ""
    reason: str = ""

    def missing(self) -> str:
        return self.absent

    def refuses(self, case: Case, *, patient: bool) -> str:
        return "" if patient else self.reason

    def prepare(self, job: Job) -> None:
        if self.name == "broken":
            raise RuntimeError("no compiler\nat all")

    def command(self, job: Job) -> list[str]:
        return [sys.executable, "-c", self.script, *job.arguments, f"shift={self.shift}"]

    def collect(self, job: Job) -> Outcome:
        columns, seconds = read_table(job.folder)
        return Outcome(
            {"Intercept": columns["a"], "x": columns["b"], "sd(g)": columns["s"]},
            sampling_seconds=seconds,
            seconds_from_sampling=seconds,
        )


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIERFIT_BENCH_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


# The clock.


def test_a_command_is_timed_from_start_to_end(tmp_path: Path) -> None:
    timing = run_timed([sys.executable, "-c", "import time; time.sleep(0.3); print('said')"], tmp_path / "log", ROOMY)
    assert timing.seconds >= 0.3
    assert (timing.status, timing.ending) == (0, "finished")
    assert (tmp_path / "log").read_text() == "said\n"


def test_a_failed_command_has_its_status(tmp_path: Path) -> None:
    assert run_timed([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log", ROOMY).status == 3


def test_a_capped_command_is_stopped(tmp_path: Path) -> None:
    timing = run_timed(["sleep", "60"], tmp_path / "log", Limits(0.3, 2**40))
    assert timing.ending == "capped"
    assert 0.3 <= timing.seconds < 30


@pytest.mark.skipif(not PROC, reason="what a command has started is found in /proc: Linux only")
def test_what_a_command_has_started_is_stopped_with_it(tmp_path: Path) -> None:
    child = f"sh -c 'echo $$ > {tmp_path / 'pid'}; exec sleep 60'"
    run_timed(["sh", "-c", f"{child}; true"], tmp_path / "log", Limits(0.5, 2**40))
    stat = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"  # gone, or dead and not buried


@pytest.mark.skipif(not PROC, reason="memory of several processes: Linux only")
def test_memory_of_all_processes_adds_up(tmp_path: Path) -> None:
    hold = "import time; held = bytearray(b'x') * 60_000_000; time.sleep(1)"
    both = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; child.wait()"
    timing = run_timed([sys.executable, "-c", both], tmp_path / "log", ROOMY)
    assert 120_000_000 < timing.peak_bytes < 180_000_000


@pytest.mark.skipif(not PROC, reason="the harness's own memory is kept out of it: Linux only")
def test_memory_is_not_that_of_the_harness(tmp_path: Path) -> None:
    held = bytearray(b"x") * 100_000_000
    timing = run_timed([sys.executable, "-c", "import time; time.sleep(0.3)"], tmp_path / "log", ROOMY)
    assert 1_000_000 < timing.peak_bytes < len(held)


@pytest.mark.skipif(not PROC, reason="looked at while it runs: Linux only")
def test_a_command_that_takes_too_much_memory_is_stopped(tmp_path: Path) -> None:
    hold = "import time; held = bytearray(b'x') * 100_000_000; time.sleep(20)"
    timing = run_timed([sys.executable, "-c", hold], tmp_path / "log", Limits(60.0, 50_000_000))
    assert timing.ending == "out of memory"
    assert timing.seconds < 20


# A case through the whole of it.


def found_by(*comparators: Fake, settings: Settings | None = None) -> list[Measurement]:
    return list(measure(TINY, comparators, settings or Settings(runs=2)))


def test_runs_are_measured_and_judged_by_their_draws() -> None:
    first, other, *_ = found_by(Fake(), Fake("other", shift=3.0))
    assert [first.comparator, other.comparator] == ["hierfit", "other"]  # round by round
    assert (first.status, first.run, first.sampling_seconds) == ("ok", 1, 0.01)
    assert first.seconds is not None and first.seconds > 0.01
    assert first.seconds_before == pytest.approx(first.seconds - 0.01)
    assert first.peak_bytes is not None and first.peak_bytes > 0
    # 400 independent draws: the bulk ESS is 400 but for its own error, and the smallest of three lies below.
    assert first.ess is not None and 200 < first.ess < 600
    assert first.rhat is not None and first.rhat < 1.05
    assert set(first.means) == {"Intercept", "x", "sd(g)"}
    assert other.means["Intercept"] == pytest.approx(3.0, abs=5 / np.sqrt(400))


def test_standings_are_medians_and_ratios() -> None:
    found = standings(found_by(Fake(), Fake("other", shift=3.0), settings=Settings(runs=3)))
    own, other = found["hierfit"], found["other"]
    assert own.runs == other.runs == 3
    assert own.spread is not None and own.seconds is not None and own.spread[0] <= own.seconds <= own.spread[1]
    assert own.ess_per_sampling_second == pytest.approx(own.ess and own.ess / 0.01)
    assert own.apart is None
    # Three posterior sds, give or take the error of two means of 400 draws and of the sd.
    assert other.apart == pytest.approx(3.0, abs=0.8)


def test_what_cannot_run_says_why() -> None:
    comparators = [
        Fake(),
        Fake("absent", absent="not installed"),
        Fake("slow", reason="hours"),
        Fake("broken"),
        Fake("failing", script="raise SystemExit('out of luck')"),
        Fake("silent", script="pass"),
    ]
    found = standings(found_by(*comparators))
    assert {name: one.status for name, one in found.items()} == {
        "hierfit": "ok",
        "absent": "skipped",
        "slow": "skipped",
        "broken": "failed",
        "failing": "failed",
        "silent": "failed",
    }
    assert found["absent"].note == "not installed"
    assert found["broken"].note == "could not be prepared: at all"
    assert found["failing"].note == "exit status 1: out of luck"
    assert "population.csv" in found["silent"].note


def test_what_takes_too_long_has_the_cap_for_its_time() -> None:
    (one,) = found_by(Fake("endless", script="import time; time.sleep(60)"), settings=Settings(runs=2, cap=0.3))
    assert (one.status, one.seconds) == ("capped", 0.3)


def test_the_reason_of_r_is_not_that_it_stops() -> None:
    said = "import sys; sys.exit('Error in f(x) :\\n  no such column\\nCalls: f\\nExecution halted')"
    (one,) = found_by(Fake("failing", script=said))
    assert one.note == "exit status 1: no such column"


def test_a_comparator_that_takes_its_folder_along_ends_nothing() -> None:
    vandal = "import pathlib, shutil, sys; out = dict(word.split('=', 1) for word in sys.argv[1:])['out']; "
    vandal += "shutil.rmtree(pathlib.Path(out).parent); sys.exit({})"
    for status, said in (("1", "it said nothing"), ("0", "FileNotFoundError")):
        one, other = found_by(Fake("vandal", script=vandal.format(status)), Fake(), settings=Settings(runs=1))
        assert (one.status, other.status) == ("failed", "ok")
        assert said in one.note


def test_the_patient_start_what_takes_hours() -> None:
    (one,) = found_by(Fake("slow", reason="hours"), settings=Settings(runs=1, patient=True))
    assert one.status == "ok"


def test_what_was_stopped_is_not_run_again() -> None:
    found = found_by(Fake("failing", script="raise SystemExit(1)"), settings=Settings(runs=3))
    assert len(found) == 1


# Results.


def results(*measurements: Measurement, cases: dict[str, Case] | None = None, cap: float = 600) -> Results:
    known = cases or {"tiny": TINY}
    machine = {"date": "2026-01-01", "cpu": "a cpu", "cores": 2, "memory_bytes": 2**33, "system": "s"}
    return Results(
        machine | {"load_average": 0.1},
        {"python": "3.12.0"},
        Settings(cap=cap, sampling=Sampling(draws=10)),
        {name: describe_case(case, 100) for name, case in known.items()},
        measurements,
    )


OWN = Measurement(
    "tiny",
    "hierfit",
    "ok",
    run=1,
    seconds=2.0,
    peak_bytes=2**20,
    sampling_seconds=1.0,
    ess=400,
    weakest="x",
    rhat=1.001,
    means={"x": 1.0},
    sds={"x": 0.5},
)
OTHER = replace(OWN, comparator="brms-style", seconds=40.0, ess=100, means={"x": 2.0}, sampling_seconds=None)


def test_results_survive_the_file(tmp_path: Path) -> None:
    found = results(OWN, OTHER)
    write_results(found, tmp_path / "new" / "r.json")
    again = read_results(tmp_path / "new" / "r.json")
    assert again == replace(found, measurements=[OWN, OTHER])


def test_the_table_has_times_rates_and_ratios() -> None:
    (grid,) = grids(results(OTHER, OWN))
    assert grid.rows[0][:9] == ("hierfit", "2", "1", "1", "1", "400", "200", "1", "400")
    assert grid.rows[1] == ("brms-style", "40", "20", "", "1", "100", "2.5", "80", "", "1.001", "2.00")
    assert markdown(grid).count("\n| ") == 4


def test_the_table_says_what_was_capped_and_skipped() -> None:
    capped = Measurement("tiny", "lme4", "capped", "", 1, 600.0, 2**20)
    skipped = Measurement("tiny", "brms", "skipped", "no Rscript on PATH")
    (grid,) = grids(results(OWN, capped, skipped))
    rows = {row[0]: row for row in grid.rows}
    assert rows["lme4"][1:3] == ("> 600", "> 300")
    assert rows["brms"][1] == "-"
    assert grid.notes == ("brms: skipped: no Rscript on PATH",)
    assert "\n- brms: skipped" in markdown(grid)
    assert all(len(row) == len(grid.head) for row in grid.rows)


def test_times_are_not_held_against_a_run_that_failed() -> None:
    done = Measurement("tiny", "lme4", "ok", "", 1, 30.0, 2**20)
    for status, ratio in (("failed", ""), ("capped", "< 0.05")):
        own = Measurement("tiny", "hierfit", cast(Status, status), "", 1, 600.0, 2**20)
        (grid,) = grids(results(own, done))
        assert [row[2] for row in grid.rows] == ["", ratio]


def judged(case: str, *standings: Standing) -> list[tuple[str, str, bool | None]]:
    found = verdicts(CASES[case], {one.comparator: one for one in standings}, 10, Sampling())
    return [(one.target, one.measured, one.met) for one in found]


def test_targets_are_ratios_to_the_best_that_ran() -> None:
    own = Standing("hierfit", "ok", seconds=3.0, seconds_before=0.7, ess_per_second=620.0)
    lme4 = Standing("lme4", "ok", seconds=2.5)
    nutpie = Standing("bambi-nutpie", "ok", seconds=5.0, ess_per_second=20.0)
    numpyro = Standing("bambi-numpyro", "ok", seconds=5.0, ess_per_second=10.0)
    rate = "ESS/s at least 30 x the best of bambi-nutpie, bambi-numpyro"
    time, before = "time at most 1.5 x lme4", "time until sampling begins at most 0.6 s"
    assert judged("slopes", own, lme4, nutpie, numpyro) == [
        (rate, "31 x bambi-nutpie", True),
        (time, "1.2 x lme4", True),
        (before, "0.7 s", False),
    ]
    assert judged("slopes", own, replace(lme4, seconds=1.9), replace(nutpie, ess_per_second=21.0)) == [
        (rate, "29.5 x bambi-nutpie", False),
        (time, "1.58 x lme4", False),
        (before, "0.7 s", False),
    ]
    alone = [(rate, "not measured", None), (time, "not measured", None), (before, "0.7 s", False)]
    assert judged("slopes", own, Standing("bambi-nutpie", "capped", seconds=600.0)) == alone
    assert judged("slopes", lme4, nutpie) == []


def test_a_peer_that_was_stopped_took_longer_than_the_cap() -> None:
    lme4, nagq0 = Standing("lme4", "capped", seconds=600.0), Standing("lme4-nagq0", "ok", seconds=100.0)
    one, two = "time at most 0.3 x lme4", "time at most 2 x lme4-nagq0"
    for seconds, measured, met in ((150.0, "< 0.25 x lme4", True), (240.0, "< 0.4 x lme4", None)):
        own = Standing("hierfit", "ok", seconds=seconds)
        second = (two, f"{seconds / 100:.3g} x lme4-nagq0", seconds <= 200)
        assert judged("bernoulli", own, lme4, nagq0) == [(one, measured, met), second]
    stopped = Standing("hierfit", "capped", seconds=600.0)
    both = judged("bernoulli", stopped, lme4, nagq0)
    assert both == [(one, "not measured", None), (two, "> 6 x lme4-nagq0", False)]


def test_checks_are_to_be_ok() -> None:
    for checks, measured, met in (
        ("ok", "OK", True),
        ("warn", "warnings", False),
        ("failed-checks, ok", "failed, OK", False),
        ("", "not measured", None),
    ):
        found = judged("ordinal", Standing("hierfit", "ok", seconds=4.0, seconds_before=0.5, checks=checks))
        assert found == [
            ("time at most 5 s", "4 s", True),
            ("checks OK", measured, met),
            ("time until sampling begins at most 0.6 s", "0.5 s", True),
        ]


def test_a_capped_hierfit_misses_what_it_cannot_reach_any_more() -> None:
    capped = Standing("hierfit", "capped", seconds=600.0)
    for seconds, met in ((30.0, False), (2400.0, None)):
        found = {"hierfit": capped, "lme4": Standing("lme4", "ok", seconds=seconds)}
        time, *_ = verdicts(CASES["million"], found, 10, Sampling())
        assert (time.measured, time.met) == (f"> {600 / seconds:.3g} x lme4", met)


def test_memory_is_judged_where_data_are_large() -> None:
    own = Standing("hierfit", "ok", peak_bytes=900 * 2**20)
    one = list(verdicts(CASES["million"], {"hierfit": own}, 30_000_000, Sampling()))[-1]
    # 3 x 30 MB, and 4,000 draws of 20,000 effects and 6 parameters at 8 bytes.
    assert one.target.endswith(f"{(90_000_000 + 8 * 4000 * 20_006) / 2**20:,.0f} MiB")
    assert one.met is False


def test_every_target_names_a_case_and_comparators() -> None:
    for target in TARGETS:
        assert target.case in CASES
        assert set(target.peers) <= set(COMPARATORS)


# Scaling.


def test_a_comparator_that_was_stopped_is_not_tried_at_larger_sizes() -> None:
    sweep = scaling.Sweep("rows", {rows: replace(TINY, name=f"rows-{rows}", rows=rows) for rows in (10, 100)})
    comparators = [Fake(), Fake("failing", script="raise SystemExit(1)"), Fake("refusing", reason="too small")]
    found = list(scaling.measure_sweep(sweep, comparators, Settings(runs=1), lambda text: None))
    assert [(one.case, one.comparator) for one in found] == [
        ("rows-10", "refusing"),
        ("rows-10", "hierfit"),
        ("rows-10", "failing"),
        ("rows-100", "refusing"),
        ("rows-100", "hierfit"),
    ]


@pytest.mark.parametrize("family", scaling.FAMILIES)
def test_scaling_is_drawn(family: scaling.ScalingFamily, tmp_path: Path) -> None:
    by_rows, by_groups = scaling.sweeps(family, 10_000)
    cases = {case.name: case for sweep in (by_rows, by_groups) for case in sweep.cases.values()}
    assert list(cases) == [f"{family}-{size}" for size in ("rows-1000", "rows-10000", "groups-100", "groups-1000")]
    assert {case.family for case in cases.values()} == {family}
    sizes = [(case.rows, case.groupings[0].levels) for case in cases.values()]
    assert sizes == [(1_000, 100), (10_000, 100), (1_000, 100), (10_000, 1_000)]
    made = [replace(OWN, case=name, seconds=float(number)) for number, name in enumerate(cases, start=1)]
    other = replace(OTHER, case=f"{family}-rows-1000")
    stopped = Measurement(f"{family}-rows-10000", "brms-style", "capped", "", 1, 600.0)
    found = results(*made, other, stopped, cases=cases)
    assert scaling.series(found, by_rows) == {"hierfit": {1000: 1.0, 10000: 2.0}, "brms-style": {1000: 40.0}}
    assert scaling.series(found, by_rows, "capped") == {"brms-style": {10000: 600.0}}
    assert scaling.series(found, by_groups) == {"hierfit": {100: 3.0, 1000: 4.0}}
    scaling.draw_scaling(found, family, (by_rows, by_groups), tmp_path / "new" / "scaling.png")
    assert (tmp_path / "new" / "scaling.png").read_bytes().startswith(b"\x89PNG")


def test_scaling_has_a_family() -> None:
    assert parser().parse_args(["scaling"]).family == "gaussian"
    with pytest.raises(SystemExit):
        parser().parse_args(["scaling", "--family", "gamma"])


# Cases.

AFFORDABLE = [case for case in CASES.values() if case.rows < 10_000]


@pytest.mark.parametrize("case", AFFORDABLE, ids=lambda case: case.name)
def test_a_case_is_what_hierfit_makes_of_it(case: Case) -> None:
    formula = parse_formula(case.formula)
    table = read_csv(csv_of(case), [formula.response, *formula.predictors], formula.label_columns)
    design = build_design(formula, table, centered=case.centered, family=case.family)
    priors = [f"{name} ~ {prior}" for name, prior in case.priors.items()]
    spec = build_spec(formula, design, priors)
    fixed = {name for name, prior in case.priors.items() if prior.startswith("constant")}
    # The correlations of a factor have one prior, whatever their number.
    assert {name for name in spec.priors if not name.startswith("cor(")} == {
        name for name in (*case.parameters, *fixed) if not name.startswith("cor(")
    }
    assert design.n_rows == case.rows
    assert {group.factor: len(group.labels) for group in design.groups} == {
        grouping.factor: grouping.levels for grouping in case.groupings
    }


def test_data_are_written_once_and_the_same_every_time(data_folder: Path) -> None:
    case = CASES["slopes"]
    path = csv_of(case)
    text = path.read_bytes()
    path.write_text("kept")
    assert csv_of(case).read_text() == "kept"
    path.unlink()
    assert csv_of(case).read_bytes() == text


SIZED = (
    (simulated.passes, "passed"),
    (simulated.passes_with_slopes, "passed"),
    (simulated.absences, "absences"),
)


@pytest.mark.parametrize("name", ["bernoulli", "rare", "negbinomial", "ordinal", "lognormal"])
def test_a_csv_has_the_rows_levels_and_columns_of_its_case(name: str) -> None:
    case = CASES[name]
    table = pd.read_csv(csv_of(case))
    assert list(table) == [case.response, *case.predictors, *(grouping.factor for grouping in case.groupings)]
    assert len(table) == case.rows
    assert not table.isna().any(axis=None)
    assert [table[grouping.factor].nunique() for grouping in case.groupings] == [
        grouping.levels for grouping in case.groupings
    ]


def test_outcomes_are_what_their_case_says() -> None:
    rare = pd.read_csv(csv_of(CASES["rare"]))
    assert 0.006 < rare["failed"].mean() < 0.008
    assert (rare.groupby("machine")["failed"].sum() == 0).mean() > 0.8  # "most machines never fail"
    counts = pd.read_csv(csv_of(CASES["negbinomial"]))["visits"]
    assert counts.var() > 3 * counts.mean()
    assert set(pd.read_csv(csv_of(CASES["ordinal"]))["rating"]) == set(range(1, CASES["ordinal"].categories + 1))
    assert (pd.read_csv(csv_of(CASES["lognormal"]))["time"] > 0).all()


@pytest.mark.parametrize(("write", "response"), SIZED, ids=["yes or no", "with slopes", "counts"])
def test_what_has_a_size_is_written_at_any(
    write: Callable[[Path, int, int], None], response: str, tmp_path: Path
) -> None:
    write(tmp_path / "d.csv", 20_000, 2_000)
    table = pd.read_csv(tmp_path / "d.csv")
    assert list(table) == [response, "ses", "school"]
    assert (len(table), table["school"].nunique()) == (20_000, 2_000)
    assert table["school"].is_monotonic_increasing
    # Slopes of yes or no are 0.4 on the logit scale, a quarter of that or less as a probability; those of counts -0.3.
    slope = np.polyfit(table["ses"], table[response], 1)[0]
    low, high = (0.05, 0.1) if response == "passed" else (-1.2, -0.5)
    assert low < slope < high


# The command line.


def test_options_choose_cases_and_comparators() -> None:
    options = parser().parse_args(["--case", "school,slopes", "--comparators", "hierfit", "--comparators", "lme4"])
    assert [case.name for case in chosen_cases(options)] == ["school", "slopes"]
    assert [comparator.name for comparator in chosen_comparators(options)] == ["hierfit", "lme4"]
    assert settings_of(options).runs == 3


def test_quick_is_small() -> None:
    options = parser().parse_args(["--quick", "--cap", "5"])
    assert all(case.rows <= 10_000 for case in chosen_cases(options))
    assert {"hierfit", "tutorial", "brms-style"} <= {comparator.name for comparator in chosen_comparators(options)}
    settings = settings_of(options)
    assert (settings.runs, settings.cap, settings.sampling.draws) == (1, 5.0, 300)


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--case", "scholl"])
    assert "there is no case 'scholl'; there are: school, row-slopes" in capsys.readouterr().err


def test_results_are_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_results(results(replace(OWN, case="school"), cases={"school": CASES["school"]}), tmp_path / "r.json")
    assert main(["show", str(tmp_path / "r.json")]) == 0
    shown = capsys.readouterr().out
    assert "| hierfit | 2 | 1 | 1 | 1 | 400 | 200 | 1 | 400 | 1.001 |" in shown
    assert "| school | time at most 1.5 s | 2 s | missed |" in shown


def test_the_list_names_every_case_and_comparator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.comparators.r_packages.missing_in_r", lambda package: "no Rscript on PATH")
    monkeypatch.setattr("bench.comparators.bambi_models.missing_in_python", lambda python, sampler: "")
    main(["list"])
    listed = capsys.readouterr().out
    assert re.search(r"^  lme4 +no Rscript on PATH$", listed, re.MULTILINE)
    assert re.search(r"^  bambi-nutpie +installed$", listed, re.MULTILINE)
    assert all(f"  {name}" in listed for name in [*CASES, *COMPARATORS])


# What is written about it.


def test_the_readme_names_what_there_is() -> None:
    text = README.read_text()
    options = {name for action in parser()._actions for name in action.option_strings if name != "-h"} - {"--help"}
    assert set(re.findall(r"(?<![\w-])--[a-z]+", text)) == options
    assert all(f"`{name}`" in text for name in [*CASES, *COMPARATORS])
    for case in CASES.values():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{case.name}`"))
        assert f"| {case.rows:,} | {' x '.join(f'{grouping.levels:,}' for grouping in case.groupings)} |" in row
        assert ("*" in row.split("|")[1]) == case.costly


def test_hierfit_does_not_know_the_benchmark() -> None:
    for path in (ROOT / "hierfit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "bench" for name in names), path


# The smallest case, really.


@pytest.mark.stan
def test_the_school_case_with_hierfit_and_the_two_stan_programs(tmp_path: Path) -> None:
    words = ["--case", "school", "--comparators", "hierfit,tutorial,brms-style", "--runs", "1"]
    assert main([*words, "--draws", "200", "--warmup", "200", "--out", str(tmp_path / "r.json")]) == 0
    found = standings(read_results(tmp_path / "r.json").measurements)
    assert {name: (one.status, one.runs) for name, one in found.items()} == dict.fromkeys(
        ("hierfit", "tutorial", "brms-style"), ("ok", 1)
    )
    for one in found.values():
        assert one.ess is not None and one.ess > 50
        assert one.sampling_seconds is not None and one.seconds is not None and one.sampling_seconds < one.seconds
        # The same model: means of at least 50 effective draws each are sqrt(2 / 50) = 0.2 sds apart; five times that.
        assert one.apart is None or one.apart < 1
