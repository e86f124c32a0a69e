"""Routine models fit: 26 designs, three seeds each, at the defaults; `python -m tests.test_full_engine` shows a table.

A fit is OK or warns; half a minute on two cores is the most that it may take, told from the CPU seconds of its chains.
"""

import argparse
import re
import resource
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hierfit import workflow
from hierfit.model.request import FitRequest
from hierfit.stan.executable import build_executable
from hierfit.stan.toolchain import bundled_toolchain
from tests.full_engine_designs import PUBLISHED, SIMULATED

pytestmark = [pytest.mark.stan, pytest.mark.slow]

SEEDS = (1, 2, 3)
CORES, MOST_SECONDS, UNTIL_ESS = 2, 30.0, 400
NAMES = [*(design.name for design in SIMULATED), *(case.name for case in PUBLISHED)]


@dataclass(frozen=True)
class Result:
    """How one fit went."""

    name: str
    seed: int
    status: str
    seconds: float
    least_ess: float
    divergent: int
    engine: str
    start: str

    def __str__(self) -> str:
        words = f"{self.name:28} {self.seed:4} {self.status:7} {self.seconds:8.1f} {self.least_ess:8.0f}"
        return f"{words} {self.divergent:9}  {self.start}"


def cpu_seconds() -> float:
    """Return what this process and those that it waited for have used."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in both)


def fit(name: str, seed: int, folder: Path) -> Result:
    request = next((design.request(folder, seed) for design in SIMULATED if design.name == name), None)
    if request is None:
        case = next(case for case in PUBLISHED if case.name == name).request
        request = FitRequest(case.data, case.formula, family=case.family, roles=case.roles)
    request = replace(request, sampler=replace(request.sampler, seed=seed), until_ess=UNTIL_ESS)
    plan = workflow.prepare(request)
    if plan.engine.runs_program:  # compiled beforehand, as in the wheel
        build_executable(plan.engine.program(plan.design), bundled_toolchain())
    before = cpu_seconds()
    done = workflow.fit(plan, folder / "run")
    seconds = (cpu_seconds() - before) / CORES
    ess = min(min(row.ess_bulk, row.ess_tail) for row in done.summary.rows)
    start = done.manifest["start"]
    words = f"{start['warmup']} [{', '.join(start['centered'])}] {'; '.join(start['attempts'])}"
    status = done.diagnosis.status
    said = "; ".join(finding.check for finding in done.diagnosis.findings)
    diverging = int(done.draws.stats["diverging"].sum()) if "diverging" in done.draws.stats else 0
    return Result(name, seed, status, seconds, ess, diverging, done.manifest["engine"], f"{words} {said}")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_routine_model_fits(name: str, seed: int, tmp_path: Path) -> None:
    result = fit(name, seed, tmp_path)
    print(result)
    assert result.status in ("ok", "warn"), result
    assert result.seconds < MOST_SECONDS, result


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--only", default="", help="a regular expression for names of designs")
    given = parser.parse_args(arguments)
    print(f"{'design':28} seed status   seconds least ESS divergent  start", flush=True)
    for name in NAMES:
        for seed in given.seeds if re.search(given.only, name) else ():
            with tempfile.TemporaryDirectory() as folder:
                print(fit(name, seed, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
