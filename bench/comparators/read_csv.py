"""Reading the CSV and nothing else: the floor under everybody, which matters where rows are many.

By the fastest reader that is installed: polars, in the Python that HIERFIT_BENCH_PYTHON names or in this one; else
pandas, which hierfit stands on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache

from bench.case import Case
from bench.comparators.contract import Job, Outcome

WORTH_ROWS = 1_000_000


@dataclass(frozen=True)
class ReadCsv:
    """`read_csv` in a process of its own."""

    name: str = "read-csv"

    def missing(self) -> str:
        """Nothing: hierfit stands on pandas."""
        return ""

    def refuses(self, case: Case, *, patient: bool) -> str:
        """Refuse what is read in no time."""
        return "" if case.rows >= WORTH_ROWS else "too few rows to matter"

    def prepare(self, job: Job) -> None:
        """Nothing."""

    def command(self, job: Job) -> list[str]:
        """Return a line of Python."""
        python, reader = fastest_reader(os.environ.get("HIERFIT_BENCH_PYTHON", ""))
        return [python, "-c", f"import sys, {reader}; {reader}.read_csv(sys.argv[1])", str(job.csv)]

    def collect(self, job: Job) -> Outcome:
        """Nothing was found."""
        _, reader = fastest_reader(os.environ.get("HIERFIT_BENCH_PYTHON", ""))
        return Outcome(note=f"{reader} reads the CSV, nothing else")


@cache
def fastest_reader(other_python: str) -> tuple[str, str]:
    """Return a Python and the package in it that reads a CSV fastest."""
    for python in dict.fromkeys([other_python, sys.executable]):
        if python and _has(python, "polars"):
            return python, "polars"
    return sys.executable, "pandas"


def _has(python: str, package: str) -> bool:
    try:
        return subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
