"""What is known before sampling -> text: the data as read, the model, its levels, its priors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines
from hierfit.cli.show.formats import csv_text, document_table, json_text
from hierfit.cli.show.lines import LABEL, joined, paragraph
from hierfit.cli.show.notes import note_lines
from hierfit.design.design import Group
from hierfit.design.terms import Term
from hierfit.engines.timing import Estimate
from hierfit.model.spec import ModelSpec
from hierfit.posterior.words import counted
from hierfit.runs.manifest import group_records
from hierfit.told.account import dropped_text, duration, family_text, level_parts, rows_per_group
from hierfit.told.priors import prior_note, prior_rows
from hierfit.visible import visible

if TYPE_CHECKING:
    from hierfit.workflow import Plan


def reading_text(plan: Plan) -> str:
    """Return what was read, what was dropped, the model, and the notes on both, before anything is sampled."""
    return in_lines([*_data_lines("Reading", plan), *_model_lines(plan), *note_lines(plan.notes)])


def _data_lines(label: str, plan: Plan) -> list[str]:
    table, design = plan.table, plan.design
    sizes = [f"{table.n_read:,} rows", *map(_levels_text, design.groups)]
    dropped = dropped_text(table.n_read - table.n_rows, table.dropped, table.spelled)
    written = f" ({', '.join(table.dialect.unusual)})" if table.dialect.unusual else ""
    return [f"{label:<{LABEL}}{table.path}{written}: {', '.join(sizes)}, {dropped}"]


def _levels_text(group: Group) -> str:
    """Return "160 schools", or "160 schools (3 with a single row)"."""
    single = int((group.rows_per_level == 1).sum())
    few = f" ({single:,} with a single row)" if 0 < single < group.n_levels else ""
    return counted(group.n_levels, group.factor) + few


def level_lines(
    response: str,
    references: Mapping[str, str],
    categories: Sequence[str],
    orders: Mapping[str, Sequence[str]],
    terms: Iterable[Term] = (),
) -> list[str]:
    """Return what categories of an outcome are modelled, and orders, references and contrasts of text predictors."""
    parts = level_parts(response, references, categories, orders, terms)
    return joined("Levels", parts) if parts else []


def _model_lines(plan: Plan) -> list[str]:
    design = plan.design
    return [
        *paragraph("Model", f"{plan.spec.formula}  ({family_text(plan.spec, plan.request.roles)})"),
        *level_lines(design.response, design.references, design.categories, design.levels, design.all_terms),
    ]


def plan_text(plan: Plan) -> str:
    """Return data, model, priors and size, for --dry-run."""
    design, options = plan.design, plan.request.sampler
    effects = sum(group.n_levels * len(group.terms) for group in design.groups)
    numbers = (effects + len(plan.spec.parameters) + 7) * options.chains * options.draws
    megabytes = max(1.0, numbers * 8 / 1e6)
    return in_lines(
        [
            *_data_lines("Data", plan),
            *(f"{'':<{LABEL}}{text}" for text in rows_per_group(group_records(design))),
            *_model_lines(plan),
            *note_lines(plan.notes),
            "",
            "Priors",
            *prior_lines(plan.spec),
            "",
            f"Would draw {options.chains:,} chains x {options.draws:,} after {_warmup_text(plan)}: "
            f"{len(plan.spec.parameters)} parameters and {effects:,} group effects, about {megabytes:,.0f} MB.",
        ]
    )


def _warmup_text(plan: Plan) -> str:
    warmup = plan.engine.warmup(plan.design, plan.request.sampler)
    return "no warmup (independence Metropolis)" if warmup is None else f"{warmup:,} warmup"


def time_text(plan: Plan, estimate: Estimate | None) -> str:
    """Return how long sampling will take, or that the program has to be compiled first, for --dry-run."""
    if estimate is None:
        return "Time: unknown until the Stan program is compiled, which takes about a minute, once."
    options = plan.request.sampler
    warmup = plan.engine.warmup(plan.design, options)
    if warmup is None:
        draws = f"{counted(options.chains, 'chain')} of {options.draws:,} draws, {counted(estimate.cores, 'core')}"
        return f"Time: about {duration(estimate.seconds)} ({1000 * estimate.gradient:.2g} ms a draw; {draws})."
    chains = f"{counted(options.chains, 'chain')} of {warmup + options.draws:,} iterations"
    return (
        f"Time: about {duration(estimate.seconds)} ({1000 * estimate.gradient:.2g} ms a gradient; {chains}, "
        f"{counted(estimate.cores, 'core')}, {estimate.steps} leapfrog steps an iteration assumed)."
    )


def prior_lines(spec: ModelSpec) -> list[str]:
    """Return one line for each prior: name, distribution, where it comes from and what to know about it."""
    shown = {name: str(prior) for name, prior in spec.priors.items()}
    width, wide = max(len(visible(name)) for name in shown), max(map(len, shown.values()))
    return [
        f"  {visible(name):<{width}} ~ {shown[name]:<{wide}}   {prior.source}{prior_note(name, prior, spec)}"
        for name, prior in spec.priors.items()
    ]


def priors_text(spec: ModelSpec, output: OutputFormat) -> str:
    """Return the table of priors in the wanted format."""
    if output is OutputFormat.TABLE:
        return in_lines(prior_lines(spec))
    header, *rows = prior_rows(spec)
    if output is OutputFormat.CSV:
        return csv_text([header, *rows])
    if output.is_document:
        return document_table([header, *rows], output)
    records = [dict(zip(header, row, strict=True)) for row in rows]
    return json_text(records)
