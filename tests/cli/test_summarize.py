"""`hierfit summarize` beyond the main table: variance, ratios, medians, quantiles, and tables for LaTeX."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from hierfit.runs.finished import open_fit
from tests.cli.conftest import Cli
from tests.fake_sampling import replace_sampler

DATA = "passed,visits,score,ses,arm,school\n" + "".join(
    f"{i * 7 % 3 % 2},{i * i % 7},{50 + i % 17}.5,{(7 * i % 11) / 4},{('ctl', 'z_b & 5%')[i % 2]},{'abcd'[i % 4]}\n"
    for i in range(40)
)
MODELS = {
    "logit": ["--formula", "passed ~ ses + arm + (1 | school)", "--family", "bernoulli"],
    "probit": ["--formula", "passed ~ ses + (1 | school)", "--family", "bernoulli", "--link", "probit"],
    "log": ["--formula", "visits ~ ses + (1 | school)", "--family", "poisson"],
    "zi": ["--formula", "visits ~ ses + (1 | school); zi ~ ses", "--family", "zero_inflated_poisson"],
    "gaussian": ["--formula", "score ~ ses + (1 + ses | school)"],
    "alone": ["--formula", "score ~ 1"],
}


@pytest.fixture
def fit(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch):
    """Return what fits one of the models without a sampler, into the folder `run`."""
    (folder / "study.csv").write_text(DATA)
    replace_sampler(monkeypatch)

    def make(name: str) -> None:
        done = cli("fit", "study.csv", *MODELS[name], "--seed", "1", "--draws", "100", "--out", "run", "-q")
        assert done.code in (0, 1), done.err

    return make


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def ask(cli: Cli, *arguments: str) -> str:
    done = cli("summarize", "run", "--exit-zero", *arguments)
    assert done.code == 0, done.err
    return done.out


@pytest.mark.parametrize(
    ("model", "ratio", "level"),
    [("logit", "odds ratio", "odds"), ("log", "rate ratio", "rate"), ("zi", "rate ratio", "rate")],
)
def test_ratios_are_exp_of_quantiles(model, ratio, level, fit, cli: Cli) -> None:
    fit(model)
    rows = {row["name"]: row for row in rows_of(ask(cli, "--exp", "--ci", "0.9", "--format", "csv"))}
    assert (rows["ses"]["what"], rows["Intercept"]["what"]) == (ratio, level)
    assert not any(name.startswith("sd(") for name in rows)
    draws = open_fit(Path("run")).draws
    for name, row in rows.items():
        quantiles = np.quantile(draws.of(name), (0.5, 0.05, 0.95))
        # exp of an interpolated quantile is not quite the interpolated quantile of exp
        np.testing.assert_allclose(
            [float(row[end]) for end in ("median", "lower", "upper")], np.exp(quantiles), rtol=5e-3
        )
    own = np.exp(draws.of("ses").ravel())
    assert float(rows["ses"]["mad_sd"]) == pytest.approx(1.4826 * np.median(np.abs(own - np.median(own))), rel=1e-4)
    if model == "zi":
        assert (rows["zi_ses"]["what"], rows["zi_Intercept"]["what"]) == ("odds ratio of zi", "odds of zi")
    table = ask(cli, "--exp")
    assert ratio in table and max(map(len, table.splitlines())) <= 96
    assert f"Intercept is the {level} where all predictors are 0" in " ".join(table.split())


def test_r_hat_and_ess_of_ratios_are_those_of_the_coefficients(fit, cli: Cli) -> None:
    fit("logit")
    plain = {row["name"]: row for row in json.loads(ask(cli, "--format", "json"))["parameters"]}
    for row in json.loads(ask(cli, "--exp", "--format", "json"))["parameters"]:
        assert [row[name] for name in ("rhat", "ess_bulk", "ess_tail")] == [
            plain[row["name"]][name] for name in ("rhat", "ess_bulk", "ess_tail")
        ]


@pytest.mark.parametrize("model", ["probit", "gaussian"])
def test_links_without_ratios_are_refused(model, fit, cli: Cli) -> None:
    fit(model)
    done = cli("summarize", "run", "--exp")
    assert (done.code, done.out) == (2, "")
    assert "exp of a coefficient is no ratio" in done.err and "hierfit effects RUN" in done.err


def test_medians_and_quantiles_stand_in_for_means_and_intervals(fit, cli: Cli) -> None:
    fit("gaussian")
    values = open_fit(Path("run")).draws.of("ses").ravel()
    (row,) = (row for row in rows_of(ask(cli, "--median", "--format", "csv")) if row["name"] == "ses")
    assert float(row["median"]) == np.median(values)
    (row,) = (row for row in rows_of(ask(cli, "--quantiles", "0.05,0.5", "--format", "csv")) if row["name"] == "ses")
    assert [float(row[name]) for name in ("mean", "q5", "q50")] == pytest.approx(
        [values.mean(), *np.quantile(values, (0.05, 0.5))]
    )
    record = json.loads(ask(cli, "--quantiles", "0.025", "--format", "json"))["parameters"][0]
    assert list(record["quantiles"]) == ["0.025"] and "lower" not in record
    table = ask(cli, "--quantiles", "0.05,0.25,0.5,0.75,0.95", "--median")
    assert "q25" in table and "MAD sd" in table and max(map(len, table.splitlines())) <= 96
    assert "Variation between schools (4)" in table


def test_the_variance_in_every_format(fit, cli: Cli) -> None:
    fit("logit")
    table = ask(cli, "--variance")
    assert "Latent scale (logit)" in table and "Scale of passed" in table and "R2 conditional" in table
    assert max(map(len, table.splitlines())) <= 96
    document = json.loads(ask(cli, "--variance", "--format", "json"))
    latent, outcome = document["divisions"]
    draws = open_fit(Path("run")).draws
    between = draws.of("sd(school)").ravel() ** 2
    (school,) = (part for part in latent["components"] if part["name"] == "school")
    assert school["share"]["mean"] == pytest.approx((between / (between + np.pi**2 / 3)).mean())
    assert (outcome["scale"], outcome["at"]) == ("outcome", {})
    read = rows_of(ask(cli, "--variance", "--format", "csv"))
    (line,) = (row for row in read if (row["scale"], row["component"], row["what"]) == ("latent", "school", "share"))
    assert float(line["upper"]) == school["share"]["upper"]
    assert [row["kind"] for row in read if row["what"] == "R2"] == ["conditional", "marginal"]
    assert "| school " in ask(cli, "--variance", "--format", "md")
    assert r"\begin{tabular}" in ask(cli, "--variance", "--format", "tex")


def test_the_variance_at_stated_values(fit, cli: Cli) -> None:
    fit("gaussian")
    read = rows_of(ask(cli, "--variance", "--at", "ses=0, 2", "--format", "csv"))
    assert {row["at ses"] for row in read if row["what"] != "R2"} == {"0", "2"}
    assert "Scale of score, where ses = 2" in ask(cli, "--variance", "--at", "ses=2")
    fit_alone = cli("summarize", "run", "--variance", "--at", "sse=2")
    assert fit_alone.code == 2 and "Did you mean 'ses'?" in fit_alone.err


def test_without_groups_there_is_r2_alone(fit, cli: Cli) -> None:
    fit("alone")
    found = json.loads(ask(cli, "--variance", "--format", "json"))
    assert (found["divisions"], [own["kind"] for own in found["r2"]]) == ([], ["conditional"])
    done = cli("summarize", "run", "--variance", "--at", "ses=1")
    assert done.code == 2 and "no groups" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "ses=1"], "--variance is not given"),
        (["--variance", "--groups"], "two tables"),
        (["--groups", "--exp"], "--exp is about the main table"),
        (["--variance", "--median"], "--median is about the main table"),
        (["--quantiles", "half"], "--quantiles half could not be read"),
        (["--quantiles", "5,95"], "5 is not between 0 and 1"),
        (["--quantiles", "0.5,0.5"], "given twice"),
        (["--quantiles", "0.5", "--ci", "0.9"], "in place of the interval"),
        (["--quantiles", ",".join(f"0.{at}" for at in range(10, 40))], "do not fit a table"),
        (["--variance", "--at", "ses"], "--at ses could not be read"),
        (["--top", "3"], "--groups is not given"),
    ],
)
def test_wrong_options_are_refused(arguments, said, run: Path, cli: Cli) -> None:
    done = cli("summarize", run, *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split())


@pytest.mark.parametrize("options", [[], ["--groups"], ["--exp"], ["--variance"], ["--median"]])
def test_latex_has_the_same_cells_and_no_raw_text_of_the_file(options, fit, cli: Cli) -> None:
    fit("logit")
    text = ask(cli, *options, "--format", "tex")
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    assert lines.count(r"\toprule") == lines.count(r"\bottomrule") == lines.count(r"\end{tabular}") > 0
    body = [line for line in lines if line.endswith(r"\\")]
    assert len({line.count(" & ") for line in body}) <= lines.count(r"\toprule")
    if options != ["--groups"] and options != ["--variance"]:
        assert any(line.startswith(r"arm[z\_b \& 5\%]") for line in body)
    # A label stands in a comment only within its line.
    assert all(line.startswith(("%", "\\")) or line in body or not line for line in text.splitlines())
