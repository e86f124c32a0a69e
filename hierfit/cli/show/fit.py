"""Plans, fits and summaries -> text: plain lines that fit the page, nothing printed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.checks import VERDICTS, check_lines, verdict_line
from hierfit.cli.show.formats import csv_text, json_text, markdown_code, markdown_table, markdown_words
from hierfit.cli.show.lines import LABEL, duration, joined, paragraph, wrapped
from hierfit.cli.show.notes import note_lines, notes_sentences
from hierfit.cli.show.plan import dropped_text, family_text, level_lines, rows_per_group
from hierfit.cli.show.table import MOST_LEVELS, NAME_WIDTH, cells, interval_title, table_lines
from hierfit.errors import ExitCode
from hierfit.model.families import FAMILIES, Support
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import SET_BY_USER, Prior
from hierfit.model.spec import INTERCEPT_AT_MEAN, Kind, ModelSpec, sd_name
from hierfit.posterior.at_levels import AtLevel
from hierfit.posterior.checks import DOMINATED, PriorCategories, PriorPredictive
from hierfit.posterior.diagnostics import Diagnosis, Level
from hierfit.posterior.digits import format_number, format_row, format_share
from hierfit.posterior.summary import Summary
from hierfit.posterior.words import counted, elided, listed, plural
from hierfit.runs.manifest import summary_document
from hierfit.runs.record import DataRecord, RunRecord
from hierfit.visible import shell_word, visible

if TYPE_CHECKING:
    from hierfit.runs.finished import Fit

MOST_NAMED = 8


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
    data, sampler, model, drawn = record.data, record.request.sampler, record.model, record.draws_per_chain
    response, orders = model.formula.response, record.request.roles.levels
    sizes = [f"{data.rows:,} rows", *(counted(group.levels, group.factor) for group in record.groups)]
    if (record.rows_sampled or data.rows) < data.rows:
        sizes[0] += f", {record.rows_sampled:,} of them distinct"
    if data.rows_read != data.rows:
        sizes.append(dropped_text(data.rows_read - data.rows, data.missing, data.missing_spelled))
    stands_in = f"full stands in for marginal: {record.stands_in}" if record.stands_in else ""
    lines = [
        *_title_lines(record.formula, f"{family_text(model, record.request.roles)}, engine {record.engine.value}"),
        *joined("Data", [_path_text(data), *sizes, *rows_per_group(record.groups)]),
        *joined(
            "Draws",
            [
                f"{counted(record.chains or sampler.chains, 'chain')} x {drawn:,} after {_start_text(record)}",
                f"seed {sampler.seed}",
                duration(record.seconds.total),
            ],
        ),
        *paragraph("Engine", stands_in),
        *level_lines(response, record.references, record.categories, orders),
        *paragraph("Priors", _priors_text(model.priors)),
    ]
    if model.prior_only and record.prior_predictive is not None:
        lines += paragraph("Note", "drawn from the priors alone; the outcome was left out")
        lines += paragraph("Implied", _implied_text(record.prior_predictive, response))
    if record.status == "interrupted":
        lines += paragraph("Note", f"interrupted: {drawn:,} of {sampler.draws:,} draws of each chain")
    return lines


def _path_text(data: DataRecord) -> str:
    """Return the file, and what is not usual about how it is written."""
    unusual = data.dialect.unusual
    return f"{data.path} ({', '.join(unusual)})" if unusual else data.path


def _start_text(record: RunRecord) -> str:
    """Return "40 warmup from the mode", or the adapting warmup and why a start at the mode was given up, or none."""
    start = record.start
    if start is None:
        return f"{record.request.sampler.warmup:,} warmup"
    if start.origin == "proposal":
        return "no warmup (independence Metropolis)"
    warmup = f"{start.warmup:,} warmup"
    if start.reason:
        return f"{warmup} ({start.tried}: {start.reason})"
    return f"{warmup} from the mode" if start.origin == "mode" else warmup


def _title_lines(formula: str, kind: str) -> list[str]:
    """Return formula and family in one line where they fit."""
    width, formula = page().width, visible(formula)
    if len(formula) + 3 + len(kind) <= width:
        return [formula + kind.rjust(width - len(formula))]
    return [*wrapped(formula, later="    "), kind.rjust(width)]


def _implied_text(implied: PriorPredictive | PriorCategories, response: str) -> str:
    """Return what the priors alone say about outcomes."""
    if isinstance(implied, PriorCategories):
        shares = [f"{format_share(share)} {category}" for category, share in implied.shares.items()]
        observed = ", ".join(map(format_share, implied.data_shares.values()))
        often = format_share(implied.dominated)
        alone = f"in {often} of the draws one of them has over {format_share(DOMINATED)} of the rows"
        return f"{response} is {', '.join(shares)} of the time (in the data {observed}); {alone}"
    ends = (implied.lower, implied.upper, implied.data_lower, implied.data_upper)
    lower, upper, low, high = (format_number(end, None) for end in ends)
    return (
        f"95% of the {response} values that the priors imply lie between {lower} and {upper}; "
        f"{format_share(implied.outside)} lie outside the data's range, {low} to {high}"
    )


def _priors_text(priors: Mapping[str, Prior]) -> str:
    by_user = [name for name, prior in priors.items() if prior.source.startswith(SET_BY_USER)]
    shown = listed(by_user, most=len(by_user) if len(by_user) <= MOST_NAMED else MOST_NAMED - 2)
    if len(by_user) == len(priors):
        return "all set by --prior"
    scaled = "weakly informative, scaled to the data (see run.json)"
    return f"{shown} set by --prior; the others {scaled}" if by_user else scaled


def intercept_lines(record: RunRecord, summary: Summary) -> list[str]:
    """Return what the intercepts are, where the table has two, or an offset that has to be 0."""
    names = {row.name for row in summary.rows}
    offset = record.request.roles.offset_at_zero
    expected = _expected(record.model, record.categories)
    if INTERCEPT_AT_MEAN not in names:
        return wrapped(f"Intercept is the {expected} at {offset}.") if offset and INTERCEPT in names else []
    means, also = record.x_mean, f" and {offset}" if offset else ""
    zero, mean = f"where all predictors are 0{also}", f"where they are at their means (see run.json){also}"
    if len(means) == 1:
        name, value = next(iter(means.items()))
        zero, mean = f"at {name} = 0{also}", f"at its mean, {value:.4g}" + (f",{also}" if also else "")
    return wrapped(f"Intercept is the {expected} {zero}, {INTERCEPT_AT_MEAN} that {mean}.")


def sd_lines(record: RunRecord, summary: Summary) -> list[str]:
    """Return where the sds of varying intercepts are, where the table has two of a factor."""
    two = {row.group for row in summary.rows if row.kind is Kind.SD_AT_MEAN}
    lines = []
    for group in (group for group in record.groups if group.factor in two):
        means, name = group.means, group.factor
        zero, mean = "where all that varies with them is 0", "where it is at its mean (see run.json)"
        if len(means) == 1:
            column, value = next(iter(means.items()))
            zero, mean = f"at {column} = 0", f"at its mean, {value:.4g}"
        both = f"{sd_name(name, INTERCEPT)} and cor are those of intercepts {zero}"
        lines += wrapped(f"{both}, {sd_name(name, INTERCEPT_AT_MEAN)} is that {mean}.")
    return lines


def threshold_lines(record: RunRecord, summary: Summary) -> list[str]:
    """Return what the thresholds are, where the table has some."""
    if all(row.kind is not Kind.THRESHOLD for row in summary.rows):
        return []
    response, link = record.model.formula.response, record.model.link
    named, offset, zero = _predictors(summary), record.request.roles.offset_at_zero, ""
    if named or offset:
        where = [f"{named[0]} = 0"] if len(named) == 1 else []
        where += [offset] if offset else []
        zero = " where all predictors are 0" + (f" and {offset}" if offset else "")
        zero = zero if len(named) > 1 else f" at {' and '.join(where)}"
    if named:
        zero += "; a coefficient above 0 makes higher ones likelier"
    text = f"threshold[a|b] is the {link} of the probability of {response} up to a{zero}."
    return wrapped(text)


def at_level_lines(summary: Summary) -> list[str]:
    """Return parameters beside the mean in their own units; of many levels the lowest and the highest."""
    lines = []
    for name, predictor in dict.fromkeys((at.parameter, at.predictor) for at in summary.at_levels):
        own = [at for at in summary.at_levels if at.parameter == name]
        found = [at for at in own if at.predictor == predictor]
        parts = [f"{_interval(at)} for {predictor} = {at.level}" for at in found]
        if predictor is None:
            parts = [f"{_interval(found[0])} where its predictors are at their means"]
        elif len(found) > MOST_LEVELS:
            order = sorted(range(len(found)), key=lambda index: found[index].mean)
            ends = f"from {parts[order[0]]} to {parts[order[-1]]}"
            parts = [ends, f"all {len(found)}: --format json"]
        elif len(own) < sum(row.predictor == name and row.kind is Kind.DISTRIBUTIONAL for row in summary.rows):
            parts.append(f"other predictors of {name} at their means")
        lines += joined(name, parts)
    return lines


def _interval(at: AtLevel) -> str:
    mean, _, lower, upper = format_row(at.mean, at.sd, at.lower, at.upper)
    return f"{mean} ({lower} to {upper})"


def _expected(model: ModelSpec, categories: Sequence[str]) -> str:
    """Return what the linear predictor is: "expected score", "logit of the probability of yes"."""
    family, link, response = FAMILIES[model.family], model.link, model.formula.response
    if family.support is Support.BINARY:
        expected = f"probability of {categories[1] if categories else f'{response} = 1'}"
    elif family.has_trials:
        expected = f"expected share of {response}"
    else:
        zeros = {"zi": " beyond the excess zeros", "hu": " before 0 is excluded"}
        which = "".join(zeros.get(auxiliary.name, "") for auxiliary in family.auxiliaries)
        expected = f"expected {'log ' if family.linear is np.log else ''}{response}{which}"
    return expected if link == "identity" else f"{link} of the {expected}"


def _predictors(summary: Summary) -> list[str]:
    return [row.name for row in summary.rows if row.kind is Kind.COEFFICIENT and row.term != INTERCEPT]


def share_lines(summary: Summary) -> list[str]:
    """Return the sentence on the share of the variance between groups."""
    predictors = _predictors(summary)
    left = f" not explained by {elided(predictors[0], NAME_WIDTH)}" if len(predictors) == 1 else ""
    left = " not explained by the predictors" if len(predictors) > 1 else left
    lines = []
    for share in summary.shares:
        where = f" at {', '.join(f'{column} = 0' for column in share.at_zero)}" if share.at_zero else ""
        where = f" at the mean of {', '.join(share.at_mean)}" if share.at_mean else where
        scale = " on the latent scale" if share.scale == "latent" else ""
        between = f"{format_share(share.mean)} of the variance{scale}{left} is between {plural(share.factor)}"
        interval = f"{interval_title(summary.ci)} {format_share(share.lower)} to {format_share(share.upper)}"
        lines += wrapped(f"{between} (ICC{where}; {interval}).")
    return lines


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
    if output is OutputFormat.MD:
        return markdown_text(record, summary, diagnosis)
    blocks = [
        [*header_lines(record), *(note_lines(record.notes) if notes else ()), *check_lines(diagnosis, str(run))],
        table_lines(summary, record.groups),
        _said_lines(record, summary),
    ]
    return "\n\n".join(map(in_lines, filter(None, blocks)))


def _said_lines(record: RunRecord, summary: Summary) -> list[str]:
    """Return what stands below the table."""
    return [
        *intercept_lines(record, summary),
        *sd_lines(record, summary),
        *threshold_lines(record, summary),
        *at_level_lines(summary),
        *share_lines(summary),
    ]


def markdown_text(record: RunRecord, summary: Summary, diagnosis: Diagnosis) -> str:
    """Return the table as Markdown, and below it what it shows and whether the checks passed."""
    rows = [["", "mean", "sd", interval_title(summary.ci), "R-hat", "ESS bulk", "ESS tail"]]
    for row in summary.rows:
        numbers = cells(row)
        interval = f"{numbers['lower']} to {numbers['upper']}" if numbers["lower"] else ""
        rest = (numbers[title] for title in rows[0][4:])
        rows.append([row.name, numbers["mean"], numbers["sd"], interval, *rest])
    sizes = [f"{record.data.rows:,} rows"]
    sizes += [counted(group.levels, group.factor) for group in record.groups]
    said = [f"{family_text(record.model, record.request.roles)}; {', '.join(sizes)}."]
    said += [f"Checks: {VERDICTS[diagnosis.status]}.", *_said_lines(record, summary)]
    said += notes_sentences(record.notes)
    words = markdown_words(" ".join(" ".join(said).split()))
    return f"{markdown_table(rows)}\n\n{markdown_code(record.formula)}, {words}"


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
