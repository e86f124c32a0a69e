"""The options of the commands: names, help texts, limits, one place for each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

MODEL, SAMPLER, OUTPUT = "Model", "Sampler", "Output"
DEFAULT_CI = 0.95


class OutputFormat(StrEnum):
    """How a table is written to stdout."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"

    @property
    def is_exact(self) -> bool:
        """Whether the text has no escapes, and so has to be what it is where a program reads it."""
        return self is OutputFormat.CSV


class ToolchainChoice(StrEnum):
    """Where the Stan compiler comes from."""

    AUTO = "auto"
    BUNDLED = "bundled"
    CMDSTAN = "cmdstan"


class EngineChoice(StrEnum):
    """How the group effects are dealt with while sampling."""

    AUTO = "auto"
    COLLAPSED = "collapsed"
    FULL = "full"


DataFile = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The CSV file; -: standard input.", show_default=False)
]
Run = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of a run, as `hierfit fit` printed it.", show_default=False)
]

Chains = Annotated[int, typer.Option(min=1, metavar="NUMBER", help="Markov chains.", rich_help_panel=SAMPLER)]
Warmup = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="NUMBER",
        help="Adapting iterations of each chain before those kept: 1000, or a short start at the mode where it does.",
        rich_help_panel=SAMPLER,
    ),
]
DrawCount = Annotated[
    int,
    typer.Option(
        "--draws",
        min=4,
        metavar="NUMBER",
        help="Draws kept of each chain; alone, so many and no more.",
        rich_help_panel=SAMPLER,
    ),
]
UntilEss = Annotated[
    int,
    typer.Option(
        "--until-ess",
        min=0,
        metavar="NUMBER",
        help="Draw on until every population-level parameter has so many effective draws; 0: do not.",
        rich_help_panel=SAMPLER,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=2**31 - 1,
        metavar="NUMBER",
        help="Same seed, same program: same draws.",
        rich_help_panel=SAMPLER,
        show_default="drawn and reported",
    ),
]
AdaptDelta = Annotated[
    float | None,
    typer.Option(
        min=0.01,
        max=0.9999,
        metavar="0 TO 1",
        help="Acceptance rate to adapt the step size to: 0.8 unless given.",
        rich_help_panel=SAMPLER,
    ),
]
MaxTreedepth = Annotated[
    int, typer.Option(min=1, max=20, metavar="NUMBER", help="Longest trajectory: 2^n steps.", rich_help_panel=SAMPLER)
]
ParallelChains = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="NUMBER", help="Chains at a time.", rich_help_panel=SAMPLER, show_default="the number of cores"
    ),
]
Engine = Annotated[
    EngineChoice,
    typer.Option(
        "--engine",
        help="Sample the group effects (full), or integrate them out and draw them afterwards (collapsed: the same "
        "posterior, faster; gaussian). auto: collapsed wherever it is exact.",
        rich_help_panel=SAMPLER,
    ),
]
Toolchain = Annotated[
    ToolchainChoice,
    typer.Option(
        "--toolchain",
        help="Where Stan comes from: hierfit's own installation (bundled) or your CmdStan. auto: programs that came "
        "compiled with hierfit, else your CmdStan, else bundled.",
        rich_help_panel=SAMPLER,
    ),
]

Out = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FOLDER", help="Folder to save to.", rich_help_panel=OUTPUT, show_default="runs/<file>-<time>"
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what --out holds.", rich_help_panel=OUTPUT)]
Ci = Annotated[
    float,
    typer.Option(
        "--ci", min=0.01, max=0.999, metavar="0 TO 1", help="Probability of the intervals.", rich_help_panel=OUTPUT
    ),
]
Format = Annotated[OutputFormat, typer.Option("--format", help="How to write the results.", rich_help_panel=OUTPUT)]
ExitZero = Annotated[
    bool,
    typer.Option("--exit-zero", help="Leave with exit code 0 where checks failed, too.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only results and errors, no progress.", rich_help_panel=OUTPUT)
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Show data, model, priors and about how long it takes; sample nothing.",
        rich_help_panel=OUTPUT,
    ),
]
