"""Measurements <-> a JSON file, with the machine, the versions and the settings they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.case import Case
from bench.comparators.contract import Sampling
from bench.measure import Measurement, Settings

SCHEMA = 1
FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Results:
    """All that a benchmark found.

    Attributes:
        machine: as `machine.describe_machine` has it.
        versions: as `machine.describe_versions` has it.
        settings: how it was run.
        cases: name -> title, formula, shape, rows, groups and bytes of the CSV.
        measurements: in the order they were made.
    """

    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    settings: Settings
    cases: Mapping[str, Mapping[str, Any]]
    measurements: Sequence[Measurement]

    def of(self, case: str) -> list[Measurement]:
        """Return the measurements of one case."""
        return [one for one in self.measurements if one.case == case]


def describe_case(case: Case, csv_bytes: int) -> dict[str, Any]:
    """Return what the JSON says of a case."""
    groups = {grouping.factor: grouping.levels for grouping in case.groupings}
    return {
        "title": case.title,
        "formula": case.formula,
        "family": case.family,
        "shape": case.shape,
        "rows": case.rows,
        "groups": groups,
        "csv_bytes": csv_bytes,
    }


def write_results(results: Results, path: Path) -> None:
    """Write the JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_text(results), encoding="utf-8")


def as_text(results: Results) -> str:
    """Return the JSON as text."""
    return json.dumps({"schema": SCHEMA, **asdict(results)}, indent=1, ensure_ascii=False) + "\n"


def read_results(path: Path) -> Results:
    """Read the JSON."""
    document = json.loads(path.read_text(encoding="utf-8"))
    settings = document["settings"]
    return Results(
        document["machine"],
        document["versions"],
        Settings(**{**settings, "sampling": Sampling(**settings["sampling"])}),
        document["cases"],
        [Measurement(**one) for one in document["measurements"]],
    )


def new_path(kind: str, now: datetime) -> Path:
    """Return where results go that nobody has named a place for: the date, and a time where that is taken."""
    stem = f"{now:%Y-%m-%d}" if kind == "compare" else f"{kind}-{now:%Y-%m-%d}"
    path = FOLDER / f"{stem}.json"
    return FOLDER / f"{stem}-{now:%H%M%S}.json" if path.exists() else path
