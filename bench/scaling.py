"""Time against rows and against groups, correlated intercepts and slopes: measurements and a picture of them.

Two sweeps: rows with 100 groups, and groups of ten rows. A comparator that was stopped or failed at one size is not
tried at larger ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.cases import Case, slopes_case
from bench.comparators.contract import Comparator
from bench.compare import standings
from bench.measure import Measurement, Message, Settings, measure
from bench.results import Results

ROWS = (1_000, 10_000, 100_000, 1_000_000)
GROUPS = (100, 1_000, 10_000, 100_000)
GROUPS_FIXED, ROWS_PER_GROUP = 100, 10


def sweeps(largest_rows: int) -> dict[str, list[Case]]:
    """Return the cases of the two sweeps, none with more rows than `largest_rows`."""
    by_rows = [slopes_case(f"rows-{rows}", "scaling", rows, GROUPS_FIXED) for rows in ROWS]
    by_groups = [slopes_case(f"groups-{groups}", "scaling", groups * ROWS_PER_GROUP, groups) for groups in GROUPS]
    found = {"rows": by_rows, "groups": by_groups}
    return {name: [case for case in cases if case.rows <= largest_rows] for name, cases in found.items()}


def measure_sweep(
    cases: Sequence[Case], comparators: Sequence[Comparator], settings: Settings, say: Message
) -> Iterator[Measurement]:
    """Yield the measurements of one sweep, from the smallest size up."""
    left = list(comparators)
    for case in cases:
        for one in measure(case, left, settings, say):
            if one.status not in ("ok", "skipped"):
                left = [comparator for comparator in left if comparator.name != one.comparator]
            yield one


def draw_scaling(results: Results, path: Path) -> None:
    """Draw time against rows and against groups, on logarithmic axes, to a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels: Any = figure.subplots(1, 2, sharey=True)
    labels = {"rows": f"rows ({GROUPS_FIXED} groups)", "groups": f"groups (of {ROWS_PER_GROUP} rows)"}
    for axes, (sweep, label) in zip(panels, labels.items(), strict=True):
        for comparator, points in series(results, sweep).items():
            axes.plot(points.keys(), points.values(), marker="o", markersize=4, label=comparator)
        axes.set(xscale="log", yscale="log", xlabel=label)
        axes.grid(True, which="major", alpha=0.3)
        axes.axhline(results.settings.cap, color="grey", linestyle=":", linewidth=1)
    panels[0].set_ylabel("seconds, start to results on disk (dotted: cap)")
    panels[0].legend(frameon=False, fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def series(results: Results, sweep: str) -> dict[str, Mapping[int, float]]:
    """Return comparator -> size -> median seconds of the finished runs of one sweep."""
    found: dict[str, dict[int, float]] = {}
    for name in results.cases:
        kind, _, size = name.partition("-")
        if kind == sweep and size.isdigit():
            for one in standings(results.of(name)).values():
                if one.status == "ok" and one.seconds is not None:
                    found.setdefault(one.comparator, {})[int(size)] = one.seconds
    return {comparator: dict(sorted(points.items())) for comparator, points in found.items()}
