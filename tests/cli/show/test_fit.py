"""The report, character by character, from summaries and verdicts made by hand."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import WIDEST, Page, on, ready
from hierfit.cli.show.checks import check_lines
from hierfit.cli.show.fit import header_lines, run_text
from hierfit.cli.show.groups import groups_text
from hierfit.cli.show.plan import level_lines, prior_lines
from hierfit.cli.show.table import table_lines
from hierfit.data.table import Dialect
from hierfit.design.building import build_design
from hierfit.design.learnt_terms import LearntTerms
from hierfit.design.prior_choice import build_spec
from hierfit.engines.names import EngineName
from hierfit.engines.start import Start
from hierfit.errors import UsageError
from hierfit.model.formula_text import parse_formula
from hierfit.model.priors import Prior
from hierfit.model.request import FitRequest
from hierfit.model.roles import Roles
from hierfit.model.spec import Kind, ModelSpec
from hierfit.posterior.advice import Try
from hierfit.posterior.at_levels import AtLevel
from hierfit.posterior.checks import PriorCategories, PriorPredictive
from hierfit.posterior.diagnostics import Diagnosis, Finding, Level
from hierfit.posterior.group_summary import GroupSummary, GroupTable
from hierfit.posterior.summary import Summary, SummaryRow, VarianceShare
from hierfit.posterior.words import coefficients
from hierfit.runs.record import DataRecord, GroupRecord, RunRecord, SecondsRecord
from hierfit.sampling import SamplerOptions
from hierfit.told.account import dropped_text, duration, family_text
from hierfit.told.cells import cells
from tests.model.cases import table as columns

NAN, RUN = float("nan"), Path("RUN")


def row(name: str, kind: Kind, mean: float, sd: float, *rest: float, group: str | None = None) -> SummaryRow:
    lower, upper, mcse, rhat, bulk, tail = rest
    term = None if kind is Kind.AUXILIARY else name.partition("_at_")[0]
    return SummaryRow(name, kind, group, term, None, mean, sd, lower, upper, mcse, rhat, bulk, tail)


ROWS = (
    row("Intercept", Kind.COEFFICIENT, 12.6631, 0.1893, 12.2891, 13.0312, 0.006, 1.0012, 912.7, 1630.2),
    row("Intercept_at_mean", Kind.COEFFICIENT, 12.6644, 0.1893, 12.2894, 13.0342, 0.006, 1.0012, 912.7, 1630.2),
    row("ses", Kind.COEFFICIENT, 2.3912, 0.1203, 2.1534, 2.6281, 0.002, 1.0004, 3204, 2871),
    row("sd(school)", Kind.SD, 2.2133, 0.1612, 1.9134, 2.5523, 0.004, 1.0031, 1340, 2102, group="school"),
    row("cor(school: Intercept, ses)", Kind.CORRELATION, -0.1123, 0.2134, -0.5012, 0.3321, 0.004, 1, 2990, 2655,
        group="school"),
    row("sigma", Kind.AUXILIARY, 1, 0, 1, 1, NAN, NAN, NAN, NAN),
)  # fmt: skip
SUMMARY = Summary(ROWS, 0.95, (VarianceShare("school", 0.1234, 0.0912, 0.1534, ("ses",)),))
OK = Diagnosis(Level.OK, (), None, (), 1.0041, 912.7, 1604.1, 0, 4000, 0.8423)
WARN = replace(
    OK,
    status=Level.WARN,
    findings=(
        Finding("divergences", Level.WARN, "3 of 4,000 draws (<0.1%), most with sd(school) < 0.05", "0",
                ("sd(school)",), "the sampler cannot follow the posterior there"),
    ),
    divergent=3,
    tries=(Try("--adapt-delta 0.99", "smaller steps, 2 to 3 times slower"),),
)  # fmt: skip
FAILED = replace(
    OK,
    status=Level.FAIL,
    findings=(
        Finding("rhat", Level.FAIL, "1.17", "< 1.01", ("sd(school: ses)", "slopes of ses of 6 of 12 schools"),
                "the chains disagree, so the estimates depend on the chain"),
        Finding("ess", Level.FAIL, "37 bulk, 52 tail", ">= 400",
                ("sd(school: ses)", "cor(school: Intercept, ses)", "Intercept", "sigma", "ses", "age"),
                "few independent draws, so means and intervals are noisy"),
        Finding("divergences", Level.FAIL, "143 of 4,000 draws (3.6%), most with sd(school: ses) < 0.05", "0",
                ("sd(school: ses)",), "the sampler cannot follow the posterior there, so the estimates may be biased"),
        Finding("ebfmi", Level.WARN, "0.24 in chain 3", ">= 0.3", (), "the chains explore the tails slowly"),
    ),
    likely="12 schools with 2 to 5 rows each say little about how intercepts and slopes of ses vary, and so on.",
    tries=(
        Try("--adapt-delta 0.99", "smaller steps, 2 to 3 times slower"),
        Try("--prior 'sd(school: ses) ~ normal(0, 1)'", "tell it what is plausible"),
        Try("--uncorrelated", "leave out the correlations of the varying coefficients"),
    ),
)  # fmt: skip


REQUEST = FitRequest(
    Path("hsb.csv"), parse_formula("mathach ~ ses + (1 | school)"), sampler=SamplerOptions(warmup=1000, seed=1)
)
GROUP = GroupRecord("school", 160, 14, 44.91, 67, 0, {})


def priors(**sources: str) -> dict[str, Prior]:
    return {name: Prior("normal", (0.0, 1.0), source) for name, source in sources.items()}


MODEL = ModelSpec(
    REQUEST.formula, "gaussian", "identity", ("ses",), (), priors(Intercept="rstanarm", ses="rstanarm", sigma="brms")
)
RECORD = RunRecord(
    hierfit="0.1.0",
    request=REQUEST,
    data=DataRecord("hsb.csv", "", 7185, 7185, (), {}),
    groups=(GROUP,),
    formula="mathach ~ 1 + ses + (1 | school)",
    model=MODEL,
    engine=EngineName.COLLAPSED,
    program_sha256="0" * 64,
    draws_per_chain=1000,
    seconds=SecondsRecord(38.2, 0.0, 0.0, 38.0),
    status="ok",
    references={},
    categories=(),
    x_mean={"ses": -0.00142},
    terms=LearntTerms(),
    checks=OK,
)


def with_roles(**roles: Any) -> FitRequest:
    return replace(REQUEST, roles=Roles(**roles))


def text(form: OutputFormat, checks: Diagnosis = OK, **changes: Any) -> str:
    return run_text(replace(RECORD, **changes), SUMMARY, checks, form, RUN)


def test_orders_and_references_are_told() -> None:
    orders = {"dose": ["low", "mid", "high"], "passed": ["no", "yes"], "size": list("abcdefghij")}
    lines = level_lines("passed", {"sector": "Public", "dose": "mid"}, ("no", "yes"), orders)
    assert " ".join(" ".join(lines).split()) == (
        "Levels passed: the probability of yes (against no) · sector: compared with Public "
        "dose: low < mid < high, compared with mid · size: a < b < c < d < e < f < g < ... < j"
    )
    assert level_lines("agree", {}, ("no", "maybe", "yes"), {}) == ["Levels   agree: no < maybe < yes"]
    assert level_lines("score", {}, (), {}) == []


def test_the_report_of_a_run_tells_the_order() -> None:
    request = with_roles(levels={"dose": ("low", "high")})
    told = header_lines(replace(RECORD, request=request, references={"dose": "low"}))
    assert "Levels   dose: low < high, compared with low" in told


def test_the_whole_report() -> None:
    assert (
        text(OutputFormat.TABLE)
        == """\
