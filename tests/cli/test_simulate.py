"""`hierfit simulate` as it is typed: what the options change, and that the command it names next takes the data."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hierfit.errors import DataError
from hierfit.model.families import FAMILIES
from hierfit.model.request import FitRequest
from hierfit.simulate.scenarios import SCENARIOS, find_scenario
from hierfit.simulate.simulate import simulate
from tests.cli.conftest import Cli


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Draw nothing; return where pictures would have been drawn."""
    places: list[Path] = []

    def draw(request: FitRequest, truth: Mapping[str, Any], path: Path) -> None:
        path.write_bytes(b"")
        places.append(path)

    monkeypatch.setattr("hierfit.posterior.plots.simulated.draw_simulated", draw)
    return places


def settings(folder: str) -> dict[str, object]:
    truth = json.loads((Path(folder) / "truth.json").read_text(encoding="utf-8"))
    return {**truth["simulation"], "formula": truth["formula"], "true": truth["parameters"]}


def next_command(said: str) -> list[str]:
    line = next(line for line in said.splitlines() if line.startswith("Next"))
    program, *arguments = shlex.split(line.removeprefix("Next"))
    assert program == "hierfit"
    return arguments


def test_the_list_shows_every_scenario(cli: Cli) -> None:
    done = cli("simulate", "--list")
    assert [line.split()[0] for line in done.out.splitlines()] == list(SCENARIOS)


def test_a_picture_is_drawn_unless_it_is_not_wanted(cli: Cli, drawn: list[Path]) -> None:
    said = cli("simulate", "--groups", "5")
    assert "sim/data.png: a picture of both" in " ".join(said.out.split()) and [path.name for path in drawn] == [
        "data.png"
    ]
    assert Path("sim/data.png").is_file()
    said = cli("simulate", "--groups", "5", "--no-plots", "--overwrite")
    assert said.code == 0 and "data.png" not in said.out and len(drawn) == 1
    assert not Path("sim/data.png").exists(), "the picture of other data"
    said = cli("simulate", "--groups", "5", "--quiet", "--overwrite")
    assert said.out == "" and Path("sim/data.png").is_file()


def test_data_are_not_lost_with_their_picture(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(*arguments: object) -> None:
        raise DataError("all rows are alike")

    monkeypatch.setattr("hierfit.posterior.plots.simulated.draw_simulated", draw)
    said = cli("simulate", "--groups", "5")
    assert said.code == 0 and Path("sim/data.csv").is_file() and not Path("sim/data.png").exists()
    assert "no data.png, as no fit could read the data: all rows are alike" in " ".join(said.out.split())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_alone_takes_its_scenario_and_says_how_to_fit_it(cli: Cli, family: str) -> None:
    said = cli("simulate", "--family", family, "--groups", "7", "--rows-per-group", "8-12", "--seed", "3")
    assert said.code == 0, said.err
    assert settings("sim")["family"] == family
    planned = cli(*next_command(said.out), "--dry-run")
    assert planned.code == 0, planned.err
    assert settings("sim")["formula"] in " ".join(planned.out.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["slopes", "--crossed", "teacher=8", "--sd", "teacher=2"],
        ["slopes", "--crossed", "teacher=8", "--sd", "teacher=2", "--sd", "ses=1"],
        ["crossed", "--link", "probit", "--missing", "0.02"],
        ["slopes-per-row"],
        ["--x", "family income=2", "--sd", "Intercept=1", "--sd", "family income=1", "--group", "the school"],
        ["--x", "ses=1", "--x", "age=2", "--crossed", "class room=4", "--sd", "class room=1"],
    ],
)
def test_the_next_command_fits_the_same_model(cli: Cli, arguments: list[str]) -> None:
    said = cli("simulate", *arguments)
    assert said.code == 0, said.err
    planned = cli(*next_command(said.out), "--dry-run")
    assert planned.code == 0, planned.err
    assert settings("sim")["formula"] in " ".join(planned.out.split())


def test_options_change_the_scenario(cli: Cli) -> None:
    options = ["--aux", "shape=3", "--x", "age=0.1", "--missing", "0.1", "--sd", "age=0.2", "--intercept", "1"]
    assert cli("simulate", "visits", *options, "--y", "calls").code == 0
    stored = settings("sim")
    assert (stored["missing"], stored["formula"]) == (0.1, "calls ~ 1 + age + (0 + age | practice)")
    assert isinstance(stored["true"], dict)
    assert stored["true"].items() >= {"Intercept": 1.0, "age": 0.1, "sd(practice: age)": 0.2, "shape": 3.0}.items()


def test_what_a_family_has_and_the_scenario_lacks_is_taken_from_its_own(cli: Cli) -> None:
    said = cli("simulate", "ticks", "--family", "negbinomial")
    assert said.code == 0 and "Default  shape = 2\n" in said.out


