"""Plans, fits and summaries -> text: plain lines of at most about 96 columns, nothing printed here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hierfit.cli.options import OutputFormat
from hierfit.errors import ExitCode
from hierfit.manifest import describe_model, summary_document
from hierfit.model.priors import SET_BY_USER
from hierfit.model.spec import INTERCEPT_AT_MEAN, Kind
from hierfit.results.diagnostics import Diagnosis, Level
from hierfit.results.digits import format_count, format_rhat, format_row, format_share
from hierfit.results.summary import Summary, SummaryRow
from hierfit.results.words import counted, elided, plural

if TYPE_CHECKING:
    from hierfit.workflow import Fit, Plan

LABEL, NAME_WIDTH = 9, 34


def reading_text(plan: Plan) -> str:
    """Return what was read, what was dropped, and the model, before anything is sampled."""
    table, design = plan.table, plan.design
    sizes = [f"{table.n_read:,} rows", *(counted(group.n_levels, group.factor) for group in design.groups)]
    lines = [f"Reading  {table.path}: {', '.join(sizes)}, {dropped_text(table.n_read - table.n_rows, table.dropped)}"]
    for group in design.groups:
        single = int((group.rows_per_level == 1).sum())
        if 0 < single < group.n_levels:
            lines.append(f"Note     {counted(single, group.factor)} with a single row")
    return "\n".join([*lines, f"Model    {plan.spec.formula}  ({plan.spec.family}, identity link)"])


def dropped_text(count: int, missing: Mapping[str, int]) -> str:
    """Return "3 rows dropped (missing: 2 ses, 1 score)"."""
    columns = ", ".join(f"{number:,} {column}" for column, number in missing.items() if number)
    return f"{count:,} row{'s' if count != 1 else ''} dropped" + (f" (missing: {columns})" if columns else "")


def plan_text(plan: Plan) -> str:
    """Return data, model, priors and size, for --dry-run."""
    design, options = plan.design, plan.request.sampler
    effects = sum(group.n_levels * len(group.terms) for group in design.groups)
    numbers = (effects + len(plan.spec.parameters) + 7) * options.chains * options.draws
    return "\n".join(
        [
            reading_text(plan),
            *_rows_per_group(_groups_of(plan)),
            "",
            "Priors",
            *prior_lines(plan.spec.priors),
            "",
            f"Would draw {options.chains} chains x {options.draws:,} after {options.warmup:,} warmup: "
            f"{len(plan.spec.parameters)} parameters and {effects:,} group effects, about {numbers * 8 / 1e6:,.0f} MB.",
        ]
    )


def _groups_of(plan: Plan) -> list[Mapping[str, Any]]:
    described = describe_model(plan.request, plan.table, plan.design, plan.spec)
    return list(described["groups"])


def prior_lines(priors: Mapping[str, Any]) -> list[str]:
    """Return one line for each prior: name, distribution, where it comes from."""
    width = max(len(name) for name in priors)
    shown = {name: str(prior) for name, prior in priors.items()}
    wide = max(len(text) for text in shown.values())
    return [f"  {name:<{width}} ~ {shown[name]:<{wide}}   {prior.source}" for name, prior in priors.items()]


def _rows_per_group(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        f"{'':<{LABEL}}rows per {group['factor']}: min {group['rows_min']:,}, mean {group['rows_mean']:.3g}, "
        f"max {group['rows_max']:,}"
        for group in groups
    ]


def header_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Return formula, data, draws and priors of a run."""
    data, sampler = manifest["data"], manifest["request"]["sampler"]
    sizes = [f"{data['rows']:,} rows", *(counted(group["levels"], group["factor"]) for group in manifest["groups"])]
    if data["rows_read"] != data["rows"]:
        sizes.append(dropped_text(data["rows_read"] - data["rows"], data["missing"]))
    formula = f"{manifest['formula']}"
    kind = f"{manifest['model']['family']}, identity link, engine {manifest['engine']}"
    drawn = f"{sampler['chains']} chains x {manifest['draws_per_chain']:,} after {sampler['warmup']:,} warmup"
    lines = [
        f"{formula}{kind:>{max(len(kind) + 3, 96 - len(formula))}}",
        f"Data     {data['path']} · {' · '.join(sizes)}",
        *_rows_per_group(manifest["groups"]),
        f"Draws    {drawn} · seed {sampler['seed']} · {manifest['seconds']['total']:.1f} s",
        f"Priors   {_priors_text(manifest['model']['priors'])}",
    ]
    if manifest["model"]["prior_only"]:
        lines.append("Note     drawn from the priors alone; the outcome was left out")
    if manifest["status"] == "interrupted":
        lines.append(
            f"Note     interrupted: {manifest['draws_per_chain']:,} of {sampler['draws']:,} draws of each chain"
        )
    return lines


