"""Runs of ordered categories, of predictors of sigma and of a horseshoe, from their folders: every table and format."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.fake_sampling import replace_sampler

DATA = "rating,score,ses,age,arm,school\n" + "".join(
    f"{('bad', 'fair', 'good')[i * 7 % 3]},{50 + 2 * i % 17 + 3 * (i % 4)}.5,{(7 * i % 11) / 4},{i % 5 + i * i % 7},"
    f"{('ctl', 'trt')[i % 2]},{'abcd'[i % 4]}\n"
    for i in range(40)
)
MODELS = {
    "ordered": ["--y", "rating", "--x", "ses", "--group", "school", "--family", "cumulative", "--levels",
                "rating=bad,fair,good"],
    "sigma": ["--y", "score", "--x", "ses", "--group", "school", "--sigma", "ses + arm"],
    "horseshoe": ["--formula", "score ~ ses + age + ses:age", "--prior", "b ~ horseshoe(1)"],
}  # fmt: skip
PARAMETERS = {
    "ordered": ["ses", "threshold[bad|fair]", "threshold[fair|good]", "sd(school)"],
    "sigma": ["Intercept", "Intercept_at_mean", "ses", "sd(school)", "sigma_Intercept", "sigma_ses", "sigma_arm[trt]"],
    "horseshoe": ["Intercept", "Intercept_at_mean", "ses", "age", "ses:age", "sigma", "horseshoe_scale"],
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest, folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a model whose run is the folder `run`, made without a sampler."""
    (folder / "study.csv").write_text(DATA)
    replace_sampler(monkeypatch)
    name = str(request.param)
    done = cli("fit", "study.csv", *MODELS[name], "--seed", "1", "--draws", "100", "--out", "run")
    assert done.code in (0, 1), done.err
    assert [line.split()[0] for line in done.out.splitlines() if line.startswith("  ") and line[2:3].isalpha()][
        : len(PARAMETERS[name])
    ] == PARAMETERS[name]
    return name


def test_every_format_has_every_parameter(model: str, cli: Cli) -> None:
    wanted, kinds = PARAMETERS[model], {"ordered": "threshold", "sigma": "distributional", "horseshoe": "auxiliary"}
    document = json.loads(cli("summarize", "run", "--format", "json").out)
    assert [entry["name"] for entry in document["parameters"]] == wanted
    assert kinds[model] in {entry["kind"] for entry in document["parameters"]}
    assert [at["level"] for at in document["at_levels"]] == (["ctl", "trt"] if model == "sigma" else [])
    read = list(csv.DictReader(io.StringIO(cli("summarize", "run", "--format", "csv").out)))
    assert [line["name"] for line in read] == wanted
    shown = cli("summarize", "run", "--format", "md").out
    assert all(f"| {name} ".replace("[bad|", "[bad\\|").replace("[fair|", "[fair\\|") in shown for name in wanted)
    assert max(map(len, cli("summarize", "run").out.splitlines())) <= 96


def test_the_groups_of_ordered_categories_are_deviations(model: str, cli: Cli) -> None:
    done = cli("summarize", "run", "--groups")
    if model == "horseshoe":
        assert (done.code, "this run has no groups" in done.err) == (2, True)
        return
    said = done.out.startswith("Scale: log odds; thresholds take the place of an intercept")
    assert said == (model == "ordered")
    assert "4 schools: intercepts" in done.out


def test_the_data_of_the_programs_are_shown(model: str, cli: Cli) -> None:
    data = json.loads(cli("code", "run", "--wide", "--data", "-").out)
    assert {"ordered": data.get("Q"), "sigma": data.get("S"), "horseshoe": data["H"]}[model] == {
        "ordered": 2, "sigma": 3, "horseshoe": 3,
    }[model]  # fmt: skip
    own = {"ordered": {"J_school", "school"}, "sigma": {"J_school", "school", "X_sigma"}, "horseshoe": {"unit"}}[model]
    assert set(json.loads(cli("code", "run", "--data", "-").out)) == {"N", "y", "X", *own}


def test_the_model_is_a_program_of_a_page(model: str, cli: Cli, folder: Path) -> None:
    done = cli("code", "run", "--data", "data.json")
    lines = done.out.splitlines()
    assert lines[0].startswith("// rating ~ 1 + ses" if model == "ordered" else "// score ~ 1 + ses")
    assert len(lines) < 80 and "model {" in lines
    assert (folder / "data.json").read_text() == cli("code", "run", "--data", "-").out
    assert (folder / "run" / "model.stan").read_text() == done.out
    again = cli("code", "run", "--data", "data.json")
    assert (again.code, again.out) == (2, "") and "data.json exists already" in again.err
    nowhere = cli("code", "run", "--data", "nowhere/data.json")
    assert (nowhere.code, nowhere.out) == (2, "") and "there is no folder nowhere" in nowhere.err
    (folder / "data.json").write_text("another")
    assert cli("code", "run", "--data", "data.json", "--overwrite").out == done.out
    assert (folder / "data.json").read_text() == cli("code", "run", "--data", "-").out


def test_the_program_that_was_sampled_is_of_all_models_of_its_kind(model: str, cli: Cli) -> None:
    lines = cli("code", "run", "--wide").out.splitlines()
    assert "// priors, in the units of the CSV:" in lines and len(lines) > 300
    assert any(line.startswith("//   ses ~ ") and line.endswith(")") for line in lines[:20])
