"""What run.json says -> how it is told: the data as read, the model, its levels, its priors, its draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from hierfit.design.axes import contrasts_of
from hierfit.design.terms import Term
from hierfit.model.contrasts import ContrastKind, LevelContrasts
from hierfit.model.priors import SET_BY_USER, Prior
from hierfit.model.roles import Roles
from hierfit.model.spec import ModelSpec
from hierfit.posterior.checks import DOMINATED, PriorCategories, PriorPredictive
from hierfit.posterior.digits import format_number, format_share
from hierfit.posterior.words import counted, listed
from hierfit.runs.record import DataRecord, GroupRecord, RunRecord

MOST_NAMED = 8
_SHOWN_LEVELS = 8
_CONTRASTS = {
    ContrastKind.SUM: "sum contrasts",
    ContrastKind.HELMERT: "Helmert contrasts",
    ContrastKind.POLY: "polynomial contrasts",
    ContrastKind.SDIF: "backward difference contrasts",
    ContrastKind.CUSTOM: "contrasts of {}",
}


def data_parts(record: RunRecord) -> list[str]:
    """Return the file, its rows and levels, what was left out, and the rows of each level."""
    data = record.data
    sizes = [f"{data.rows:,} rows", *(counted(group.levels, group.factor) for group in record.groups)]
    if (record.rows_sampled or data.rows) < data.rows:
        sizes[0] += f", {record.rows_sampled:,} of them distinct"
    if data.rows_read != data.rows:
        sizes.append(dropped_text(data.rows_read - data.rows, data.missing, data.missing_spelled))
    return [path_text(data), *sizes, *rows_per_group(record.groups)]


def draws_parts(record: RunRecord) -> list[str]:
    """Return chains and their draws, the seed, and what the fit took."""
    sampler = record.request.sampler
    chains = counted(record.chains or sampler.chains, "chain")
    drawn = f"{chains} x {record.draws_per_chain:,} after {start_text(record)}"
    return [drawn, f"seed {sampler.seed}", duration(record.seconds.total)]


def path_text(data: DataRecord) -> str:
    """Return the file, and what is not usual about how it is written."""
    unusual = data.dialect.unusual
    return f"{data.path} ({', '.join(unusual)})" if unusual else data.path


def start_text(record: RunRecord) -> str:
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


def implied_text(implied: PriorPredictive | PriorCategories, response: str) -> str:
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


def priors_text(priors: Mapping[str, Prior]) -> str:
    """Return which priors the user set, and what the others are."""
    by_user = [name for name, prior in priors.items() if prior.source.startswith(SET_BY_USER)]
    shown = listed(by_user, most=len(by_user) if len(by_user) <= MOST_NAMED else MOST_NAMED - 2)
    if len(by_user) == len(priors):
        return "all set by --prior"
    scaled = "weakly informative, scaled to the data (see run.json)"
    return f"{shown} set by --prior; the others {scaled}" if by_user else scaled


def order_text(levels: Sequence[str], sign: str = " < ") -> str:
    """Return "low < mid < high", of many levels the first and the last."""
    shown = levels if len(levels) <= _SHOWN_LEVELS else [*levels[: _SHOWN_LEVELS - 1], "...", levels[-1]]
    return sign.join(shown)


def family_text(model: ModelSpec, roles: Roles) -> str:
    """Return "poisson, log link, offset(log(minutes))": the family, and what further columns say of the rows.

    An offset that stands in the formula is not said again.
    """
    if model.formula.offset is not None:
        roles = replace(roles, offset=None)
    return ", ".join([model.family, f"{model.link} link", *roles.row_terms])


def dropped_text(
    count: int, missing: Mapping[str, int], spelled: Mapping[str, Mapping[str, int]] = MappingProxyType({})
) -> str:
    """Return "3 rows dropped (missing: 2 ses, 1 sector 'NA')": of columns of words with what stands for missing."""
    words = {name: "".join(f" {cell!r}" for cell in cells) for name, cells in spelled.items()}
    columns = ", ".join(f"{number:,} {column}{words.get(column, '')}" for column, number in missing.items() if number)
    return f"{count:,} row{'s' if count != 1 else ''} dropped" + (f" (missing: {columns})" if columns else "")


def rows_per_group(groups: Iterable[GroupRecord]) -> list[str]:
    """Return how many rows the levels of each factor have."""
    return [f"rows per {group.factor}: {_spread(group)}" for group in groups]


def _spread(group: GroupRecord) -> str:
    least, mean, most = group.rows_min, group.rows_mean, group.rows_max
    return f"{least:,}" if least == most else f"min {least:,}, mean {mean:,.1f}, max {most:,}"


def contrast_text(contrasts: LevelContrasts, levels: Sequence[str]) -> str:
    """Return "polynomial contrasts over low < mid < high", of a file "contrasts of c.csv over low, mid, high"."""
    ordered = contrasts.kind in (ContrastKind.HELMERT, ContrastKind.POLY, ContrastKind.SDIF)
    return f"{_CONTRASTS[contrasts.kind].format(contrasts.file)} over {order_text(levels, ' < ' if ordered else ', ')}"


def level_parts(
    response: str,
    references: Mapping[str, str],
    categories: Sequence[str],
    orders: Mapping[str, Sequence[str]],
    terms: Iterable[Term] = (),
) -> list[str]:
    """Return what categories of an outcome are modelled, and orders, references and contrasts of text predictors."""
    coded = contrasts_of(terms)
    orders = {name: levels for name, levels in orders.items() if name != response and name not in coded}
    parts = [f"{name}: {contrast_text(*own)}" for name, own in coded.items()]
    for name in dict.fromkeys((*references, *orders)):
        said = [order_text(orders[name])] if name in orders else []
        said += [f"compared with {references[name]}"] if name in references else []
        parts.append(f"{name}: {', '.join(said)}")
    if len(categories) == 2:
        parts.insert(0, f"{response}: the probability of {categories[1]} (against {categories[0]})")
    elif categories:
        parts.insert(0, f"{response}: {order_text(categories)}")
    return parts


def duration(seconds: float) -> str:
    """Return "2.1 s", "38 s" or "3 min 20 s"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60:,} min {whole % 60} s"
