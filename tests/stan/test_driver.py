"""The driver through its command line and through cmdstanpy.

Closed forms of tests/stan/programs/conjugate.stan with the fixture's data: mu | y is normal with precision 1/9 + 4/4
and mean (sum(y)/4) / precision; rate | counts is gamma(2 + 10, 1 + 5).
"""

import json
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cmdstanpy
import numpy as np
import pytest
from stanio import dump_stan_json

from hierfit.stan.executable import Executable

pytestmark = pytest.mark.stan

PRECISION = 1 / 9 + 1
MU, MU_SD = 11 / 4 / PRECISION, PRECISION**-0.5
SHAPE, RATE = 12.0, 6.0


@pytest.fixture
def data_file(tmp_path: Path, conjugate_data: Mapping[str, Any]) -> Path:
    file = tmp_path / "data.json"
    file.write_text(dump_stan_json(conjugate_data))
    return file


@pytest.fixture
def model(conjugate: Executable) -> cmdstanpy.CmdStanModel:
    cmdstanpy.disable_logging()
    return cmdstanpy.CmdStanModel(exe_file=str(conjugate.path))


def run(executable: Executable, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(executable.path), *words], cwd=folder, capture_output=True, text=True, timeout=120)


def rows(csv: Path) -> list[str]:
    return [line for line in csv.read_text().splitlines() if not line.startswith("#")]


def sample_words(data_file: Path, *words: str) -> list[str]:
    return ["data", f"file={data_file}", "output", "file=out.csv", "random", "seed=1", "method=sample", *words]


