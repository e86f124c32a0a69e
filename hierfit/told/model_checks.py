"""Checks of a model -> the cells of their table, and the commands that answer to misfits."""

from __future__ import annotations

from collections.abc import Sequence

from hierfit.posterior.check.verdicts import Check, Verdict
from hierfit.posterior.digits import format_number

NUMBERS = ("observed", "expected", "lower", "upper", "p")


def model_check_cells(checks: Sequence[Check]) -> list[list[str]]:
    """Return the cells of the table, its header first."""
    return [["", "verdict", *NUMBERS], *([check.says, check.verdict.value, *_numbers(check)] for check in checks)]


def _numbers(check: Check) -> list[str]:
    numbers = [format_number(float(getattr(check, name)), None) for name in NUMBERS[:-1]]
    return [*numbers, f"{check.p:.2g}" if check.p == check.p else "-"]


def answers(checks: Sequence[Check]) -> dict[str, list[str]]:
    """Return commands that answer to misfits, the worst first, each with the names of the checks."""
    found: dict[str, list[str]] = {}
    for check in sorted(checks, key=lambda check: list(Verdict).index(check.verdict), reverse=True):
        for command in check.tries:
            found.setdefault(command, []).append(check.name)
    return found
