"""data.csv reads back exactly, and neither it nor truth.json takes the place of what is not their own."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hierfit.data.table import read_table
from hierfit.errors import DiskError, RunFolderError
from hierfit.simulate.files import write_simulation
from hierfit.simulate.scenarios import find_scenario
from hierfit.simulate.simulate import simulate

SLOPES = replace(find_scenario("slopes").simulation, levels={"school": 8}, rows=5)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_simulation(simulate(replace(SLOPES, seed=seed)), tmp_path / name)
    for file in ("data.csv", "truth.json"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b
        assert a != c


def test_counts_are_written_as_whole_numbers(tmp_path: Path) -> None:
    write_simulation(simulate(find_scenario("germination").simulation), tmp_path)
    header, *rows = [line.split(",") for line in (tmp_path / "data.csv").read_text().splitlines()]
    assert header == ["germinated", "trials", "moisture", "tray"]
    assert all(row[0].isdigit() and row[1].isdigit() and "." in row[2] for row in rows)
    assert {int(row[1]) for row in rows} == set(range(10, 31))


def test_what_is_written_reads_back_exactly(tmp_path: Path) -> None:
    simulated = simulate(SLOPES)
    write_simulation(simulated, tmp_path / "new" / "sim")
    table = read_table(tmp_path / "new" / "sim" / "data.csv", ["score", "ses"], ["school"])
    np.testing.assert_array_equal(table.numbers["score"], simulated.columns["score"])
    np.testing.assert_array_equal(table.numbers["ses"], simulated.columns["ses"])
    labels = [table.levels["school"][code] for code in table.labels["school"]]
    assert labels == list(simulated.columns["school"])
    stored = json.loads((tmp_path / "new" / "sim" / "truth.json").read_text())
    assert stored.pop("data_sha256") == table.sha256
    assert stored == simulated.truth.content
    assert sorted(path.name for path in (tmp_path / "new" / "sim").iterdir()) == ["data.csv", "truth.json"]


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    simulated = simulate(SLOPES)
    write_simulation(simulated, tmp_path)
    with pytest.raises(RunFolderError, match=r"is not empty: data\.csv, truth\.json") as caught:
        write_simulation(simulated, tmp_path)
    assert caught.value.hint is not None and "--overwrite" in caught.value.hint
    write_simulation(simulate(replace(SLOPES, seed=9)), tmp_path, overwrite=True)
    assert json.loads((tmp_path / "truth.json").read_text())["seed"] == 9
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunFolderError, match=r"did not write: thesis\.tex"):
        write_simulation(simulated, tmp_path, overwrite=True)
    with pytest.raises(RunFolderError, match="is a file, not a folder"):
        write_simulation(simulated, tmp_path / "thesis.tex")
    with pytest.raises(DiskError, match="could not be written: Not a directory"):
        write_simulation(simulated, tmp_path / "thesis.tex" / "below")


def test_data_that_simulate_did_not_write_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("y,x\n1,2\n")
    with pytest.raises(RunFolderError, match=r"holds a data\.csv that hierfit simulate did not write"):
        write_simulation(simulate(SLOPES), tmp_path, overwrite=True)
    assert (tmp_path / "data.csv").read_text() == "y,x\n1,2\n"
    write_simulation(simulate(SLOPES), tmp_path / "sim")
    with (tmp_path / "sim" / "data.csv").open("a") as stream:
        stream.write("\n")
    with pytest.raises(RunFolderError, match="or that was changed since"):
        write_simulation(simulate(SLOPES), tmp_path / "sim", overwrite=True)
