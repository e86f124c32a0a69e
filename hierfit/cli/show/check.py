"""Checks of a model -> text: a line for each, and what to try; Markdown, CSV, JSON."""

from __future__ import annotations

import textwrap
from typing import Any

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import coloured, in_lines, page
from hierfit.cli.show.formats import csv_text, document_table, json_text
from hierfit.cli.show.lines import wrapped
from hierfit.errors import ExitCode
from hierfit.plain import to_plain
from hierfit.posterior.check.verdicts import DIFFERS, LOOK, Check, Verdict
from hierfit.runs.checking import RunChecks
from hierfit.told.model_checks import NUMBERS, answers, model_check_cells
from hierfit.visible import visible

COLOURS = {Verdict.OK: "green", Verdict.LOOK: "yellow", Verdict.DIFFERS: "red"}
WIDTH = max(map(len, Verdict))


def checks_text(found: RunChecks, output: OutputFormat) -> str:
    """Return the checks in the wanted format."""
    checks = found.checked.checks
    if output is OutputFormat.JSON:
        return json_text(_document(found))
    if output is OutputFormat.CSV:
        rows: list[list[object]] = [["check", "verdict", *NUMBERS, "says", "try"]]
        for check in checks:
            numbers = [to_plain(getattr(check, name)) for name in NUMBERS]
            row = [check.name, check.verdict.value, *numbers, check.says, "; ".join(check.tries)]
            rows.append(["" if cell is None else cell for cell in row])
        return csv_text(rows)
    if output.is_document:
        said = [_title(found)] * (output is OutputFormat.TEX)
        return document_table(model_check_cells(checks), output, *said)
    lines = [*wrapped(_title(found)), ""]
    for check in checks:
        lines += _check_lines(check)
    return in_lines([*lines, *_try_lines(checks), "", *wrapped(_verdict(found))])


def _title(found: RunChecks) -> str:
    prior_only = found.run.spec.prior_only
    what = "What the priors alone say of outcomes" if prior_only else "The model against its data"
    part = found.checked.sample.part
    weighed = "" if found.checked.sample.whole else " · each row once, weights are no whole numbers"
    return f"{found.run.record.formula} · {found.run.spec.family} · {what}{f' · {part}' if part else ''}{weighed}"


def _check_lines(check: Check) -> list[str]:
    """Return the verdict on a check and its sentence, broken between words."""
    word = check.verdict.value
    margin = " " * (2 + WIDTH + 2)
    lines = textwrap.wrap(
        visible(check.says), page().width, initial_indent=f"  {word:<{WIDTH}}  ", subsequent_indent=margin,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [coloured(lines[0], word, COLOURS[check.verdict]), *lines[1:]]


def _try_lines(checks: tuple[Check, ...]) -> list[str]:
    """Return commands that answer to misfits, each once, in a line of its own, with what it answers to below."""
    found = answers(checks)
    lines = [""] if found else []
    for number, (command, names) in enumerate(found.items(), 1):
        lines.append(f"{'Try' if number == 1 else '':<9}{number}. {command}")
        lines += wrapped(f"answers to: {', '.join(names)}", " " * 12, " " * 12)
    return lines


def _verdict(found: RunChecks) -> str:
    """Return how many checks say what, and how many would by chance."""
    checks = found.checked.checks
    if found.run.spec.prior_only:
        return "This run did not see the outcome: nothing here says whether the model fits."
    counts = {verdict: sum(check.verdict is verdict for check in checks) for verdict in Verdict}
    tested = sum(check.p == check.p for check in checks)
    said = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count)
    return (
        f"{len(checks)} checks: {said}. look: at most once in {1 / LOOK:.0f} times where the model is right; differs: "
        f"once in {1 / DIFFERS:.0f}. Of {tested} tested here {tested * LOOK:.1g} would be flagged by chance."
    )


def _document(found: RunChecks) -> dict[str, Any]:
    sample = found.checked.sample
    return {
        "run": str(found.folder),
        "formula": found.run.record.formula,
        "prior_only": found.run.spec.prior_only,
        "seed": found.seed,
        "draws": len(sample.picks),
        "rows": len(sample.rows),
        "of_rows": sample.n_rows,
        "worst": found.checked.worst.value,
        "checks": to_plain(found.checked.checks),
        "sensitivity": to_plain(found.checked.sensitivities),
    }


def exit_code(found: RunChecks, *, strict: bool) -> ExitCode:
    """Return what the shell gets to see: a misfit only where it is asked to."""
    return ExitCode.CHECKS_FAILED if strict and found.checked.worst is Verdict.DIFFERS else ExitCode.OK
