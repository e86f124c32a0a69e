"""bambi with nutpie's or numpyro's sampler, in another Python where HIERFIT_BENCH_PYTHON names one.

Its default priors; no correlation between varying coefficients, which bambi does not have. Its group-level design
matrix is dense, rows x levels.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.cases import INTERCEPT, Case
from bench.comparators.contract import Job, Outcome, read_table, too_many_rows
from bench.comparators.r_packages import OWN_PRIORS
from bench.machine import memory_bytes

SCRIPT = Path(__file__).parent / "fit_bambi.py"


@dataclass(frozen=True)
class BambiModel:
    """bambi with one sampler.

    Attributes:
        sampler: "nutpie" or "numpyro".
    """

    sampler: str

    @property
    def name(self) -> str:
        """As in `--comparators`."""
        return f"bambi-{self.sampler}"

    def missing(self) -> str:
        """Return what the other Python lacks."""
        return missing_in_python(other_python(), self.sampler)

    def refuses(self, case: Case, *, patient: bool) -> str:
        """Refuse what does not fit into memory, and what takes hours."""
        needed = 8 * case.rows * sum(grouping.levels * len(grouping.terms) for grouping in case.groupings)
        if needed > memory_bytes() / 2:
            return f"its dense group matrices take {needed / 2**30:,.0f} GiB"
        return too_many_rows(case, patient=patient)

    def prepare(self, job: Job) -> None:
        """Nothing: it compiles anew in every process."""

    def command(self, job: Job) -> list[str]:
        """Return the words of `fit_bambi.py`."""
        return [other_python(), str(SCRIPT), *job.arguments, f"sampler={self.sampler}"]

    def collect(self, job: Job) -> Outcome:
        """Give bambi's columns hierfit's names."""
        columns, seconds = read_table(job.folder)
        draws = {name: columns[name] for name in (INTERCEPT, *job.case.predictors)}
        for grouping in job.case.groupings:
            terms = ["1" if term == INTERCEPT else term for term in grouping.terms]
            native = [f"{term}|{grouping.factor}_sigma" for term in terms]
            draws |= {name: columns[column] for name, column in zip(grouping.parameters, native, strict=False)}
        draws |= {"sigma": columns["sigma"]} if "sigma" in columns else {}
        correlated = any(len(grouping.terms) > 1 for grouping in job.case.groupings)
        note = f"{OWN_PRIORS}, compiles in every run" + (", no correlation" if correlated else "")
        return Outcome(draws, sampling_seconds=seconds, note=note)


def other_python() -> str:
    """Return the Python that has bambi."""
    return os.environ.get("HIERFIT_BENCH_PYTHON") or sys.executable


@cache
def missing_in_python(python: str, sampler: str) -> str:
    """Return what is missing for bambi with a sampler; empty when it is there."""
    ask = f"import importlib.util as u, sys; sys.exit(not (u.find_spec('bambi') and u.find_spec('{sampler}')))"
    try:
        answer = subprocess.run([python, "-c", ask], capture_output=True, check=False)
    except OSError:
        return f"HIERFIT_BENCH_PYTHON={python} cannot be started"
    return "" if answer.returncode == 0 else f"bambi and {sampler} not in HIERFIT_BENCH_PYTHON"
