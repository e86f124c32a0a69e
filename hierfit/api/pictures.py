"""A run x the name of a figure, as that of its file -> the figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.errors import UsageError, did_you_mean
from hierfit.posterior.verdict import Level
from hierfit.runs import finished

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawn(run: Path, name: str) -> Figure:
    """Return a figure of a run; of a kind that every grouping factor has, that of the first.

    Raises:
        UsageError: there is no such figure, or the model has not what it shows.
        RunFolderError: the run cannot be read.
    """
    from hierfit.posterior.plots import FIGURES, draw_all

    names = list(map(str, FIGURES))
    kinds = [kind for kind in names if name == kind or name.startswith(f"{kind}_")]
    if not kinds:
        raise UsageError(
            f"there is no figure '{name}'.{did_you_mean(name, names)}", hint=f"choose {' or '.join(names)}"
        )
    done = finished.load(run)
    failed, truth = done.diagnosis.status is Level.FAIL, finished.stored_truth(done)
    for drawing in draw_all(done.draws, done.design, done.spec, truth, kinds, failed=failed):
        if name in (drawing.stem, *kinds):
            return drawing.figure
    raise UsageError(f"this model has nothing that a figure '{name}' could show.")
