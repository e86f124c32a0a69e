"""The look of all figures: colours, sizes, sentence titles, half-eyes.

Two colours of Okabe and Ito's colour-blind-safe palette: the population dark blue, the groups orange; data grey, the
truth a black x, what is wrong vermilion. matplotlib is imported inside the functions, figures are made without pyplot.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from hierfit.posterior.plots.density import density
from hierfit.posterior.words import elided
from hierfit.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patheffects import AbstractPathEffect

Array = NDArray[np.float64]
P = ParamSpec("P")
T = TypeVar("T")

POPULATION = "#0072B2"
GROUP = "#E69F00"
DATA = "#8A8A8A"
TRUTH = "#000000"
ALARM = "#D55E00"
QUIET = "#5A5A5A"
CHAINS = ("#0072B2", "#56B4E9", "#E69F00", "#666666", "#009E73", "#CC79A7", "#D55E00", "#B8A800")

WIDTH, HEIGHT, DPI = 7.0, 4.5, 160
LOWEST, HIGHEST, ROW = 3.0, 14.0, 0.22
STAMP = 0.24  # inches
RASTERIZE_FROM = 2_000
LINE_HEIGHT = 1.38 / 72
CHARACTER_WIDTH = 0.54 / 72

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.5,
    "axes.labelcolor": "#222222",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "#666666",
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.unicode_minus": True,
    "text.parse_math": False,  # a label may have any letters: $ and \\ are these
    "figure.dpi": DPI,
}


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Run a figure function under the common style, leaving the caller's matplotlib settings alone."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        import matplotlib

        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def new_figure(height: float = HEIGHT, width: float = WIDTH) -> Figure:
    """Return an empty Figure on the Agg canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def rows_height(rows: int, row: float = ROW) -> float:
    """Return the height in inches of a figure with so many rows."""
    return float(np.clip(row * rows + 1.2, LOWEST, HIGHEST))


def entitle(figure: Figure, title: str, note: str = "") -> None:
    """Write the finding as a bold sentence at the top, and below it how to read the figure."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    width, height = figure.get_size_inches()
    top = height - 0.08
    for text, size, weight, colour in ((title, 10.5, "bold", "#111111"), (note, 8.0, "normal", QUIET)):
        if not text:
            continue
        columns = int((width - 0.2) / (size * CHARACTER_WIDTH * (1.12 if weight == "bold" else 1.0)))
        lines = [line.replace("\0", " ") for line in textwrap.wrap(visible(text).replace(" %", "\0%"), columns)]
        figure.text(
            0.1 / width, top / height, "\n".join(lines), fontsize=size, fontweight=weight, color=colour, va="top"
        )
        top -= len(lines) * size * LINE_HEIGHT + 0.04
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0.0, 0.0, 1.0, (top - 0.02) / height))


def stamp(figure: Figure, text: str) -> None:
    """Write a caveat across the foot of a finished figure, white on vermilion."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.patches import Rectangle

    height = STAMP / figure.get_size_inches()[1]
    strip = Rectangle((0, 0), 1, height, transform=figure.transFigure, color=ALARM, linewidth=0, zorder=9)
    figure.add_artist(strip)
    figure.text(
        0.5, height / 2, text, color="white", fontsize=9, fontweight="bold", ha="center", va="center", zorder=10
    )
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        left, bottom, width, tall = engine.get()["rect"]
        engine.set(rect=(left, bottom + height, width, tall - height))