mathach ~ 1 + ses + (1 | school)                       gaussian, identity link, engine collapsed
Data     hsb.csv · 7,185 rows · 160 schools · rows per school: min 14, mean 44.9, max 67
Draws    4 chains x 1,000 after 1,000 warmup · seed 1 · 38 s
Priors   weakly informative, scaled to the data (see run.json)
Checks   OK · R-hat max 1.004 · ESS min 912 bulk, 1,604 tail · 0 divergent · E-BFMI min 0.84

                                   mean       sd     95% interval     R-hat  ESS bulk  ESS tail
Coefficients
  Intercept                       12.66     0.19     12.29     13.03   1.00       912     1,630
  Intercept_at_mean               12.66     0.19     12.29     13.03   1.00       912     1,630
  ses                              2.39     0.12      2.15      2.63   1.00     3,204     2,871
Variation between schools (160)
  sd(school)                       2.21     0.16      1.91      2.55   1.00     1,340     2,102
  cor(school: Intercept, ses)     -0.11     0.21     -0.50      0.33   1.00     2,990     2,655
Residual
  sigma                            1       fixed

Intercept is the expected mathach at ses = 0, Intercept_at_mean that at its mean, -0.00142.
12% of the variance not explained by ses is between schools (ICC at ses = 0; 95% interval 9.1%
to 15%)."""
    )


def test_a_warning() -> None:
    assert check_lines(WARN, "RUN") == [
        "Checks   WARNING · R-hat max 1.004 · ESS min 912 bulk, 1,604 tail · 3 divergent",
        "         E-BFMI min 0.84",
        "  ! divergent  3 of 4,000 draws (<0.1%), most with sd(school) < 0.05",
        "               the sampler cannot follow the posterior there",
        "Try      1. hierfit fit --from RUN --adapt-delta 0.99",
        "            smaller steps, 2 to 3 times slower",
    ]


def test_a_failure() -> None:
    assert (
        "\n".join(check_lines(FAILED, "RUN"))
        == """\
