"""hierfit itself: `hierfit fit`, from the start of Python to the run folder in its place."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.case import Case
from bench.comparators.contract import Job, Outcome, Sampling

RUN = "run"
# Enough that rare events are among them.
WARMING_ROWS = 2_000
# hierfit saves a run whose checks failed, and says so with this exit status.
CHECKS_FAILED = 1
_CHECKS = {"ok": "", "warn": ", checks warn", "failed-checks": ", checks failed"}


@dataclass(frozen=True)
class HierfitCommand:
    """`hierfit fit` with a formula and a family, everything else as it comes."""

    name: str = "hierfit"

    def missing(self) -> str:
        """Nothing: the benchmark runs where hierfit does."""
        return ""

    def refuses(self, case: Case, *, patient: bool) -> str:
        """Refuse no case."""
        return ""

    def prepare(self, job: Job) -> None:
        """Fit a few of the rows, which builds where it is not built what the engine of the model runs, and Stan's."""
        import pandas as pd

        few = job.prepared / "few.csv"
        table = pd.read_csv(job.csv)  # all of it: rows come group by group, and one group is no model
        table.sample(min(WARMING_ROWS, len(table)), random_state=1).to_csv(few, index=False)
        short = self.command(replace(job, csv=few, folder=job.prepared, sampling=Sampling(draws=20)))
        short += ["--max-treedepth", "3"]  # few steps, where Stan's sampler is what it runs: all of this is thrown away
        for words in (short, [*short, "--engine", "full", "--warmup", "20"]):
            answer = subprocess.run(words, capture_output=True, text=True, check=False)
            if answer.returncode not in (0, CHECKS_FAILED):
                raise RuntimeError(answer.stderr.strip())

    def command(self, job: Job) -> list[str]:
        """Return the words of `hierfit fit`; sampling options only where they are not hierfit's own.

        Its warmup is left to it: most of its engines have none, and who asks for one gets an engine that has.
        """
        case, sampling, usual = job.case, job.sampling, Sampling()
        words = [sys.executable, "-m", "hierfit", "fit", str(job.csv), "--formula", case.formula]
        words += ["--family", case.family, "--seed", str(job.seed), "--out", str(job.folder / RUN), "--overwrite"]
        words += [] if case.centered else ["--no-center"]
        for parameter, prior in case.priors.items():
            words += ["--prior", f"{parameter} ~ {prior}"]
        for name in ("chains", "draws"):
            if getattr(sampling, name) != getattr(usual, name):
                words += [f"--{name}", str(getattr(sampling, name))]
        return words

    def collect(self, job: Job) -> Outcome:
        """Read the run folder."""
        manifest = json.loads((job.folder / RUN / "run.json").read_text())
        checks = str(manifest["status"])
        note = f"engine {manifest['engine']}{_CHECKS[checks]}"
        draws = read_trace(job.folder / RUN / "trace.nc")
        wanted = {name: draws[name] for name in job.case.parameters}
        seconds = manifest["seconds"]
        since = seconds["total"] - seconds["reading"] - seconds["building"]
        return Outcome(
            wanted, sampling_seconds=seconds["sampling"], seconds_from_sampling=since, checks=checks, note=note
        )


def read_trace(path: Path) -> dict[str, Any]:
    """Return the draws of the population-level parameters of a trace.nc [chains, draws], the effects left on disk."""
    import xarray as xr

    with xr.open_dataset(path, group="posterior", engine="h5netcdf") as posterior:
        draws: dict[str, Any] = {}
        for variable, label in (("b", "{}"), ("threshold", "threshold[{}]"), ("sd", "sd({})"), ("cor", "cor({})")):
            if variable in posterior:
                values = np.moveaxis(posterior[variable].to_numpy(), -1, 0)
                names = posterior[posterior[variable].dims[-1]].to_numpy()
                draws |= {label.format(name): column for name, column in zip(names, values, strict=True)}
        plain = [name for name, values in posterior.data_vars.items() if values.dims == ("chain", "draw")]
        return draws | {str(name): posterior[name].to_numpy() for name in plain}
