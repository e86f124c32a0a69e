"""Answers -> the cells of their table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hierfit.posterior.digits import format_probability, format_ratio, format_row, format_share
from hierfit.posterior.hypotheses.answers import Answer, Answers
from hierfit.told.cells import interval_title

P_TRUE, ERROR, RATIO, ROPE, ROPE_INTERVAL = "P(true)", "MCSE", "evidence", "in ROPE", "CI in ROPE"
Align = Callable[[Sequence[str]], Sequence[str]]


def answers_cells(answers: Answers) -> list[list[str]]:
    """Return the cells of the table, its header first, an interval as "1.2 to 3.4"."""
    columns = answers_columns(answers)
    rows = [["", *columns]]
    for row, numbers in zip(answers.rows, zip(*columns.values(), strict=True), strict=True):
        rows.append([row.expression, *(" to ".join(number.split()) for number in numbers)])  # an interval is two
    return rows


def answers_columns(answers: Answers, align: Align = list) -> dict[str, list[str]]:
    """Return the cells of the columns of numbers, empty where a row has no such number; `align` pads numbers."""
    rows = answers.rows
    numbers = [_estimate(row) for row in rows]
    mean, sd, lower, upper = (align(cells) for cells in zip(*numbers, strict=True))
    claims = any(row.is_claim for row in rows)
    found = {"mean": list(mean), "sd": list(sd)}
    found[interval_title(answers.ci)] = [f"{low}  {high}" for low, high in zip(lower, upper, strict=True)]
    if claims:
        found[P_TRUE] = [_probability(row) for row in rows]
        found[ERROR] = [_error(row) for row in rows]
    if claims or any(row.evidence_ratio == row.evidence_ratio for row in rows):
        found[RATIO] = [_ratio(row) for row in rows]
    if answers.rope is not None:
        found[ROPE] = [format_share(row.in_rope) if row.about else "" for row in rows]
        found[ROPE_INTERVAL] = [format_share(row.interval_in_rope) if row.about else "" for row in rows]
    return found


def _estimate(row: Answer) -> tuple[str, str, str, str]:
    if row.about is None:
        return "", "", "", ""
    mean, sd, lower, upper = format_row(row.mean, row.sd, row.lower, row.upper, row.mcse_mean)
    return (mean, "fixed", "", "") if row.fixed else (mean, sd, lower, upper)


def _effective(row: Answer) -> float:
    """Return how many independent draws a probability of 0 or 1 rests on: those of the tails, where that is known."""
    return row.ess_tail if row.ess_tail == row.ess_tail else row.draws


def _probability(row: Answer) -> str:
    return format_probability(row.probability, row.probability_mcse, _effective(row)) if row.is_claim else ""


def _ratio(row: Answer) -> str:
    if row.evidence_ratio != row.evidence_ratio:
        return ""
    return format_ratio(row.evidence_ratio, _effective(row), row.evidence_ratio_mcse)


def _error(row: Answer) -> str:
    error = row.probability_mcse
    return f"{error:.1g}" if error == error and error < 1e-4 else f"{error:.4f}" if error == error else ""
