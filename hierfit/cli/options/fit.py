"""The options of `hierfit fit` beside the model's: the sampler's, and what becomes of the results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hierfit.cli.options.model import MODEL, ModelOptions
from hierfit.cli.options.shared import (
    OUTPUT,
    SAMPLER,
    ExitZero,
    Format,
    OutputFormat,
    Overwrite,
    Quiet,
    Toolchain,
    ToolchainChoice,
)

_sampler = partial(typer.Option, rich_help_panel=SAMPLER)
_number = partial(_sampler, metavar="NUMBER")


class EngineChoice(StrEnum):
    """How the group effects are dealt with while sampling."""

    AUTO = "auto"
    COLLAPSED = "collapsed"
    MARGINAL = "marginal"
    LATENT = "latent"
    FULL = "full"


@dataclass(frozen=True, kw_only=True)
class FitOptions(ModelOptions):
    """What to fit, how to draw, where to save."""

    prior_only: Annotated[
        bool,
        typer.Option("--prior-only", help="Draw from the priors; leave the outcome out.", rich_help_panel=MODEL),
    ] = False
    again: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="RUN",
            help="Repeat the fit of this run; other options change its own.",
            rich_help_panel=MODEL,
            show_default=False,
        ),
    ] = None
    chains: Annotated[int, _number(min=1, help="Markov chains.")] = 4
    warmup: Annotated[
        int | None,
        _number(
            min=1,
            help="Adapting iterations of each chain before those kept: 1000, or a short start at the mode where it "
            "does.",
        ),
    ] = None
    draws: Annotated[int, _number("--draws", min=4, help="Draws kept of each chain; alone, so many and no more.")] = (
        1000
    )
    until_ess: Annotated[
        int,
        _number(
            "--until-ess",
            min=0,
            help="Draw on until every population-level parameter has so many effective draws, and while chains differ "
            "by chance; 0: do not.",
        ),
    ] = 400
    seed: Annotated[
        int | None,
        _number(min=1, max=2**31 - 1, help="Same seed, same program: same draws.", show_default="drawn and reported"),
    ] = None
    adapt_delta: Annotated[
        float | None,
        _sampler(
            min=0.01,
            max=0.9999,
            metavar="0 TO 1",
            help="Acceptance rate to adapt the step size to: 0.8 unless given.",
        ),
    ] = None
    max_treedepth: Annotated[int, _number(min=1, max=20, help="Longest trajectory: 2^n steps.")] = 10
    parallel_chains: Annotated[
        int | None, _number(min=1, help="Chains at a time.", show_default="the number of cores")
    ] = None
    engine: Annotated[
        EngineChoice,
        _sampler(
            "--engine",
            help="Sample the group effects (full), or integrate them out and draw them afterwards, for the same "
            "posterior, faster: exactly, of gaussian outcomes (collapsed, with several or many groups marginal), by "
            "quadrature, of others (latent). auto: the fastest that suits the model.",
        ),
    ] = EngineChoice.AUTO
    toolchain: Toolchain = ToolchainChoice.AUTO
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Folder to save to.",
            rich_help_panel=OUTPUT,
            show_default="runs/<file>-<time>",
        ),
    ] = None
    overwrite: Overwrite = False
    ci: Annotated[
        float,
        typer.Option(
            "--ci", min=0.01, max=0.999, metavar="0 TO 1", help="Probability of the intervals.", rich_help_panel=OUTPUT
        ),
    ] = 0.95
    output: Format = OutputFormat.TABLE
    quiet: Quiet = False
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show data, model, priors and about how long it takes; sample nothing.",
            rich_help_panel=OUTPUT,
        ),
    ] = False
    exit_zero: ExitZero = False
