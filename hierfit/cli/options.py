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

Y = Annotated[
    str | None,
    typer.Option("--y", metavar="COLUMN", help="Column of the outcome.", rich_help_panel=MODEL, show_default=False),
]
X = Annotated[
    list[str] | None,
    typer.Option(
        "--x",
        metavar="COLUMN",
        help="Column of a predictor; repeat for more.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
FormulaText = Annotated[
    str | None,
    typer.Option(
        "--formula",
        metavar="FORMULA",
        help='The model in lme4\'s grammar, such as "score ~ ses * sector + (1 + ses | school)", instead of --y, --x, '
        "--group and --slope.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
GroupColumn = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        metavar="COLUMN",
        help="Column of the group labels; repeat for more.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
FamilyName = Annotated[
    str,
    typer.Option(
        "--family",
        metavar="NAME",
        help="Distribution of the outcome: gaussian, student, bernoulli, binomial, poisson, negbinomial, gamma, "
        "lognormal, beta, ...",
        rich_help_panel=MODEL,
    ),
]
LinkName = Annotated[
    str | None,
    typer.Option(
        "--link",
        metavar="NAME",
        help="Link of the outcome's mean: logit, probit, cloglog, ...",
        rich_help_panel=MODEL,
        show_default="the family's own",
    ),
]
Trials = Annotated[
    str | None,
    typer.Option(
        "--trials",
        metavar="COLUMN",
        help="Column with the number of trials (binomial).",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
Offset = Annotated[
    str | None,
    typer.Option(
        "--offset",
        metavar="COLUMN",
        help="Column added to the linear predictor, such as the log of an exposure.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="COLUMN",
        help="Column that says how often each row counts, as if it were so often in the file.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
Exposure = Annotated[
    str | None,
    typer.Option(
        "--exposure",
        metavar="COLUMN",
        help="Column whose logarithm is added to the linear predictor: minutes watched, people at risk, ...",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
PrecisionWeights = Annotated[
    str | None,
    typer.Option(
        "--precision-weights",
        metavar="COLUMN",
        help="Column that divides the variance of a row, as lme4's weights: sigma^2 / weight.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
SigmaFormula = Annotated[
    str | None,
    typer.Option(
        "--sigma",
        metavar="TERMS",
        help="What predicts the log of the residual sd, such as 'x + group'; a group alone: a sigma for each.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
Reference = Annotated[
    list[str] | None,
    typer.Option(
        "--reference",
        metavar="COLUMN=LEVEL",
        help="Level that the others of a text column are compared with; repeat for more.",
        rich_help_panel=MODEL,
        show_default="the first in alphabetical order",
    ),
]
Levels = Annotated[
    list[str] | None,
    typer.Option(
        "--levels",
        metavar="COLUMN=LEVEL,...",
        help="Order of the levels of a column of categories, such as dose=low,mid,high; repeat for more. The first is "
        "the reference.",
        rich_help_panel=MODEL,
        show_default="alphabetical order",
    ),
]
Na = Annotated[
    list[str] | None,
    typer.Option(
        "--na",
        metavar="TEXT",
        help='A spelling of missing values beside the usual ones, such as None or -99; repeat for more. "": only empty '
        "cells, and what else --na names.",
        rich_help_panel=MODEL,
        show_default="NA, N/A, n/a, #N/A, <NA>, NaN, nan",
    ),
]
Slope = Annotated[
    list[str] | None,
    typer.Option(
        "--slope",
        metavar="COLUMN",
        help="Predictor whose slope varies between groups, with several groups ses:school; repeat for more. It gets an "
        "overall slope too.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
NoVaryingIntercept = Annotated[
    bool, typer.Option("--no-varying-intercept", help="One intercept for all groups.", rich_help_panel=MODEL)
]
Uncorrelated = Annotated[
    bool,
    typer.Option("--uncorrelated", help="No correlation between what varies in a group.", rich_help_panel=MODEL),
]
PriorText = Annotated[
    list[str] | None,
    typer.Option(
        "--prior",
        metavar="PRIOR",
        help='A prior, such as "sd(school) ~ normal(0, 5)"; repeat for more.',
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
NoCenter = Annotated[
    bool,
    typer.Option(
        "--no-center",
        help="Put the priors of intercepts and of their sds at x = 0, not at the mean of x.",
        rich_help_panel=MODEL,
    ),
]
Standardize = Annotated[
    bool,
    typer.Option(
        "--standardize",
        help="Read --prior of coefficients, and of sds of slopes, per sd of the predictor; the results stay in its "
        "units.",
        rich_help_panel=MODEL,
    ),
]
PriorOnly = Annotated[
    bool, typer.Option("--prior-only", help="Draw from the priors; leave the outcome out.", rich_help_panel=MODEL)
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
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="RUN",
        help="Repeat the fit of this run; other options change its own.",
        rich_help_panel=MODEL,
        show_default=False,
    ),
]
