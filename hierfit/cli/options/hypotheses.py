"""The options of `hierfit test`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hierfit.cli.options.declared import Options
from hierfit.cli.options.shared import OUTPUT, Ci, ExitZero, Format, OutputFormat, OverwriteFile, Quiet, Run
from hierfit.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class HypothesisOptions(Options):
    """The options of `hierfit test`."""

    run: Run
    expressions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="EXPR...",
            help="What is asked of the parameters, each in quotes: 'ses > 2', 'sd(school) / sigma'.",
            show_default=False,
        ),
    ] = None
    rope: Annotated[
        str | None,
        typer.Option(
            "--rope",
            metavar="LOW,HIGH",
            help="A region of practical equivalence, such as -0.1,0.1: how much of the posterior is in it.",
            show_default=False,
        ),
    ] = None
    ci: Ci = None
    output: Format = OutputFormat.TABLE
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write to a file; its ending (.csv, .json, .md, .tex) is the format where --format says none.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    overwrite: OverwriteFile = False
    quiet: Quiet = False
    exit_zero: ExitZero = False


def rope_of(text: str | None) -> tuple[float, float] | None:
    """Read `-0.1,0.1`.

    Raises:
        UsageError: it is no two numbers.
    """
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low, high = math.nan, math.nan
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UsageError(f"--rope {text.strip()}: two numbers are wanted.", hint="--rope -0.1,0.1")
    return low, high
