"""The options of `hierfit effects`, and what they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierfit.cli.options.declared import Options
from hierfit.cli.options.pairs import pairs
from hierfit.cli.options.shared import OUTPUT, Ci, ExitZero, Format, OutputFormat, OverwriteFile, Run
from hierfit.errors import UsageError
from hierfit.posterior.effects.questions import Contrasts, EffectScale, Groups, Question, Weights

if TYPE_CHECKING:
    from hierfit.runs.effects import EffectsRequest


@dataclass(frozen=True, kw_only=True)
class EffectsOptions(Options):
    """The options of `hierfit effects`."""

    run: Run
    of: Annotated[
        list[str] | None,
        typer.Option(
            "--of", metavar="COLUMN", help="A predictor whose effect is asked for. Repeatable.", show_default="all"
        ),
    ] = None
    step: Annotated[
        float | None,
        typer.Option(
            "--step",
            help="By how much a column of numbers changes, such as 10 or -1.",
            show_default="per unit of a small change",
        ),
    ] = None
    contrast: Annotated[
        Contrasts,
        typer.Option("--contrast", help="Levels: each with the reference, all pairs, or each with the one before."),
    ] = Contrasts.REFERENCE
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            metavar="COLUMN=V,V",
            help="Hold a predictor at each of these values. Repeatable.",
            show_default=False,
        ),
    ] = None
    by: Annotated[
        str | None,
        typer.Option(
            "--by", metavar="COLUMN", help="Rows of each level of a column by themselves.", show_default=False
        ),
    ] = None
    marginal: Annotated[
        bool,
        typer.Option("--marginal", help="Averages at the levels of --of or the values of --at, not their differences."),
    ] = False
    weights: Annotated[
        Weights,
        typer.Option(
            "--weights",
            help="Over the rows of the data, or over a grid where levels weigh equally and numbers are at their means.",
        ),
    ] = Weights.PROPORTIONAL
    scale: Annotated[
        EffectScale,
        typer.Option("--scale", help="That of the outcome, of the linear predictor, or odds and rate ratios."),
    ] = EffectScale.RESPONSE
    groups: Annotated[
        Groups,
        typer.Option(
            "--groups",
            help="Rows with the effects of their own groups, as in an average group, or averaged over all groups.",
            show_default="own; none with --weights equal",
        ),
    ] = Groups.OWN
    parameter: Annotated[
        str | None,
        typer.Option(
            "--parameter",
            metavar="NAME",
            help="What happens to a parameter of the outcome's distribution instead: sigma, shape, phi, zi, hu, nu.",
            show_default=False,
        ),
    ] = None
    ci: Ci = None
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="FILE",
            help="Also draw the answer, into a new .png, .svg or .pdf.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    overwrite: OverwriteFile = False
    output: Format = OutputFormat.TABLE
    exit_zero: ExitZero = False


def effects_request(options: EffectsOptions) -> EffectsRequest:
    """Return what the options ask for.

    Raises:
        UsageError: a text cannot be read, or options contradict each other.
    """
    from hierfit.runs.effects import EffectsRequest

    if options.marginal and options.said("contrast"):
        raise UsageError("--contrast compares, and --marginal does not.", hint="leave one of them out")
    if options.marginal and options.step is not None:
        raise UsageError("--step is a change, and --marginal compares nothing.", hint="leave one of them out")
    if options.marginal and not options.of and not options.at and options.by is None:
        raise UsageError(
            "--marginal: averages of what?", hint="--marginal --of a predictor of levels, or --at COLUMN=0,1"
        )
    if options.step == 0:
        raise UsageError("--step 0 changes nothing.", hint="for example --step 1")
    held: dict[str, Sequence[float | str]] = {
        column: tuple(value.strip() for value in text.split(","))
        for column, text in pairs("--at", options.at, "ses=0,10").items()
    }
    question = Question(
        tuple(dict.fromkeys(options.of or ())),
        options.contrast,
        options.step,
        held,
        options.by,
        options.marginal,
        options.weights,
    )
    by_itself = question.weights is Weights.EQUAL and not options.said("groups")
    groups = Groups.NONE if by_itself else options.groups
    return EffectsRequest(question, options.scale, groups, options.parameter, options.ci)
