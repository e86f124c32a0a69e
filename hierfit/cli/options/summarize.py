"""The options of `hierfit summarize`, and what they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from hierfit.cli.options.declared import Options
from hierfit.cli.options.pairs import pairs
from hierfit.cli.options.shared import Ci, ExitZero, Format, OutputFormat, Run
from hierfit.errors import UsageError

if TYPE_CHECKING:
    from hierfit.posterior.retold import Telling

_GROUPS, _VARIANCE, _TELLING = "Groups", "Variance", "Main table"
_QUANTILES = "for example --quantiles 0.05,0.5,0.95"


@dataclass(frozen=True, kw_only=True)
class SummarizeOptions(Options):
    """The options of `hierfit summarize`."""

    run: Run
    exp: Annotated[
        bool,
        typer.Option(
            "--exp",
            help="Coefficients as ratios: odds, rate or hazard ratios, by median and interval.",
            rich_help_panel=_TELLING,
        ),
    ] = False
    median: Annotated[
        bool,
        typer.Option("--median", help="Medians and MAD sds in place of means and sds.", rich_help_panel=_TELLING),
    ] = False
    quantiles: Annotated[
        str | None,
        typer.Option(
            "--quantiles",
            metavar="P,P",
            help="These quantiles, such as 0.05,0.5,0.95, in place of the interval.",
            show_default=False,
            rich_help_panel=_TELLING,
        ),
    ] = None
    variance: Annotated[
        bool,
        typer.Option(
            "--variance",
            help="How the variance divides between predictors, groups (ICC) and what is left, and R2.",
            rich_help_panel=_VARIANCE,
        ),
    ] = False
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--at",
            metavar="COLUMN=V,V",
            help="Divide it where a predictor has each of these values, not over the rows' own. Repeatable.",
            show_default=False,
            rich_help_panel=_VARIANCE,
        ),
    ] = None
    groups: Annotated[
        bool, typer.Option("--groups", help="The groups instead of the main table.", rich_help_panel=_GROUPS)
    ] = False
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            help="Sort groups by this coefficient: Intercept, ses, ...",
            show_default="first",
            rich_help_panel=_GROUPS,
        ),
    ] = None
    top: Annotated[int, typer.Option("--top", min=1, help="Groups shown from either end.", rich_help_panel=_GROUPS)] = 5
    show_all: Annotated[bool, typer.Option("--all", help="All groups.", rich_help_panel=_GROUPS)] = False
    ci: Ci = None
    output: Format = OutputFormat.TABLE
    exit_zero: ExitZero = False


def check_options(options: SummarizeOptions) -> None:
    """Refuse options that are about another table than the one asked for.

    Raises:
        UsageError: there are such.
    """
    about_groups, tables = options.said("sort", "top", "show_all"), options.said("groups", "variance")
    if about_groups and not options.groups:
        raise UsageError(f"{about_groups[0]} is about groups, but --groups is not given.", hint="add --groups")
    if options.at and not options.variance:
        raise UsageError("--at says where the variance is divided, but --variance is not given.", hint="add --variance")
    if len(tables) > 1:
        raise UsageError("--groups and --variance are two tables.", hint="ask for one after the other")
    telling = options.said("exp", "median", "quantiles")
    if tables and telling:
        raise UsageError(f"{telling[0]} is about the main table, not {tables[0]}.", hint=f"leave {tables[0]} out")
    if options.quantiles is not None and options.ci is not None:
        raise UsageError("--quantiles stand in place of the interval of --ci.", hint="leave one of them out")


def telling_of(options: SummarizeOptions) -> Telling | None:
    """Return how the main table is told otherwise, None where it is not.

    Raises:
        UsageError: --quantiles cannot be read.
    """
    from hierfit.posterior.retold import Telling

    quantiles = _quantiles(options.quantiles)
    if not (options.exp or options.median or quantiles):
        return None
    return Telling(options.median, options.exp, quantiles)


def held_of(options: SummarizeOptions) -> Mapping[str, Sequence[float | str]]:
    """Return the values at which predictors are held.

    Raises:
        UsageError: --at cannot be read.
    """
    given = pairs("--at", options.at, "ses=0,10")
    return {column: tuple(value.strip() for value in text.split(",")) for column, text in given.items()}


def _quantiles(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--quantiles {text.strip()} could not be read.", hint=_QUANTILES) from None
    return checked_quantiles(found)


def checked_quantiles(found: Sequence[float]) -> tuple[float, ...]:
    """Return probabilities of quantiles.

    Raises:
        UsageError: one is none, or given twice.
    """
    for value in found:
        if not 0 < value < 1:
            raise UsageError(f"--quantiles: {value:g} is not between 0 and 1.", hint=_QUANTILES)
    if len(set(found)) < len(found):
        twice = ",".join(f"{value:g}" for value in found)
        raise UsageError(f"--quantiles {twice}: one of them is given twice.", hint=_QUANTILES)
    return tuple(found)
