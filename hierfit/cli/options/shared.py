"""Options that several commands have."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

SAMPLER, OUTPUT = "Sampler", "Output"


class OutputFormat(StrEnum):
    """How a table is written to stdout."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"
    TEX = "tex"

    @property
    def is_exact(self) -> bool:
        """Whether the text has no escapes, and so has to be what it is where a program reads it."""
        return self is OutputFormat.CSV

    @property
    def is_document(self) -> bool:
        """Whether it is a table of a text that others read, Markdown or LaTeX."""
        return self in (OutputFormat.MD, OutputFormat.TEX)


class ToolchainChoice(StrEnum):
    """Where the Stan compiler comes from."""

    AUTO = "auto"
    BUNDLED = "bundled"
    CMDSTAN = "cmdstan"


Run = Annotated[
    Path, typer.Argument(metavar="RUN", help="Folder of a run, as `hierfit fit` printed it.", show_default=False)
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

Ci = Annotated[
    float | None,
    typer.Option("--ci", min=0.01, max=0.999, help="Probability of the intervals.", show_default="as fitted"),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what --out holds.", rich_help_panel=OUTPUT)]
OverwriteFile = Annotated[
    bool, typer.Option("--overwrite", help="Replace a file that is there already.", rich_help_panel=OUTPUT)
]
Format = Annotated[OutputFormat, typer.Option("--format", help="How to write the results.", rich_help_panel=OUTPUT)]
ExitZero = Annotated[
    bool,
    typer.Option("--exit-zero", help="Leave with exit code 0 where checks failed, too.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only results and errors, no progress.", rich_help_panel=OUTPUT)
]