Checks   FAILED · do not use these estimates yet
  x R-hat      1.17 (want < 1.01)              sd(school: ses), slopes of ses of 6 of 12 schools
               the chains disagree, so the estimates depend on the chain
  x ESS        37 bulk, 52 tail (want >= 400)
               sd(school: ses), cor(school: Intercept, ses), Intercept, sigma and 2 more
               few independent draws, so means and intervals are noisy
  x divergent  143 of 4,000 draws (3.6%), most with sd(school: ses) < 0.05
               the sampler cannot follow the posterior there, so the estimates may be biased
  ! E-BFMI     0.24 in chain 3 (want >= 0.3)
               the chains explore the tails slowly
Likely   12 schools with 2 to 5 rows each say little about how intercepts and slopes of ses
         vary, and so on.
Try      1. hierfit fit --from RUN --adapt-delta 0.99
            smaller steps, 2 to 3 times slower
         2. hierfit fit --from RUN --prior 'sd(school: ses) ~ normal(0, 1)'
            tell it what is plausible
         3. hierfit fit --from RUN --uncorrelated
            leave out the correlations of the varying coefficients"""
    )


@pytest.mark.parametrize("checks", [OK, WARN, FAILED], ids=lambda checks: checks.status.value)
def test_nothing_is_wider_than_a_terminal(checks: Diagnosis) -> None:
    assert max(map(len, text(OutputFormat.TABLE, checks).splitlines())) <= WIDEST


@pytest.fixture
def on_page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """Write on the page of the parameter while a test runs."""
    with on(request.param):
        yield request.param


@pytest.mark.parametrize("on_page", [Page(width) for width in range(60, 97, 4)], indirect=True, ids=str)
@pytest.mark.parametrize("checks", [OK, WARN, FAILED], ids=lambda checks: checks.status.value)
def test_a_report_fits_the_page_and_cuts_no_number(on_page: Page, checks: Diagnosis) -> None:
    shown = text(OutputFormat.TABLE, checks)
    words = shown.split()
    assert max(len(line) for line in shown.splitlines() if "hierfit fit --from" not in line) <= on_page.width
    assert {row.name for row in ROWS if " " not in row.name} <= set(words)
    for row in ROWS:
        assert {cells(row)[title] for title in ("mean", "sd", "lower", "upper")} <= {"", *words}


@pytest.mark.parametrize(
    ("on_page", "titles"),
    [
        (Page(96), ["R-hat", "ESS bulk", "ESS tail"]),
        (Page(80), ["R-hat", "ESS"]),
        (Page(70), ["R-hat"]),
        (Page(60), []),
    ],
    indirect=["on_page"],
)
def test_columns_go_before_names_are_cut(on_page: Page, titles: list[str]) -> None:
    lines = table_lines(SUMMARY, RECORD.groups)
    for title in ("R-hat", "ESS bulk", "ESS tail"):
        assert (title in lines[0]) == (title in titles)
    assert ("ESS" in lines[0]) == any("ESS" in title for title in titles)
    assert not any("…" in line for line in lines)


@pytest.mark.parametrize("on_page", [Page(60)], indirect=True)
def test_groups_stand_term_by_term_where_the_page_is_narrow(on_page: Page) -> None:
    shown = groups_text(GROUPS, None, 2, OutputFormat.TABLE)
    assert max(map(len, shown.splitlines())) <= on_page.width
    assert shown_levels(shown) == ["s0", "s1", "s7", "s8"] * 2


@pytest.mark.parametrize("on_page", [Page(colour=True)], indirect=True)
def test_verdicts_have_colour_where_there_is_colour(on_page: Page) -> None:
    for checks, word, code in ((OK, "OK", 32), (WARN, "WARNING", 33), (FAILED, "FAILED", 31)):
        assert f"\x1b[{code}m\x1b[1m{word}\x1b[0m" in ready(text(OutputFormat.TABLE, checks))
        assert "\x1b" not in text(OutputFormat.MD, checks) + text(OutputFormat.JSON, checks)


def test_every_check_has_a_name_for_people() -> None:
    from hierfit.cli.show.checks import CHECK_NAMES
    from hierfit.posterior import diagnostics

    assert set(CHECK_NAMES) >= set(diagnostics.THRESHOLDS) | {"stuck", "nonfinite"}


def test_what_the_header_says_of_unusual_runs() -> None:
    data = replace(RECORD.data, path="a.csv", rows_read=7188, missing={"ses": 2, "score": 1})
    model = replace(MODEL, priors=priors(Intercept="set by --prior", ses="rstanarm"), prior_only=True)
    implied = PriorPredictive(-1124.4, 1609.0, 132.0, 376.0, 0.76)
    unusual = replace(
        RECORD, data=data, model=model, status="interrupted", draws_per_chain=60, prior_predictive=implied
    )
    lines = header_lines(unusual)
    assert lines[1:] == [
        "Data     a.csv · 7,185 rows · 160 schools · 3 rows dropped (missing: 2 ses, 1 score)",
        "         rows per school: min 14, mean 44.9, max 67",
        "Draws    4 chains x 60 after 1,000 warmup · seed 1 · 38 s",
        "Priors   Intercept set by --prior; the others weakly informative, scaled to the data (see",
        "         run.json)",
        "Note     drawn from the priors alone; the outcome was left out",
        "Implied  95% of the mathach values that the priors imply lie between -1124 and 1609; 76% lie",
        "         outside the data's range, 132 to 376",
        "Note     interrupted: 60 of 1,000 draws of each chain",
    ]
    everything = replace(MODEL, priors=priors(sigma="set by --prior"))
    assert header_lines(replace(RECORD, model=everything))[-1] == "Priors   all set by --prior"


def test_groups_of_one_size() -> None:
    group = GroupRecord("row", 100, 1, 1.0, 1, 100, {})
    assert header_lines(replace(RECORD, groups=(group,)))[1].endswith("· 100 levels of row · rows per row: 1")


def test_the_header_says_how_many_rows_are_distinct() -> None:
    rows = RECORD.data.rows
    assert f" · {rows:,} rows, 12 of them distinct · " in header_lines(replace(RECORD, rows_sampled=12))[1]
    assert " distinct" not in header_lines(replace(RECORD, rows_sampled=rows))[1]


def test_the_header_says_that_a_short_warmup_did_not_do() -> None:
    start = Start("adaptation", 1000, 1.0, "R-hat 1.061", "after 300")
    assert "after 1,000 warmup (after 300: R-hat 1.061) · " in "\n".join(header_lines(replace(RECORD, start=start)))


def test_a_long_formula_is_wrapped() -> None:
    lines = header_lines(replace(RECORD, formula="y ~ 1 + " + " + ".join(f"predictor_{k}" for k in range(20))))
    assert lines[0].startswith("y ~ 1 + predictor_0")
    assert lines[4].strip() == "gaussian, identity link, engine collapsed"
    assert max(map(len, lines)) <= WIDEST


def test_no_group_no_variation() -> None:
    rows = (ROWS[2], ROWS[5])
    lines = table_lines(Summary(rows, 0.9, ()), [])
    assert [line for line in lines if not line.startswith("  ")] == ["Coefficients", "Residual"]
    assert "90% interval" in lines[0]


def test_wide_names_are_elided_and_numbers_are_not() -> None:
    name = "socio_economic_status_of_the_family_at_school_entry_in_euro"
    wide = replace(ROWS[2], name=name, mean=-1234567.8, sd=120.3, lower=-1234800.1, upper=-1234330.4, mcse_mean=2)
    lines = table_lines(Summary((ROWS[0], wide), 0.95, ()), [])
    assert max(map(len, lines)) <= WIDEST
    assert "socio_eco" in lines[3] and "…" in lines[3] and "euro" in lines[3]
    assert "-1.23457e+06" in lines[3] and lines[3].endswith("1.00")  # for want of room, no ESS


def test_more_than_one_predictor() -> None:
    summary = replace(SUMMARY, rows=(*ROWS[:3], replace(ROWS[2], name="age", term="age"), *ROWS[3:]))
    last = run_text(replace(RECORD, x_mean={"ses": 0.0, "age": 9.5}), summary, OK, OutputFormat.TABLE, RUN).split(
        "\n\n"
    )[-1]
    assert last.splitlines() == [
        "Intercept is the expected mathach where all predictors are 0, Intercept_at_mean that where they",
        "are at their means (see run.json).",
        "12% of the variance not explained by the predictors is between schools (ICC at ses = 0; 95%",
        "interval 9.1% to 15%).",
    ]


def test_json_holds_every_digit() -> None:
    document = json.loads(text(OutputFormat.JSON, FAILED))
    parameters = {entry["name"]: entry for entry in document["parameters"]}
    assert list(parameters) == [entry.name for entry in ROWS]
    assert parameters["ses"] == {
        "name": "ses", "kind": "coefficient", "group": None, "term": "ses", "predictor": None,
        "mean": 2.3912, "sd": 0.1203,
        "lower": 2.1534, "upper": 2.6281, "mcse_mean": 0.002, "rhat": 1.0004, "ess_bulk": 3204, "ess_tail": 2871,
    }  # fmt: skip
    assert (parameters["sigma"]["rhat"], parameters["sigma"]["sd"]) == (None, 0)
    assert document["checks"]["status"] == "fail"
    assert [found["check"] for found in document["checks"]["findings"]] == ["rhat", "ess", "divergences", "ebfmi"]
    assert (document["rows"], document["groups"], document["seconds"]["total"]) == (7185, {"school": 160}, 38.2)


def test_csv_holds_what_json_holds() -> None:
    read = list(csv.DictReader(io.StringIO(text(OutputFormat.CSV))))
    wanted = json.loads(text(OutputFormat.JSON))["parameters"]
    for line, entry in zip(read, wanted, strict=True):
        assert {name: value or None for name, value in line.items()} == {
            name: None if value is None else str(value) for name, value in entry.items()
        }


def markdown_rows(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").replace("\\|", "¦").split("|")] for line in lines]


def test_markdown_holds_the_numbers_of_the_table() -> None:
    shown = text(OutputFormat.MD, FAILED)
    rows = markdown_rows(shown)
    assert rows[0] == ["", "mean", "sd", "95% interval", "R-hat", "ESS bulk", "ESS tail"]
    assert rows[4] == ["ses", "2.39", "0.12", "2.15 to 2.63", "1.00", "3,204", "2,871"]
    assert rows[-1] == ["sigma", "1", "fixed", "", "", "", ""]
    assert {len(line) for line in rows} == {7}
    assert "Checks: FAILED · do not use these estimates yet." in shown
    assert "`mathach ~ 1 + ses + (1 | school)`, gaussian, identity link; 7,185 rows, 160 schools." in shown


def test_a_bar_in_a_name_does_not_break_the_markdown() -> None:
    shown = run_text(RECORD, Summary((replace(ROWS[2], name="a|b"),), 0.95, ()), OK, OutputFormat.MD, RUN)
    assert markdown_rows(shown)[2][0] == "a¦b"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.04, "0.0 s"), (2.14, "2.1 s"), (9.97, "10 s"), (119.6, "2 min 0 s"), (3800, "63 min 20 s")]
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_dropped_rows() -> None:
    assert dropped_text(0, {}) == "0 rows dropped"
    assert dropped_text(1, {"ses": 1, "score": 0}) == "1 row dropped (missing: 1 ses)"


# thresholds, log sigma, the horseshoe


def ordered_rows() -> tuple[SummaryRow, ...]:
    cuts = (("bad|fair", -1.6012), ("fair|good", 0.9821))
    return (
        replace(ROWS[2], name="x", term="x"),
        *(
            SummaryRow(f"threshold[{term}]", Kind.THRESHOLD, None, term, None, mean, 0.2012, mean - 0.4, mean + 0.4,
                       0.004, 1, 2352, 2289)
            for term, mean in cuts
        ),
        ROWS[3],
    )  # fmt: skip


RATING = parse_formula("rating ~ x + (1 | school)")
ORDERED = replace(
    RECORD,
    model=replace(MODEL, formula=RATING, family="cumulative", link="logit"),
    categories=("bad", "fair", "good"),
)


def test_the_table_of_thresholds() -> None:
    shown = run_text(ORDERED, Summary(ordered_rows(), 0.95, ()), OK, OutputFormat.TABLE, RUN)
    assert (
        shown.split("\n\n", 1)[1]
        == """\
                            mean       sd     95% interval     R-hat  ESS bulk  ESS tail
