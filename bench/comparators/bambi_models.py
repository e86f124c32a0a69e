"""bambi with nutpie's or numpyro's sampler, in another Python where HIERFIT_BENCH_PYTHON names one.

Its default priors; no correlation between varying coefficients, which bambi does not have. Its group-level design
matrix is dense, rows x levels. It has no lognormal outcome and is given the logarithm of it, which is the same model.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.case import INTERCEPT, Case, Family
from bench.comparators.contract import Job, Outcome, read_table, too_many_rows
from bench.comparators.r_packages import OWN_PRIORS
from bench.machine import memory_bytes

SCRIPT = Path(__file__).parent / "fit_bambi.py"
# Family -> bambi's own, and what its outcome must be made into; parameter beside the mean -> its name in bambi.
FAMILIES: Mapping[Family, tuple[str, str]] = {
    "gaussian": ("gaussian", ""),
    "lognormal": ("gaussian", "logarithm"),
    "bernoulli": ("bernoulli", ""),
    "poisson": ("poisson", ""),
    "negbinomial": ("negativebinomial", ""),
    "cumulative": ("cumulative", "ordered"),
}
AUXILIARY = {"sigma": "sigma", "shape": "alpha"}


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
        call, outcome = FAMILIES[job.case.family]
        own = [f"sampler={self.sampler}", f"call={call}", f"outcome={outcome}"]
        return [other_python(), str(SCRIPT), *job.arguments, *own]

    def collect(self, job: Job) -> Outcome:
        """Give bambi's columns hierfit's names."""
        columns, seconds = read_table(job.folder)
        numbered = [f"threshold {number}" for number in range(1, job.case.categories)] or [INTERCEPT]
        draws = {name: columns[own] for name, own in zip(job.case.intercepts, numbered, strict=True)}
        draws |= {name: columns[name] for name in job.case.predictors}
        for grouping in job.case.groupings:
            terms = ["1" if term == INTERCEPT else term for term in grouping.terms]
            native = [f"{term}|{grouping.factor}_sigma" for term in terms]
            draws |= {name: columns[column] for name, column in zip(grouping.parameters, native, strict=False)}
        if job.case.auxiliary:
            draws[job.case.auxiliary] = columns[AUXILIARY[job.case.auxiliary]]
        correlated = any(len(grouping.terms) > 1 for grouping in job.case.groupings)
        note = f"{OWN_PRIORS}, compiles in every run" + (", no correlation" if correlated else "")
        note += ", of the logarithm" if FAMILIES[job.case.family][1] == "logarithm" else ""
        return Outcome(draws, sampling_seconds=seconds, note=note)


def other_python() -> str:
    """Return the Python that has bambi."""
    return os.environ.get("HIERFIT_BENCH_PYTHON") or sys.executable


@cache
def missing_in_python(python: str, sampler: str) -> str:
    """Return what is missing for bambi with a sampler; empty when it is there."""
    try:
        answer = subprocess.run([python, "-c", f"import bambi, {sampler}"], capture_output=True, text=True, check=False)
    except OSError:
        return f"HIERFIT_BENCH_PYTHON={python} cannot be started"
    if answer.returncode == 0:
        return ""
    if "ModuleNotFoundError" in answer.stderr:
        return f"bambi and {sampler} not in HIERFIT_BENCH_PYTHON"
    return f"bambi in HIERFIT_BENCH_PYTHON cannot be imported: {answer.stderr.strip().splitlines()[-1]}"
