"""`hierfit check` on runs made without a sampler."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from hierfit.cli.app import main
from hierfit.disk.json_files import find_object
from tests.cli.conftest import FIT, Cli
from tests.fake_sampling import replace_sampler

NO = ("--no-plots", "--exit-zero")


@pytest.fixture(scope="session")
def prior_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run from the priors alone."""
    place = tmp_path_factory.mktemp("prior")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(place)
        Path("data.csv").write_text(
            "score,ses,school\n" + "".join(f"{50 + i},{i % 7},{'abcd'[i % 4]}\n" for i in range(32))
        )
        replace_sampler(monkeypatch)
        with pytest.raises(SystemExit):
            main([*FIT, "--prior-only", "--seed", "1", "--draws", "250", "--out", "run", "--quiet"])
    return place / "run"


def test_a_line_for_each_check_and_commands_that_answer(fitted: Path, cli: Cli) -> None:
    done = cli("check", fitted, *NO)
    assert done.code == 0 and "The model against its data" in done.out
    assert "mean of score: 62.62 in the data" in done.out and "predicted" in done.out and "differs" in done.out
    assert "answers to: " in done.out and f"hierfit fit --from {fitted} --family student" in done.out
    assert all(len(line) <= 96 for line in done.out.splitlines() if "hierfit fit" not in line)
    assert "would be flagged by chance" in done.out


def test_json_csv_and_markdown_have_the_same_checks(fitted: Path, cli: Cli) -> None:
    document = json.loads(cli("check", fitted, "--format", "json", *NO).out)
    rows = list(csv.DictReader(io.StringIO(cli("check", fitted, "--format", "csv", *NO).out)))
    assert [row["check"] for row in rows] == [check["name"] for check in document["checks"]]
    assert [float(row["observed"]) for row in rows] == [check["observed"] for check in document["checks"]]
    assert document["worst"] == "differs" and document["rows"] == 32 and document["draws"] == 1000
    assert {own["name"] for own in document["sensitivity"]} >= {"ses", "sigma", "sd(school)"}
    table = cli("check", fitted, "--format", "md", *NO).out
    assert table.count("\n") == len(rows) + 2 and "verdict" in table.splitlines()[0]


def test_the_seed_decides(fitted: Path, cli: Cli) -> None:
    first, again, other = (cli("check", fitted, "--seed", seed, *NO).out for seed in ("3", "3", "4"))
    assert first == again != other


def test_a_misfit_is_no_failure_unless_asked(fitted: Path, cli: Cli) -> None:
    assert cli("check", fitted, *NO).code == 0
    assert cli("check", fitted, *NO, "--strict").code == 1


def test_pictures_go_to_the_run_and_leave_others_alone(run: Path, cli: Cli) -> None:
    (run / "plots").mkdir(exist_ok=True)
    (run / "plots" / "mine.png").write_bytes(b"mine")
    before = {path.name for path in run.iterdir()}
    done = cli("check", run, "--exit-zero")
    assert "check_outcomes.png" in done.err and "check_" not in done.out
    drawn = {path.name for path in (run / "plots").glob("check_*.png")}
    assert drawn == {
        f"check_{stem}.png" for stem in ("outcomes", "statistics", "places", "groups", "residuals", "priors")
    }
    manifest = find_object(run / "run.json")
    assert manifest is not None
    assert {f"plots/{name}" for name in drawn} <= set(manifest["files"]) and "trace.nc" in manifest["files"]
    assert (run / "plots" / "mine.png").read_bytes() == b"mine"
    assert {path.name for path in run.iterdir()} == before
    assert cli("summarize", run, "--exit-zero").code == 0


def test_pictures_go_elsewhere(fitted: Path, folder: Path, cli: Cli) -> None:
    done = cli("check", fitted, "--out", "pictures/of_it", "--exit-zero")
    assert done.code == 0 and (folder / "pictures" / "of_it" / "check_places.png").stat().st_size > 10_000
    again = cli("check", fitted, "--out", "pictures/of_it", "--exit-zero")
    assert again.code == 2 and "add --overwrite" in again.err
    assert cli("check", fitted, "--out", "pictures/of_it", "--overwrite", "--exit-zero").code == 0


def test_a_run_from_the_priors_alone_speaks_of_no_data(prior_run: Path, folder: Path, cli: Cli) -> None:
    done = cli("check", prior_run, "--exit-zero", "--out", "pictures")
    assert "What the priors alone say of outcomes" in done.out and "that the priors imply lie between" in done.out
    assert "in the data" not in done.out and "did not see the outcome" in done.out
    assert [path.name for path in (folder / "pictures").iterdir()] == ["check_prior.png"]
    assert json.loads(cli("check", prior_run, "--format", "json", *NO).out)["checks"][0]["observed"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--no-plots", "--out", "x"], "--no-plots draws none"),
        (["--overwrite"], "--overwrite is about --out"),
        (["--out", "data.csv"], "is a file"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(fitted: Path, cli: Cli, arguments: list[str], said: str) -> None:
    done = cli("check", fitted, *arguments)
    assert done.code == 2 and said in done.err and done.out == ""


def test_a_folder_that_is_no_run(folder: Path, cli: Cli) -> None:
    done = cli("check", "nowhere", "--no-plots")
    assert done.code == 2 and "nowhere" in done.err


def test_a_run_whose_trace_is_gone(run: Path, cli: Cli) -> None:
    shutil.move(run / "trace.nc", "elsewhere.nc")
    assert cli("check", run).code == 2
