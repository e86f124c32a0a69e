"""What run.json says of a fit: the request, the data as read, the model, the tools, the times, the verdict."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

from hierfit import __version__
from hierfit.model.design import Design, Group
from hierfit.model.formula import INTERCEPT
from hierfit.model.learnt_terms import learnt_terms
from hierfit.model.spec import ModelSpec
from hierfit.model.table import Table
from hierfit.notes.note import Note
from hierfit.plain import to_plain
from hierfit.request import FitRequest
from hierfit.results.checks import predict_from_prior
from hierfit.results.diagnostics import Diagnosis
from hierfit.results.summary import Summary
from hierfit.rounds import Drawn
from hierfit.sources import Source

_PACKAGES = ("arviz-stats", "cmdstanpy", "numpy", "pandas", "xarray")


def describe_model(request: FitRequest, table: Table, design: Design, spec: ModelSpec) -> dict[str, Any]:
    """Return what is known before sampling: request, data, groups, model."""
    return {
        "hierfit": __version__,
        "request": to_plain(request.from_anywhere()),
        "data": {
            "path": str(table.path),
            "sha256": table.sha256,
            "dialect": to_plain(table.dialect),
            "rows_read": table.n_read,
            "rows": table.n_rows,
            "missing": dict(table.dropped),
            "missing_spelled": {name: dict(counts) for name, counts in table.spelled.items()},
            "columns": list(request.columns),
        },
        "groups": [_describe_group(group) for group in design.groups],
        "formula": str(spec.formula),
        "references": dict(design.references),
        "categories": list(design.categories),
        "x_mean": dict(zip(design.coefficients, design.x_mean.tolist(), strict=True)),
        "terms": to_plain(learnt_terms(design)),
        "model": to_plain(spec),
    }


def _describe_group(group: Group) -> dict[str, Any]:
    rows = group.rows_per_level
    return {
        "factor": group.factor,
        "levels": group.n_levels,
        "means": {term: mean for term, mean in zip(group.terms, group.mean.tolist(), strict=True) if term != INTERCEPT},
        "rows_min": int(rows.min()),
        "rows_mean": float(rows.mean()),
        "rows_max": int(rows.max()),
        "single_row": int((rows == 1).sum()),
    }


def describe_notes(notes: Sequence[Note]) -> dict[str, Any]:
    """Return what a reader of the results should know of data and model."""
    return {"notes": to_plain(notes)}


def describe_tools(source: Source) -> dict[str, Any]:
    """Return what did the work: engine, toolchain, compiler, program, versions, machine."""
    return {
        **source.describe(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
    }


def describe_draws(drawn: Drawn, design: Design, spec: ModelSpec) -> dict[str, Any]:
    """Return how many draws there are, how they started; for a fit of the priors alone, what these imply."""
    draws = drawn.draws
    sizes: dict[str, Any] = {"chains": draws.n_chains, "draws_per_chain": draws.n_draws, "rounds": drawn.rounds}
    if drawn.start is not None:
        sizes["start"] = to_plain(replace(drawn.start, seconds=round(drawn.start.seconds, 3)))
    if not spec.prior_only:
        return sizes
    return {**sizes, "prior_predictive": to_plain(predict_from_prior(drawn.draws, design, drawn.seed))}


def describe_outcome(
    seconds: Mapping[str, float], checks: Mapping[str, Any], argv: Sequence[str], *, interrupted: bool
) -> dict[str, Any]:
    """Return how it went: command, time of day, seconds, verdict."""
    status = "failed-checks" if checks["status"] == "fail" else checks["status"]
    return {
        "argv": list(argv),
        "finished": datetime.now().astimezone().isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "status": "interrupted" if interrupted else status,
        "checks": dict(checks),
    }


def summary_document(manifest: Mapping[str, Any], summary: Summary, diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the content of summary.json: the table at full precision, the checks, the sizes, the times."""
    return {
        "formula": manifest["formula"],
        "family": manifest["model"]["family"],
        "rows": manifest["data"]["rows"],
        "groups": {group["factor"]: group["levels"] for group in manifest["groups"]},
        **to_plain(summary),
        "checks": to_plain(diagnosis),
        "notes": manifest.get("notes", []),
        "seconds": manifest["seconds"],
        "seed": manifest["request"]["sampler"]["seed"],
        "hierfit": manifest["hierfit"],
    }
