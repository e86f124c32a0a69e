"""Compared -> text: a line for each run, the best first, what differences mean, which rows make them doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.formats import csv_text, document_table, json_text
from hierfit.cli.show.lines import LABEL, wrapped
from hierfit.cli.show.trust import failed_fits, finite, fit_records
from hierfit.posterior.compare.comparison import Standing, verdict
from hierfit.posterior.verdict import Level
from hierfit.posterior.words import elided
from hierfit.runs.compared import Compared
from hierfit.told.checks import VERDICTS
from hierfit.told.compared import NAME_WIDTH, comparison_cells, comparison_title, doubt, effective_name
from hierfit.visible import shell_word

LEAST_NAME_WIDTH, WORST, GAP = 8, 5, "  "


def comparison_text(compared: Compared, output: OutputFormat, ci: float | None = None) -> str:
    """Return the comparison in the wanted format, with intervals of differences where their probability is given."""
    if output is OutputFormat.CSV:
        records = [_record(compared, standing, ci) for standing in compared.comparison.standings]
        return csv_text([list(records[0]), *([_cell(value) for value in record.values()] for record in records)])
    if output is OutputFormat.JSON:
        return json_text(_document(compared, ci))
    said = verdict(compared.comparison, compared.parts)
    if output.is_document:
        return document_table(comparison_cells(compared, ci), output, said, doubt(compared))
    paragraphs = [
        wrapped(comparison_title(compared)),
        [*_lines(comparison_cells(compared, ci)), "", *_formulas(compared)],
        wrapped(said),
        wrapped(doubt(compared)),
        [line for name in compared.models for line in _worst_lines(compared, name)],
    ]
    return in_lines("\n\n".join("\n".join(lines) for lines in paragraphs if lines).split("\n"))


def warning_text(compared: Compared) -> str:
    """Return which runs, and which fits without some rows, failed their checks; nothing where none did."""
    failed = [model for model in compared.models.values() if model.checks.status is Level.FAIL]
    own = [
        f"{'Checks':<{LABEL}}{model.name}: {VERDICTS[Level.FAIL]}; see: "
        f"hierfit summarize {shell_word(str(model.run.folder))}"
        for model in failed
    ]
    return in_lines([*own, *failed_fits(compared)])


def _lines(cells: Sequence[Sequence[str]]) -> list[str]:
    """Return rows, the header first, as lines; where they do not fit, columns go before names give way.

    These are in the other formats.
    """
    columns = list(zip(*cells, strict=True))
    for title in ("p_loo", "p_kfold", "SE", "weight"):  # the first SE, that of elpd
        titles = [column[0] for column in columns]
        if title in titles and _width(columns) > page().width:
            del columns[titles.index(title)]
    widest, *widths = (max(map(len, column)) for column in columns)
    width = min(widest, max(LEAST_NAME_WIDTH, page().width - _width(columns) + widest))
    lines = []
    for name, *numbers in zip(*columns, strict=True):
        aligned = [number.rjust(length) for number, length in zip(numbers, widths, strict=True)]
        lines.append(GAP.join([elided(name, width).ljust(width), *aligned]).rstrip())
    return lines


def _width(columns: Sequence[Sequence[str]]) -> int:
    return sum(max(map(len, column)) for column in columns) + len(GAP) * (len(columns) - 1)


def _formulas(compared: Compared) -> Iterator[str]:
    names = [standing.name for standing in compared.comparison.standings]
    width = min(NAME_WIDTH, max(map(len, names)))
    for name in names:
        record = compared.models[name].run.record
        first = f"{elided(name, width):<{width}}{GAP}"
        yield from wrapped(f"{record.formula}  ({record.model.family})", first, " " * len(first))


def _worst_lines(compared: Compared, name: str) -> Iterator[str]:
    own = compared.comparison.left_out[name]
    doubtful = own.doubtful
    if not len(doubtful):
        return
    named = [f"{compared.part_name(name, part)}: {own.k[part]:.2f}" for part in doubtful[:WORST].tolist()]
    more = f" and {len(doubtful) - WORST:,} more: --pointwise FILE" if len(doubtful) > WORST else ""
    yield from wrapped(f"k of {name}: {'; '.join(named)}{more}.", later="  ")


def _record(compared: Compared, standing: Standing, ci: float | None) -> dict[str, Any]:
    run = compared.models[standing.name].run
    return {
        "run": standing.name,
        "folder": str(run.folder),
        "formula": run.record.formula,
        "family": run.record.model.family,
        "elpd": standing.elpd,
        "se": standing.se,
        "mcse": standing.mcse,
        effective_name(compared): standing.p_loo,
        "difference": standing.difference,
        "difference_se": standing.difference_se,
        **({} if ci is None else dict(zip(("lower", "upper"), standing.interval(ci), strict=True))),
        "weight": standing.weight,
        **(
            {
                "k_threshold": standing.threshold,
                "k_above_threshold": standing.doubtful,
                "k_above_0.7": standing.above,
            }
            if compared.folds is None
            else {"folds": compared.folds.count}
        ),
        "draws": standing.n_draws,
        **({"refits": len(compared.refits.get(standing.name, ()))} if compared.refits else {}),
    }


def _cell(value: object) -> object:
    return "" if isinstance(value, float) and np.isnan(value) else value


def _document(compared: Compared, ci: float | None) -> dict[str, Any]:
    design = next(iter(compared.models.values())).run.design
    found = []
    for standing in compared.comparison.standings:
        own = compared.comparison.left_out[standing.name]
        worst = [
            {**_place(compared, standing.name, part), "pareto_k": finite(own.k[part]), "elpd": float(own.elpd[part])}
            for part in own.doubtful[:WORST].tolist()
        ]
        record = {
            name: None if _cell(value) == "" else value for name, value in _record(compared, standing, ci).items()
        }
        if compared.refits:
            record["refits"] = fit_records(compared.refits.get(standing.name, ()))
        found.append({**record, "worst": worst, "checks": compared.models[standing.name].checks.status.value})
    return {
        "data": str(design.source),
        "outcome": design.response,
        "rows": design.n_rows,
        "left_out": "row" if compared.by is None else compared.by.factor,
        **({} if ci is None else {"ci": ci}),
        "runs": found,
        "verdict": verdict(compared.comparison, compared.parts),
    }


def _place(compared: Compared, name: str, part: int) -> dict[str, Any]:
    """Return where a part is: its line, or the label of its group."""
    if compared.by is None:
        return {"line": int(compared.models[name].run.design.lines[part])}
    return {"group": compared.by.labels[part]}
