"""Plans, fits and summaries -> text: plain lines that fit the page, nothing printed here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.checks import check_lines, verdict_line
from hierfit.cli.show.formats import csv_text, document_table, json_text
from hierfit.cli.show.lines import LABEL, joined, paragraph, wrapped
from hierfit.cli.show.notes import note_lines, notes_sentences
from hierfit.cli.show.plan import level_lines
from hierfit.cli.show.table import table_lines
from hierfit.errors import ExitCode
from hierfit.posterior.diagnostics import Diagnosis, Level
from hierfit.posterior.summary import Summary
from hierfit.posterior.words import counted
from hierfit.runs.manifest import summary_document
from hierfit.runs.record import RunRecord
from hierfit.told.account import data_parts, draws_parts, family_text, implied_text, priors_text
from hierfit.told.cells import cells, interval_title
from hierfit.told.checks import VERDICTS
from hierfit.told.markup import markdown_code, markdown_table, markdown_words
from hierfit.told.sentences import level_values, sentences_below, share_sentences
from hierfit.visible import shell_word, visible

if TYPE_CHECKING:
    from hierfit.runs.finished import Fit


class Judged(Protocol):
    """A run whose checks are known."""

    @property
    def folder(self) -> Path:
        """Where it is."""

    @property
    def diagnosis(self) -> Diagnosis:
        """What its checks say."""


def header_lines(record: RunRecord) -> list[str]:
    """Return formula, data, draws and priors of a run."""
    model, drawn, response = record.model, record.draws_per_chain, record.model.formula.response
    stands_in = f"{record.engine} stands in for a faster one: {record.stands_in}" if record.stands_in else ""
    lines = [
        *_title_lines(record.formula, f"{family_text(model, record.request.roles)}, engine {record.engine.value}"),
        *joined("Data", data_parts(record)),
        *joined("Draws", draws_parts(record)),
        *paragraph("Engine", stands_in),
        *level_lines(response, record.references, record.categories, record.request.roles.levels, record.terms.every),
        *paragraph("Priors", priors_text(model.priors)),
    ]
    if model.prior_only and record.prior_predictive is not None:
        lines += paragraph("Note", "drawn from the priors alone; the outcome was left out")
        lines += paragraph("Implied", implied_text(record.prior_predictive, response))
    if record.status == "interrupted":
        lines += paragraph("Note", f"interrupted: {drawn:,} of {record.request.sampler.draws:,} draws of each chain")
    return lines


def _title_lines(formula: str, kind: str) -> list[str]:
    """Return formula and family in one line where they fit."""
    width, formula = page().width, visible(formula)
    if len(formula) + 3 + len(kind) <= width:
        return [formula + kind.rjust(width - len(formula))]
    return [*wrapped(formula, later="    "), kind.rjust(width)]


def run_text(
    record: RunRecord,
    summary: Summary,
    diagnosis: Diagnosis,
    output: OutputFormat,
    run: Path,
    *,
    notes: bool = True,
) -> str:
    """Return the run of a folder in the wanted format; the table without notes where the reader has just seen them."""
    if output is OutputFormat.JSON:
        return json_text(summary_document(record, summary, diagnosis))
    if output is OutputFormat.CSV:
        return csv_text(summary.csv_rows())
    if output.is_document:
        return document_text(record, summary, diagnosis, output)
    blocks = [
        [*header_lines(record), *(note_lines(record.notes) if notes else ()), *check_lines(diagnosis, str(run))],
        table_lines(summary, record.groups),
        _said_lines(record, summary),
    ]
    return "\n\n".join(map(in_lines, filter(None, blocks)))


def _said_lines(record: RunRecord, summary: Summary) -> list[str]:
    """Return what stands below the table."""
    lines = [line for sentence in sentences_below(record, summary) for line in wrapped(sentence)]
    lines += [line for name, values in level_values(summary) for line in joined(name, values)]
    return lines + [line for sentence in share_sentences(summary) for line in wrapped(sentence)]


def document_text(record: RunRecord, summary: Summary, diagnosis: Diagnosis, output: OutputFormat) -> str:
    """Return the table as Markdown or LaTeX, and beside it what it shows and whether the checks passed."""
    rows = [["", "mean", "sd", interval_title(summary.ci), "R-hat", "ESS bulk", "ESS tail"]]
    for row in summary.rows:
        numbers = cells(row)
        interval = f"{numbers['lower']} to {numbers['upper']}" if numbers["lower"] else ""
        rest = (numbers[title] for title in rows[0][4:])
        rows.append([row.name, numbers["mean"], numbers["sd"], interval, *rest])
    return with_account(rows, record, diagnosis, _said_lines(record, summary), output)


def with_account(
    rows: Sequence[Sequence[str]],
    record: RunRecord,
    diagnosis: Diagnosis,
    below: Sequence[str],
    output: OutputFormat,
) -> str:
    """Return a table of a run as Markdown or LaTeX, and beside it the model, the sizes, the checks and what is said."""
    sizes = [f"{record.data.rows:,} rows"]
    sizes += [counted(group.levels, group.factor) for group in record.groups]
    said = [f"{family_text(record.model, record.request.roles)}; {', '.join(sizes)}."]
    said += [f"Checks: {VERDICTS[diagnosis.status]}.", *below]
    said += notes_sentences(record.notes)
    words = " ".join(" ".join(said).split())
    if output is OutputFormat.TEX:
        return document_table(rows, output, f"{record.formula}, {words}")
    return f"{markdown_table(rows)}\n\n{markdown_code(record.formula)}, {markdown_words(words)}"


def saved_text(done: Fit) -> str:
    """Return where the run is, and what to do next."""
    folder = shell_word(str(done.folder))
    groups = f"hierfit summarize {folder} --groups      " if done.design.groups else ""
    status = "" if done.record.status in ("ok", "warn") else f"  (status: {done.record.status})"
    return in_lines([f"{'Saved':<{LABEL}}{done.folder}{status}", f"{'Next':<{LABEL}}{groups}hierfit plot {folder}"])


def warning_text(done: Judged) -> str:
    """Return the verdict where the checks failed and what is shown does not say so; otherwise nothing."""
    if done.diagnosis.status is not Level.FAIL:
        return ""
    see = f"{'':<{LABEL}}see: hierfit summarize {shell_word(str(done.folder))}"
    return in_lines([verdict_line(done.diagnosis), see])


def exit_code(done: Judged, *, exit_zero: bool) -> ExitCode:
    """Return what the shell gets to see of the checks of a run."""
    failed = done.diagnosis.status is Level.FAIL and not exit_zero
    return ExitCode.CHECKS_FAILED if failed else ExitCode.OK


def exit_code_of_fit(done: Fit, *, exit_zero: bool) -> ExitCode:
    """Return what the shell gets to see of a run that was just sampled."""
    if done.record.status == "interrupted":
        return ExitCode.INTERRUPTED
    return exit_code(done, exit_zero=exit_zero)