def _priors_text(priors: Mapping[str, Mapping[str, Any]]) -> str:
    by_user = [name for name, prior in priors.items() if prior["source"] == SET_BY_USER]
    if len(by_user) == len(priors):
        return "all set by --prior"
    scaled = "weakly informative, scaled to the data"
    return f"{', '.join(by_user)} set by --prior; the others {scaled}" if by_user else f"{scaled}; see run.json"


def check_lines(checks: Diagnosis) -> list[str]:
    """Return the verdict, what was found, the likely cause and what to try."""
    verdict = {
        Level.OK: f"OK · {checks.headline}",
        Level.WARN: f"WARNING · {checks.headline}",
        Level.FAIL: "FAILED · do not use these estimates yet",
    }[checks.status]
    lines = [f"Checks   {verdict}"]
    for found in checks.findings:
        mark = "x" if found.level is Level.FAIL else "!"
        about = ", ".join(found.parameters[:4])
        lines.append(f"  {mark} {found.check:<11} {found.value} (want {found.threshold})  {about}".rstrip())
        lines.append(f"    {'':<11} {found.meaning}")
    if checks.likely:
        lines.append(f"Likely   {checks.likely}")
    for number, step in enumerate(checks.tries, 1):
        lines.append(f"{'Try' if number == 1 else '':<{LABEL}}{number}. {step.flag:<40} {step.why}")
    return lines


