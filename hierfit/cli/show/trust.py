"""Compared -> whether its numbers can be trusted: tails of weights, checks of fits without some rows; what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from hierfit.cli.show.lines import LABEL
from hierfit.posterior.compare.comparison import Standing
from hierfit.posterior.compare.left_out import LARGEST_K
from hierfit.posterior.verdict import Diagnosis, Level
from hierfit.posterior.words import elided, listed
from hierfit.runs.compared import Compared, Fitted

MOST_NAMED, NAME_WIDTH, MANY = 5, 32, 30


def limit(standing: Standing) -> str:
    """Return up to which k a run's draws do, "0.67"."""
    return f"{standing.threshold:.2g}"


def doubt(compared: Compared) -> str:
    """Return whether the numbers can be trusted, by the shapes of the tails of their weights, and checks of fits."""
    if compared.folds is not None:
        return _fits(compared)
    standings = compared.comparison.standings
    limits = " or ".join(dict.fromkeys(limit(standing) for standing in standings))
    draws = " and ".join(dict.fromkeys(f"{standing.n_draws:,}" for standing in standings))
    said = f"Pareto k may be {limits} at most with {draws} draws (1 - 1 / log10(draws), never above {LARGEST_K:g})"
    if compared.refits:
        return f"{said}. {_fits(compared)}"
    if not any(standing.doubtful for standing in standings):
        return f"{said}, and is: the numbers can be trusted."
    few = [standing.name for standing in standings if standing.doubtful and not standing.above]
    more = [f" More draws will do for {', '.join(few)}: hierfit extend."] if few else []
    return "".join(
        [
            f"{said}. The fit leans so much on {compared.parts} above it that what it would say without them cannot be "
            "had from its draws; with many of them the sums are too high.",
            *more,
            _advice(sum(standing.doubtful for standing in standings)),
        ]
    )


def _advice(count: int) -> str:
    """Return how to leave out so many parts that the draws cannot leave out."""
    if count > MANY:
        return " Better add --folds 10: fits without a tenth at a time."
    return f" Add --refit: {f'{count} fits, each without one of them' if count > 1 else 'a fit without it'}."


def _fits(compared: Compared) -> str:
    """Return how many fits there were, and what their checks say."""
    every = [fitted.checks.status for own in compared.refits.values() for fitted in own]
    failed, warned = every.count(Level.FAIL), every.count(Level.WARN)
    said = [f"{failed:,} failed" if failed else "", f"{warned:,} warned" if warned else ""]
    verdict = " and ".join(filter(None, said)) or ("all passed" if len(every) > 1 else "passed")
    without = "a fold" if compared.folds is not None else "what was above it"
    fits = f"{len(every):,} fits" if len(every) > 1 else "1 fit"
    return " ".join([f"Checks of {fits} without {without}: {verdict}.", *compared.caution])


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
