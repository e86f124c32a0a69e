"""A run -> the table that a notebook shows, with its formula and the verdict; names are escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from hierfit.cli.show.checks import COLOURS
from hierfit.posterior.summary import Summary, SummaryRow
from hierfit.posterior.verdict import Diagnosis
from hierfit.runs.record import RunRecord
from hierfit.told.account import data_parts, draws_parts, family_text
from hierfit.told.cells import cells, interval_title, sections
from hierfit.told.checks import VERDICTS
from hierfit.told.sentences import level_values, sentences_below, share_sentences
from hierfit.visible import visible

_COLUMNS = ("mean", "sd", "lower", "upper", "R-hat", "ESS bulk", "ESS tail")
_LINE = '<div style="margin:.2em 0">{}</div>'
_RIGHT = ' style="text-align:right"'
_LEFT = ' style="text-align:left"'


def run_html(record: RunRecord, summary: Summary, checks: Diagnosis) -> str:
    """Return formula, data, draws, verdict, table and what stands below it."""
    verdict = f'<b style="color:{COLOURS[checks.status]}">{_text(VERDICTS[checks.status])}</b>'
    found = [f"{each.check} {each.value}: {each.meaning}" for each in checks.findings]
    said = [*sentences_below(record, summary)]
    said += [f"{name}: {' · '.join(values)}" for name, values in level_values(summary)]
    said += [*share_sentences(summary), *(note.text for note in record.notes)]
    return "\n".join(
        [
            "<div>",
            _LINE.format(
                f"<code>{_text(record.formula)}</code> {_text(family_text(record.model, record.request.roles))}"
            ),
            _LINE.format(_text(" · ".join(data_parts(record)))),
            _LINE.format(_text(" · ".join(draws_parts(record)))),
            _LINE.format(f"Checks: {verdict} · {_text(checks.headline)}"),
            *(_LINE.format(_text(line)) for line in found),
            *_table(record, summary),
            *(_LINE.format(_text(line)) for line in said),
            "</div>",
        ]
    )


def _table(record: RunRecord, summary: Summary) -> Iterator[str]:
    yield "<table>"
    ends = f"{interval_title(summary.ci)}: "
    titles = [ends + title if title == "lower" else title for title in _COLUMNS]
    yield f"<thead><tr><th></th>{''.join(f'<th{_RIGHT}>{_text(title)}</th>' for title in titles)}</tr></thead>"
    yield "<tbody>"
    for title, rows in sections(summary, record.groups):
        if rows:
            yield f'<tr><th colspan="{len(_COLUMNS) + 1}"{_LEFT}>{_text(title)}</th></tr>'
            yield from map(_row, rows)
    yield "</tbody></table>"


def _row(row: SummaryRow) -> str:
    numbers = cells(row)
    found = "".join(f"<td{_RIGHT}>{_text(numbers[title])}</td>" for title in _COLUMNS)
    return f"<tr><td{_LEFT}>{_text(row.name)}</td>{found}</tr>"


def _text(text: str) -> str:
    return escape(visible(text))