def table_lines(summary: Summary, groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the table: coefficients, variation between groups, residual; numbers aligned on the point."""
    cells = {row.name: _cells(row) for row in summary.rows}
    columns = [_align([row[i] for row in cells.values()]) for i in range(7)]
    names = {name: elided(_shown_name(name), NAME_WIDTH) for name in cells}
    width = max(len(name) for name in names.values())
    lines = [_table_header(width, columns, summary.ci)]
    body = {name: "  ".join(column[i] for column in columns) for i, name in enumerate(cells)}
    for title, rows in _sections(summary, groups):
        if rows:
            lines.append(title)
            lines += [f"  {names[row.name]:<{width}}  {body[row.name]}".rstrip() for row in rows]
    return lines


def _shown_name(name: str) -> str:
    return "Intercept at mean of x" if name == INTERCEPT_AT_MEAN else name


def _table_header(width: int, columns: Sequence[Sequence[str]], ci: float) -> str:
    wide = [len(column[0]) for column in columns]
    interval = f"{100 * ci:.3g}% interval"
    span = wide[2] + 2 + wide[3]
    return (
        f"  {'':<{width}}  {'mean':>{wide[0]}}  {'sd':>{wide[1]}}  {interval:^{span}}  "
        f"{'R-hat':>{wide[4]}}  {'ESS bulk':>{wide[5]}}  {'ESS tail':>{wide[6]}}"
    )


def _cells(row: SummaryRow) -> list[str]:
    mean, sd, lower, upper = format_row(row.mean, row.sd, row.lower, row.upper, row.mcse_mean)
    if row.fixed:
        return [mean, "fixed", "", "", "", "", ""]
    return [mean, sd, lower, upper, format_rhat(row.rhat), format_count(row.ess_bulk), format_count(row.ess_tail)]


_LEAST_WIDTH = {4: 5, 5: 8, 6: 8}


def _align(cells: Sequence[str]) -> list[str]:
    """Pad numbers so that their decimal points stand in one column."""
    tails = [len(cell) - cell.find(".") if "." in cell else 0 for cell in cells]
    longest = max(tails, default=0)
    padded = [
        cell + " " * (longest - tail) if cell and cell[0] != "f" else cell
        for cell, tail in zip(cells, tails, strict=True)
    ]
    width = max(max(len(cell) for cell in padded), 8)
    return [cell.rjust(width) for cell in padded]


def _sections(summary: Summary, groups: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, list[SummaryRow]]]:
    yield "Coefficients", [row for row in summary.rows if row.kind is Kind.COEFFICIENT]
    for group in groups:
        title = f"Variation between {plural(group['factor'])} ({group['levels']:,})"
        yield title, [row for row in summary.rows if row.group == group["factor"]]
    yield "Residual", [row for row in summary.rows if row.kind is Kind.AUXILIARY]


def share_lines(summary: Summary) -> list[str]:
    """Return the sentence on the share of the variance between groups."""
    lines = []
    for share in summary.shares:
        where = f" at {', '.join(f'{column} = 0' for column in share.at_zero)}" if share.at_zero else ""
        between = f"{format_share(share.mean)} of the variance is between {plural(share.factor)}"
        interval = f"{100 * summary.ci:.3g}% interval {format_share(share.lower)} to {format_share(share.upper)}"
        lines.append(f"{between} (ICC{where}; {interval}).")
    return lines


def run_text(manifest: Mapping[str, Any], summary: Summary, diagnosis: Diagnosis, output: OutputFormat) -> str:
    """Return a run in the wanted format."""
    if output is OutputFormat.JSON:
        return json.dumps(summary_document(manifest, summary, diagnosis), indent=2, ensure_ascii=False, allow_nan=False)
    if output is OutputFormat.CSV:
        return csv_text(summary.csv_rows())
    if output is OutputFormat.MD:
        return markdown_text(summary)
    blocks = [
        [*header_lines(manifest), *check_lines(diagnosis)],
        table_lines(summary, manifest["groups"]),
        share_lines(summary),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().rstrip("\n")


def markdown_text(summary: Summary) -> str:
    """Return the table as Markdown."""
    interval = f"{100 * summary.ci:.3g}% interval"
    rows = [["", "mean", "sd", interval, "R-hat", "ESS bulk", "ESS tail"]]
    for row in summary.rows:
        mean, sd, lower, upper, *rest = _cells(row)
        rows.append([_shown_name(row.name), mean, sd, f"{lower} to {upper}" if lower else "", *rest])
    return markdown_table(rows)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows, the header first, as a Markdown table: text left, numbers right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = [":" + "-" * max(1, widths[0] - 1), *("-" * max(1, width - 1) + ":" for width in widths[1:])]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return "| " + " | ".join(padded) + " |"

    return "\n".join([line(rows[0]), line(rule), *(line(row) for row in rows[1:])])


def saved_text(done: Fit) -> str:
    """Return where the run is, and what to do next."""
    folder = done.folder
    groups = f"hierfit summarize {folder} --groups      " if done.design.groups else ""
    return f"Saved    {folder}\nNext     {groups}hierfit plot {folder}"


def exit_code(done: Fit) -> ExitCode:
    """Return what the shell gets to see of a fit."""
    if done.manifest["status"] == "interrupted":
        return ExitCode.INTERRUPTED
    return ExitCode.CHECKS_FAILED if done.diagnosis.status is Level.FAIL else ExitCode.OK
