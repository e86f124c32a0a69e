"""Cases and comparators -> Measurements: one for every run, and one for everything that could not be run.

Runs go in rounds, one of every comparator after the other, so that what else happens on the machine falls on all of
them alike. What hit its cap, or failed, is not run again. After each run, the clock stopped, its draws are read and
judged: smallest bulk ESS and largest R-hat over the population-level parameters, by ArviZ, the same for everybody.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.case import Case
from bench.cases import csv_of, data_folder
from bench.comparators.contract import Array, Comparator, Job, Outcome, Sampling
from bench.machine import memory_bytes
from bench.timing import Limits, Timing, run_timed
from hierfit.errors import HierfitError

Message = Callable[[str], None]
Status = Literal["ok", "capped", "out of memory", "failed", "skipped"]
MEMORY_SHARE = 0.8
# hierfit leaves with 1 when its checks failed; the run is there, and the note says so.
FINISHED = {"hierfit": (0, 1)}


@dataclass(frozen=True)
class Settings:
    """How a benchmark is run.

    Attributes:
        runs: of every comparator.
        cap: seconds after which a run is stopped.
        sampling: how much everybody samples.
        patient: start even what takes hours, and stop it at the cap.
    """

    runs: int = 3
    cap: float = 600.0
    sampling: Sampling = field(default_factory=Sampling)
    patient: bool = False


@dataclass(frozen=True)
class Measurement:
    """One run, or why there is none.

    Attributes:
        case: name of the case.
        comparator: who.
        status: whether it finished, was stopped, failed or was not started.
        note: reason or remark.
        run: number of the run, from 1.
        seconds: from start to end; of a capped run, the cap.
        peak_bytes: most memory.
        sampling_seconds: sampling alone.
        seconds_before: from start until sampling began.
        ess: smallest bulk ESS.
        weakest: the parameter that has it.
        rhat: largest R-hat.
        means: parameter -> posterior mean or estimate.
        sds: parameter -> posterior sd; none from estimates.
        checks: what it said of its own draws; empty where it says nothing.
    """

    case: str
    comparator: str
    status: Status
    note: str = ""
    run: int = 0
    seconds: float | None = None
    peak_bytes: int | None = None
    sampling_seconds: float | None = None
    seconds_before: float | None = None
    ess: float | None = None
    weakest: str | None = None
    rhat: float | None = None
    means: Mapping[str, float] = field(default_factory=dict)
    sds: Mapping[str, float] = field(default_factory=dict)
    checks: str = ""


def measure(
    case: Case, comparators: Sequence[Comparator], settings: Settings, say: Message = lambda text: None
) -> Iterator[Measurement]:
    """Yield the measurements of one case as they are made."""
    say(f"{case.name}: data")
    csv, ready = csv_of(case), []
    for comparator in comparators:
        reason = comparator.missing() or comparator.refuses(case, patient=settings.patient)
        if reason:
            yield Measurement(case.name, comparator.name, "skipped", reason)
            continue
        say(f"{case.name}: preparing {comparator.name}")
        try:
            comparator.prepare(_job(case, csv, comparator, settings, data_folder()))
        except (HierfitError, RuntimeError) as error:
            yield Measurement(case.name, comparator.name, "failed", f"could not be prepared: {_last_words(str(error))}")
            continue
        ready.append(comparator)
    for run in range(1, settings.runs + 1):
        for comparator in list(ready):
            say(f"{case.name}: {comparator.name}, run {run} of {settings.runs}")
            measurement = measure_once(case, csv, comparator, settings, run)
            if measurement.status != "ok":
                ready.remove(comparator)
            yield measurement


def measure_once(case: Case, csv: Path, comparator: Comparator, settings: Settings, run: int) -> Measurement:
    """Time one run and judge what it left."""
    with tempfile.TemporaryDirectory(prefix="hierfit-bench-", ignore_cleanup_errors=True) as folder:
        job = _job(case, csv, comparator, settings, Path(folder), run)
        log = Path(folder) / "log"
        limits = Limits(settings.cap, int(MEMORY_SHARE * memory_bytes()))
        timing = run_timed(comparator.command(job), log, limits)
        status, note = _ending(comparator.name, timing, limits, log)
        if status != "ok":
            seconds = settings.cap if status == "capped" else timing.seconds
            return Measurement(case.name, comparator.name, status, note, run, seconds, timing.peak_bytes)
        try:
            outcome = comparator.collect(job)
        except Exception as error:  # whatever one of them left must not end the whole benchmark
            note = f"left no results that can be read: {type(error).__name__}: {error}"
            return Measurement(case.name, comparator.name, "failed", note, run, timing.seconds, timing.peak_bytes)
        return _judged(case, comparator, run, timing, outcome)


def _judged(case: Case, comparator: Comparator, run: int, timing: Timing, outcome: Outcome) -> Measurement:
    sizes, rhats = ess_and_rhat(outcome.draws)
    weakest = min(sizes, key=lambda name: sizes[name]) if sizes else None
    since = outcome.seconds_from_sampling
    return Measurement(
        case.name,
        comparator.name,
        "ok",
        outcome.note,
        run,
        seconds=timing.seconds,
        peak_bytes=timing.peak_bytes,
        sampling_seconds=outcome.sampling_seconds,
        seconds_before=None if since is None else timing.seconds - since,
        ess=sizes[weakest] if weakest else None,
        weakest=weakest,
        rhat=max(rhats.values()) if rhats else None,
        means={**outcome.estimates, **{name: float(np.mean(draws)) for name, draws in outcome.draws.items()}},
        sds={name: float(np.std(draws)) for name, draws in outcome.draws.items()},
        checks=outcome.checks,
    )


def ess_and_rhat(draws: Mapping[str, Array]) -> tuple[dict[str, float], dict[str, float]]:
    """Return bulk ESS and rank-normalised R-hat of every parameter, by ArviZ."""
    if not draws:
        return {}, {}
    import arviz

    az: Any = arviz
    sizes = {name: float(az.ess(np.asarray(values), method="bulk")) for name, values in draws.items()}
    return sizes, {name: float(az.rhat(np.asarray(values))) for name, values in draws.items()}


def _job(case: Case, csv: Path, comparator: Comparator, settings: Settings, folder: Path, run: int = 1) -> Job:
    prepared = data_folder() / "prepared" / f"{case.name}-{comparator.name}"
    prepared.mkdir(parents=True, exist_ok=True)
    out = folder / "out" if folder != data_folder() else prepared
    out.mkdir(exist_ok=True)
    return Job(case, csv, out, prepared, settings.sampling, seed=run)


def _ending(comparator: str, timing: Timing, limits: Limits, log: Path) -> tuple[Status, str]:
    if timing.ending == "capped":
        return "capped", ""
    if timing.ending == "out of memory":
        return "out of memory", f"stopped at {limits.bytes / 2**30:.0f} GiB"
    if timing.status not in FINISHED.get(comparator, (0,)):
        return "failed", f"exit status {timing.status}: {_last_line(log)}"
    return "ok", ""


def _last_line(log: Path) -> str:
    return _last_words(log.read_text(errors="replace") if log.is_file() else "")


def _last_words(text: str) -> str:
    """What a program said last of why it failed; R says afterwards only that it stops."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and line != "Execution halted" and not line.startswith("Calls: ")]
    return lines[-1][:200] if lines else "it said nothing"
