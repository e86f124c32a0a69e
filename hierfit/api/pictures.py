"""A run x the name of a figure, as that of its file -> the figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.errors import UsageError, did_you_mean
from hierfit.posterior.pictures import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hierfit.runs.pictures import PicturesRequest


def kind_of(name: str) -> Picture:
    """Return the kind of a figure: "groups" of groups_school.

    Raises:
        UsageError: there is no such kind.
    """
    kinds = [kind for kind in Picture if name == kind or name.startswith(f"{kind}_")]
    if not kinds:
        names = list(map(str, Picture))
        raise UsageError(
            f"there is no figure '{name}'.{did_you_mean(name, names)}", hint=f"choose {' or '.join(names)}"
        )
    return max(kinds, key=len)  # "ppc_groups" is no "ppc"


def drawn(run: Path, name: str, request: PicturesRequest) -> Figure:
    """Return a figure of a run; of a kind that every grouping factor has, that of the first.

    Raises:
        UsageError: the model has not what it shows.
        RunFolderError: the run cannot be read.
    """
    from hierfit.runs.finished import open_fit
    from hierfit.runs.pictures import planned_of

    figures = planned_of(open_fit(run), request)
    named = [figure for figure in figures if name in (figure.stem, figure.kind)]
    if not named:
        stems = [figure.stem for figure in figures]
        raise UsageError(
            f"there is no figure '{name}'.{did_you_mean(name, stems)}", hint=f"choose {' or '.join(stems)}"
        )
    return named[0].drawn().figure
