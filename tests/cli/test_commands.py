"""The commands one after another, as a user runs them: real processes, the real sampler."""

import csv
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.show.test_fit import markdown_rows

pytestmark = pytest.mark.stan
FIT = ["fit", "sim/data.csv", "--y", "score", "--x", "ses", "--slope", "ses", "--group", "school"]
FIT += ["--seed", "1", "--warmup", "300", "--draws", "300"]
FILES = ["chains.npz", "groups.csv", "model.stan", "run.json", "summary.csv", "summary.json", "trace.nc", "truth.json"]


def hierfit(place: Path, *arguments: str, code: int = 0) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "hierfit", *arguments],
        cwd=place,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which simulate and fit have run."""
    place = tmp_path_factory.mktemp("commands")
    arguments = ["--groups", "20", "--rows-per-group", "10", "--x", "ses=2", "--sd", "Intercept=3", "--sd", "ses=1"]
    said = hierfit(place, "simulate", *arguments).stdout
    assert "Wrote    sim/data.csv: 200 rows, 20 schools" in said
    done = hierfit(place, *FIT, "--out", "run")
    (place / "out").write_text(done.stdout, encoding="utf-8")
    (place / "err").write_text(done.stderr, encoding="utf-8")
    return place


def test_results_are_on_stdout_and_all_else_on_stderr(place: Path) -> None:
    out, err = (place / "out").read_text(encoding="utf-8"), (place / "err").read_text(encoding="utf-8")
    assert out.startswith("score ~ 1 + ses + (1 + ses | school)  ")
    assert "Checks   OK" in out or "Checks   WARNING" in out
    labels = [line.split()[0] for line in err.splitlines() if line[:1].isalpha()]
    assert [label for label in labels if label not in ("Compiling", "Waiting")] == ["Reading", "Model", "Saved", "Next"]
    assert "\x1b" not in out + err and "━" not in err
    assert max(map(len, out.splitlines())) <= 96


def test_the_next_commands_that_are_named_work(place: Path) -> None:
    lines = (place / "err").read_text(encoding="utf-8").splitlines()
    following = next(line for line in lines if line.startswith("Next")).removeprefix("Next").split("      ")
    assert [command.split()[:2] for command in following if command.strip()] == [
        ["hierfit", "summarize"],
        ["hierfit", "plot"],
    ]


def test_the_run_folder(place: Path) -> None:
    assert sorted(path.name for path in (place / "run").iterdir() if path.name != "plots") == FILES
    run = json.loads((place / "run" / "run.json").read_text(encoding="utf-8"))
    assert run["argv"][1:] == [*FIT, "--out", "run"]
    assert (run["data"]["rows"], run["data"]["rows_read"], run["data"]["missing"]) == (200, 200, {})
    assert len(run["data"]["sha256"]) == len(run["program_sha256"]) == 64
    assert run["data"]["columns"] == ["score", "ses", "school"]
    assert run["groups"][0]["levels"] == 20
    assert run["formula"] == "score ~ 1 + ses + (1 + ses | school)"
    assert {"distribution", "arguments", "source"} == set(run["model"]["priors"]["ses"])
    assert run["request"]["sampler"]["seed"] == 1
    assert run["engine"] in ("collapsed", "full") and run["toolchain"] in ("bundled", "cmdstan")
    assert {"reading", "building", "sampling", "total"} <= set(run["seconds"])
    assert {"python", "numpy", "cmdstanpy"} <= set(run["versions"])
    assert run["checks"]["status"] in ("ok", "warn")
    assert run["status"] == run["checks"]["status"]
    assert run["hierfit"] and run["stan"] and run["finished"]


def test_the_answer_is_near_the_truth(place: Path) -> None:
    document = json.loads((place / "run" / "summary.json").read_text(encoding="utf-8"))
    truth = json.loads((place / "sim" / "truth.json").read_text(encoding="utf-8"))["parameters"]
    found = {entry["name"]: entry for entry in document["parameters"]}
    for name in ("ses", "sd(school)", "sd(school: ses)", "sigma"):
        # Four posterior sds: one seed in some 10,000 would miss.
        assert abs(found[name]["mean"] - truth[name]) < 4 * found[name]["sd"], name


def test_summarize_shows_what_fit_showed(place: Path) -> None:
    assert hierfit(place, "summarize", "run").stdout == (place / "out").read_text(encoding="utf-8")


def test_summarize_in_other_formats(place: Path) -> None:
    document = json.loads(hierfit(place, "summarize", "run", "--format", "json").stdout)
    assert document == json.loads((place / "run" / "summary.json").read_text(encoding="utf-8"))
    text = hierfit(place, "summarize", "run", "--format", "csv").stdout
    assert text == (place / "run" / "summary.csv").read_text(encoding="utf-8")
    rows = markdown_rows(hierfit(place, "summarize", "run", "--format", "md").stdout)
    assert [row[0] for row in rows[2:]] == [entry["name"] for entry in document["parameters"]]
    for row, entry in zip(rows[2:], document["parameters"], strict=True):
        assert float(row[1]) == pytest.approx(entry["mean"], abs=0.51 * 10 ** -len(row[1].partition(".")[2]))


def test_summarize_the_groups(place: Path) -> None:
    shown = hierfit(place, "summarize", "run", "--groups", "--sort", "ses", "--top", "3").stdout
    assert shown.startswith("20 schools: intercepts and slopes of ses") and "... 14 more" in shown
    text = hierfit(place, "summarize", "run", "--groups", "--format", "csv").stdout
    stored = (place / "run" / "groups.csv").read_text(encoding="utf-8")
    for line, wanted in zip(csv.reader(io.StringIO(text)), csv.reader(io.StringIO(stored)), strict=True):
        assert line[:4] == wanted[:4]
        if line[0] == "school":  # stored in single precision in trace.nc
            assert [float(x) for x in line[4:]] == pytest.approx([float(x) for x in wanted[4:]], rel=1e-4, abs=1e-5)


def test_plot(place: Path) -> None:
    done = hierfit(place, "plot", "run")
    drawn = [Path(line.split("  ")[0]) for line in done.stdout.splitlines()]
    assert drawn and all((place / path).stat().st_size > 10_000 for path in drawn)
    assert sorted(path.name for path in drawn) == sorted(path.name for path in (place / "run" / "plots").iterdir())


def test_code(place: Path) -> None:
    program = hierfit(place, "code", "run", "--data", "code.json").stdout
    assert program.startswith("// score ~ 1 + ses + (1 + ses | school)")
    assert (place / "run" / "model.stan").read_text(encoding="utf-8") == program
    data = json.loads((place / "code.json").read_text(encoding="utf-8"))
    assert data["N"] == len(data["school"]) == 200
    assert "engine collapsed" in hierfit(place, "code", "run", "--wide").stdout


def test_the_same_seed_gives_the_same_numbers(place: Path) -> None:
    hierfit(place, *FIT, "--out", "same", "--quiet")
    for name in ("summary.csv", "groups.csv"):
        assert (place / "same" / name).read_bytes() == (place / "run" / name).read_bytes()


def test_from_repeats_a_run(place: Path, tmp_path: Path) -> None:
    done = hierfit(place, "fit", "--from", "run", "--out", "again")
    assert (place / "again" / "summary.csv").read_bytes() == (place / "run" / "summary.csv").read_bytes()
    assert "has changed" not in done.stderr
    shutil.copytree(place / "sim", tmp_path / "sim")
    lines = (tmp_path / "sim" / "data.csv").read_text().splitlines()
    (tmp_path / "sim" / "data.csv").write_text("\n".join(lines[:101]) + "\n")
    other = hierfit(place, "fit", str(tmp_path / "sim" / "data.csv"), "--from", "run", "--dry-run")
    assert "100 rows" in other.stdout


def test_quiet_says_nothing_but_the_results(place: Path) -> None:
    done = hierfit(place, *FIT, "--out", "quiet", "-q", "--format", "json")
    assert done.stderr == ""
    assert json.loads(done.stdout)["rows"] == 200


def test_both_engines_write_the_same_folder(place: Path) -> None:
    for engine in ("collapsed", "full"):
        hierfit(place, *FIT, "--engine", engine, "--out", engine, "-q")
        assert sorted(path.name for path in (place / engine).iterdir()) == FILES
        assert f"engine {engine}" in hierfit(place, "summarize", engine).stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_request_to_stop_keeps_the_finished_draws(number: signal.Signals, place: Path, tmp_path: Path) -> None:
    arguments = [*FIT[:-1], "1000000", "--engine", "full", "--out", "stopped", "--overwrite"]
    process = subprocess.Popen(
        [sys.executable, "-m", "hierfit", *arguments],
        cwd=place,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # background jobs and nohup ignore it
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        sizes = [path.stat().st_size for path in tmp_path.glob("hierfit-*/**/*.csv")]
        if len(sizes) >= 2 and min(sizes) > 500_000:
            break
        time.sleep(0.05)
    os.killpg(process.pid, number)  # as a terminal does, to all
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Note     interrupted: " in out and "Saved    stopped  (status: interrupted)" in err
    assert "Traceback" not in err
    run = json.loads((place / "stopped" / "run.json").read_text(encoding="utf-8"))
    assert run["status"] == "interrupted" and 0 < run["draws_per_chain"] < 1_000_000
    assert hierfit(place, "summarize", "stopped").stdout == out
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_stops_early_is_no_error(place: Path) -> None:
    command = f"{sys.executable} -m hierfit summarize run --groups --all | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=place, capture_output=True, encoding="utf-8", timeout=60)
    assert (done.stdout.splitlines()[0][:10], done.stdout.splitlines()[1:], done.stderr) == ("20 schools", ["0"], "")


def test_the_modelling_language_from_end_to_end(place: Path) -> None:
    rng = random.Random(1)
    rows = []
    for i in range(240):
        school, sector, ses = i % 12, ("Public", "Private", "Church")[i % 3], rng.gauss(0, 1)
        passed = "yes" if rng.random() < 0.3 + 0.4 * (sector == "Private") else "no"
        rows.append(f"{passed},{ses if i else ''},{sector},{school},{i % 7}")
    (place / "exams.csv").write_text("\n".join(["passed,ses,sector,school,examiner", *rows]) + "\n")
    formula = "passed ~ ses * sector + (1 | school) + (1 | examiner)"
    arguments = ["--family", "bernoulli", "--reference", "sector=Public", "--reference", "passed=no", "--seed", "1"]
    arguments += ["--prior", "sector[Private] ~ normal(0, 2)", "--warmup", "300", "--draws", "300"]
    done = hierfit(place, "fit", "exams.csv", "--formula", formula, *arguments, "--out", "exams")
    full = "passed ~ 1 + ses + sector + ses:sector + (1 | school) + (1 | examiner)"
    assert f"Model    {full}" in done.stderr
    assert "240 rows, 12 schools, 7 examiners, 1 row dropped (missing: 1 ses)" in done.stderr
    assert "sector: compared with Public" in done.stderr
    assert "passed: the probability of yes (against no)" in done.stderr
    assert "Variation between schools (12)" in done.stdout and "Variation between examiners (7)" in done.stdout
    run = json.loads((place / "exams" / "run.json").read_text(encoding="utf-8"))
    assert (run["formula"], run["engine"], run["references"]) == (full, "full", {"sector": "Public"})
    assert run["model"]["priors"]["sector[Private]"]["source"] == "set by --prior"
    document = json.loads((place / "exams" / "summary.json").read_text(encoding="utf-8"))
    found = {entry["name"]: entry for entry in document["parameters"]}
    assert found["sector[Private]"]["mean"] > 0 and "sector[Church]" in found and "sector[Public]" not in found
    assert hierfit(place, "summarize", "exams").stdout == done.stdout
    hierfit(place, "fit", "--from", "exams", "--out", "exams-again", "--quiet")
    for name in ("summary.csv", "groups.csv"):
        assert (place / "exams-again" / name).read_bytes() == (place / "exams" / name).read_bytes()
    assert hierfit(place, "plot", "exams").stdout.count(".png") > 3
    assert hierfit(place, "code", "exams").stdout.startswith(f"// {full}")
