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
from hierfit.data.table import Table
from hierfit.design.design import Design, Group
from hierfit.design.learnt_terms import learnt_terms
from hierfit.engines.engine import Source
from hierfit.engines.rounds import Drawn
from hierfit.model.grammar import INTERCEPT
from hierfit.model.request import FitRequest
from hierfit.model.spec import ModelSpec
from hierfit.notes.note import Note
from hierfit.plain import to_plain
from hierfit.posterior.checks import predict_from_prior
from hierfit.posterior.diagnostics import Diagnosis
from hierfit.posterior.summary import Summary
from hierfit.runs.record import GroupRecord, RunRecord

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
        "groups": to_plain(group_records(design)),
        "formula": str(spec.formula),
        "references": dict(design.references),
        "categories": list(design.categories),
        "x_mean": dict(zip(design.coefficients, design.x_mean.tolist(), strict=True)),
        "terms": to_plain(learnt_terms(design)),
        "model": to_plain(spec),
    }


def group_records(design: Design) -> tuple[GroupRecord, ...]:
    """Return what run.json says of the grouping factors."""
    return tuple(map(_group_record, design.groups))


def _group_record(group: Group) -> GroupRecord:
    rows, of_mean = group.rows_per_level, group.of_mean
    means = zip(of_mean.terms, of_mean.mean.tolist(), strict=True)
    return GroupRecord(
        group.factor,
        group.n_levels,
        int(rows.min()),
        float(rows.mean()),
        int(rows.max()),
        int((rows == 1).sum()),
        {term: mean for term, mean in means if term != INTERCEPT},
    )


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


def summary_document(record: RunRecord, summary: Summary, diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the content of summary.json: the table at full precision, the checks, the sizes, the times."""
    return {
        "formula": record.formula,
        "family": record.model.family,
        "rows": record.data.rows,
        "groups": {group.factor: group.levels for group in record.groups},
        **to_plain(summary),
        "checks": to_plain(diagnosis),
        "notes": to_plain(record.notes),
        "seconds": to_plain(record.seconds),
        "seed": record.request.sampler.seed,
        "hierfit": record.hierfit,
    }
