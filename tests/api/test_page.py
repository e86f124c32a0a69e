"""docs/python.md runs from its first line to its last."""

import os
import warnings
from pathlib import Path
from typing import Any

import pytest

import hierfit
from tests.fake_sampling import replace_sampler
from tests.test_docs import FENCE, ROOT

PAGE = ROOT / "docs" / "python.md"


def walked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run all blocks of the page one after another in a folder; return what they define."""
    os.symlink(ROOT / "sample_data", folder / "sample_data")
    monkeypatch.chdir(folder)
    blocks = [block for language, block in FENCE.findall(PAGE.read_text()) if language == "python"]
    assert len(blocks) >= 7
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    return names


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    replace_sampler(monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hierfit.ChecksFailedWarning)
        names = walked(tmp_path, monkeypatch)
    said = capsys.readouterr().out.splitlines()[0]
    assert said == "column 'day' of <DataFrame> must hold numbers, but row 4 holds '36 d' (30 such cells)."
    assert f"# {said}\n" in PAGE.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {
        "sample_data", "rats-slopes", "rats-intercepts", "groups.png", "rats.html", "paper.html", "sim"
    }  # fmt: skip
    assert list(names["run"].predict(names["new"], new_groups="draw").index) == ["old rat", "new rat"]


@pytest.mark.stan
def test_what_the_page_fits_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", hierfit.ChecksFailedWarning)
        names = walked(tmp_path, monkeypatch)
    assert names["run"].ok
    slope = names["run"].summary().loc["day"]
    assert slope["mean"] == pytest.approx(6.19, abs=5 * slope["mcse_mean"] + 0.01)  # that of the README
    assert len(names["known"]) >= 6 and names["covered"].mean() >= 0.7
    assert names["simulated"].true["ses"] == 2.0


def test_readme_and_page_know_each_other() -> None:
    assert "(docs/python.md)" in (ROOT / "README.md").read_text()
