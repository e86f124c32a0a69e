"""`hierfit test` on runs that have every kind of parameter, from their folders: every name, format and refusal."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hierfit import asked
from hierfit.cli.app import main
from hierfit.runs import finished, hypotheses
from tests.cli.conftest import Cli
from tests.fake_sampling import replace_sampler
from tests.hostile import PROFILE, bear
from tests.posterior.hypotheses.test_parse import PIECES

DATA = "rating,score,ses,exp,arm,my col,school,ward\n" + "".join(
    f"{('bad', 'fair', 'good')[i * 7 % 3]},{50 + 2 * i % 17 + 3 * (i % 4)}.5,{(7 * i % 11) / 4},{i % 5 + i * i % 7},"
    f"{('ctl', 'trt: new')[i % 2]},{i * i % 13},{('a', '12', 'b > c', 'x`y')[i % 4]},{i % 5}\n"
    for i in range(60)
)
MODELS = {
    "everything": "score ~ ses * arm + exp + `my col` + (1 + ses | p | school) + (1 | ward) ; "
    "sigma ~ ses + (1 | p | school)",
    "ordered": "rating ~ ses + (1 | school)",
}
FAMILY = {"everything": [], "ordered": ["--family", "cumulative", "--levels", "rating=bad,fair,good"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder of a run of every model, made without a sampler."""
    place = tmp_path_factory.mktemp("hypotheses")
    (place / "study.csv").write_text(DATA)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(place)
        monkeypatch.setenv("NO_COLOR", "1")
        replace_sampler(monkeypatch)
        for name, formula in MODELS.items():
            command = ["fit", "study.csv", "--formula", formula, *FAMILY[name], "--seed", "1", "--draws", "150"]
            with pytest.raises(SystemExit) as left:
                main([*command, "--quiet", "--out", name])
            assert left.value.code in (0, 1)
    yield place


@pytest.fixture
def runs(made: Path, folder: Path) -> Path:
    for name in MODELS:
        shutil.copytree(made / name, folder / name)
    return folder


@pytest.mark.parametrize("model", MODELS)
def test_every_name_is_of_its_draws(made: Path, model: str) -> None:
    """All parameters, and all effects of all levels: mean and sd are those of the draws that a run has."""
    found = finished.open_fit(made / model)
    wanted = {parameter.name: found.draws.of(parameter.name) for parameter in found.spec.parameters}
    for group in found.design.groups:
        effects = found.draws.effects[group.factor]
        for level, label in enumerate(group.labels):
            for m, term in enumerate(group.terms):
                inside = label if term == "Intercept" else f"{label}: {term}"
                wanted[f"{group.factor}[{inside}]"] = effects[:, :, level, m]
    kinds = {"everything": "sigma_ses,cor(school: Intercept, ses),school[b > c: sigma_Intercept],ward[3],school[x`y]",
             "ordered": "threshold[bad|fair],threshold[fair|good],school[12],sd(school)"}  # fmt: skip
    assert set(kinds[model].replace("t, s", "t; s").replace(",", "\n").replace(";", ",").split("\n")) <= set(wanted)
    quoted = ["`" + name.replace("`", "``") + "`" for name in wanted]
    answers = hypotheses.test(made / model, quoted, ci=0.8)
    assert [row.about for row in answers.rows if "`" not in str(row.about)] == [
        name for name in wanted if name.isidentifier()
    ]
    for row, (name, values) in zip(answers.rows, wanted.items(), strict=True):
        assert row.mean == pytest.approx(values.mean(), rel=1e-6, abs=1e-9), name
        assert row.sd == pytest.approx(values.std(ddof=1), rel=1e-5), name
        assert (row.lower, row.upper) == pytest.approx(tuple(np.quantile(values, [0.1, 0.9])), rel=1e-5, abs=1e-7)
    bare = hypotheses.test(made / model, list(wanted), ci=0.8)
    assert [row.mean for row in bare.rows] == [row.mean for row in answers.rows]


def test_a_point_has_an_evidence_ratio_where_its_prior_is_known(made: Path) -> None:
    """Made-up draws of a coefficient are normal; its prior is normal(0, 2.5 sd(y) / sd(x))."""
    found = finished.open_fit(made / "everything")
    (row, other) = asked.test(made / "everything", ["exp = 0", "school[12] = school[12: ses]"]).rows
    prior, values = found.spec.priors["exp"], found.draws.of("exp")
    z = -values.mean() / values.std()
    posterior = np.exp(-z * z / 2) / (values.std() * np.sqrt(2 * np.pi))
    assert row.evidence_ratio == pytest.approx(posterior / float(prior.density(np.array(0.0))), rel=0.3)
    assert np.isnan(other.evidence_ratio) and "depend on one another" in str(other.no_ratio)


