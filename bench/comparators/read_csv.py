"""Reading the CSV with pandas and nothing else: the floor under everybody, which matters where rows are many."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from bench.cases import Case
from bench.comparators.contract import Job, Outcome

WORTH_ROWS = 1_000_000


@dataclass(frozen=True)
class ReadCsv:
    """`pandas.read_csv` in a process of its own."""

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
        return [sys.executable, "-c", "import sys, pandas; pandas.read_csv(sys.argv[1])", str(job.csv)]

    def collect(self, job: Job) -> Outcome:
        """Nothing was found."""
        return Outcome(note="pandas reads the CSV, nothing else")
