"""The pipeline in order, without logic of its own: what the command line calls, and any Python program may.

    plan = prepare(FitRequest(Path("pupils.csv"), formula_from_flags("score", ["ses"], "school")))
    done = fit(plan, out=Path("run"))
    print(done.summary.row("ses").mean, done.diagnosis.status)

Nothing here prints: progress goes to the callbacks, results are returned. Heavy packages are imported inside the
steps that need them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hierfit.data.table import Table
from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.outcome import find_family
from hierfit.design.prior_choice import build_spec
from hierfit.design.reading import read_columns
from hierfit.disk.folder import Place, claimed
from hierfit.disk.writing import require_room, write_text
from hierfit.engines.chain_state import ChainState
from hierfit.engines.choice import ENGINES, choose_engine
from hierfit.engines.engine import Engine, Wanted
from hierfit.engines.rounds import SILENT, Drawn, Listener, draw_more, draw_or_stand_in
from hierfit.engines.sizes import SHORT_ROUND
from hierfit.engines.start import is_tuned
from hierfit.engines.timing import Estimate
from hierfit.errors import Interrupted
from hierfit.interrupts import Shield, shielded
from hierfit.model.request import FitRequest
from hierfit.model.spec import ModelSpec
from hierfit.notes.find import find_notes
from hierfit.notes.note import Note
from hierfit.plain import to_plain
from hierfit.posterior.convergence import assess
from hierfit.posterior.diagnostics import Diagnosis
from hierfit.posterior.group_summary import summarize_groups
from hierfit.posterior.netcdf import least_bytes, write_netcdf
from hierfit.posterior.summary import Summary
from hierfit.runs.files import (
    CHAINS,
    GROUPS_CSV,
    MANIFEST,
    PROGRAM,
    SUMMARY_CSV,
    SUMMARY_JSON,
    TRACE,
    TRUTH,
    write_csv,
    write_json,
    write_manifest,
    written,
)
from hierfit.runs.finished import Fit, judge, open_fit
from hierfit.runs.folder import open_run, open_whole
from hierfit.runs.manifest import (
    describe_draws,
    describe_model,
    describe_notes,
    describe_outcome,
    describe_tools,
    summary_document,
)
from hierfit.runs.place import check_free, default_folder, refuse_strangers
from hierfit.runs.stored import require_own_program, truth_beside, truth_of
from hierfit.stan.narrow import narrow_program

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Plan:
    """A request with its data read and its model settled; nothing has been sampled.

    Attributes:
        request: what was asked for.
        table: what was read of the file.
        design: its columns.
        spec: formula, family and priors.
        engine: how the group effects will be dealt with.
        notes: what a reader of the results should know of data and model.
        seconds: what reading took.
    """

    request: FitRequest
    table: Table
    design: Design
    spec: ModelSpec
    engine: Engine
    notes: tuple[Note, ...]
    seconds: float


def prepare(request: FitRequest, frame: pd.DataFrame | None = None) -> Plan:
    """Read the data, from `frame` where the request names no file (`data.source.FRAME`), and settle the model."""
    started = time.perf_counter()
    formula = request.formula
    family, link = find_family(request.family, request.link)
    table = read_columns(request, family, frame)
    design = build_design(formula, table, centered=request.centered, family=family.name, link=link, roles=request.roles)
    spec = build_spec(formula, design, request.priors, prior_only=request.prior_only, standardize=request.standardize)
    engine = choose_engine(spec, design, request.engine, tuned=is_tuned(request.sampler))
    notes = find_notes(request, table, design, spec)
    return Plan(request, table, design, spec, engine, notes, time.perf_counter() - started)


def check_out(out: Path | None, data: Path, *, overwrite: bool) -> Path:
    """Return the folder that a fit will be saved to; refuse now what could not be saved later."""
    folder = out or default_folder(data, datetime.now())
    check_free(folder, overwrite=overwrite, data=data)
    return folder


def fit(
    plan: Plan,
    out: Path,
    *,
    overwrite: bool = False,
    argv: Sequence[str] = (),
    listener: Listener = SILENT,
    truth: Mapping[str, Any] | None = None,
) -> Fit:
    """Build, sample, check, summarise and save; a request to stop keeps the draws that are finished.

    `truth` are true values, as a truth.json has them; without them those of one beside the data, if it is theirs.

    Raises:
        ToolchainError, SamplerError, RunFolderError, DiskError: nothing was saved, and no earlier run is lost.
        Interrupted: the same; or, when all draws were there, saved nevertheless, as it says.
    """
    with claimed(out) as place:
        check_free(out, overwrite=overwrite, data=plan.table.path)
        options = plan.request.sampler.seeded()
        least = options.draws if plan.request.until_ess is None else min(options.draws, SHORT_ROUND)
        require_room(out, least_bytes(plan.design, plan.spec, options.chains * least))
        clock = [time.perf_counter()]
        assert options.seed is not None
        wanted = Wanted(plan.spec, plan.design, plan.request.toolchain, options.seed)
        if truth is None:
            truth = truth_beside(plan.table.path, plan.table.sha256)
        source = plan.engine.prepare(wanted, listener.message)
        clock.append(time.perf_counter())
        source, drawn = draw_or_stand_in(source, options, plan.request.until_ess, listener)
        with shielded() as shield:
            clock.append(time.perf_counter())
            diagnosis, summary = _judge(drawn, plan.design, plan.spec, plan.request)
            seconds = {
                "reading": plan.seconds,
                "building": clock[1] - clock[0],
                "sampling": clock[2] - clock[1],
                "total": plan.seconds + time.perf_counter() - clock[0],
            }
            manifest = {
                **describe_model(plan.request.with_seed(drawn.seed), plan.table, plan.design, plan.spec),
                **describe_notes(plan.notes),
                **describe_tools(source),
                **describe_draws(drawn, plan.design, plan.spec),
                **describe_outcome(seconds, to_plain(diagnosis), argv, interrupted=drawn.interrupted),
            }
            done = Fit(out, manifest, plan.spec, plan.design, drawn.draws, summary, diagnosis)
            done = _save(place, done, drawn.state, truth)
    _stop_if(shield, done)
    return done


def extend(
    run: Path,
    draws: int | None = None,
    until_ess: int | None = None,
    *,
    argv: Sequence[str] = (),
    listener: Listener = SILENT,
) -> Fit:
    """Add draws to a finished run: `draws` of each chain, or as many as `until_ess` needs.

    Raises:
        RunFolderError: the run does not say where its chains stand, or another process is writing to it.
        ToolchainError, SamplerError, DiskError: nothing was changed.
        Interrupted: the same; or, when all draws were there, saved nevertheless, as it says.
    """
    with claimed(open_run(run).path) as place:
        clock = [time.perf_counter()]
        before = open_fit(run)
        folder, manifest, spec, design = before.folder, before.manifest, before.spec, before.design
        refuse_strangers(folder)
        open_whole(run, CHAINS)
        record = before.record
        request, state = record.request, ChainState.load(folder / CHAINS)
        seed = request.sampler.seeded().seed
        assert seed is not None
        engine = ENGINES[record.engine]
        open_whole(run, PROGRAM)
        require_own_program(run, engine.program(design))
        truth = truth_of(folder)
        source = engine.prepare(Wanted(spec, design, request.toolchain, seed, state.narrowed), listener.message)
        clock.append(time.perf_counter())
        options = request.sampler if draws is None else replace(request.sampler, draws=draws)
        known = assess(before.draws.values)
        so_far = Drawn(before.draws, known, state, seed, record.rounds, False)
        drawn = draw_more(source, options, so_far, until_ess, listener)
        if drawn.interrupted and drawn.rounds == so_far.rounds:
            raise Interrupted(f"Stopped before there were new draws: {folder} is as it was.")
        with shielded() as shield:
            diagnosis, summary = _judge(drawn, design, spec, request)
            taken = {"building": clock[1] - clock[0], "sampling": time.perf_counter() - clock[1]}
            taken["total"] = sum(taken.values())
            seconds = {name: value + taken.get(name, 0.0) for name, value in to_plain(record.seconds).items()}
            manifest = {
                **manifest,
                **describe_draws(drawn, design, spec),
                **describe_outcome(seconds, to_plain(diagnosis), argv, interrupted=drawn.interrupted),
            }
            done = Fit(folder, manifest, spec, design, drawn.draws, summary, diagnosis)
            done = _save(place, done, drawn.state, truth)
    _stop_if(shield, done)
    return done


def _stop_if(shield: Shield, done: Fit) -> None:
    """Stop now where somebody asked to while a run was saved; of one that was stopped before, it is known already."""
    if shield.asked and done.manifest["status"] != "interrupted":
        raise Interrupted(f"Stopped when all was done: the run is whole, and saved in {done.folder}.")


def estimate(plan: Plan) -> Estimate | None:
    """Return how long sampling will take, or None where the program has to be compiled first; nothing is built.

    Raises:
        ToolchainError: no Stan on this machine.
        SamplerError: the sampler does not start.
    """
    wanted = Wanted(plan.spec, plan.design, plan.request.toolchain)
    return plan.engine.estimate(wanted, plan.request.sampler)


def _judge(drawn: Drawn, design: Design, spec: ModelSpec, request: FitRequest) -> tuple[Diagnosis, Summary]:
    return judge(drawn.draws, design, spec, request, drawn.convergence)


def _save(place: Place, done: Fit, state: ChainState, truth: Mapping[str, Any] | None) -> Fit:
    """Write a run to its folder, in place of what hierfit wrote there before; return it with run.json as written."""
    with place.replacing(written(place.folder), MANIFEST) as folder:
        state.save(folder / CHAINS)
        write_netcdf(folder / TRACE, done.draws, done.design, done.spec)
        write_csv(folder / SUMMARY_CSV, done.summary.csv_rows())
        if done.design.groups:
            groups = summarize_groups(done.draws, done.design, done.spec, done.summary.ci)
            write_csv(folder / GROUPS_CSV, groups.csv_rows())
        write_json(folder / SUMMARY_JSON, summary_document(done.record, done.summary, done.diagnosis))
        write_text(folder / PROGRAM, narrow_program(done.spec, done.design).text)
        if truth is not None:
            write_json(folder / TRUTH, truth)
        manifest = write_manifest(folder, done.manifest)
    return replace(done, manifest=manifest)