def test_an_expression_is_computed_draw_by_draw(made: Path) -> None:
    draws = finished.open_fit(made / "everything").draws
    school, ses, arm = draws.of("sd(school)"), draws.of("ses"), draws.of("ses:arm[trt: new]")
    (share, claim) = hypotheses.test(
        made / "everything", ["sd(school)^2 / (sd(school)^2 + exp(sigma_Intercept)^2)", "ses + ses:arm[trt: new] > 0"]
    ).rows
    sigma = np.exp(draws.of("sigma_Intercept"))
    assert share.mean == pytest.approx(np.mean(school**2 / (school**2 + sigma**2)))
    assert claim.probability == np.mean(ses + arm > 0)


def test_a_table(runs: Path, cli: Cli) -> None:
    asked = ("ses > 0", "school[12] > school[a]", "log(ses)")
    done = cli("test", "everything", *asked)
    head, *rows, blank, drawn = done.out.splitlines()[:6]
    assert head.split() == ["mean", "sd", "95%", "interval", "P(true)", "MCSE", "evidence"]
    assert [row[: len(text) + 1].strip() for row, text in zip(rows, asked, strict=True)] == list(asked)
    assert blank == "" and drawn.startswith("Draws    600 · R-hat max ")
    done = cli("test", "everything", *asked, "--rope", "-0.1,0.1")
    head, *said = done.out.splitlines()
    assert head.split()[7:] == ["in", "ROPE", "CI", "in", "ROPE"]
    assert [text for text in asked if not any(line.startswith(text) for line in said)] == []
    text = " ".join(" ".join(said).split())
    assert "log(ses) has no value in" in text and "left - right" in text and "ROPE: from -0.1 to 0.1." in text
    assert "school[12] is the level's deviation from the population value" in text
    assert max(map(len, done.out.splitlines())) <= 96
    code = json.loads((runs / "everything" / "run.json").read_text())["status"] == "failed-checks"
    assert done.code == int(code) and cli("test", "everything", "ses", "--exit-zero").code == 0


def test_a_narrow_page_and_long_expressions(runs: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "48")
    long = " + ".join(["ses"] * 20)
    done = cli("test", "ordered", "ses > 0", long, "--rope", "-0.1,0.1")
    assert max(map(len, done.out.splitlines())) <= 48
    assert " ".join(done.out.split()).count("ses + ses") == 10 or long in " ".join(done.out.split())


def test_formats_have_the_same_numbers(runs: Path, cli: Cli) -> None:
    asked = ["ses > 0", "sd(school)", "threshold[bad|fair] < threshold[fair|good]", "ses > -99"]
    document = json.loads(cli("test", "ordered", *asked, "--format", "json", "--ci", "0.9").out)
    assert document["ci"] == 0.9 and [row["expression"] for row in document["expressions"]] == asked
    read = list(csv.DictReader(io.StringIO(cli("test", "ordered", *asked, "--format", "csv", "--ci", "0.9").out)))
    for row, line in zip(document["expressions"], read, strict=True):
        for name in ("mean", "sd", "lower", "upper", "probability", "ess_bulk"):
            assert line[name] == ("" if row[name] is None else repr(row[name]))
    assert (read[3]["evidence_ratio"], document["expressions"][3]["evidence_ratio"]) == ("inf", None)
    shown = cli("test", "ordered", *asked, "--format", "md", "--ci", "0.9").out
    assert "| ses > 0" in shown and "90% interval" in shown and "threshold[bad\\|fair]" in shown
    low, high = (format(float(read[0][name]), ".2f") for name in ("lower", "upper"))
    assert f"| {low} to {high} |" in " ".join(shown.split())


