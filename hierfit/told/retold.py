"""Rows told otherwise -> the names of their numbers, and records of them."""

from __future__ import annotations

from typing import Any

from hierfit.plain import to_plain
from hierfit.posterior.retold import Retold, Telling


def centre_names(telling: Telling) -> tuple[str, str]:
    """Return what the middle and the spread of a row are called."""
    return ("median", "MAD sd") if telling.by_median else ("mean", "sd")


def quantile_name(probability: float) -> str:
    """Return "q2.5" for 0.025."""
    return f"q{100 * probability:.10g}"


def retold_record(told: Retold, telling: Telling, *, flat: bool) -> dict[str, Any]:
    """Return a row by the names of its numbers; `flat` has quantiles side by side."""
    centre, spread = (name.lower().replace(" ", "_") for name in centre_names(telling))
    plain = to_plain(told.row)
    found = {name: plain[name] for name in ("name", "kind", "group", "term", "predictor")}
    if telling.ratios:
        found["what"] = told.what
    found |= {centre: to_plain(told.centre), spread: to_plain(told.spread)}
    bounds = [to_plain(value) for value in told.bounds]
    if not telling.quantiles:
        found |= dict(zip(("lower", "upper"), bounds, strict=True))
    elif flat:
        found |= dict(zip(map(quantile_name, telling.quantiles), bounds, strict=True))
    else:
        found["quantiles"] = {f"{p:.10g}": value for p, value in zip(telling.quantiles, bounds, strict=True)}
    return found | {name: plain[name] for name in ("rhat", "ess_bulk", "ess_tail")}
