"""Measurements -> Standings: medians over the runs, rates, and ratios against hierfit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.comparators import COMPARATORS, HIERFIT
from bench.measure import Measurement, Status


@dataclass(frozen=True)
class Standing:
    """One comparator in one case, medians over its runs; None where there is no such number.

    Attributes:
        comparator: who.
        status: "ok" when every run was.
        note: reason or remark.
        runs: how many were finished.
        seconds: from start to end; of a capped run, the cap.
        spread: smallest and largest time.
        sampling_seconds: sampling alone.
        seconds_before: from start until sampling began.
        peak_bytes: most memory, the largest of all runs.
        ess: smallest bulk ESS.
        ess_per_second: of the whole time.
        ess_per_sampling_second: of sampling alone.
        rhat: largest R-hat of all runs.
        apart: largest distance of a posterior mean, or estimate, from hierfit's, in hierfit's posterior sds.
        checks: what it said of its own draws, every run's where they differ; empty where it says nothing.
    """

    comparator: str
    status: Status
    note: str = ""
    runs: int = 0
    seconds: float | None = None
    spread: tuple[float, float] | None = None
    sampling_seconds: float | None = None
    seconds_before: float | None = None
    peak_bytes: int | None = None
    ess: float | None = None
    ess_per_second: float | None = None
    ess_per_sampling_second: float | None = None
    rhat: float | None = None
    apart: float | None = None
    checks: str = ""


def standings(measurements: Sequence[Measurement]) -> dict[str, Standing]:
    """Return the standing of every comparator of one case, in the order of `COMPARATORS`."""
    order = {name: number for number, name in enumerate(COMPARATORS)}
    names = sorted({one.comparator for one in measurements}, key=lambda name: (order.get(name, len(order)), name))
    by_name = {name: [one for one in measurements if one.comparator == name] for name in names}
    reference = next((one for one in by_name.get(HIERFIT, []) if one.status == "ok"), None)
    return {name: _standing(name, runs, reference) for name, runs in by_name.items()}


def _standing(name: str, runs: Sequence[Measurement], reference: Measurement | None) -> Standing:
    done = [one for one in runs if one.status == "ok"]
    stopped = next((one for one in runs if one.status != "ok"), None)
    if stopped is not None:
        return Standing(name, stopped.status, stopped.note, len(done), stopped.seconds, peak_bytes=stopped.peak_bytes)
    times = [one.seconds for one in done if one.seconds is not None]
    return Standing(
        name,
        "ok",
        done[0].note,
        len(done),
        seconds=median(times),
        spread=(min(times), max(times)),
        sampling_seconds=_median([one.sampling_seconds for one in done]),
        seconds_before=_median([one.seconds_before for one in done]),
        peak_bytes=max(one.peak_bytes or 0 for one in done),
        ess=_median([one.ess for one in done]),
        ess_per_second=_median([_rate(one.ess, one.seconds) for one in done]),
        ess_per_sampling_second=_median([_rate(one.ess, one.sampling_seconds) for one in done]),
        rhat=max((one.rhat for one in done if one.rhat is not None), default=None),
        apart=_apart(done[0], reference) if name != HIERFIT else None,
        checks=", ".join(sorted({one.checks for one in done if one.checks})),
    )


def _apart(one: Measurement, reference: Measurement | None) -> float | None:
    if reference is None:
        return None
    scales: Mapping[str, float] = reference.sds
    distances = [
        abs(one.means[name] - mean) / scales[name]
        for name, mean in reference.means.items()
        if name in one.means and scales.get(name, 0) > 0
    ]
    return max(distances, default=None)


def _rate(ess: float | None, seconds: float | None) -> float | None:
    return ess / seconds if ess is not None and seconds else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
