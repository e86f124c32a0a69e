"""The options of `hierfit plot`, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierfit.cli.options.declared import Options
from hierfit.cli.options.shared import OUTPUT, Overwrite, Quiet, Run
from hierfit.errors import UsageError
from hierfit.posterior.pictures import KINDS, FileFormat, Picture, format_of_name

if TYPE_CHECKING:
    from hierfit.runs.pictures import PicturesRequest

LEAST_DPI, MOST_DPI = 40, 600


class PerOption(StrEnum):
    """What coefficients are of."""

    UNIT = "unit"
    SD = "sd"


def _kinds_text() -> str:
    return "; ".join(f"{kind}: {said.shows}" for kind, said in KINDS.items())


@dataclass(frozen=True, kw_only=True)
class PlotOptions(Options):
    """The options of `hierfit plot`."""

    run: Run
    kind: Annotated[
        list[Picture] | None,
        typer.Option(
            "--kind",
            help=f"A kind of picture. Repeatable. {_kinds_text()}.",
            show_default="the usual ones",
            metavar="NAME",
        ),
    ] = None
    every: Annotated[bool, typer.Option("--all", help="Every kind of which the run has what it shows.")] = False
    column: Annotated[
        str | None,
        typer.Option(
            "--column",
            metavar="COLUMN",
            help=f"The predictor that {', '.join(kind for kind, said in KINDS.items() if said.along)} run along.",
            show_default="each kind's own",
        ),
    ] = None
    per: Annotated[
        PerOption | None,
        typer.Option(
            "--per",
            help="Coefficients of a unit of their column, or of an sd of it.",
            show_default="what fits one axis",
        ),
    ] = None
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="Of the files.", rich_help_panel=OUTPUT, show_default="png")
    ] = FileFormat.PNG
    dpi: Annotated[
        int,
        typer.Option(
            "--dpi",
            min=LEAST_DPI,
            max=MOST_DPI,
            help="Dots per inch of a PNG, and of clouds of points in the others.",
            rich_help_panel=OUTPUT,
        ),
    ] = 160
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE|FOLDER",
            help="Write to this file, where there is one picture, or into this folder; the run is only read.",
            show_default="RUN/plots",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    overwrite: Overwrite = False
    quiet: Quiet = False


def pictures_request(options: PlotOptions) -> PicturesRequest:
    """Return what the options ask for.

    Raises:
        UsageError: they contradict each other.
    """
    from hierfit.posterior.plots.material import Choices, Per
    from hierfit.runs.pictures import PicturesRequest

    if options.every and options.kind:
        raise UsageError("--all is every kind, and --kind names some.", hint="leave one of them out")
    if options.overwrite and options.out is None:
        raise UsageError(
            "--overwrite goes with --out, which is not given.",
            hint="leave it out: earlier pictures of the run are replaced",
        )
    kinds = tuple(dict.fromkeys(options.kind)) if options.kind else None
    along = [kind for kind in kinds or () if KINDS[kind].along]
    if options.column is not None and kinds and not along:
        uses = [kind.value for kind, said in KINDS.items() if said.along]
        raise UsageError(
            f"--column is about {', '.join(uses)}, of which none is asked for.", hint=f"add --kind {uses[0]}"
        )
    if options.per is not None and kinds and Picture.COEFFICIENTS not in kinds:
        raise UsageError("--per is about coefficients, which are not asked for.", hint="add --kind coefficients")
    file_format = options.file_format
    ending = None if options.out is None else format_of_name(options.out)
    if ending is not None:
        if options.said("file_format") and ending is not file_format:
            raise UsageError(f"--format {file_format}: {options.out} ends in .{ending}.", hint="leave --format out")
        file_format = ending
    per = None if options.per is None else Per(options.per)
    return PicturesRequest(kinds, options.every, file_format, options.dpi, Choices(options.column, per))
