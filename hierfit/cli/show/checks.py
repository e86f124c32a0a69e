"""Diagnosis -> the lines of a report on its checks: verdict, what was found, likely cause, what to try."""

from __future__ import annotations

from collections.abc import Iterator

from hierfit.cli.page import coloured, page
from hierfit.cli.show.lines import LABEL, joined, paragraph, wrapped
from hierfit.posterior.diagnostics import Diagnosis, Finding, Level
from hierfit.posterior.words import listed
from hierfit.told.checks import CHECK_NAMES, VERDICTS, number_text
from hierfit.visible import shell_word

COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}
MOST_NAMES = 4
_INDENT = 15


def verdict_line(checks: Diagnosis) -> str:
    """Return the verdict in one line."""
    return _in_colour(f"{'Checks':<{LABEL}}{VERDICTS[checks.status]}", checks.status)


def _in_colour(line: str, level: Level) -> str:
    """Return the line of a verdict with the verdict in its colour."""
    return coloured(line, VERDICTS[level].split(" · ")[0], COLOURS[level])


def check_lines(checks: Diagnosis, run: str) -> list[str]:
    """Return the verdict, what was found, the likely cause and what to try with the run in that folder."""
    if checks.status is Level.FAIL:
        lines = [verdict_line(checks)]
    else:
        first, *more = joined("Checks", [VERDICTS[checks.status], *checks.headline.split(" · ")])
        lines = [_in_colour(first, checks.status), *more]
    numbers = {found.check: number_text(found) for found in checks.findings}
    width = max((len(number) for number in numbers.values() if len(number) <= _INDENT * 2), default=0)
    for found in checks.findings:
        lines += _finding_lines(found, numbers[found.check], width)
    if checks.likely:
        lines += paragraph("Likely", checks.likely)
    return [*lines, *_try_lines(checks, run)]


def _finding_lines(found: Finding, number: str, width: int) -> Iterator[str]:
    """Yield what was found and where; below it, what that means."""
    mark = "x" if found.level is Level.FAIL else "!"
    about = listed([name for name in found.parameters if name not in found.value], most=MOST_NAMES)
    first = f"  {mark} {CHECK_NAMES.get(found.check, found.check):<{_INDENT - 4}}{number:<{width}}"
    margin = " " * _INDENT
    fits = about and len(first) + 2 + len(about) <= page().width
    lines = wrapped(f"{first}  {about}" if fits else first.rstrip(), later=margin)
    yield coloured(lines[0], mark, COLOURS[found.level])
    yield from lines[1:]
    if not fits:
        yield from wrapped(about, margin, margin)
    yield from wrapped(found.meaning, margin, margin)


def _try_lines(checks: Diagnosis, run: str) -> Iterator[str]:
    """Yield the steps, numbered: each a command in one line, however long, to be copied; below it what it does."""
    margin = " " * (LABEL + 3)
    for number, step in enumerate(checks.tries, 1):
        label = "Try" if number == 1 else ""
        yield f"{label:<{LABEL}}{number}. hierfit fit --from {shell_word(run)} {step.flag}"
        yield from wrapped(step.why, margin, margin)
