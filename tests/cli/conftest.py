"""The command line run in process, a small CSV, and a run fitted without a sampler."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hierfit.cli.app import main
from tests.fake_sampling import replace_sampler

CSV = "score,ses,school\n" + "".join(
    f"{50 + 2 * i % 17 + 3 * (i % 4)}.5,{(7 * i % 11) / 4},{'abcd'[i % 4]}\n" for i in range(32)
)
FIT = ["fit", "data.csv", "--y", "score", "--x", "ses", "--group", "school"]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty current folder that holds data.csv; no environment that changes what is written."""
    for name in ("HIERFIT_DEBUG", "FORCE_COLOR", "GITHUB_ACTIONS", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(CSV)
    return tmp_path


@pytest.fixture
def cli(folder: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return the command line as a function of its arguments."""

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Outcome(int(left.value.code or 0), out, err)

    return run


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of `FIT` with made-up draws; not to be written to."""
    place = tmp_path_factory.mktemp("fitted")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(place)
        Path("data.csv").write_text(CSV)
        replace_sampler(monkeypatch)
        with pytest.raises(SystemExit) as left:
            main([*FIT, "--slope", "ses", "--seed", "1", "--draws", "250", "--out", "run", "--quiet"])
        assert left.value.code == 0
    return place / "run"


@pytest.fixture
def run(fitted: Path, folder: Path) -> Path:
    """Return a copy of the fitted run, as `run` in the current folder."""
    shutil.copytree(fitted, folder / "run")
    return Path("run")