def test_a_file_is_written_once_in_the_format_of_its_ending(runs: Path, cli: Cli) -> None:
    done = cli("test", "ordered", "ses > 0", "--out", "found.json")
    assert (done.out, done.err.splitlines()[0]) == ("", "Saved    found.json")
    assert json.loads((runs / "found.json").read_text()) == json.loads(
        cli("test", "ordered", "ses > 0", "--format", "json").out
    )
    again = cli("test", "ordered", "ses > 0", "--out", "found.json")
    assert again.code == 2 and "found.json exists already" in again.err and "--overwrite" in again.err
    assert cli("test", "ordered", "ses < 0", "--out", "found.json", "--overwrite").code == 0
    assert json.loads((runs / "found.json").read_text()) == json.loads(
        cli("test", "ordered", "ses < 0", "--format", "json").out
    )
    cli("test", "ordered", "ses > 0", "--out", "found.csv", "--quiet")
    assert (runs / "found.csv").read_text().startswith("expression,about,mean")
    cli("test", "ordered", "ses > 0", "--out", "table.csv", "--format", "md")
    assert (runs / "table.csv").read_text().startswith("| ")
    nowhere = cli("test", "ordered", "ses > 0", "--out", "no/where.csv")
    assert nowhere.code == 2 and "no/where.csv" in nowhere.err


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        ([], "there is no expression", "hierfit test ordered 'ses > 0'"),
        ([""], "the expression is empty", "single quotes"),
        (["sse > 0"], "there is no parameter `sse`; there is `ses`", ""),
        (["arm[ctl] > 0"], "there is no parameter `arm[ctl]`", ""),
        (["school[13] > 0"], "there is no parameter `school[13]`; there is `school[12]`", ""),
        (["ses > 0", "--rope", "0.1"], "--rope 0.1: two numbers are wanted", "--rope -0.1,0.1"),
        (["ses > 0", "--rope", "-0.1,x"], "--rope -0.1,x: two numbers", ""),
        (["ses > 0", "--rope", "1,-1"], "has no inside", ""),
        (["ses > 0", "--rope", "nan,1"], "two numbers", ""),
        (["ses > 0", "--ci", "95"], "--ci 95: it must be from", "--ci 0.95"),
        (["ses > 0", "--rpoe", "1"], "there is no option --rpoe", ""),
    ],
)
def test_what_is_refused(runs: Path, cli: Cli, arguments: list[str], said: str, hint: str) -> None:
    done = cli("test", "ordered", *arguments)
    assert (done.code, done.out) == (2, "") and said in done.err and hint in done.err
    assert len(done.err.splitlines()) <= 2


def test_an_expression_may_begin_with_a_minus(runs: Path, cli: Cli) -> None:
    plus, minus = (
        json.loads(cli("test", "ordered", text, "-q", "--format", "json").out)["expressions"][0]
        for text in ("ses < 0", "-ses > 0")
    )
    assert minus["probability"] == plus["probability"] and minus["mean"] == -plus["mean"]


def test_what_a_shell_took_away_is_said(runs: Path, cli: Cli) -> None:
    """Double quotes around "`sd(school)` - ses" leave the shell's result of a command that it does not find."""
    assert "single quotes" in " ".join(cli("test", "ordered", " - ses").err.split())
    assert "single quotes" in cli("test", "ordered", "ses -  > 0").err
    assert cli("test", "ordered", "-ses > 0", "--exit-zero").err == ""


def test_a_run_whose_checks_failed_is_said(runs: Path, cli: Cli) -> None:
    file = runs / "ordered" / "run.json"
    content = json.loads(file.read_text())
    content["checks"]["status"] = "fail"
    file.write_text(json.dumps(content))
    done = cli("test", "ordered", "ses > 0")
    assert done.code == 1 and "FAILED" in done.err
    assert cli("test", "ordered", "ses > 0", "--exit-zero").code == 0


def test_a_redirection_that_was_a_comparison_is_said(runs: Path) -> None:
    program = "import sys; from hierfit.cli.app import main; main(sys.argv[1:])"
    paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    for name, warns in (("2", True), ("=0.5", True), ("found.txt", False)):
        with (runs / name).open("w") as stream:
            done = subprocess.run(
                [sys.executable, "-c", program, "test", "ordered", "ses"],
                stdout=stream,
                stderr=subprocess.PIPE,
                text=True,
                timeout=60,
                env={**os.environ, "PYTHONPATH": paths},
                check=False,
            )
        assert ("Put quotes around" in " ".join(done.stderr.split())) == warns, done.stderr
        assert (runs / name).read_text().lstrip().startswith("mean")


def test_nothing_that_was_not_named_is_read(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.posterior.netcdf_chosen.Chosen.labels", None)
    (row,) = hypotheses.test(made / "everything", ["ses / `my col`"]).rows
    assert row.draws == 600


@PROFILE
@given(texts=st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), min_size=1, max_size=2))
def test_hostile_expressions(made: Path, texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("NO_COLOR", "1")
        words = [text for text in texts if "\0" not in text]
        bear(["test", str(made / "ordered"), "--exit-zero", "--", *words], made)
