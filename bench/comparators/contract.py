"""What a comparator is: something that fits a case as a process of its own.

In: a `Job`, which names a CSV and a folder. `command` is what is timed; it reads the CSV and leaves in the folder all
its draws and, for the harness, `population.csv` and `seconds.json` (see `read_table`), or a run folder of hierfit's.
`collect` reads that afterwards, when the clock is stopped, into an `Outcome` under hierfit's names of the parameters.
`prepare` is not timed: it does what a user has done before, such as compiling a program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.case import Case

Array = NDArray[np.float64]
POPULATION, SECONDS = "population.csv", "seconds.json"
# More rows than this and a program whose gradient costs O(rows), and thousands of them, takes hours.
MANY_ROWS = 200_000


@dataclass(frozen=True)
class Sampling:
    """How much everybody samples: the defaults of all of them, 4 chains of 1,000 after 1,000, unless told otherwise.

    Attributes:
        chains: number of chains.
        warmup: iterations of a chain that adapt.
        draws: iterations of a chain that are kept.
        cores: chains at a time.
    """

    chains: int = 4
    warmup: int = 1000
    draws: int = 1000
    cores: int = 2


@dataclass(frozen=True)
class Job:
    """One fit.

    Attributes:
        case: what to fit.
        csv: its data.
        folder: where the results go; it exists and is empty.
        prepared: where `prepare` keeps files of this case and comparator; it exists.
        sampling: how much to sample.
        seed: of the random numbers.
    """

    case: Case
    csv: Path
    folder: Path
    prepared: Path
    sampling: Sampling
    seed: int = 1

    @property
    def arguments(self) -> list[str]:
        """The job as `name=value` words, which the scripts in Python and R read."""
        case, sampling = self.case, self.sampling
        return [
            f"csv={self.csv}",
            f"out={self.folder}",
            f"prepared={self.prepared}",
            f"formula={case.formula}",
            f"family={case.family}",
            f"response={case.response}",
            f"predictors={' '.join(case.predictors)}",
            f"factors={' '.join(grouping.factor for grouping in case.groupings)}",
            f"chains={sampling.chains}",
            f"warmup={sampling.warmup}",
            f"draws={sampling.draws}",
            f"cores={sampling.cores}",
            f"seed={self.seed}",
        ]


@dataclass(frozen=True)
class Outcome:
    """What a comparator found.

    Attributes:
        draws: parameter -> draws [chains, draws]; none from a comparator that has only estimates.
        estimates: parameter -> point estimate, where there are no draws.
        sampling_seconds: what sampling alone took, as far as it is known.
        seconds_from_sampling: from the start of sampling to the end, as far as it is known.
        checks: what it said of its own draws: "ok", "warn" or "failed-checks"; empty where it says nothing.
        note: something a reader of the table must know.
    """

    draws: Mapping[str, Array] = field(default_factory=dict)
    estimates: Mapping[str, float] = field(default_factory=dict)
    sampling_seconds: float | None = None
    seconds_from_sampling: float | None = None
    checks: str = ""
    note: str = ""


class Comparator(Protocol):
    """Something that fits cases."""

    @property
    def name(self) -> str:
        """As in `--comparators`."""

    def missing(self) -> str:
        """Return what is not installed; empty when it can run."""

    def refuses(self, case: Case, *, patient: bool) -> str:
        """Return why it is not worth starting on a case; empty when it is. The patient try what takes hours."""

    def prepare(self, job: Job) -> None:
        """Do, untimed, what a user has done before: RuntimeError or HierfitError when it fails."""

    def command(self, job: Job) -> list[str]:
        """Return the command that is timed."""

    def collect(self, job: Job) -> Outcome:
        """Read what the command left."""


def too_many_rows(case: Case, *, patient: bool) -> str:
    """Return why a program that goes through all rows for every gradient is not started; empty when it may be."""
    if patient or case.rows <= MANY_ROWS:
        return ""
    return f"hours: every gradient goes through {case.rows:,} rows (--patient tries up to the cap)"


def read_table(folder: Path) -> tuple[dict[str, Array], float | None]:
    """Return the columns of population.csv [chains, draws], told apart by its column `chain`, and sampling seconds."""
    import pandas as pd

    table = pd.read_csv(folder / POPULATION)
    chains = [part.drop(columns="chain") for _, part in table.groupby("chain", sort=True)]
    columns = {str(name): np.stack([chain[name].to_numpy(dtype=float) for chain in chains]) for name in chains[0]}
    seconds = json.loads((folder / SECONDS).read_text())["sampling"]
    return columns, None if seconds is None else float(seconds)
