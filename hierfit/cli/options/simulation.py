"""The options of `hierfit simulate --formula` as typed -> Simulation."""

from __future__ import annotations

from collections.abc import Sequence

from hierfit.cli.options.contrasts import given_contrasts
from hierfit.cli.options.pairs import number_or_range, numbers, pairs
from hierfit.cli.options.simulate import SimulateOptions
from hierfit.design.levels import parse_levels
from hierfit.errors import UsageError
from hierfit.model.formula import Formula
from hierfit.model.formula_text import parse_formula
from hierfit.simulate.checks import Count
from hierfit.simulate.predictors import Predictors
from hierfit.simulate.simulation import NORMAL, Simulation


def simulation_from(options: SimulateOptions) -> Simulation:
    """Return what the options ask for beside --formula.

    Raises:
        UsageError, FormulaError: an option cannot be read, or makes no sense.
    """
    formula = parse_formula(options.formula or "")
    distributions = distributions_of(options.predictors)
    counts, names = _levels(options.levels)
    per = pairs("--per", options.per, "sector=school")
    return Simulation(
        formula,
        options.family or "gaussian",
        options.link,
        levels=_counts(formula, options.groups, counts),
        rows=_rows(formula, options),
        predictors=distributions.pop("", NORMAL),
        distributions=distributions,
        categories=names,
        per={name: factor.strip() for name, factor in per.items()},
        trials=number_or_range("--trials", options.trials),
        offset=options.offset,
        references=pairs("--reference", options.reference, "sector=Public"),
        contrasts=given_contrasts(options.contrasts),
        true=numbers("--true", options.true, '"sd(school)=5"'),
        missing=options.missing or 0.0,
        seed=options.seed,
    )


def _levels(texts: Sequence[str] | None) -> tuple[dict[str, Count], dict[str, tuple[str, ...]]]:
    """Read "school=30" and "class=2-5", how many levels there are, and "sector=Public,Catholic", which ones."""
    counts: dict[str, Count] = {}
    names: dict[str, tuple[str, ...]] = {}
    for text in texts or ():
        column, _, value = (part.strip() for part in text.rpartition("="))
        is_list = "," in text or '"' in text
        if not is_list and not (column and value[:1].isdecimal()):
            raise UsageError(
                f"--levels {text} says neither how many levels nor which.",
                hint="for example --levels school=30, a range class=2-5, or --levels sector=Public,Catholic",
            )
        if is_list:
            column, levels = parse_levels(text)
        if column in (names if is_list else counts):
            raise UsageError(f"--levels says '{column}' more than once.", hint="leave one out")
        if is_list:
            names[column] = levels
        else:
            counts[column] = number_or_range("--levels", value, text) or 0
    return counts, names


def _counts(formula: Formula, groups: int | None, counts: dict[str, Count]) -> dict[str, Count]:
    """Return how many levels the groups have; --groups says that of the only one."""
    columns = formula.label_columns
    if groups is None:
        return counts
    if not columns:
        raise UsageError(f"--groups {groups}: the formula has no groups.", hint="for example --rows 200")
    if len(columns) > 1 or counts:
        raise UsageError(
            f"--groups {groups}: --levels says how many levels {' and '.join(columns)} have.",
            hint=" ".join(f"--levels {name}={groups}" for name in columns),
        )
    return {columns[0]: groups}


def _rows(formula: Formula, options: SimulateOptions) -> Count | None:
    """Return the rows of each group, or all of them."""
    if options.rows is not None and formula.groups:
        raise UsageError(
            f"--rows {options.rows}: the formula has groups, which say how many rows there are.",
            hint="--rows-per-group 20, or a range 2-5",
        )
    if options.rows_per_group is not None and not formula.groups:
        raise UsageError(
            f"--rows-per-group {options.rows_per_group}: the formula has no groups.", hint="for example --rows 200"
        )
    return options.rows or number_or_range("--rows-per-group", options.rows_per_group)


def distributions_of(texts: Sequence[str] | None) -> dict[str, Predictors]:
    """Read "normal(0, 1)", the distribution of all columns, under no name, and "age ~ uniform(8, 16)", that of one."""
    found: dict[str, Predictors] = {}
    for text in texts or ():
        name, _, distribution = text.rpartition("~")
        name = name.strip().strip("`")
        if name in found:
            what = f"that of '{name}'" if name else "that of all columns"
            raise UsageError(f"--predictors gives {what} more than once.", hint="leave one out")
        found[name] = Predictors.from_text(distribution)
    return found
