"""lme4, glmmTMB, ordinal, brms and rstanarm, where Rscript finds them.

lme4, glmmTMB and ordinal give estimates, not a posterior: they have a time but no effective sample size. brms and
rstanarm take their own default priors, which on the two tutorials are not the tutorial's: their posterior differs
there, as the table shows. Who has no lognormal outcome is given the logarithm of it, which is the same model.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench.case import Case
from bench.comparators import r_names
from bench.comparators.contract import SECONDS, Job, Outcome, read_table, too_many_rows

HERE = Path(__file__).parent
OWN_PRIORS = "own default priors"
NO_POSTERIOR = "no posterior"
GAUSSIAN = "gaussian()"
_TRANSLATE = {"brms": r_names.brms_draws, "rstanarm": r_names.rstanarm_draws}


@dataclass(frozen=True)
class RPackage:
    """A script of this folder that fits with the R package it is called after.

    Attributes:
        name: as in `--comparators`.
        package: of R, and the script's name.
        calls: family -> the package's own, in R.
        lacks: family -> why it is not among them, in words.
        nagq: quadrature points of glmer; 0 estimates the coefficients within the mode of the effects.
    """

    name: str
    package: str
    calls: Mapping[str, str]
    lacks: Mapping[str, str] = field(default_factory=dict)
    nagq: int = 1

    @property
    def samples(self) -> bool:
        """Whether it draws from the posterior."""
        return self.package in _TRANSLATE

    def missing(self) -> str:
        """Return what R lacks."""
        return missing_in_r(self.package)

    def refuses(self, case: Case, *, patient: bool) -> str:
        """Refuse what the package has not, what takes hours, and for lme4 as many levels as rows."""
        if case.family not in self.calls:
            return self.lacks[case.family]
        if self.samples:
            return too_many_rows(case, patient=patient)
        full = [grouping.factor for grouping in case.groupings if grouping.levels >= case.rows]
        return f"lme4 refuses as many levels of {full[0]} as rows" if full and self.package == "lme4" else ""

    def prepare(self, job: Job) -> None:
        """Let brms compile."""
        if self.package == "brms":
            answer = subprocess.run(
                [*self.command(job), "prepare=yes"],
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            if answer.returncode != 0:
                raise RuntimeError(answer.stderr.strip())

    def command(self, job: Job) -> list[str]:
        """Return the words of Rscript: the script after what all of them share."""
        both = f'source("{HERE / "job.R"}"); source("{HERE / self.package}.R")'
        own = [f"model={self.model(job.case)}", f"call={self.calls[job.case.family]}", f"nagq={self.nagq}"]
        return ["Rscript", "--vanilla", "-e", both, *job.arguments, *own]

    def model(self, case: Case) -> str:
        """Return the formula, of the logarithm where the package has no lognormal outcome."""
        return case.formula_of(f"log({case.response})") if self._takes_logarithm(case) else case.formula

    def collect(self, job: Job) -> Outcome:
        """Give the package's columns hierfit's names."""
        logarithm = ", of the logarithm" if self._takes_logarithm(job.case) else ""
        if self.samples:
            columns, seconds = read_table(job.folder)
            draws = _TRANSLATE[self.package](columns, job.case)
            return Outcome(draws, sampling_seconds=seconds, note=OWN_PRIORS + logarithm)
        seconds = json.loads((job.folder / SECONDS).read_text())["sampling"]
        found = r_names.estimates(job.folder, job.case)
        return Outcome(estimates=found, sampling_seconds=seconds, note=NO_POSTERIOR + logarithm)

    def _takes_logarithm(self, case: Case) -> bool:
        return case.family == "lognormal" and self.calls[case.family] == GAUSSIAN


@cache
def missing_in_r(package: str) -> str:
    """Return what is missing for an R package; empty when it is there."""
    if shutil.which("Rscript") is None:
        return "no Rscript on PATH"
    ask = f'quit(status = !nzchar(system.file(package = "{package}")))'
    answer = subprocess.run(["Rscript", "-e", ask], capture_output=True, check=False)
    return "" if answer.returncode == 0 else f"R package {package} not installed"


MEASURED = {"gaussian": GAUSSIAN, "lognormal": GAUSSIAN}
GLMER = {"bernoulli": "binomial()", "poisson": "poisson()"}
NOT_IN_GLMER = {
    "negbinomial": "glmer.nb fits glmer anew for every shape that it tries; glmmTMB takes part in its place",
    "cumulative": "lme4 has no ordered outcomes",
}
NOT_ORDERED = "ordinal is for ordered outcomes only"
R_PACKAGES = (
    RPackage("lme4", "lme4", MEASURED | GLMER, NOT_IN_GLMER),
    RPackage(
        "lme4-nagq0",
        "lme4",
        GLMER,
        NOT_IN_GLMER | dict.fromkeys(MEASURED, "nAGQ is an option of glmer; lme4 fits measurements by lmer"),
        nagq=0,
    ),
    RPackage(
        "glmmTMB",
        "glmmTMB",
        MEASURED | GLMER | {"negbinomial": "nbinom2()"},
        {"cumulative": "glmmTMB has no ordered outcomes"},
    ),
    RPackage(
        "clmm",
        "ordinal",
        {"cumulative": "logit"},
        dict.fromkeys([*MEASURED, *GLMER, "negbinomial"], NOT_ORDERED),
    ),
    RPackage(
        "brms",
        "brms",
        {
            "gaussian": GAUSSIAN,
            "lognormal": "lognormal()",
            "bernoulli": "bernoulli()",
            "poisson": "poisson()",
            "negbinomial": "negbinomial()",
            "cumulative": "cumulative()",
        },
    ),
    RPackage(
        "rstanarm",
        "rstanarm",
        MEASURED | GLMER | {"negbinomial": "neg_binomial_2()"},
        {"cumulative": "rstanarm has no ordered outcomes with varying effects"},
    ),
)