Coefficients
  x                         2.39     0.12      2.15      2.63   1.00     3,204     2,871
Thresholds
  threshold[bad|fair]      -1.60     0.20     -2.00     -1.20   1.00     2,352     2,289
  threshold[fair|good]      0.98     0.20      0.58      1.38   1.00     2,352     2,289
Variation between schools (160)
  sd(school)                2.21     0.16      1.91      2.55   1.00     1,340     2,102

threshold[a|b] is the logit of the probability of rating up to a at x = 0; a coefficient above 0
makes higher ones likelier."""
    )


def test_thresholds_without_predictors_or_with_several() -> None:
    alone = Summary(ordered_rows()[1:], 0.95, ())
    last = run_text(ORDERED, alone, OK, OutputFormat.TABLE, RUN).split("\n\n")[-1]
    assert last == "threshold[a|b] is the logit of the probability of rating up to a."
    several = Summary((replace(ROWS[2], name="z", term="z"), *ordered_rows()), 0.95, ())
    shown = run_text(ORDERED, several, OK, OutputFormat.MD, RUN)
    assert "up to a where all predictors are 0; a coefficient above 0 makes higher ones likelier." in shown
    assert "| threshold[bad\\|fair] " in shown


def sigma_summary(sigmas: tuple[AtLevel, ...], count: int = 2) -> Summary:
    rows = [
        SummaryRow(f"sigma_{name}", Kind.DISTRIBUTIONAL, None, name, "sigma", 0.4801, 0.0423, 0.3991, 0.5651, 0.0008, 1,
                   2907, 3034)
        for name in ["Intercept", "x", *(f"arm[{level}]" for level in range(2, count))]
    ]  # fmt: skip
    return Summary((*ROWS[:4], *rows), 0.95, (), sigmas)


def at(level: str | None, mean: float) -> AtLevel:
    return AtLevel("sigma", level and "arm", level, mean, 0.07, mean - 0.14, mean + 0.14)


def test_the_coefficients_of_log_sigma_and_what_they_come_to() -> None:
    shown = run_text(RECORD, sigma_summary((at(None, 1.661),)), OK, OutputFormat.TABLE, RUN)
    table, said = shown.split("\n\n")[1:]
    assert table.splitlines()[-3:] == [
        "Log sigma: the residual sd (exp of a coefficient multiplies sigma)",
        "  sigma_Intercept       0.480    0.042     0.399     0.565   1.00     2,907     3,034",
        "  sigma_x               0.480    0.042     0.399     0.565   1.00     2,907     3,034",
    ]
    assert said.splitlines()[-1] == "sigma    1.661 (1.521 to 1.801) where its predictors are at their means"
    assert max(map(len, shown.splitlines())) <= WIDEST


def test_sigma_at_the_levels_of_a_text_predictor() -> None:
    few = sigma_summary((at("a", 1.661), at("b", 2.4)), 3)
    assert run_text(RECORD, few, OK, OutputFormat.TABLE, RUN).splitlines()[-2:] == [
        "sigma    1.661 (1.521 to 1.801) for arm = a · 2.400 (2.260 to 2.540) for arm = b",
        "         other predictors of sigma at their means",
    ]
    many = sigma_summary(tuple(at(str(level), 1 + (7 * level) % 20) for level in range(20)), 20)
    shown = run_text(RECORD, many, OK, OutputFormat.TABLE, RUN).splitlines()
    assert shown[-2:] == [
        "sigma    from 1.000 (0.860 to 1.140) for arm = 0 to 20.000 (19.860 to 20.140) for arm = 17",
        "         all 20: --format json",
    ]
    assert "  ... 10 more: --format csv" in shown
    assert sum(line.startswith("  sigma_") for line in shown) == 10
    document = json.loads(run_text(RECORD, many, OK, OutputFormat.JSON, RUN))
    assert len(document["at_levels"]) == 20 and len(document["parameters"]) == 24
    assert document["at_levels"][3] == {
        "parameter": "sigma", "predictor": "arm", "level": "3",
        "mean": 2, "sd": 0.07, "lower": 2 - 0.14, "upper": 2 + 0.14,
    }  # fmt: skip


def test_the_scale_of_a_horseshoe_is_no_residual() -> None:
    scale = replace(ROWS[3], name="horseshoe_scale", kind=Kind.AUXILIARY, group=None, term=None)
    shown = table_lines(Summary((*ROWS[:3], ROWS[5], scale), 0.95, ()), [])
    assert shown[-4] == "Residual"
    assert shown[-2] == "Scale that coefficients under a horseshoe share"
    assert shown[-1].startswith("  horseshoe_scale")


def test_many_priors_set_by_the_user_are_counted() -> None:
    many = priors(**{f"x{k}": "set by --prior" for k in range(20)}, sigma="rstanarm")
    lines = header_lines(replace(RECORD, model=replace(MODEL, priors=many)))
    assert lines[3] == "Priors   x0, x1, x2, x3, x4, x5 and 14 more set by --prior; the others weakly informative,"


def test_what_the_priors_imply_of_categories() -> None:
    shares, observed = {"bad": 0.376, "fair": 0.244, "good": 0.38}, {"bad": 0.2, "fair": 0.303, "good": 0.497}
    implied, model = PriorCategories(shares, observed, 0.31), replace(ORDERED.model, prior_only=True)
    lines = header_lines(replace(ORDERED, prior_predictive=implied, model=model))
    assert " ".join(" ".join(lines[-2:]).split()) == (
        "Implied rating is 38% bad, 24% fair, 38% good of the time (in the data 20%, 30%, 50%); "
        "in 31% of the draws one of them has over 95% of the rows"
    )


@pytest.mark.parametrize(
    ("family", "said"),
    [
        ("poisson", "the log of the expected mathach at ses = 0"),
        ("zero_inflated_poisson", "the log of the expected mathach beyond the excess zeros at ses = 0"),
        ("hurdle_negbinomial", "the log of the expected mathach before 0 is excluded at ses = 0"),
    ],
)
def test_what_the_intercept_of_counts_is_of(family: str, said: str) -> None:
    model = replace(MODEL, family=family, link="log")
    shown = " ".join(text(OutputFormat.TABLE, model=model).split())
    assert f"Intercept is {said}" in shown


@pytest.mark.parametrize(
    ("roles", "named", "said"),
    [
        ({"offset": "log_min"}, "offset(log_min)", "ses = 0 and log_min = 0"),
        ({"exposure": "minutes"}, "offset(log(minutes))", "ses = 0 and minutes = 1"),
        ({"weights": "copies"}, "weights(copies), which count rows", "ses = 0"),
        ({"precision": "w"}, "precision weights(w)", "ses = 0"),
        ({"trials": "n"}, "trials(n)", "ses = 0"),
    ],
)
def test_further_columns_are_named_and_sentences_true_with_them(roles: dict[str, str], named: str, said: str) -> None:
    request, model = with_roles(**roles), replace(MODEL, family="poisson", link="log")
    shown = " ".join(text(OutputFormat.TABLE, request=request, model=model).split())
    assert f"poisson, log link, {named}, engine" in shown
    assert f"the log of the expected mathach at {said}, Intercept_at_mean that at its mean, -0.00142" in shown
    at_mean = said.removeprefix("ses = 0")
    assert shown.count(at_mean) == 2 if at_mean else True
    alone = run_text(
        replace(RECORD, request=request, model=model, x_mean={}),
        Summary((ROWS[0],), 0.95, ()),
        OK,
        OutputFormat.TABLE,
        RUN,
    )
    assert alone.endswith(f" at {at_mean[5:]}.") if at_mean else "Intercept is" not in alone


def test_thresholds_are_said_to_be_where_the_offset_is_0() -> None:
    request = with_roles(offset="o")
    for rows, said in ((ordered_rows(), "at x = 0 and o = 0; a"), (ordered_rows()[1:], "up to a at o = 0.")):
        shown = run_text(replace(ORDERED, request=request), Summary(rows, 0.95, ()), OK, OutputFormat.TABLE, RUN)
        assert said in " ".join(shown.split())


def test_what_is_unusual_about_the_file_is_told() -> None:
    data = replace(RECORD.data, dialect=Dialect(";", ",", "cp1252"))
    told = " ".join(" ".join(header_lines(replace(RECORD, data=data))).split())
    assert "hsb.csv (semicolons, decimal commas, Latin-1 (Windows-1252))" in told


@pytest.mark.parametrize(
    ("text", "family", "noted"),
    [
        ("y ~ a + (1 | g)", "cumulative", {"threshold[0|1]": "; at the mean of x", "sd(g)": "; its positive half"}),
        ("y ~ 1 + (1 | g)", "cumulative", {"threshold[0|1]": ""}),
        ("y ~ a; sigma ~ b", "gaussian", {"sigma_Intercept": "; at the mean of its predictors", "sigma_b": ""}),
        ("y ~ a; sigma ~ 1", "gaussian", {"sigma_Intercept": ""}),
    ],
)
def test_where_a_prior_speaks_of_is_noted(text: str, family: str, noted: dict[str, str]) -> None:
    source, formula = columns(), parse_formula(text)
    if family == "cumulative":
        source = replace(source, numbers={**source.numbers, "y": np.arange(40) % 4.0})
    spec = build_spec(formula, build_design(formula, source, family=family))
    lines = dict(zip(spec.priors, prior_lines(spec), strict=True))
    for name, note in noted.items():
        assert lines[name].endswith(f"{spec.priors[name].source}{note}"), name


# groups


def table(levels: int, terms: tuple[str, ...] = ("Intercept", "ses")) -> GroupTable:
    shape = (levels, len(terms))
    mean = np.arange(levels)[:, None] * np.array([1.0, -1.0])[: len(terms)] + 10.0
    deviation = mean - mean.mean(axis=0)
    return GroupTable(
        "school", terms, tuple(map(coefficients, terms)), tuple(f"s{level}" for level in range(levels)),
        np.arange(levels) + 1, mean.mean(axis=0), mean, mean - 0.6, mean + 0.6,
        deviation, np.full(shape, 0.31), deviation - 0.6, deviation + 0.6,
        np.where(np.arange(levels)[:, None] == 0, np.nan, np.full(shape, 0.184)),
    )  # fmt: skip


GROUPS = GroupSummary((table(9),), 0.95)


def shown_levels(shown: str) -> list[str]:
    return [line.split()[0] for line in shown.splitlines() if line[:1] == "s" and line[1:2].isdigit()]


def test_the_whole_group_report() -> None:
    assert (
        groups_text(GROUPS, None, 2, OutputFormat.TABLE)
        == """\
