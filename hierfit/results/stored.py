"""The document of summary.json -> Summary and Diagnosis again, as they were when it was written.

JSON keeps every digit, so what is shown of them is what was shown then, and neither draws nor ArviZ are needed. What it
cannot hold, an infinite R-hat, is None there like the NaN of a fixed parameter; a document with such a number of a
parameter that is not fixed is not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hierfit.model.spec import Kind
from hierfit.results.advice import Try
from hierfit.results.convergence import Weights
from hierfit.results.diagnostics import Diagnosis, Finding, Level
from hierfit.results.residual import SigmaAt
from hierfit.results.summary import Summary, SummaryRow, VarianceShare

_WORDS = ("name", "kind", "group", "term")


def read_summary(document: Mapping[str, Any]) -> tuple[Summary, Diagnosis] | None:
    """Return table and verdict of a document, None where it does not hold all that they need."""
    try:
        summary, diagnosis = _summary(document), _diagnosis(document["checks"])
    except (KeyError, TypeError, ValueError, AttributeError):  # cut, edited, or of another version
        return None
    whole = all(math.isfinite(row.rhat) for row in summary.rows if not row.fixed)
    return (summary, diagnosis) if whole and summary.rows else None


def _summary(document: Mapping[str, Any]) -> Summary:
    shares = tuple(
        VarianceShare(
            share["group"],
            _number(share["mean"]),
            _number(share["lower"]),
            _number(share["upper"]),
            tuple(share["at_zero"]),
            share["scale"],
            tuple(share["at_mean"]),
        )
        for share in document["variance_shares"]
    )
    sigmas = tuple(
        SigmaAt(at["predictor"], at["level"], *(_number(at[name]) for name in ("mean", "sd", "lower", "upper")))
        for at in document["sigma"]
    )
    return Summary(tuple(map(_row, document["parameters"])), float(document["ci"]), shares, sigmas)


def _row(row: Mapping[str, Any]) -> SummaryRow:
    cells: dict[str, Any] = {name: value if name in _WORDS else _number(value) for name, value in row.items()}
    return SummaryRow(**{**cells, "kind": Kind(row["kind"])})


def _diagnosis(checks: Mapping[str, Any]) -> Diagnosis:
    findings = tuple(
        Finding(**{**found, "level": Level(found["level"]), "parameters": tuple(found["parameters"])})
        for found in checks["findings"]
    )
    return Diagnosis(
        status=Level(checks["status"]),
        findings=findings,
        likely=checks["likely"],
        tries=tuple(Try(**step) for step in checks["tries"]),
        rhat_max=_number(checks["rhat_max"]),
        ess_bulk_min=_number(checks["ess_bulk_min"]),
        ess_tail_min=_number(checks["ess_tail_min"]),
        divergent=int(checks["divergent"]),
        n_draws=int(checks["draws"]),
        bfmi_min=_number(checks["bfmi_min"]),
        weights=_weights(checks.get("weights")),
    )


def _weights(numbers: Mapping[str, Any] | None) -> Weights | None:
    return None if numbers is None else Weights(**{name: _number(value) for name, value in numbers.items()})


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
