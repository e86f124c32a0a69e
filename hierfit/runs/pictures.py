"""A finished run x the pictures that are wanted of it -> files: in its folder plots/, or wherever the user says.

In the run's own folder they take the place of earlier ones all at once, and run.json lists them with sizes and
checksums; whatever else lies there is the user's. Elsewhere nothing is replaced unasked, and the run is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.design.axes import factors, number_axes
from hierfit.disk.folder import claimed
from hierfit.disk.new_file import make_folder, refuse_taken, written_whole
from hierfit.errors import UsageError, did_you_mean
from hierfit.posterior.pictures import KINDS, FileFormat, Picture, format_of_name
from hierfit.posterior.verdict import Level
from hierfit.runs.checking import PREFIX
from hierfit.runs.files import MANIFEST, PLOTS, write_pictured_manifest, written
from hierfit.runs.finished import Opened, open_fit, stored_truth
from hierfit.runs.folder import open_run

if TYPE_CHECKING:
    from hierfit.posterior.plots import Planned
    from hierfit.posterior.plots.material import Choices, Material

DPI = 160
_FOLDER = "name a folder, or one picture: --kind"


@dataclass(frozen=True)
class PicturesRequest:
    """What is wanted.

    Attributes:
        kinds: of pictures; the usual ones where it is None.
        every: whether all kinds are, as far as the run has what they show.
        file_format: of their files.
        dpi: dots per inch of a PNG, and of what is drawn as dots in the others.
        choices: what figures are to show instead of what they would choose.
    """

    kinds: tuple[Picture, ...] | None = None
    every: bool = False
    file_format: FileFormat = FileFormat.PNG
    dpi: int = DPI
    choices: Choices | None = None


USUAL = PicturesRequest()


def plot(run: Path, request: PicturesRequest = USUAL) -> Iterator[tuple[Path, str]]:
    """Draw pictures of a run into its folder; yield the path and caption of each as it is drawn.

    They take the place of earlier ones when all are drawn: the usual ones of all of that format, those that are asked
    for of their own. Other files in the folder of pictures stay.

    Raises:
        RunFolderError: there is no such run, another process writes to it, or files are in the way.
        UsageError: the run has not what is wanted.
    """
    from hierfit.posterior.plots import Drawing, save_figure
    from hierfit.posterior.plots.beside import saved_beside

    with claimed(open_run(run).path) as place:
        opened = open_fit(run)
        figures = planned_of(opened, request)
        suffix = f".{request.file_format}"
        names = {f"{PLOTS}/{figure.stem}{suffix}" for figure in figures}
        own = {name for name in written(opened.folder) if name.startswith(f"{PLOTS}/")}
        place.refuse_obstacles(sorted(names), own)
        drawn_here = {name for name in own if not name.startswith(f"{PLOTS}/{PREFIX}")}  # not by `hierfit check`
        stale = {name for name in drawn_here if name.endswith(suffix) and (request.kinds is None or name in names)}
        with place.replacing({*stale, MANIFEST}, MANIFEST) as new:
            (new / PLOTS).mkdir()

            def save(drawing: Drawing) -> None:
                path = new / PLOTS / f"{drawing.stem}{suffix}"
                save_figure(drawing.figure, path, drawing.caption, request.file_format, request.dpi)

            for drawing in saved_beside((figure.drawn() for figure in figures), save):
                yield opened.folder / PLOTS / f"{drawing.stem}{suffix}", drawing.caption
            write_pictured_manifest(new, opened.folder, opened.manifest, stale)


def plot_to(
    run: Path, out: Path, request: PicturesRequest = USUAL, *, overwrite: bool = False
) -> Iterator[tuple[Path, str]]:
    """Draw pictures of a run into a folder, or the one picture into a file where `out` ends as one of a format does.

    Yields the path and caption of each as it is written; errors as `plot`, and DiskError.
    """
    from hierfit.posterior.plots import Drawing, save_figure
    from hierfit.posterior.plots.beside import saved_beside

    figures = planned_of(open_fit(run), request)
    if format_of_name(out) is not None:
        if len(figures) != 1:
            stems = ", ".join(figure.stem for figure in figures)
            raise UsageError(f"--out {out} is one file, but there are {len(figures)} pictures: {stems}.", hint=_FOLDER)
        places = [out]
    else:
        places = [out / f"{figure.stem}.{request.file_format}" for figure in figures]
        make_folder(out)
    for path in places:
        refuse_taken(path, "--out", overwrite=overwrite)
    place_of = dict(zip((figure.stem for figure in figures), places, strict=True))

    def save(drawing: Drawing) -> None:
        with written_whole(place_of[drawing.stem]) as part:
            save_figure(drawing.figure, part, drawing.caption, request.file_format, request.dpi)

    for drawing in saved_beside((figure.drawn() for figure in figures), save):
        yield place_of[drawing.stem], drawing.caption


def planned_of(opened: Opened, request: PicturesRequest) -> list[Planned]:
    """Return what is wanted of a run; what it has not is refused before anything is drawn."""
    from hierfit.posterior.plots import planned
    from hierfit.posterior.plots.material import NO_CHOICES, Material

    choices = request.choices or NO_CHOICES
    failed = opened.diagnosis.status is Level.FAIL
    truth = stored_truth(opened)
    material = Material(opened.draws, opened.design, opened.spec, truth, failed=failed, choices=choices)
    if choices.column is not None:
        _require_column(material, choices.column)
    figures = planned(material, tuple(Picture) if request.every else request.kinds)
    for kind in request.kinds or ():
        if not any(figure.kind is kind for figure in figures):
            raise UsageError(
                f"--kind {kind}: {opened.folder} has no such picture. It takes {KINDS[kind].needs}.",
                hint="hierfit plot RUN --all draws every kind that it has",
            )
    return figures


def _require_column(material: Material, column: str) -> None:
    design = material.design
    assert design.inputs is not None
    of_levels = [factor.column for factor in factors(design.terms, design.inputs)]
    known = list(dict.fromkeys((*number_axes(design.terms), *of_levels)))
    if column not in known:
        raise UsageError(
            f"--column {column}: the model has no such predictor.{did_you_mean(column, known)}",
            hint=f"predictors: {', '.join(known)}" if known else "the model has no predictors",
        )