def test_info(conjugate: Executable, tmp_path: Path) -> None:
    done = run(conjugate, tmp_path, "info")
    assert done.returncode == 0
    assert f"stan_version_minor = {conjugate.stan_version.split('.')[1]}" in done.stdout
    assert "STAN_THREADS=false" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no method given"),
        (["method=variational"], "unknown method 'variational'; this program has: sample"),
        (["sample", "num_sample=10"], "unknown argument 'num_sample'"),
        (["sample", "num_samples=ten"], "bad value 'ten' for num_samples; wanted: a whole number from 0"),
        (["sample", "num_samples=1.5"], "bad value '1.5' for num_samples"),
        (["sample", "num_samples=-1"], "bad value '-1' for num_samples"),
        (["sample", "adapt", "delta=1.5"], "bad value '1.5' for delta; wanted: a number from 0.1 to 1"),
        (
            ["sample", "algorithm=hmc", "metric=round"],
            "bad value 'round' for metric; wanted: one of unit_e, diag_e, dense_e",
        ),
        (["sample", "algorithm=hmc", "stepsize=0"], "bad value '0' for stepsize; wanted: a number above 0"),
        (["sample", "save_warmup=maybe"], "bad value 'maybe' for save_warmup"),
        (["sample", "num_chains=2"], "bad value '2' for num_chains"),
        (["sample", "file=x.json"], "'file' occurs in several sections"),
        (["sample", "adapt=1"], "'adapt' is a section"),
        (["sample", "thin"], "'thin' needs a value"),
        (["sample", "random", "seed=-7"], "bad value '-7' for seed"),
        (["sample", "data", "file=none.json"], "cannot read the file 'none.json'"),
        (["sample", "data", "file=."], "cannot read the file '.'"),
        (["sample", "data", "file=broken.json"], "'broken.json' is not JSON that Stan can read"),
        (["sample", "data", "file=lacking.json"], "variable name=y"),
        (["sample", "data", "file=shape.json"], "mismatch in"),
        (["sample", "data", "file=data.json", "output", "file=no/such/folder.csv"], "cannot write the file"),
        (["sample", "data", "file=data.json", "init=none.json"], "cannot read the file 'none.json'"),
        (["sample", "data", "file=data.json", "metric_file=lacking.json"], "no variable 'inv_metric'"),
        (["sample", "data", "file=data.json", "num_warmup=0"], "adaptation needs num_warmup above 0"),
        (["sample", "data", "file=data.json", "adapt", "engaged=0", "save_metric=1"], "save_metric=1 needs"),
        (["laplace", "data", "file=data.json"], "laplace needs mode="),
        (["laplace", "mode=short.csv", "data", "file=data.json"], "no column 'rate' in 'short.csv'"),
        (["generate_quantities", "data", "file=data.json"], "generate_quantities needs fitted_params="),
        (
            ["generate_quantities", "fitted_params=torn.csv", "data", "file=data.json"],
            "a row of 'torn.csv' has 2 cells",
        ),
        (
            ["generate_quantities", "fitted_params=words.csv", "data", "file=data.json"],
            "'x' in 'words.csv' is not a number",
        ),
        (
            ["generate_quantities", "fitted_params=empty.csv", "data", "file=data.json"],
            "no rows of draws in 'empty.csv'",
        ),
    ],
)
def test_a_mistake_is_one_line_and_a_failure(
    conjugate: Executable, tmp_path: Path, data_file: Path, words: list[str], said: str
) -> None:
    data = json.loads(data_file.read_text())
    (tmp_path / "broken.json").write_text('{"N": 4, "y": [1, 2')
    (tmp_path / "lacking.json").write_text('{"N": 4}')
    (tmp_path / "shape.json").write_text(json.dumps({**data, "y": [1.0]}))
    names = "lp__,mu,rate,b.1,b.2"
    (tmp_path / "short.csv").write_text("lp__,mu\n-1,2\n")
    (tmp_path / "torn.csv").write_text("mu,rate\n".replace("mu,rate", names) + "-1,2\n")
    (tmp_path / "words.csv").write_text(f"{names}\n-1,x,1,1,1\n")
    (tmp_path / "empty.csv").write_text(f"{names}\n")
    done = run(conjugate, tmp_path, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n")


def test_inits_outside_the_support_are_refused(conjugate: Executable, tmp_path: Path, data_file: Path) -> None:
    (tmp_path / "init.json").write_text('{"mu": 0, "rate": -1, "b": []}')
    done = run(conjugate, tmp_path, *sample_words(data_file), "init=init.json")
    assert done.returncode == 1
    assert "Initialization failed." in done.stderr and "variable is -1" in done.stdout


def test_the_csv_echoes_what_was_asked(conjugate: Executable, tmp_path: Path, data_file: Path) -> None:
    words = sample_words(data_file, "num_samples=20", "thin=2", "max_depth=7", "adapt", "delta=0.9")
    assert run(conjugate, tmp_path, *words).returncode == 0
    comments = [line for line in (tmp_path / "out.csv").read_text().splitlines() if line.startswith("#")]
    for line in (
        "# model = conjugate_model",
        "# method = sample (Default)",
        "#     num_samples = 20",
        "#     num_warmup = 1000 (Default)",
        "#     save_warmup = false (Default)",
        "#     thin = 2",
        "#       delta = 0.9",
        "#             max_depth = 7",
        "#         metric = diag_e (Default)",
        f"#   file = {data_file}",
        "#   seed = 1",
    ):
        assert line in comments
    assert len(rows(tmp_path / "out.csv")) == 1 + 10


def test_progress_lines_and_config_file(conjugate: Executable, tmp_path: Path, data_file: Path) -> None:
    words = sample_words(data_file, "num_samples=100", "num_warmup=100")
    done = run(conjugate, tmp_path, "output", "refresh=50", "save_cmdstan_config=1", *words)
    progress = [line for line in done.stdout.splitlines() if line.startswith("Iteration:")]
    assert progress[0] == "Iteration:   1 / 200 [  0%]  (Warmup)"
    assert progress[-1] == "Iteration: 200 / 200 [100%]  (Sampling)"
    config = json.loads((tmp_path / "out_config.json").read_text())
    assert config["method"]["value"] == "sample"
    assert config["method"]["sample"]["algorithm"]["hmc"]["engine"]["nuts"]["max_depth"] == 10
    assert config["output"]["save_cmdstan_config"] is True


def test_the_metric_is_saved_and_used_again(conjugate: Executable, tmp_path: Path, data_file: Path) -> None:
    assert run(conjugate, tmp_path, *sample_words(data_file, "adapt", "save_metric=1")).returncode == 0
    saved = json.loads((tmp_path / "out_metric.json").read_text())
    assert saved["metric_type"] == "diag_e" and len(saved["inv_metric"]) == 2 and saved["stepsize"] > 0
    fixed = sample_words(data_file, "num_warmup=0", "metric_file=out_metric.json", f"stepsize={saved['stepsize']}")
    assert run(conjugate, tmp_path, *fixed, "adapt", "engaged=0").returncode == 0
    header, *draws = rows(tmp_path / "out.csv")
    column = header.split(",").index("stepsize__")
    # six significant digits are written
    np.testing.assert_allclose([float(draw.split(",")[column]) for draw in draws], saved["stepsize"], rtol=1e-5)


def test_save_warmup_and_a_profile_free_program(conjugate: Executable, tmp_path: Path, data_file: Path) -> None:
    words = sample_words(data_file, "num_samples=30", "num_warmup=70", "save_warmup=1")
    assert run(conjugate, tmp_path, *words, "output", "diagnostic_file=extra.csv").returncode == 0
    assert len(rows(tmp_path / "out.csv")) == 1 + 100
    assert "p_mu" in rows(tmp_path / "extra.csv")[0]
    assert not (tmp_path / "profile.csv").exists()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_whole_rows(
    conjugate: Executable, tmp_path: Path, data_file: Path, sent: signal.Signals, status: int
) -> None:
    words = sample_words(data_file, "num_samples=5000000", "num_warmup=200", "output", "refresh=5000")
    process = subprocess.Popen([str(conjugate.path), *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any("(Sampling)" in line and "200 /" in line for line in process.stdout)  # stops reading at the first
    process.send_signal(sent)
    assert process.wait(10) == status
    process.stdout.close()
    text = (tmp_path / "out.csv").read_text()
    header, *draws = rows(tmp_path / "out.csv")
    assert text.endswith("\n") and len(draws) > 1000
    assert {draw.count(",") for draw in draws} == {header.count(",")}


def test_sampling_without_parameters(no_parameters: Executable, tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    data.write_text('{"scale": 3.0}')
    cmdstanpy.disable_logging()
    model = cmdstanpy.CmdStanModel(exe_file=str(no_parameters.path))
    for fixed in (True, False):  # asked for, and found out by the driver
        fit = model.sample(data=str(data), fixed_param=fixed, chains=2, seed=1, show_progress=False)
        z = fit.stan_variable("z")
        # 2,000 independent draws: the sd has a relative standard error of 1/sqrt(4000) = 1.6 %; 5 of them
        assert abs(z.std() / 3 - 1) < 0.08 and z.shape == (2000,)


@pytest.mark.parametrize("algorithm", ["lbfgs", "bfgs", "newton"])
@pytest.mark.parametrize("jacobian", [False, True])
def test_optimize_finds_the_mode(
    model: cmdstanpy.CmdStanModel, conjugate_data: Mapping[str, Any], algorithm: str, jacobian: bool
) -> None:
    data = dict(conjugate_data)
    fit = model.optimize(data=data, seed=1, algorithm=algorithm, jacobian=jacobian, sig_figs=10)
    # with the Jacobian the mode is that of log(rate): shape / rate instead of (shape - 1) / rate
    mode = SHAPE / RATE if jacobian else (SHAPE - 1) / RATE
    # Newton's method stops when the log density changes by less than 1e-8, so its answer has half as many digits
    np.testing.assert_allclose([fit.stan_variable("mu"), fit.stan_variable("rate")], [MU, mode], rtol=1e-3)


def test_laplace_is_the_curvature_at_the_mode(
    model: cmdstanpy.CmdStanModel, conjugate_data: Mapping[str, Any], tmp_path: Path
) -> None:
    data = dict(conjugate_data)
    mode = model.optimize(data=data, seed=1, jacobian=True, sig_figs=10)
    fits = [model.laplace_sample(data=data, mode=mode, seed=2, draws=4000)]
    (tmp_path / "mode.json").write_text(json.dumps({"mu": MU, "rate": SHAPE / RATE, "b": []}))
    words = ["laplace", f"mode={tmp_path / 'mode.json'}", "draws=4000", "data", f"file={tmp_path / 'data.json'}"]
    (tmp_path / "data.json").write_text(dump_stan_json(data))
    assert run(Executable(Path(str(model.exe_file)), "", "", ""), tmp_path, *words, "random", "seed=2").returncode == 0
    assert len(rows(tmp_path / "output.csv")) == 1 + 4000
    for fit in fits:
        mu, log_rate = fit.stan_variable("mu"), np.log(fit.stan_variable("rate"))
        # 4,000 independent draws of normals: mean +- 5 sd/sqrt(4000), sd +- 5/sqrt(8000) of itself. The curvature of
        # the log density of log(rate) is the shape.
        assert abs(mu.mean() - MU) < 0.08 * MU_SD and abs(mu.std() / MU_SD - 1) < 0.056
        assert abs(log_rate.mean() - np.log(SHAPE / RATE)) < 0.08 * SHAPE**-0.5
        assert abs(log_rate.std() * SHAPE**0.5 - 1) < 0.056


@pytest.mark.parametrize("paths", [1, 4])
def test_pathfinder_is_near(model: cmdstanpy.CmdStanModel, conjugate_data: Mapping[str, Any], paths: int) -> None:
    fit = model.pathfinder(data=dict(conjugate_data), seed=3, num_paths=paths, draws=1000, num_single_draws=1000)
    mu = fit.stan_variable("mu")
    # an approximation: single paths miss the sd by a third at times
    assert mu.shape == (1000,)
    assert abs(mu.mean() - MU) < 0.5 * MU_SD and 0.5 < mu.std() / MU_SD < 1.6


def test_pathfinder_without_resampling_keeps_every_path(conjugate: Executable, tmp_path: Path, data_file: Path) -> None:
    words = ["pathfinder", "num_paths=2", "num_draws=500", "psis_resample=0", "save_single_paths=1"]
    done = run(conjugate, tmp_path, *words, "data", f"file={data_file}", "random", "seed=3", "output", "file=out.csv")
    assert done.returncode == 0
    assert len(rows(tmp_path / "out.csv")) == 1 + 1000
    for path in (1, 2):
        assert len(rows(tmp_path / f"out_path_{path}.csv")) == 1 + 500
        assert (tmp_path / f"out_path_{path}.json").is_file()


def test_generated_quantities_follow_the_draws(
    model: cmdstanpy.CmdStanModel, conjugate_data: Mapping[str, Any]
) -> None:
    data = dict(conjugate_data)
    fit = model.sample(data=data, chains=2, seed=1, iter_sampling=500, sig_figs=12, show_progress=False)
    again = [model.generate_quantities(data=data, previous_fit=fit, seed=seed, sig_figs=12) for seed in (5, 5, 6)]
    grids = again[0].stan_variable("grid")
    np.testing.assert_allclose(grids[:, 1, 2], fit.stan_variable("mu"), rtol=1e-11)
    replicates = [one.stan_variable("replicate") for one in again]
    np.testing.assert_array_equal(replicates[0], replicates[1])
    assert not np.array_equal(replicates[0], replicates[2])


def test_the_driver_starts_at_once(conjugate: Executable, tmp_path: Path) -> None:
    started = time.monotonic()
    run(conjugate, tmp_path, "info")
    assert time.monotonic() - started < 1
