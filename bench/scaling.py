"""Time against rows and against groups, for one family: measurements and a picture of them.

Two sweeps: rows with 100 groups, and groups of ten rows; correlated intercepts and slopes of gaussian outcomes, varying
intercepts of others. A comparator that was stopped or failed at one size is not tried at larger ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from bench.case import Case
from bench.cases import intercepts_case, slopes_case
from bench.comparators import COMPARATORS, HIERFIT
from bench.comparators.contract import Comparator
from bench.compare import standings
from bench.measure import Measurement, Message, Settings, Status, measure
from bench.results import Results

ScalingFamily = Literal["gaussian", "bernoulli", "poisson"]
FAMILIES: tuple[ScalingFamily, ...] = get_args(ScalingFamily)
ROWS = (1_000, 10_000, 100_000, 1_000_000)
GROUPS = (100, 1_000, 10_000, 100_000)
GROUPS_FIXED, ROWS_PER_GROUP = 100, 10


@dataclass(frozen=True)
class Sweep:
    """One model at several sizes.

    Attributes:
        axis: what its sizes are, in words.
        cases: size -> case, from the smallest up.
    """

    axis: str
    cases: Mapping[int, Case]


def sweeps(family: ScalingFamily, largest_rows: int) -> tuple[Sweep, Sweep]:
    """Return the two sweeps of a family, none of their cases with more rows than `largest_rows`."""
    rows = [(size, size, GROUPS_FIXED, f"{family}-rows-{size}") for size in ROWS]
    groups = [(size, size * ROWS_PER_GROUP, size, f"{family}-groups-{size}") for size in GROUPS]
    by_rows, by_groups = (
        {size: _case(family, name, n, levels) for size, n, levels, name in sizes if n <= largest_rows}
        for sizes in (rows, groups)
    )
    return Sweep(f"rows ({GROUPS_FIXED} groups)", by_rows), Sweep(f"groups (of {ROWS_PER_GROUP} rows)", by_groups)


def _case(family: ScalingFamily, name: str, rows: int, groups: int) -> Case:
    if family == "gaussian":
        return slopes_case(name, "scaling", rows, groups)
    return intercepts_case(family, name, "scaling", rows, groups)


def measure_sweep(
    sweep: Sweep, comparators: Sequence[Comparator], settings: Settings, say: Message
) -> Iterator[Measurement]:
    """Yield the measurements of one sweep, from the smallest size up."""
    left = list(comparators)
    for case in sweep.cases.values():
        for one in measure(case, left, settings, say):
            if one.status not in ("ok", "skipped"):
                left = [comparator for comparator in left if comparator.name != one.comparator]
            yield one


def draw_scaling(results: Results, family: ScalingFamily, drawn: Sequence[Sweep], path: Path) -> None:
    """Draw time against rows and against groups, on logarithmic axes, to a PNG; crosses are runs that were stopped."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels: Any = figure.subplots(1, len(drawn), sharey=True)
    for axes, sweep in zip(panels, drawn, strict=True):
        _draw_panel(axes, results, sweep)
    panels[0].set_ylabel("seconds, start to results on disk (dotted: cap)")
    known = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(known.values(), known.keys(), loc="outside right center", frameon=False, fontsize=8)
    figure.suptitle(f"{family}: {next(iter(drawn[0].cases.values())).formula}", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def _draw_panel(axes: Any, results: Results, sweep: Sweep) -> None:
    from matplotlib.ticker import FuncFormatter

    colours = {name: f"C{number % 10}" for number, name in enumerate(COMPARATORS)}
    for comparator, points in series(results, sweep).items():
        look = {"color": colours.get(comparator), "linewidth": 2.5 if comparator == HIERFIT else 1.3}
        axes.plot(points.keys(), points.values(), marker="o", markersize=4, label=comparator, **look)
    for comparator, points in series(results, sweep, "capped").items():
        look = {"color": colours.get(comparator), "linestyle": "none"}
        axes.plot(points.keys(), points.values(), marker="x", label=f"{comparator}, stopped", **look)
    axes.set(xscale="log", yscale="log", xlabel=sweep.axis)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.grid(True, which="major", alpha=0.3)
    axes.axhline(results.settings.cap, color="grey", linestyle=":", linewidth=1)


def series(results: Results, sweep: Sweep, status: Status = "ok") -> dict[str, dict[int, float]]:
    """Return comparator -> size -> median seconds of one sweep, of the comparators that ended so."""
    found: dict[str, dict[int, float]] = {}
    for size, case in sweep.cases.items():
        for one in standings(results.of(case.name)).values():
            if one.seconds is not None and one.status == status:
                found.setdefault(one.comparator, {})[size] = one.seconds
    return found
