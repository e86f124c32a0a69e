"""Results -> tables for people: rich ones on a terminal, else Markdown. Both have the same cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.comparators import HIERFIT
from bench.compare import Standing, standings
from bench.machine import in_words
from bench.results import Results
from bench.targets import Verdict

HEAD = (
    "",
    "time s",
    "time / hierfit's",
    "sampling s",
    "memory MiB",
    "min ESS",
    "ESS/s",
    "hierfit's ESS/s / its",
    "ESS/s sampling",
    "max R-hat",
    "apart",
)
LEGEND = (
    "Medians over the runs. time: the whole process, from its start with the CSV on disk to its results on disk; Stan "
    "programs compiled beforehand, for everybody who can keep them. memory: the most that all its processes held. min "
    "ESS: the smallest bulk ESS of a population-level parameter, by ArviZ. ESS/s: per second of time; sampling: of "
    "sampling alone. apart: largest distance of a posterior mean (lme4: estimate) from hierfit's, in posterior sds. "
    "Ratios above 1 favour hierfit."
)


@dataclass(frozen=True)
class Grid:
    """One table.

    Attributes:
        title: above it.
        head: names of the columns.
        rows: cells.
        notes: lines below it.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def grids(results: Results) -> Iterator[Grid]:
    """Yield a table for every case."""
    for name, case in results.cases.items():
        found = standings(results.of(name))
        own = found.get(HIERFIT, Standing(HIERFIT, "skipped"))
        rows = tuple(_row(one, own, results.settings.cap) for one in found.values())
        notes = tuple(f"{one.comparator}: {_remark(one)}" for one in found.values() if _remark(one))
        yield Grid(f"{name}: {case['title']} ({case['shape']})  {case['formula']}", HEAD, rows, notes)


def target_grid(found: Sequence[Verdict]) -> Grid:
    """Return the table of the targets."""
    words = {True: "met", False: "missed", None: ""}
    rows = tuple((one.case, one.target, one.measured, words[one.met]) for one in found)
    return Grid("Targets", ("case", "hierfit's", "measured", ""), rows)


def preamble(results: Results) -> str:
    """Return the lines above the tables."""
    settings, sampling = results.settings, results.settings.sampling
    ran = f"{settings.runs} run(s), {sampling.chains} chains of {sampling.draws:,} draws after {sampling.warmup:,}, "
    ran += f"{sampling.cores} chains at a time, cap {settings.cap:g} s"
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return f"{results.machine['date']}  {in_words(results.machine)}\n{versions}\n{ran}\n"


def markdown(grid: Grid) -> str:
    """Return a table in Markdown."""
    lines = [f"**{grid.title}**", "", _line(grid.head), _line(["---", *["---:"] * (len(grid.head) - 1)])]
    notes = ["", *(f"- {note}" for note in grid.notes)] if grid.notes else []
    return "\n".join([*lines, *(_line(row) for row in grid.rows), *notes, ""])


def show(grid: Grid, write: Callable[[str], None], *, on_terminal: bool) -> None:
    """Write a table the way that suits where it goes."""
    if not on_terminal:
        write(markdown(grid))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=grid.title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for number, name in enumerate(grid.head):
        table.add_column(name, justify="right" if number else "left", no_wrap=not number)
    for row in grid.rows:
        table.add_row(*row)
    Console().print(table, *grid.notes, "", sep="\n", highlight=False)


def _row(one: Standing, own: Standing, cap: float) -> tuple[str, ...]:
    if one.status != "ok":
        words: Mapping[str, str] = {"capped": f"> {cap:g}", "skipped": "-"}
        memory = _number(one.peak_bytes and one.peak_bytes / 2**20, "{:,.0f}")
        return (one.comparator, words.get(one.status, one.status), _time_ratio(one, own), "", memory, *[""] * 6)
    others = one.comparator != HIERFIT
    return (
        one.comparator,
        _number(one.seconds, "{:.3g}"),
        _time_ratio(one, own),
        _number(one.sampling_seconds, "{:.3g}"),
        _number(one.peak_bytes and one.peak_bytes / 2**20, "{:,.0f}"),
        _number(one.ess, "{:,.0f}"),
        _number(one.ess_per_second, "{:,.3g}"),
        _ratio(own.ess_per_second, one.ess_per_second) if others else "1",
        _number(one.ess_per_sampling_second, "{:,.3g}"),
        _number(one.rhat, "{:.3f}"),
        _number(one.apart, "{:.2f}"),
    )


def _time_ratio(one: Standing, own: Standing) -> str:
    """Time in hierfit's: a bound where one of the two was capped, nothing where both were or either failed."""
    if one.comparator == HIERFIT:
        return "1" if one.status == "ok" else ""
    bound = {("ok", "ok"): "", ("capped", "ok"): "> ", ("ok", "capped"): "< "}.get((one.status, own.status))
    return "" if bound is None else bound + _ratio(one.seconds, own.seconds)


def _remark(one: Standing) -> str:
    return one.note if one.status in ("ok", "capped") else f"{one.status}: {one.note}"


def _number(value: float | None, form: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if "g" in form and abs(value) >= 1000 else form.format(value)


def _ratio(one: float | None, other: float | None) -> str:
    return _number(one / other, "{:.3g}") if one and other else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
