"""The options of `hierfit predict`, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierfit.cli.options.declared import Options
from hierfit.cli.options.shared import OUTPUT, Ci, ExitZero, Format, OutputFormat, Overwrite, Quiet, Run
from hierfit.errors import UsageError

if TYPE_CHECKING:
    from hierfit.runs.prediction import PredictionRequest


class NewGroups(StrEnum):
    """What a level of a group gets that no row of the fit had."""

    ERROR = "error"
    DRAW = "draw"
    AVERAGE = "average"


class GroupsOption(StrEnum):
    """What of the groups goes in."""

    OWN = "own"
    NONE = "none"


class ScaleOption(StrEnum):
    """The scale of what is predicted."""

    RESPONSE = "response"
    LINK = "link"


@dataclass(frozen=True, kw_only=True)
class PredictOptions(Options):
    """The options of `hierfit predict`."""

    run: Run
    new: Annotated[
        Path | None,
        typer.Argument(
            metavar="[NEW.csv]",
            help="Rows to predict, with the columns that the model needs, not the outcome; - for standard input.",
            show_default="the rows of the data",
        ),
    ] = None
    new_groups: Annotated[
        NewGroups,
        typer.Option(
            "--new-groups",
            help="What a group gets that no row of the fit had: effects drawn from the distribution of the groups, "
            "those of an average group, or an error.",
        ),
    ] = NewGroups.ERROR
    groups: Annotated[
        GroupsOption, typer.Option("--groups", help="The groups' own effects, or none: an average group throughout.")
    ] = GroupsOption.OWN
    scale: Annotated[ScaleOption, typer.Option("--scale", help="That of the outcome, or of the linear predictor.")] = (
        ScaleOption.RESPONSE
    )
    parameter: Annotated[
        str | None,
        typer.Option(
            "--parameter",
            metavar="NAME",
            help="A parameter of the outcome's distribution instead: mu, sigma, shape, phi, zi, hu, nu.",
            show_default=False,
        ),
    ] = None
    ci: Ci = None
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same numbers.")] = 1
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write all rows there: .csv, .csv.gz, or .parquet where pyarrow is installed.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    draws: Annotated[
        Path | None,
        typer.Option(
            "--draws",
            metavar="FILE",
            help="Write the predictions of every posterior draw there too, a line for each row and draw; as --out.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    overwrite: Overwrite = False
    output: Format = OutputFormat.TABLE
    quiet: Quiet = False
    exit_zero: ExitZero = False

    @property
    def writes(self) -> bool:
        """Whether a file is to be written."""
        return self.out is not None or self.draws is not None


def prediction_request(options: PredictOptions) -> PredictionRequest:
    """Return what the options ask for.

    Raises:
        UsageError: they contradict each other.
    """
    from hierfit.design.rows import NewLevels
    from hierfit.posterior.predict.quantities import Asked, Scale
    from hierfit.runs.prediction import Groups, PredictionRequest

    if options.groups is GroupsOption.NONE and options.said("new_groups"):
        raise UsageError(
            "--groups none leaves all groups out, so that --new-groups says nothing.", hint="leave one of them out"
        )
    if options.out is not None and options.said("output"):
        raise UsageError(
            "--format is for the screen, --out for a file, whose name says its format.", hint="leave one of them out"
        )
    return PredictionRequest(
        Asked(Scale(options.scale), options.parameter),
        NewLevels(options.new_groups),
        Groups(options.groups),
        options.ci,
        options.seed,
    )
