"""The options that say what the model is: names, help texts, limits, one place for each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hierfit.cli.options import MODEL

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
