"""Diagnosis -> how its checks and its verdict are called."""

from __future__ import annotations

from hierfit.posterior.verdict import Finding, Level

# The checks in the words of the reader.
CHECK_NAMES = {
    "rhat": "R-hat",
    "ess": "ESS",
    "divergences": "divergent",
    "treedepth": "tree depth",
    "ebfmi": "E-BFMI",
    "weight": "weights",
    "pareto_k": "weights",
    "stuck": "stuck",
    "lost": "lost",
    "nonfinite": "not finite",
}
VERDICTS = {Level.OK: "OK", Level.WARN: "WARNING", Level.FAIL: "FAILED · do not use these estimates yet"}


def number_text(found: Finding) -> str:
    """Return the value, and what is wanted where that is not plain from the check's name."""
    says_it = found.threshold[:1] in "<>"
    return f"{found.value} (want {found.threshold})" if says_it else found.value
