"""What can be done with a finished run: its folder -> its draws, tables, new data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hierfit import __version__
from hierfit.data.csvfile import digest_file
from hierfit.data.source import NO_FILES
from hierfit.data.table import Table
from hierfit.design.design import Design
from hierfit.design.learnt_terms import with_terms
from hierfit.design.outcome import find_family
from hierfit.design.reading import read_columns
from hierfit.model.request import FitRequest
from hierfit.model.spec import ModelSpec
from hierfit.posterior.convergence import Convergence, assess
from hierfit.posterior.diagnostics import Diagnosis, diagnose
from hierfit.posterior.draws import Draws
from hierfit.posterior.netcdf_reading import read_netcdf
from hierfit.posterior.summary import Summary, summarize
from hierfit.posterior.trouble import Asked
from hierfit.posterior.truth import Truth
from hierfit.runs.files import TRACE
from hierfit.runs.folder import open_run, open_whole
from hierfit.runs.record import RunRecord, read_record
from hierfit.runs.stored import summary_of, truth_of
from hierfit.simulate.again import simulate_again
from hierfit.simulate.files import Simulated
from hierfit.simulate.true_draw import pick_true_draw


@dataclass(frozen=True)
class Fit:
    """A finished fit.

    Attributes:
        folder: where it is stored.
        manifest: what its run.json holds.
        spec: the model.
        design: its columns.
        draws: the posterior.
        summary: the table.
        diagnosis: the checks.
    """

    folder: Path
    manifest: Mapping[str, Any]
    spec: ModelSpec
    design: Design
    draws: Draws
    summary: Summary
    diagnosis: Diagnosis

    @cached_property
    def record(self) -> RunRecord:
        """What its run.json holds, by type."""
        return read_record(self.manifest)


@dataclass(frozen=True)
class Opened:
    """A finished fit as its folder holds it, before anything is computed from its draws.

    Attributes:
        folder, manifest, spec, design, draws: as those of a Fit.
        record: what run.json holds, by type.
    """

    folder: Path
    manifest: Mapping[str, Any]
    record: RunRecord
    spec: ModelSpec
    design: Design
    draws: Draws

    @property
    def diagnosis(self) -> Diagnosis:
        """The checks, as they were saved."""
        return self.record.checks


@dataclass(frozen=True)
class Stored:
    """What the folder of a finished fit says without its draws.

    Attributes:
        folder: where it is.
        manifest: what its run.json holds.
        summary: the table.
        diagnosis: the checks.
    """

    folder: Path
    manifest: Mapping[str, Any]
    summary: Summary
    diagnosis: Diagnosis

    @cached_property
    def record(self) -> RunRecord:
        """What its run.json holds, by type."""
        return read_record(self.manifest)


def stored_request(run: Path) -> FitRequest:
    """Return what was asked for when a run was made, its seed included; its file as it was named, where that is it."""
    record = open_run(run).record
    given = Path(record.data.path)
    same = record.request.data not in NO_FILES and given.absolute() == record.request.data
    return replace(record.request, data=given) if same else record.request


def data_has_changed(run: Path) -> bool:
    """Return whether the file that a run was fitted to is another now; a missing one is found missing later."""
    record = open_run(run).record
    return _has_changed(record.request.data, record.data.sha256)


def open_fit(run: Path) -> Opened:
    """Read a run's folder, its draws among it; nothing is computed from them."""
    folder = open_whole(run, TRACE)
    spec = folder.record.model
    draws, design = read_netcdf(folder.path / TRACE, spec, Path(folder.record.data.path))
    design = replace(with_terms(design, folder.record.terms), roles=folder.record.request.roles)
    return Opened(folder.path, folder.manifest, folder.record, spec, design, draws)


def load(run: Path, ci: float | None = None) -> Fit:
    """Return a finished run from its folder alone, with other intervals where `ci` is given."""
    found = open_fit(run)
    request = found.record.request
    diagnosis, summary = judge(found.draws, found.design, found.spec, replace(request, ci=ci or request.ci))
    return Fit(found.folder, found.manifest, found.spec, found.design, found.draws, summary, diagnosis)


def judge(
    draws: Draws,
    design: Design,
    spec: ModelSpec,
    request: FitRequest,
    convergence: Convergence | None = None,
) -> tuple[Diagnosis, Summary]:
    """Return checks and table of draws; `convergence` saves its computation where it is at hand."""
    known = convergence or assess(draws.values)
    asked = Asked(request.sampler.warmup, request.sampler.adapt_delta, request.standardize)
    diagnosis = diagnose(draws, design, spec, convergence=known, asked=asked)
    return diagnosis, summarize(draws, design, spec, request.ci, convergence=known)


def load_summary(run: Path, ci: float | None = None) -> Stored | Fit:
    """Return table and checks of a run as they were saved; from its draws where these would say something else.

    That is the case for other intervals, and for a run of another version of hierfit.
    """
    folder = open_run(run)
    if ci in (None, folder.record.request.ci) and folder.record.hierfit == __version__:
        folder, stored = summary_of(run)
        if stored is not None:
            return Stored(folder.path, folder.manifest, *stored)
    return load(run, ci)


def simulate_from(run: Path, seed: int) -> Simulated:
    """Return new data from a finished run: its rows, and an outcome of one posterior draw, which the seed chooses."""
    found = open_fit(run)
    request = found.record.request
    rng = np.random.default_rng(seed)
    draw = pick_true_draw(found.draws, found.design, rng, str(run), seed)
    table = _read_again(request, found.record.data.sha256)
    return simulate_again(found.design, found.spec.formula, request.roles, draw, rng, table)


def _read_again(request: FitRequest, sha256: str) -> Table | None:
    """Return what a run was fitted to, or None where its file is gone or another."""
    if not request.data.is_file() or _has_changed(request.data, sha256):
        return None
    return read_columns(request, find_family(request.family, request.link)[0])


def _has_changed(data: Path, sha256: str) -> bool:
    """Return whether a file is another than what a run was fitted to; a missing one is found missing later."""
    return data.is_file() and digest_file(data) != sha256


def stored_truth(done: Fit | Opened) -> Truth | None:
    """Return the true values kept with a run on simulated data, or None."""
    stored = truth_of(done.folder)
    return None if stored is None else Truth.from_json(stored, done.design)
