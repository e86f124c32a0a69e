"""The options that say what the model is, which `fit` and `priors` share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hierfit.cli.options.declared import Options
from hierfit.cli.options.shared import Format, OutputFormat

MODEL = "Model"
_option = partial(typer.Option, rich_help_panel=MODEL)
_column = partial(_option, metavar="COLUMN", show_default=False)


def _predictor(name: str, what: str) -> Any:
    """Return the option that says what predicts a parameter beside the mean."""
    return _option(f"--{name}", metavar="TERMS", help=f"What predicts {what}.", show_default=False)


@dataclass(frozen=True, kw_only=True)
class ModelOptions(Options):
    """What the model is, and of which file."""

    data: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The CSV file; -: standard input.", show_default=False)
    ] = None
    formula: Annotated[
        str | None,
        _option(
            "--formula",
            metavar="FORMULA",
            help='The model in lme4\'s grammar, such as "score ~ ses * sector + (1 + ses | school)", instead of --y, '
            "--x, --group and --slope.",
            show_default=False,
        ),
    ] = None
    y: Annotated[str | None, _column("--y", help="Column of the outcome.")] = None
    x: Annotated[list[str] | None, _column("--x", help="Column of a predictor; repeat for more.")] = None
    group: Annotated[list[str] | None, _column("--group", help="Column of the group labels; repeat for more.")] = None
    slope: Annotated[
        list[str] | None,
        _column(
            "--slope",
            help="Predictor whose slope varies between groups, with several groups ses:school; repeat for more. It "
            "gets an overall slope too.",
        ),
    ] = None
    no_varying_intercept: Annotated[bool, _option("--no-varying-intercept", help="One intercept for all groups.")] = (
        False
    )
    uncorrelated: Annotated[bool, _option("--uncorrelated", help="No correlation between what varies in a group.")] = (
        False
    )
    family: Annotated[
        str,
        _option(
            "--family",
            metavar="NAME",
            help="Distribution of the outcome: gaussian, student, bernoulli, binomial, poisson, negbinomial, gamma, "
            "lognormal, beta, ...",
        ),
    ] = "gaussian"
    link: Annotated[
        str | None,
        _option(
            "--link",
            metavar="NAME",
            help="Link of the outcome's mean: logit, probit, cloglog, ...",
            show_default="the family's own",
        ),
    ] = None
    trials: Annotated[str | None, _column("--trials", help="Column with the number of trials (binomial).")] = None
    offset: Annotated[
        str | None,
        _column("--offset", help="Column added to the linear predictor, such as the log of an exposure."),
    ] = None
    exposure: Annotated[
        str | None,
        _column(
            "--exposure",
            help="Column whose logarithm is added to the linear predictor: minutes watched, people at risk, ...",
        ),
    ] = None
    weights: Annotated[
        str | None,
        _column("--weights", help="Column that says how often each row counts, as if it were so often in the file."),
    ] = None
    precision_weights: Annotated[
        str | None,
        _column(
            "--precision-weights",
            help="Column that divides the variance of a row, as lme4's weights: sigma^2 / weight.",
        ),
    ] = None
    reference: Annotated[
        list[str] | None,
        _option(
            "--reference",
            metavar="COLUMN=LEVEL",
            help="Level that the others of a text column are compared with; repeat for more.",
            show_default="the first in alphabetical order",
        ),
    ] = None
    sigma: Annotated[
        str | None,
        _predictor("sigma", "the log of the residual sd, such as 'x + group'; a group alone: a sigma for each"),
    ] = None
    nu: Annotated[str | None, _predictor("nu", "log(nu - 1), nu the degrees of freedom (student)")] = None
    shape: Annotated[str | None, _predictor("shape", "the log of shape (negbinomial, gamma)")] = None
    phi: Annotated[str | None, _predictor("phi", "the log of phi (beta, beta_binomial)")] = None
    zi: Annotated[str | None, _predictor("zi", "the logit of the share of excess zeros (zero_inflated_*)")] = None
    hu: Annotated[str | None, _predictor("hu", "the logit of the probability of 0 (hurdle_*)")] = None
    levels: Annotated[
        list[str] | None,
        _option(
            "--levels",
            metavar="COLUMN=LEVEL,...",
            help="Order of the levels of a column of categories, such as dose=low,mid,high; repeat for more. The first "
            "is the reference.",
            show_default="alphabetical order",
        ),
    ] = None
    contrasts: Annotated[
        list[str] | None,
        _option(
            "--contrasts",
            metavar="COLUMN=KIND",
            help="What the coefficients of a text column compare: treatment, sum, helmert, poly, sdif (each level with "
            "the one before), or a CSV file with a matrix; repeat for more.",
            show_default="treatment: each level with the reference",
        ),
    ] = None
    na: Annotated[
        list[str] | None,
        _option(
            "--na",
            metavar="TEXT",
            help='A spelling of missing values beside the usual ones, such as None or -99; repeat for more. "": only '
            "empty cells, and what else --na names.",
            show_default="NA, N/A, n/a, #N/A, <NA>, NaN, nan",
        ),
    ] = None
    prior: Annotated[
        list[str] | None,
        _option(
            "--prior",
            metavar="PRIOR",
            help='A prior, such as "sd(school) ~ normal(0, 5)"; repeat for more.',
            show_default=False,
        ),
    ] = None
    standardize: Annotated[
        bool,
        _option(
            "--standardize",
            help="Read --prior of coefficients, and of sds of slopes, per sd of the predictor; the results stay in its "
            "units.",
        ),
    ] = False
    no_center: Annotated[
        bool,
        _option("--no-center", help="Put the priors of intercepts and of their sds at x = 0, not at the mean of x."),
    ] = False


# What says the model as flags: a formula says it all.
MODEL_FLAGS = ("x", "group", "slope", "no_varying_intercept", "uncorrelated")


@dataclass(frozen=True, kw_only=True)
class PriorsOptions(ModelOptions):
    """The options of `hierfit priors`."""

    output: Format = OutputFormat.TABLE
