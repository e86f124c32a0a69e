"""lme4, brms and rstanarm, where Rscript finds them.

lme4 gives estimates, not a posterior: it has a time but no effective sample size. brms and rstanarm take their own
default priors, which on the two tutorials are not the tutorial's: their posterior differs there, as the table shows.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bench.cases import INTERCEPT, Case, Grouping
from bench.comparators.contract import SECONDS, Array, Job, Outcome, read_table, too_many_rows

HERE = Path(__file__).parent
OWN_PRIORS = "own default priors"


@dataclass(frozen=True)
class RPackage:
    """A script of this folder that fits with an R package of the same name.

    Attributes:
        name: of package and script.
    """

    name: str

    def missing(self) -> str:
        """Return what R lacks."""
        return missing_in_r(self.name)

    def refuses(self, case: Case, *, patient: bool) -> str:
        """Refuse what takes hours, and for lme4 as many levels as rows."""
        if self.name != "lme4":
            return too_many_rows(case, patient=patient)
        full = [grouping.factor for grouping in case.groupings if grouping.levels >= case.rows]
        return f"lme4 refuses as many levels of {full[0]} as rows" if full else ""

    def prepare(self, job: Job) -> None:
        """Let brms compile."""
        if self.name == "brms":
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
        both = f'source("{HERE / "job.R"}"); source("{HERE / self.name}.R")'
        return ["Rscript", "--vanilla", "-e", both, *job.arguments]

    def collect(self, job: Job) -> Outcome:
        """Give the package's columns hierfit's names."""
        if self.name == "lme4":
            seconds = json.loads((job.folder / SECONDS).read_text())["sampling"]
            return Outcome(
                estimates=lme4_estimates(job.folder, job.case), sampling_seconds=seconds, note="no posterior"
            )
        columns, seconds = read_table(job.folder)
        translate = brms_draws if self.name == "brms" else rstanarm_draws
        draws = translate(columns, job.case)
        return Outcome(draws, sampling_seconds=seconds, note=OWN_PRIORS)


@cache
def missing_in_r(package: str) -> str:
    """Return what is missing for an R package; empty when it is there."""
    if shutil.which("Rscript") is None:
        return "no Rscript on PATH"
    ask = f'quit(status = !requireNamespace("{package}", quietly = TRUE))'
    answer = subprocess.run(["Rscript", "-e", ask], capture_output=True, check=False)
    return "" if answer.returncode == 0 else f"R package {package} not installed"


def lme4_estimates(folder: Path, case: Case) -> dict[str, float]:
    """Return lme4's estimates under hierfit's names."""
    import pandas as pd

    table = pd.read_csv(folder / "estimates.csv", index_col="name")["value"].to_dict()
    found = {name: table["(Intercept)" if name == INTERCEPT else name] for name in (INTERCEPT, *case.predictors)}
    for grouping in case.groupings:
        terms = ["(Intercept)" if term == INTERCEPT else term for term in grouping.terms]
        native = [f"sd {grouping.factor} {term}" for term in terms]
        native += [f"cor {grouping.factor} {' '.join(terms)}"] if len(terms) == 2 else []
        found |= {name: table[column] for name, column in zip(grouping.parameters, native, strict=True)}
    return found | ({"sigma": table["sd Residual NA"]} if case.family == "gaussian" else {})


def brms_draws(columns: Mapping[str, Array], case: Case) -> dict[str, Array]:
    """Return brms's draws under hierfit's names."""
    draws = {name: columns[f"b_{name}"] for name in (INTERCEPT, *case.predictors)}
    for grouping in case.groupings:
        native = [f"sd_{grouping.factor}__{term}" for term in grouping.terms]
        native += [f"cor_{grouping.factor}__{'__'.join(grouping.terms)}"] if len(grouping.terms) == 2 else []
        draws |= {name: columns[column] for name, column in zip(grouping.parameters, native, strict=True)}
    return draws | _sigma(columns)


def rstanarm_draws(columns: Mapping[str, Array], case: Case) -> dict[str, Array]:
    """Return rstanarm's draws under hierfit's names; it reports variances and covariances."""
    draws = {name: columns["(Intercept)" if name == INTERCEPT else name] for name in (INTERCEPT, *case.predictors)}
    for grouping in case.groupings:
        draws |= dict(zip(grouping.parameters, _from_covariance(columns, grouping), strict=True))
    return draws | _sigma(columns)


def _from_covariance(columns: Mapping[str, Array], grouping: Grouping) -> list[Array]:
    factor = grouping.factor
    terms = ["(Intercept)" if term == INTERCEPT else term for term in grouping.terms]
    sds: list[Array] = [np.sqrt(columns[f"Sigma[{factor}:{term},{term}]"]) for term in terms]
    if len(terms) < 2:
        return sds
    covariance = columns[f"Sigma[{factor}:{terms[1]},{terms[0]}]"]
    return [*sds, covariance / (sds[0] * sds[1])]


def _sigma(columns: Mapping[str, Array]) -> dict[str, Array]:
    return {"sigma": columns["sigma"]} if "sigma" in columns else {}