def test_the_command_line_and_python_simulate_the_same(cli: Cli) -> None:
    assert cli("simulate", "ticks").code == 0
    simulated = simulate(find_scenario("ticks").simulation)
    rows = Path("sim/data.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert [float(row.split(",")[0]) for row in rows] == list(simulated.columns["ticks"])


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("score ~ ses", ["--rows", "60"]),
        ("score ~ ses + (1 + ses || school)", ["--groups", "7", "--rows-per-group", "2-9", "--missing", "0.05"]),
        ("score ~ sector + (1 | school/class)", ["--levels", "sector=A, B", "--reference", "sector=B"]),
        ("hits ~ ses + (1 | a) + (1 | b)", ["--family", "beta_binomial", "--trials", "4-9", "--levels", "a=12"]),
        ("count ~ ses + (1 | a)", ["--family", "poisson", "--offset", "log days"]),
        ("ok ~ ses + (1 | a)", ["--family", "bernoulli", "--link", "cloglog", "--levels", "ok=no,yes"]),
        ("score ~ `family income` + C(grade) + (1 | `the school`)", ["--per", "grade=the school"]),
    ],
)
def test_a_formula_and_the_command_that_fits_it(cli: Cli, formula: str, options: list[str]) -> None:
    said = cli("simulate", "--formula", formula, *options)
    assert said.code == 0, said.err
    planned = cli(*next_command(said.out), "--dry-run")
    assert planned.code == 0, planned.err
    stored = settings("sim")
    assert str(stored["formula"]) in " ".join(planned.out.split())
    lines = planned.out.partition("Priors\n")[2].splitlines()
    priors = [line.split(" ~ ")[0].strip() for line in lines if " ~ " in line]
    assert isinstance(stored["true"], dict)
    assert [name for name in priors if not name.startswith("cor(")] == [
        name for name in stored["true"] if name != "Intercept_at_mean" and not name.startswith("cor(")
    ]


def test_true_values_are_printed_and_stored(cli: Cli) -> None:
    given = ["--true", "ses = -2", "--true", "sd=0.5", "--true", "sd(school:Intercept)=4", "--true", "sigma=0"]
    said = cli("simulate", "--formula", "score ~ ses + age + (1 + ses | school)", *given)
    assert said.code == 0, said.err
    truth, default = (said.out.partition(f"\n{label:<9}")[2] for label in ("Truth", "Default"))
    assert truth.startswith("sd(school) = 4 · sd(school: ses) = 0.5 · ses = -2 · sigma = 0\n")
    assert default.startswith("Intercept = 50 · age = 2 · cor(school: Intercept, ses) = 0\nNext")
    stored = json.loads(Path("sim/truth.json").read_text())
    assert stored["simulation"]["true"] == {"sd(school)": 4, "sd(school: ses)": 0.5, "ses": -2, "sigma": 0}
    expected = [
        "Intercept",
        "Intercept_at_mean",
        "ses",
        "age",
        "sd(school)",
        "sd(school: ses)",
        "sd(school: Intercept_at_mean)",
    ]
    assert list(stored["parameters"]) == [*expected, "cor(school: Intercept, ses)", "sigma"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--family", "poisson", "--sigma", "3"], ["--sigma 3", "poisson has no sigma"]),
        (["--family", "poisson", "--aux", "sigma=3"], ["--sigma 3", "poisson has no sigma"]),
        (["--family", "poison"], ["no family 'poison'", "'poisson'"]),
        (["--family", "gamma", "--aux", "shap=2"], ["no further parameter 'shap'", "'shape'"]),
        (["--aux", "shape"], ["--aux shape could not be read", "--aux shape=2"]),
        (["--crossed", "item=24"], ["how much 'item' varies", "--sd item=1"]),
        (["--crossed", "item"], ["--crossed item could not be read", "item=24"]),
        (["--trials", "few", "--family", "binomial"], ["--trials few", "2-5"]),
        (["--trials", "3"], ["gaussian has no trials"]),
        (["--from", "nowhere"], ["no folder 'nowhere'"]),
        (["slopes", "--from", "run", "--groups", "3"], ["--from takes rows", "a scenario", "--groups"]),
    ],
)
def test_bad_options_are_named(cli: Cli, arguments: list[str], says: list[str]) -> None:
    done = cli("simulate", *arguments)
    assert done.code == 2
    assert [text for text in says if text not in done.err] == []
    assert not Path("sim").exists()


def test_data_from_a_run(cli: Cli, run: Path) -> None:
    said = cli("simulate", "--from", run, "--seed", "4", "--out", "new")
    assert said.code == 0, said.err
    assert "new/data.csv: 32 rows" in said.out and f"of {run}" in said.out
    arguments = next_command(said.out)
    assert arguments == ["fit", "new/data.csv", "--from", "run"]
    assert cli(*arguments, "--dry-run").code == 0
    old, new = (Path(path).read_text(encoding="utf-8").splitlines() for path in ("data.csv", "new/data.csv"))
    assert new[0] == old[0]
    for before, after in zip(old[1:], new[1:], strict=True):
        assert float(before.split(",")[1]) == float(after.split(",")[1])
        assert before.split(",")[2] == after.split(",")[2] and before.split(",")[0] != after.split(",")[0]


def test_data_from_a_prior_only_run_are_fitted_with_their_outcome(cli: Cli, run: Path) -> None:
    manifest = json.loads((run / "run.json").read_text(encoding="utf-8"))
    manifest["request"] |= {"prior_only": True, "centered": False, "priors": ["ses ~ normal(0, 3)"]}
    manifest["request"]["standardize"] = True
    manifest["model"]["prior_only"] = True
    places = ("lower", "upper", "data_lower", "data_upper", "outside")
    manifest["prior_predictive"] = dict.fromkeys(places, 0.5)
    (run / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    arguments = next_command(cli("simulate", "--from", run).out)
    assert "--from" not in arguments and "--prior-only" not in arguments
    planned = cli(*arguments, "--dry-run")
    assert planned.code == 0, planned.err
    assert "normal(0, 3) per sd of ses" in planned.out and "--no-center" in arguments
    manifest["request"]["roles"]["levels"] = {"dose": ["low", "1,5 mg"]}
    (run / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    arguments = next_command(cli("simulate", "--from", run, "--overwrite").out)
    assert arguments[arguments.index("--levels") + 1] == 'dose=low,"1,5 mg"'
