"""A finished run -> its report, part by part."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hierfit import __version__
from hierfit.model.spec import ModelSpec, cor_name, sd_name
from hierfit.posterior.check.verdicts import Check
from hierfit.posterior.compare.comparison import verdict
from hierfit.posterior.group_summary import GroupSummary, GroupTable
from hierfit.posterior.hypotheses.answers import Answers
from hierfit.posterior.hypotheses.cautions import cautions, explanations
from hierfit.posterior.scale import groups_scale
from hierfit.posterior.variance.answer import VarianceAnswer
from hierfit.posterior.words import counted, listed
from hierfit.report.document import (
    Block,
    Code,
    Document,
    Equations,
    Items,
    Paragraph,
    Picture,
    Section,
    Table,
    Verdict,
)
from hierfit.report.equation import equations, plain
from hierfit.report.methods import methods_text, references
from hierfit.runs.compared import Compared
from hierfit.runs.effects import Effects
from hierfit.runs.finished import Fit
from hierfit.runs.record import RunRecord
from hierfit.told.account import data_parts, draws_parts, family_text, implied_text, level_parts
from hierfit.told.cells import cells, interval_title, sections
from hierfit.told.checks import CHECK_NAMES, VERDICTS, number_text
from hierfit.told.compared import comparison_cells, comparison_title, doubt
from hierfit.told.effects import effects_cells, effects_title
from hierfit.told.groups import differing_sentences, groups_cells, groups_header, groups_order, is_pooled
from hierfit.told.hypotheses import answers_cells
from hierfit.told.model_checks import answers, model_check_cells
from hierfit.told.priors import prior_note
from hierfit.told.sentences import level_values, sentences_below, share_sentences
from hierfit.told.variance import division_cells, division_title, r2_cells, variance_sentences
from hierfit.visible import shell_word

GROUPS_AT_AN_END = 8  # of many levels the lowest and the highest so many


@dataclass(frozen=True, eq=False)
class Reported:
    """What a report is made from.

    Attributes:
        run: the run.
        groups: its groups; None without.
        effects: average effects of its predictors; None where there are none.
        variance: how its variance divides, and R2; None of the priors alone.
        checks: what its model is like beside its data; empty of the priors alone.
        pictures: its pictures.
        compared: it and other runs; None where none were named.
        answers: what its posterior says of expressions; None where none were given.
    """

    run: Fit
    groups: GroupSummary | None
    effects: Effects | None
    variance: VarianceAnswer | None
    checks: tuple[Check, ...]
    pictures: tuple[Picture, ...]
    compared: Compared | None = None
    answers: Answers | None = None


def document(found: Reported) -> Document:
    """Return the report."""
    run, record = found.run, found.run.record
    sizes = [f"{record.data.rows:,} rows", *(counted(group.levels, group.factor) for group in record.groups)]
    parts = [
        ("verdict", "Verdict", _verdict(run)),
        ("model", "Model", _model(run)),
        ("data", "Data", _data(record)),
        ("estimates", "Estimates", _estimates(found)),
        ("effects", "Effects", _effects(found.effects)),
        ("variance", "Variance", _variance(found)),
        ("groups", "Differences between groups", _groups(found)),
        ("hypotheses", "Hypotheses", _hypotheses(found.answers)),
        ("fit", "The model against its data", _model_checks(found.checks)),
        ("comparison", "Beside other models", _comparison(found.compared)),
        ("pictures", "Pictures", found.pictures),
        ("priors", "Priors", _priors(record.model)),
        ("methods", "Methods", _methods(found)),
        ("again", "How to repeat it", _again(record, run.manifest)),
    ]
    whole = tuple(Section(name, title, tuple(blocks)) for name, title, blocks in parts)
    lead = f"{record.formula}: {family_text(record.model, record.request.roles)}; {', '.join(sizes)}."
    return Document(record.model.formula.response, lead, tuple(part for part in whole if part.blocks))


def _verdict(run: Fit) -> Iterator[Block]:
    checks = run.diagnosis
    yield Verdict(checks.status.value, f"{VERDICTS[checks.status]} · {checks.headline}")
    if checks.findings:
        yield Items(
            tuple(
                f"{CHECK_NAMES.get(found.check, found.check)} {number_text(found)}"
                + (f" ({listed(found.parameters)})" if found.parameters else "")
                + f": {found.meaning}"
                for found in checks.findings
            )
        )
    if checks.likely:
        yield Paragraph(checks.likely, "Likely")
    if checks.tries:
        folder = shell_word(str(run.folder))
        yield Code("\n".join(f"hierfit fit --from {folder} {step.flag}   # {step.why}" for step in checks.tries))


def _model(run: Fit) -> Iterator[Block]:
    record, spec = run.record, run.spec
    yield Code(record.formula)
    lines = equations(spec, record.request.roles, {group.factor: group.levels for group in record.groups})
    yield Equations(lines, plain(lines))
    for sentence in _spreads(spec):
        yield Paragraph(sentence)
    orders = record.request.roles.levels
    parts = level_parts(spec.formula.response, record.references, record.categories, orders, record.terms.every)
    if parts:
        yield Items(tuple(parts))
    if spec.prior_only:
        yield Paragraph("Drawn from the priors alone; the outcome was left out.", "Note")


def _spreads(spec: ModelSpec) -> Iterator[str]:
    """Yield what the matrices of the equation are made of."""
    for group in spec.groups:
        if group.blocks[0].size > 1 and group.correlated:
            names = [sd_name(group.factor, term) for term in group.terms[: group.blocks[0].size]]
            yield (
                f"Σ of {group.factor} has the standard deviations {', '.join(names)} and the correlations "
                f"{cor_name(group.factor)}."
            )


def _data(record: RunRecord) -> Iterator[Block]:
    yield Items(tuple(data_parts(record)))
    for note in record.notes:
        yield Paragraph(note.text, "Note")


def _estimates(whole: Reported) -> Iterator[Block]:
    summary, record = whole.run.summary, whole.run.record
    titles = ("mean", "sd", "lower", "upper", "R-hat", "ESS bulk", "ESS tail")
    found = []
    for title, rows in sections(summary, record.groups):
        if rows:
            numbers = [(row.name, cells(row)) for row in rows]
            found.append((title, tuple((name, *(own[each] for each in titles)) for name, own in numbers)))
    caption = f"Posterior mean, standard deviation and {interval_title(summary.ci)} of every parameter"
    yield Table(caption, ("", *titles), tuple(found))
    for sentence in sentences_below(record, summary):
        yield Paragraph(sentence)
    for name, values in level_values(summary):
        yield Paragraph("; ".join(values), name)
    if whole.variance is None:  # which says it in full
        for sentence in share_sentences(summary):
            yield Paragraph(sentence)
    if record.model.prior_only and record.prior_predictive is not None:
        yield Paragraph(implied_text(record.prior_predictive, record.model.formula.response), "Implied")


def _effects(effects: Effects | None) -> Iterator[Block]:
    if effects is not None:
        yield _table(effects_title(effects), effects_cells(effects))


def _variance(found: Reported) -> Iterator[Block]:
    answer, ci = found.variance, found.run.summary.ci
    if answer is None:
        return
    for division in answer.divisions:
        yield _table(division_title(division, found.run.design), division_cells(division, ci))
    yield _table("R2", r2_cells(answer, ci))
    for sentence in variance_sentences(answer, found.run.design):
        yield Paragraph(sentence)


def _table(caption: str, cells: Sequence[Sequence[str]]) -> Table:
    """Return a table of one section, its header the first row."""
    header, *rows = cells
    return Table(caption, tuple(header), (("", tuple(map(tuple, rows))),))


def _groups(found: Reported) -> Iterator[Block]:
    if found.groups is None:
        return
    scale = groups_scale(found.run.design)
    if scale:
        yield Paragraph(f"{scale}.", "Scale")
    for table in found.groups.tables:
        yield _levels(table, found.groups.ci)
        for sentence in differing_sentences(table, found.groups.ci):
            yield Paragraph(sentence)


def _levels(table: GroupTable, ci: float) -> Table:
    """Return the table of the levels of a factor; of many, those at either end."""
    order, pooled = groups_order(table, None), is_pooled(table)
    header = tuple(groups_header(table, ci))
    caption = f"{counted(len(table.labels), table.factor)}: {' and '.join(table.words)}, population value + deviation"
    if len(order) <= 3 * GROUPS_AT_AN_END:
        return Table(caption, header, (("", _rows(table, order, pooled=pooled)),))
    hidden = len(order) - 2 * GROUPS_AT_AN_END
    ends = (
        ("lowest", _rows(table, order[:GROUPS_AT_AN_END], pooled=pooled)),
        (f"highest, after {hidden:,} more", _rows(table, order[-GROUPS_AT_AN_END:], pooled=pooled)),
    )
    return Table(caption, header, ends)


def _model_checks(checks: Sequence[Check]) -> Iterator[Block]:
    if checks:
        cells = [[says, verdict, p] for says, verdict, *_, p in model_check_cells(checks)]
        yield _table("What the model says of data, held against these data", cells)
    tries = answers(checks)
    if tries:
        yield Code("\n".join(f"{command}   # {', '.join(names)}" for command, names in tries.items()))


def _hypotheses(found: Answers | None) -> Iterator[Block]:
    if found is None:
        return
    yield _table("What the posterior says of expressions", answers_cells(found))
    for sentence in cautions(found):
        yield Paragraph(sentence, "Note")
    for sentence in explanations(found):
        yield Paragraph(sentence)


def _comparison(found: Compared | None) -> Iterator[Block]:
    if found is None:
        return
    yield _table(comparison_title(found), comparison_cells(found, None))
    models = ((name, model.run.record) for name, model in found.models.items())
    yield Items(tuple(f"{name}: {record.formula} ({record.model.family})" for name, record in models))
    yield Paragraph(verdict(found.comparison, found.parts))
    yield Paragraph(doubt(found))


def _rows(table: GroupTable, levels: Sequence[int], *, pooled: bool) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(groups_cells(table, level, pooled=pooled)) for level in levels)


def _priors(spec: ModelSpec) -> Iterator[Block]:
    rows = [(name, str(prior), prior.source + prior_note(name, prior, spec)) for name, prior in spec.priors.items()]
    yield Table("Prior of every parameter and where it comes from", ("", "prior", "source"), (("", tuple(rows)),))


def _methods(found: Reported) -> Iterator[Block]:
    run, compared = found.run, found.compared is not None
    yield Paragraph(methods_text(run.record, run.manifest, run.summary.ci, compared=compared))
    yield Items(references(run.record, compared=compared))


def _again(record: RunRecord, manifest: Mapping[str, Any]) -> Iterator[Block]:
    argv = manifest.get("argv")
    if isinstance(argv, list) and len(argv) > 1:
        yield Code(shlex.join(["hierfit", *map(str, argv[1:])]))
    versions = manifest.get("versions")
    tools = versions.items() if isinstance(versions, dict) else ()
    yield Items(
        (
            *draws_parts(record),
            f"engine {record.engine.value}",
            f"data {record.data.path}, SHA-256 {record.data.sha256}",
            ", ".join([f"hierfit {record.hierfit}", *(f"{name} {version}" for name, version in tools)]),
            *([f"Stan {manifest['stan']}"] if isinstance(manifest.get("stan"), str) else []),
            *([f"report by hierfit {__version__}"] if record.hierfit != __version__ else []),
        )
    )
