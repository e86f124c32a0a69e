"""A DataFrame, and a run of it with draws that are made up."""

import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import hierfit
from tests.cli.conftest import CSV, cli, folder
from tests.fake_sampling import replace_sampler

__all__ = ["CSV", "FORMULA", "cli", "folder"]
FORMULA = "score ~ ses + (1 + ses | school)"


@pytest.fixture
def sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make up the draws of fits, and return the current folder, which is empty."""
    replace_sampler(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    """Return 32 rows; their index is no range."""
    data = pd.read_csv(io.StringIO(CSV))
    return data.set_index(pd.Index([f"r{row}" for row in range(len(data))]))


@pytest.fixture(scope="module")
def run(frame: pd.DataFrame) -> Iterator[hierfit.Run]:
    """Return a run of the frame, which is not to be changed."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        replace_sampler(monkeypatch)
        done = hierfit.fit(frame, FORMULA, seed=1, draws=250)
    yield done
