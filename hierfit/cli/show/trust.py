"""Compared -> fits without some rows whose checks failed, and all of them for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from hierfit.cli.show.lines import LABEL
from hierfit.posterior.verdict import Diagnosis, Level
from hierfit.posterior.words import elided, listed
from hierfit.runs.compared import Compared, Fitted

MOST_NAMED, NAME_WIDTH = 5, 32


def failed_fits(compared: Compared) -> Iterator[str]:
    """Yield a line for each fit without some rows that failed its checks, and how many more there are."""
    every = [(name, own) for name, fits in compared.refits.items() for own in fits]
    failed = [(name, own) for name, own in every if own.checks.status is Level.FAIL]
    for name, own in failed[:MOST_NAMED]:
        yield f"{'Checks':<{LABEL}}{elided(name, NAME_WIDTH)} without {own.what}: FAILED; {_findings(own.checks)}"
    if len(failed) > MOST_NAMED:
        yield f"{'Checks':<{LABEL}}{len(failed) - MOST_NAMED:,} more fits FAILED"


def fit_records(every: Sequence[Fitted]) -> list[dict[str, object]]:
    """Return the fits of one run without some rows, for JSON."""
    return [
        {
            "without": own.what,
            "checks": own.checks.status.value,
            "rhat_max": finite(own.checks.rhat_max),
            "ess_bulk_min": finite(own.checks.ess_bulk_min),
        }
        for own in every
    ]


def finite(value: float) -> float | None:
    """Return a number as JSON has it: None where it is none."""
    return float(value) if math.isfinite(value) else None


def _findings(checks: Diagnosis) -> str:
    found = [finding for finding in checks.findings if finding.level is Level.FAIL]
    return "; ".join(
        f"{finding.check} {finding.value}" + (f" ({listed(finding.parameters)})" if finding.parameters else "")
        for finding in found
    )
