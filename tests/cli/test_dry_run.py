from pathlib import Path

import pytest

from hierfit.errors import ToolchainError
from tests.cli.conftest import FIT, Cli
from tests.fake_sampling import EXECUTABLE, TOOLCHAIN


@pytest.fixture(autouse=True)
def no_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*arguments: object) -> None:
        raise AssertionError("a dry run must not compile")

    monkeypatch.setattr("hierfit.engines.built.build_executable", build)


def test_the_time_is_that_of_a_few_gradients(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.engines.built.find_toolchain", lambda choice: TOOLCHAIN)
    monkeypatch.setattr("hierfit.engines.built.find_executable", lambda program, toolchain: EXECUTABLE)
    monkeypatch.setattr("hierfit.engines.timing.time_gradient", lambda *arguments: 0.00031)
    monkeypatch.setattr("hierfit.engines.timing.os.cpu_count", lambda: 2)
    done = cli(*FIT, "--dry-run")
    assert done.code == 0
    assert done.out.splitlines()[-1] == (
        "Time: about 4.5 s (0.31 ms a gradient; 4 chains of 1,040 iterations, 2 cores, 7 leapfrog steps an iteration "
        "assumed)."
    )


def test_without_a_program_there_is_no_estimate(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.engines.built.find_toolchain", lambda choice: TOOLCHAIN)  # whose cache is empty here
    done = cli(*FIT, "--dry-run")
    assert done.code == 0
    assert done.out.endswith("Time: unknown until the Stan program is compiled, which takes about a minute, once.\n")


def test_without_stan_a_dry_run_still_shows_the_plan(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(choice: str) -> None:
        raise ToolchainError("No CmdStan found.")

    monkeypatch.setattr("hierfit.engines.built.find_toolchain", find)
    done = cli(*FIT, "--dry-run")
    assert done.code == 0 and "Would draw 4 chains" in done.out
    assert done.out.endswith("Time not estimated: No CmdStan found.\n")
    assert not Path("runs").exists()
