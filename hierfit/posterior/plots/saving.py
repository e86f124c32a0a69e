"""A finished figure -> a file: PNG, SVG or PDF, with its caption in the file's own description."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hierfit.disk.writing import create
from hierfit.posterior.pictures import FileFormat
from hierfit.posterior.plots.style import DPI, styled
from hierfit.visible import visible, visible_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Letters of a PDF stay letters (TrueType, as journals ask for); an SVG has the same names each time.
_EXACT: dict[Any, Any] = {"pdf.fonttype": 42, "svg.hashsalt": "hierfit"}


@styled
def save_figure(
    figure: Figure, path: Path, caption: str = "", file_format: FileFormat = FileFormat.PNG, dpi: int = DPI
) -> None:
    """Write a figure to a new file, its caption as its description; no letter of its texts is unseen.

    `dpi`: dots per inch of a PNG, and of what is drawn as dots in the others. The same figure gives the same bytes.
    """
    import matplotlib
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_text(visible_lines(text.get_text()))
    with matplotlib.rc_context(_EXACT), _laid_out(figure, file_format, dpi), create(path) as stream:
        figure.savefig(stream, dpi=dpi, format=file_format.value, metadata=_described(caption, file_format))


@contextmanager
def _laid_out(figure: Figure, file_format: FileFormat, dpi: int) -> Iterator[None]:
    """Lay a figure out where its dots are those that it is saved with: matplotlib would draw it twice to do so."""
    engine = figure.get_layout_engine()
    if engine is None or file_format is not FileFormat.PNG or dpi != figure.dpi:
        yield
        return
    engine.execute(figure)
    figure.set_layout_engine("none")
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def _described(caption: str, file_format: FileFormat) -> dict[str, str | None] | None:
    """Return what a file says of itself: its caption, and not when it was written."""
    said = visible(caption)
    if file_format is FileFormat.PNG:
        return {"Description": said} if said else None
    if file_format is FileFormat.SVG:
        return {"Date": None, **({"Description": said} if said else {})}
    return {"CreationDate": None, **({"Subject": said} if said else {})}
