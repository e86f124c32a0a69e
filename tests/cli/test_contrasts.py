"""`--contrasts`: what is said before a fit, of it and in its report, what a repeated fit keeps, and what is refused."""

import json
from pathlib import Path

import pytest

from hierfit.runs import finished
from tests.cli.conftest import Cli
from tests.fake_sampling import replace_sampler

DOSES = "score,dose,ses,school\n" + "".join(
    f"{50 + 2 * i % 17}.5,{('low', 'mid', 'high')[i * i % 7 % 3]},{(7 * i % 11) / 4},{'abcd'[i % 4]}\n"
    for i in range(48)
)
OWN = "dose,some,more\nlow,-2/3,0\nmid,1/3,-1/2\nhigh,1/3,1/2\n"
ORDER = ["--levels", "dose=low,mid,high"]
FIT = ["doses.csv", "--formula", "score ~ dose + ses + (1 | school)", *ORDER]


@pytest.fixture(autouse=True)
def files(folder: Path) -> None:
    Path("doses.csv").write_text(DOSES)
    Path("own.csv").write_text(OWN)


@pytest.mark.parametrize(
    ("kind", "said", "names"),
    [
        ("treatment", "low < mid < high, compared with low", ["dose[mid]", "dose[high]"]),
        ("sum", "sum contrasts over low, mid, high", ["dose[S.low]", "dose[S.mid]"]),
        ("helmert", "Helmert contrasts over low < mid < high", ["dose[H.mid]", "dose[H.high]"]),
        ("poly", "polynomial contrasts over low < mid < high", ["dose[.L]", "dose[.Q]"]),
        ("sdif", "backward difference contrasts over low < mid < high", ["dose[mid-low]", "dose[high-mid]"]),
        ("own.csv", "contrasts of own.csv over low, mid, high", ["dose[some]", "dose[more]"]),
    ],
)
def test_the_plan_says_the_coding_and_priors_are_set_by_its_names(
    cli: Cli, kind: str, said: str, names: list[str]
) -> None:
    options = [*FIT, "--contrasts", f"dose={kind}", "--prior", f"{names[1]} ~ normal(0, 3)"]
    shown = cli("fit", *options, "--dry-run")
    assert shown.code == 0 and f"Levels   dose: {said}\n" in shown.out
    found = json.loads(cli("priors", *options, "--format", "json").out)
    rows = found["priors"] if isinstance(found, dict) else found
    assert [row["parameter"] for row in rows][1:3] == names
    assert rows[2]["prior"] == "normal(0, 3)"


def test_a_run_says_it_and_answers_and_a_repeated_fit_keeps_or_changes_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_sampler(monkeypatch)
    done = cli("fit", *FIT, "--contrasts", "dose=own.csv", "--seed", "1", "--draws", "250", "--out", "run")
    line = "dose: contrasts of own.csv over low, mid, high"
    assert done.code in (0, 1) and line in done.out and "dose[some]" in done.out
    Path("own.csv").unlink()  # the run has what it needs
    Path("new.csv").write_text("dose,ses,school\nhigh,1,a\nlow,1,a\n")
    assert cli("predict", "run", "new.csv").code == 0
    effects = cli("effects", "run", "--of", "dose")
    assert effects.code == 0 and "dose: mid - low" in effects.out and "dose: high - low" in effects.out
    assert cli("test", "run", "dose[some] > dose[more]").code == 0
    cli("report", "run", "--format", "md", "--out", "report.md")
    assert line in Path("report.md").read_text()
    assert cli("fit", "--from", "run", "--out", "again", "--quiet").code in (0, 1)
    assert finished.stored_request(Path("again")).roles == finished.stored_request(Path("run")).roles
    assert "polynomial" in cli("fit", "--from", "run", "--contrasts", "dose=poly", "--dry-run").out
    assert "compared with mid" in cli("fit", "--from", "run", "--reference", "dose=mid", "--dry-run").out
    assert cli("fit", "--from", "run", "--formula", "score ~ ses + (1 | school)", "--dry-run").code == 0


@pytest.mark.parametrize(
    "edit", [{"levels": ["low", "mid"]}, {"names": ["some"]}, {"matrix": [[1, 0], [0, 1]]}, {"matrix": [[1], [2], [3]]}]
)
def test_a_run_whose_contrasts_were_edited_is_refused(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, edit: dict[str, list[object]]
) -> None:
    replace_sampler(monkeypatch)
    cli("fit", *FIT, "--contrasts", "dose=own.csv", "--seed", "1", "--draws", "250", "--out", "run")
    manifest = json.loads(Path("run/run.json").read_text())
    manifest["terms"]["population"][0]["atoms"][0]["contrasts"] |= edit
    Path("run/run.json").write_text(json.dumps(manifest))
    done = cli("effects", "run", "--of", "dose")
    assert done.code == 2 and "terms.population[0].atoms[0].contrasts has others than those of the levels" in " ".join(
        done.err.split()
    )


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("dose=ploy", "there are no contrasts 'ploy'. Did you mean 'poly'?", "treatment, sum, helmert, poly, sdif"),
        ("dose=custom", "there are no contrasts 'custom'.", "or name a CSV file"),
        ("dose", "--contrasts dose could not be read", "for example --contrasts dose=poly"),
        ("dose=no.csv", "no.csv", ""),
        ("ses=poly", "'ses' is a column of numbers", "poly(ses, 2)"),
        ("school=poly", "'school' is no predictor", "predictors of words: dose"),
    ],
)
def test_what_cannot_be_is_refused(cli: Cli, text: str, said: str, hint: str) -> None:
    done = cli("fit", *FIT, "--contrasts", text, "--dry-run")
    assert done.code == 2 and done.out == ""
    assert said in " ".join(done.err.split()) and hint in " ".join(done.err.split())


def test_simulate_draws_with_them_and_says_the_fit(cli: Cli) -> None:
    options = ["--levels", "dose=low,mid,high", "--contrasts", "dose=poly", "--true", "dose[.L]=2"]
    done = cli("simulate", "--formula", "score ~ dose + (1 | school)", *options, "--out", "sim")
    assert done.code == 0 and "dose[.L] = 2" in done.out
    fit = next(text for text in done.out.splitlines() if text.startswith("Next")).split(maxsplit=1)[1]
    assert "--contrasts dose=poly" in fit
    truth = json.loads(Path("sim/truth.json").read_text())
    assert truth["parameters"]["dose[.L]"] == 2
    done = cli("simulate", "--formula", "score ~ dose + x", *options[:2], "--contrasts", "x=poly", "--out", "other")
    assert done.code == 2 and "'x' is a column of numbers" in done.err