9 schools: intercepts and slopes of ses, population value + deviation
school  rows  Intercept    95% interval  shrunk by    ses   95% interval  shrunk by
s0         1      10.00   9.40 to 10.60          -  10.00  9.40 to 10.60          -
s1         2      11.00  10.40 to 11.60        18%   9.00   8.40 to 9.60        18%
... 5 more: --all, or --format csv
s7         8      17.00  16.40 to 17.60        18%   3.00   2.40 to 3.60        18%
s8         9      18.00  17.40 to 18.60        18%   2.00   1.40 to 2.60        18%
8 of 9 intercepts have a 95% interval that excludes the population value.
8 of 9 slopes of ses have a 95% interval that excludes the population value."""
    )


def test_sorting_counting_and_all() -> None:
    assert shown_levels(groups_text(GROUPS, "ses", 2, OutputFormat.TABLE)) == ["s8", "s7", "s1", "s0"]
    assert shown_levels(groups_text(GROUPS, "Intercept", 4, OutputFormat.TABLE)) == [
        f"s{i}" for i in (0, 1, 2, 3, 5, 6, 7, 8)
    ]
    everything = groups_text(GROUPS, None, None, OutputFormat.TABLE)
    assert shown_levels(everything) == [f"s{i}" for i in range(9)]
    assert "more" not in everything
    assert groups_text(GROUPS, None, 5, OutputFormat.TABLE) == everything


def test_an_unknown_coefficient_to_sort_by() -> None:
    with pytest.raises(UsageError, match="Did you mean 'ses'") as refused:
        groups_text(GROUPS, "sess", 2, OutputFormat.TABLE)
    assert refused.value.hint == "choose Intercept or ses"


def test_a_run_without_groups() -> None:
    with pytest.raises(UsageError, match="no groups"):
        groups_text(GroupSummary((), 0.95), None, 5, OutputFormat.TABLE)


def test_groups_in_other_formats() -> None:
    read = list(csv.DictReader(io.StringIO(groups_text(GROUPS, None, 2, OutputFormat.CSV))))
    records = json.loads(groups_text(GROUPS, None, 2, OutputFormat.JSON))
    assert len(read) == len(records) == 18
    assert records[3] == {
        "group": "school", "level": "s1", "rows": 2, "term": "ses", "mean": 9, "lower": 8.4, "upper": 9.6,
        "deviation": 3, "deviation_sd": 0.31, "deviation_lower": 2.4, "deviation_upper": 3.6, "shrunk_by": 0.184,
    }  # fmt: skip
    assert records[0]["shrunk_by"] is None and read[0]["shrunk_by"] == ""
    assert float(read[3]["lower"]) == records[3]["lower"]
    rows = markdown_rows(groups_text(GROUPS, None, 2, OutputFormat.MD))
    assert rows[4] == ["... 5 more: --all, or --format csv", *[""] * 7]
    assert rows[3] == ["s1", "2", "11.00", "10.40 to 11.60", "18%", "9.00", "8.40 to 9.60", "18%"]


def test_long_labels_are_elided() -> None:
    long = replace(table(3), labels=("a" * 60, "b", "c"))
    shown = groups_text(GroupSummary((long,), 0.95), None, 5, OutputFormat.TABLE)
    assert max(map(len, shown.splitlines())) <= WIDEST
    assert "…" in shown


def test_rows_of_their_own_have_nothing_to_pool() -> None:
    own = table(3, ("ses",))
    own = replace(own, shrunk_by=np.full_like(own.shrunk_by, np.nan))
    shown = groups_text(GroupSummary((own,), 0.95), None, 5, OutputFormat.TABLE)
    assert shown.splitlines()[1].split() == ["school", "rows", "ses", "95%", "interval"]
    assert "shrunk by" in groups_text(GroupSummary((own,), 0.95), None, 5, OutputFormat.JSON).replace("_", " ")


def test_long_names_of_columns_are_elided() -> None:
    long = replace(table(3), terms=("Intercept", "percentage of families with a low income"))
    shown = groups_text(GroupSummary((long,), 0.95), None, 5, OutputFormat.TABLE)
    assert max(map(len, shown.splitlines())) <= WIDEST


def test_several_factors() -> None:
    both = GroupSummary((table(3), replace(table(4, ("Intercept",)), factor="district")), 0.8)
    shown = groups_text(both, None, 5, OutputFormat.TABLE)
    assert "3 schools: intercepts and slopes of ses" in shown and "4 districts: intercepts, population" in shown
    assert shown.count("80% interval") == 6


def test_sort_by_what_only_one_factor_has() -> None:
    both = GroupSummary((table(3), replace(table(4, ("Intercept",)), factor="district")), 0.8)
    assert "district" in groups_text(both, "ses", 5, OutputFormat.TABLE)


def test_an_offset_of_the_formula_is_said_once() -> None:
    roles = Roles(offset="log(minutes)")
    assert family_text(MODEL, roles) == "gaussian, identity link, offset(log(minutes))"
    said = replace(MODEL, formula=replace(MODEL.formula, offset="log(minutes)"))
    assert family_text(said, roles) == "gaussian, identity link"