def log_scale(ax: Axes, which: Literal["x", "y"]) -> None:
    """Make a logarithmic axis, its labels plain numbers: matplotlib's own are formulas, which no text here is."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    axis = ax.xaxis if which == "x" else ax.yaxis
    ax.set(**{f"{which}scale": "log"})
    axis.set_major_formatter(Plain())
    axis.set_minor_formatter(Plain(labelOnlyBase=False))


def root_scale(ax: Axes) -> None:
    """Make the y axis one of square roots, from 0 on: few and many alike are seen, and zeros too."""
    ax.set_yscale("function", functions=(lambda value: np.sqrt(np.maximum(value, 0)), np.square))
    ax.set_ylim(bottom=0)


def legend_label(text: str) -> str:
    """Return a label that a legend shows; matplotlib leaves those out that begin with `_`."""
    return f" {text}" if text.startswith("_") else text


def half_eye(
    ax: Axes,
    values: Array,
    *,
    bounds: tuple[float, float],
    base: float = 0.0,
    height: float = 1.0,
    below: float = 0.0,
) -> float:
    """Draw density, 95 % and 50 % bar and median of draws [S] on one row, and return the density's peak.

    The density stands on `base` and is `height` high, or as high as it is where `height` is 0; the bars lie `below` it
    by that share of its height.
    """
    grid, heights = density(values, *bounds)
    peak = float(heights.max())
    scaled = heights * (height / peak if height else 1.0)
    ax.fill_between(grid, base, base + scaled, color=POPULATION, alpha=0.3, linewidth=0)
    bars = base - below * float(scaled.max())
    interval_bars(ax, np.quantile(values, (0.025, 0.25, 0.5, 0.75, 0.975)), bars)
    return peak


def interval_bars(ax: Axes, quantiles: Array, base: float, colour: str = POPULATION) -> None:
    """Draw thin 95 % bar, thick 50 % bar and median from five quantiles."""
    low, lower, middle, upper, high = quantiles
    ax.plot([low, high], [base, base], color=colour, linewidth=1.1, solid_capstyle="butt", zorder=3)
    ax.plot([lower, upper], [base, base], color=colour, linewidth=3.2, solid_capstyle="butt", zorder=3)
    ax.plot([middle], [base], "o", color=colour, markersize=4, markeredgecolor="white", markeredgewidth=0.6, zorder=4)


def mark_truth(ax: Axes, x: Array | float, y: Array | float, size: float = 5.0) -> None:
    """Mark true values with a black x."""
    ax.plot(x, y, "x", color=TRUTH, markersize=size, markeredgewidth=1.2, zorder=6, linestyle="none", clip_on=False)


def halo() -> list[AbstractPathEffect]:
    """Return the path effects of a label that must be read over lines."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2.2, foreground="white")]


def wrapped(text: str, width: int, lines: int = 2, last: str = "") -> str:
    """Return a name on at most so many lines of about `width` letters, broken between words; elided if still longer.

    A word that is longer than a line is broken after one of its `_`, `:` or `-`, else elided. What comes `last` stays
    together and is never elided.
    """
    if last:
        name = wrapped(text, width, lines)
        *_, end = name.split("\n")
        if len(end) + 1 + len(last) <= width:
            return f"{name} {last}"
        return (
            f"{wrapped(text, width, lines - 1)}\n{last}"
            if lines > 1
            else f"{elided(text, width - len(last) - 1)} {last}"
        )
    words = [piece for word in visible(text).split() for piece in _pieces(word, width)]
    found = [""]
    for word, glue in words:
        if not found[-1] or len(found[-1]) + len(glue) + len(word) <= width:
            found[-1] += (glue if found[-1] else "") + word
        else:
            found.append(word)
    if len(found) <= lines:
        return "\n".join(elided(line, width) for line in found)
    return "\n".join([*found[: lines - 1], elided(" ".join(found[lines - 1 :]), width)])


def _pieces(word: str, width: int) -> list[tuple[str, str]]:
    """Return a word in parts that fit on a line, each with what stands before it on the same line."""
    if len(word) <= width:
        return [(word, " ")]
    parts = re.findall(r"[^_:\-]*[_:\-]|[^_:\-]+", word)
    return [(part, "" if at else " ") for at, part in enumerate(parts)]


def hide_y(ax: Axes) -> None:
    """Remove the y axis of a row whose heights have no meaning."""
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def grid_of(count: int, columns: int) -> tuple[int, int]:
    """Return rows and columns of a grid of panels, as square as the widest allows."""
    across = min(columns, count)
    down = -(-count // across)
    return down, -(-count // down)
