"""Two hand-written Stan programs for most cases, compiled by hierfit's own toolchain and run through cmdstanpy.

`tutorial`: as in the PyStan and CmdStan tutorials that people copy: group effects drawn around 0 with their sd as they
stand (centred), a loop over the rows. `brms-style`: as brms would write it: predictors centred, standardised effects
scaled by sd and Cholesky factor (non-centred), the GLM density, brms's default priors; on the two tutorials both have
the tutorial's. They lie in `programs/`; the first line of each names its population-level parameters in the order of
`Case.parameters`, b[*] for as many as there are predictors. Compiled before the clock starts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.case import Case
from bench.comparators.contract import Job, Outcome, read_table, too_many_rows
from hierfit.stan.executable import build_executable, executable_path
from hierfit.stan.programs import StanProgram
from hierfit.stan.toolchain import find_toolchain

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
HEADER = "// population:"


@dataclass(frozen=True)
class StanComparator:
    """One way of writing the programs.

    Attributes:
        name: as in `--comparators`.
        style: what the names of its programs begin with.
    """

    name: str
    style: str

    def missing(self) -> str:
        """Nothing: hierfit brings Stan along."""
        return ""

    def refuses(self, case: Case, *, patient: bool) -> str:
        """Refuse what has no program, or takes hours."""
        return too_many_rows(case, patient=patient) if case.program else "no program written for it"

    def prepare(self, job: Job) -> None:
        """Compile the program, unless hierfit's cache has it."""
        build_executable(self.program(job.case), find_toolchain())

    def command(self, job: Job) -> list[str]:
        """Return the words of `fit_stan.py`."""
        program = self.program(job.case)
        columns = " ".join(population_columns(program.text, job.case))
        executable = executable_path(program, find_toolchain())
        script = [sys.executable, str(HERE / "fit_stan.py")]
        return [*script, *job.arguments, f"columns={columns}", f"executable={executable}"]

    def collect(self, job: Job) -> Outcome:
        """Give the program's columns hierfit's names."""
        columns, seconds = read_table(job.folder)
        names = population_columns(self.program(job.case).text, job.case)
        draws = {name: columns[column] for name, column in zip(job.case.parameters, names, strict=True)}
        return Outcome(draws, sampling_seconds=seconds)

    def program(self, case: Case) -> StanProgram:
        """Return the program of a case."""
        name = f"{self.style}_{case.program}"
        return StanProgram(f"bench_{name}", (PROGRAMS / f"{name}.stan").read_text())


def population_columns(text: str, case: Case) -> list[str]:
    """Return the columns that the first line of a program names."""
    first = text.partition("\n")[0]
    if not first.startswith(HEADER):
        raise ValueError(f"the first line must begin with '{HEADER}', it is: {first}")
    every = " ".join(f"b[{number}]" for number in range(1, len(case.predictors) + 1))
    return first.removeprefix(HEADER).replace("b[*]", every).split()


TUTORIAL = StanComparator("tutorial", "tutorial")
BRMS_STYLE = StanComparator("brms-style", "brms")
