"""What the checks of one set of draws say: levels and thresholds, findings, the verdict. Found by `diagnostics`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import numpy as np

from hierfit.plain import Count, Key, Later, Measured
from hierfit.posterior.advice import Try
from hierfit.posterior.convergence import Weights
from hierfit.posterior.digits import format_count


class Level(StrEnum):
    """How bad: of a finding and of a whole run."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Threshold:
    """From where on a check warns and fails, and who says so."""

    warn: float
    fail: float
    source: str


THRESHOLDS = {
    "rhat": Threshold(1.01, 1.05, "Vehtari et al. 2021, section 4 (1.01); brms (1.05)"),
    "ess": Threshold(400, 100, "Vehtari et al. 2021, section 4: 100 per chain, 400 at 4 chains"),
    "divergences": Threshold(0, 0.01, "Stan: any divergence; 1 % of the draws here"),
    "treedepth": Threshold(0, np.inf, "cmdstan diagnose: any; slow, not biased"),
    "pareto_k": Threshold(0.7, 1.0, "Vehtari et al. 2024: means of weights converge slowly above 0.7, never above 1"),
    "weight": Threshold(0.01, 0.05, "one of a hundred draws, ten sds away, doubles the variance"),
    "ebfmi": Threshold(0.3, 0.2, "Betancourt 2016; cmdstan diagnose (0.3)"),
}


ESS_PER_CHAIN = 100


def ess_wanted(chains: int) -> float:
    """Return the ESS below which a parameter warns: 400, or 100 per chain with fewer than 4 chains."""
    return min(THRESHOLDS["ess"].warn, ESS_PER_CHAIN * chains)


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Attributes:
        check: rhat, ess, divergences, treedepth, ebfmi, weight, pareto_k, stuck, lost or nonfinite.
        level: warn or fail.
        value: what was found, such as "1.17" or "143 of 4,000 draws (3.6%)".
        threshold: what is wanted, such as "< 1.01".
        parameters: what it is about, in the user's words, worst first.
        meaning: what that means for the reader, in one clause.
    """

    check: str
    level: Level
    value: str
    threshold: str
    parameters: tuple[str, ...]
    meaning: str


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on one set of draws.

    Attributes:
        status: ok, warn or fail.
        findings: what the checks found, failures first.
        likely: what in the data is the likely cause, one sentence, where there is something to say.
        tries: what to try next, in order.
        rhat_max: largest R-hat of the population-level parameters; NaN where all are fixed.
        ess_bulk_min: smallest bulk ESS of these.
        ess_tail_min: smallest tail ESS of these.
        divergent: number of divergent draws.
        n_draws: number of draws of all chains.
        bfmi_min: smallest E-BFMI of the chains; NaN without energies.
        weights: of the points that were proposed; None where the sampler is no independence sampler.
    """

    status: Level
    findings: tuple[Finding, ...]
    likely: str | None
    tries: tuple[Try, ...]
    rhat_max: Measured
    ess_bulk_min: Measured
    ess_tail_min: Measured
    divergent: Count
    n_draws: Annotated[Count, Key("draws")]
    bfmi_min: Measured
    weights: Later[Weights | None] = None

    @property
    def headline(self) -> str:
        """The numbers of the Checks line: "R-hat max 1.004 · ESS min 912 bulk, 1,604 tail · ..."."""
        rhat = "-" if np.isnan(self.rhat_max) else f"{self.rhat_max:.3f}"
        parts = [
            f"R-hat max {rhat}",
            f"ESS min {format_count(self.ess_bulk_min)} bulk, {format_count(self.ess_tail_min)} tail",
        ]
        if self.divergent or np.isfinite(self.bfmi_min):  # a sampler without trajectories has neither
            parts.append(f"{self.divergent:,} divergent")
        if np.isfinite(self.bfmi_min):
            parts.append(f"E-BFMI min {self.bfmi_min:.2f}")
        return " · ".join(parts)
