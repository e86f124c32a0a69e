"""Run -> the sentences below its table: what its numbers are of, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hierfit.model.families import FAMILIES, Support
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import INTERCEPT_AT_MEAN, Kind, ModelSpec, sd_name
from hierfit.posterior.at_levels import AtLevel
from hierfit.posterior.digits import format_row, format_share
from hierfit.posterior.summary import Summary
from hierfit.posterior.words import elided, plural
from hierfit.runs.record import RunRecord
from hierfit.told.cells import interval_title

MOST_LEVELS, MOST_AT_MEAN, NAME_WIDTH = 10, 3, 34


def intercept_sentences(record: RunRecord, summary: Summary) -> list[str]:
    """Return what the intercepts are, where the table has two, or an offset that has to be 0."""
    names = {row.name for row in summary.rows}
    offset = record.request.roles.offset_at_zero
    expected = _expected(record.model, record.categories)
    if INTERCEPT_AT_MEAN not in names:
        return [f"Intercept is the {expected} at {offset}."] if offset and INTERCEPT in names else []
    means, also = record.x_mean, f" and {offset}" if offset else ""
    zero, mean = f"where all predictors are 0{also}", f"where they are at their means (see run.json){also}"
    if len(means) == 1:
        name, value = next(iter(means.items()))
        zero, mean = f"at {name} = 0{also}", f"at its mean, {value:.4g}" + (f",{also}" if also else "")
    return [f"Intercept is the {expected} {zero}, {INTERCEPT_AT_MEAN} that {mean}."]


def sd_sentences(record: RunRecord, summary: Summary) -> list[str]:
    """Return where the sds of varying intercepts are, where the table has two of a factor."""
    two = {row.group for row in summary.rows if row.kind is Kind.SD_AT_MEAN}
    sentences = []
    for group in (group for group in record.groups if group.factor in two):
        means, name = group.means, group.factor
        zero, mean = "where all that varies with them is 0", "where it is at its mean (see run.json)"
        if len(means) == 1:
            column, value = next(iter(means.items()))
            zero, mean = f"at {column} = 0", f"at its mean, {value:.4g}"
        both = f"{sd_name(name, INTERCEPT)} and cor are those of intercepts {zero}"
        sentences.append(f"{both}, {sd_name(name, INTERCEPT_AT_MEAN)} is that {mean}.")
    return sentences


def threshold_sentences(record: RunRecord, summary: Summary) -> list[str]:
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
    return [f"threshold[a|b] is the {link} of the probability of {response} up to a{zero}."]


def level_values(summary: Summary) -> list[tuple[str, list[str]]]:
    """Return parameters beside the mean, each with its values in its units; of many levels the lowest and highest."""
    told = []
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
        told.append((name, parts))
    return told


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


def share_sentences(summary: Summary) -> list[str]:
    """Return the sentence on the share of the variance between groups."""
    predictors = _predictors(summary)
    left = f" not explained by {elided(predictors[0], NAME_WIDTH)}" if len(predictors) == 1 else ""
    left = " not explained by the predictors" if len(predictors) > 1 else left
    sentences = []
    for share in summary.shares:
        where = f" at {', '.join(f'{column} = 0' for column in share.at_zero)}" if share.at_zero else ""
        if share.at_mean:
            where = f" at the mean of {', '.join(share.at_mean)}"
            where = where if len(share.at_mean) <= MOST_AT_MEAN else " where predictors are at their means"
        scale = " on the latent scale" if share.scale == "latent" else ""
        between = f"{format_share(share.mean)} of the variance{scale}{left} is between {plural(share.factor)}"
        interval = f"{interval_title(summary.ci)} {format_share(share.lower)} to {format_share(share.upper)}"
        sentences.append(f"{between} (ICC{where}; {interval}).")
    return sentences


def sentences_below(record: RunRecord, summary: Summary) -> list[str]:
    """Return the sentences that stand below the table, one after another."""
    return [
        *intercept_sentences(record, summary),
        *sd_sentences(record, summary),
        *threshold_sentences(record, summary),
    ]
