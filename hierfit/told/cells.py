"""Summary -> the cells of its table, and its sections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hierfit.model.families import Auxiliary, auxiliary_of
from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.spec import Kind
from hierfit.posterior.digits import format_count, format_rhat, format_row
from hierfit.posterior.summary import Summary, SummaryRow
from hierfit.posterior.words import plural
from hierfit.runs.record import GroupRecord

TITLES = ("mean", "sd", "lower", "upper", "R-hat", "ESS bulk", "ESS tail", "ESS")


def cells(row: SummaryRow) -> dict[str, str]:
    """Return the numbers of a row as text, by the titles of their columns; empty where it is fixed."""
    mean, sd, lower, upper = format_row(row.mean, row.sd, row.lower, row.upper, row.mcse_mean)
    if row.fixed:
        return dict.fromkeys(TITLES, "") | {"mean": mean, "sd": "fixed"}
    bulk, tail = format_count(row.ess_bulk), format_count(row.ess_tail)
    numbers = {"mean": mean, "sd": sd, "lower": lower, "upper": upper, "R-hat": format_rhat(row.rhat)}
    return numbers | {"ESS bulk": bulk, "ESS tail": tail, "ESS": bulk if row.ess_bulk <= row.ess_tail else tail}


def interval_title(ci: float) -> str:
    """Return "95% interval"."""
    return f"{100 * ci:.4g}% interval"


def _multiplied(auxiliary: Auxiliary) -> str:
    return f"{auxiliary.name} - 1" if auxiliary.link == "logm1" else auxiliary.name


def _coefficients(summary: Summary, parameter: str) -> list[SummaryRow]:
    return [row for row in summary.rows if row.kind is Kind.DISTRIBUTIONAL and row.predictor == parameter]


def sections(summary: Summary, groups: Sequence[GroupRecord]) -> Iterable[tuple[str, list[SummaryRow]]]:
    """Yield the titles of the sections of a table, each with its rows, of which there may be none."""
    yield "Coefficients", [row for row in summary.rows if row.kind is Kind.COEFFICIENT]
    yield "Thresholds", [row for row in summary.rows if row.kind is Kind.THRESHOLD]
    for group in groups:
        title = f"Variation between {plural(group.factor)} ({group.levels:,})"
        yield title, [row for row in summary.rows if row.group == group.factor]
    for name in dict.fromkeys(str(row.predictor) for row in summary.rows if row.kind is Kind.DISTRIBUTIONAL):
        auxiliary = auxiliary_of(name)
        title = f"{auxiliary.linked[0].upper()}{auxiliary.linked[1:]}: {auxiliary.meaning}"
        multiplies = "multiplies its odds" if auxiliary.link == "logit" else f"multiplies {_multiplied(auxiliary)}"
        yield f"{title} (exp of a coefficient {multiplies})", _coefficients(summary, name)
    auxiliaries = [row for row in summary.rows if row.kind is Kind.AUXILIARY]
    yield "Residual", [row for row in auxiliaries if row.name != HORSESHOE_SCALE]
    yield "Scale that coefficients under a horseshoe share", [row for row in auxiliaries if row.name == HORSESHOE_SCALE]
