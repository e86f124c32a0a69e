"""What to simulate: a formula with true values, its groups and columns, and the checks of what makes no sense.

The model is the one that a fit of the same formula has (see `design.design`), with one true value for every parameter
under the name that the fit reports (see `simulate.true_values`). Which rows belong to which groups is found in
`simulate.group_layout`, what columns hold in `simulate.columns`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hierfit.data.cells import MISSING
from hierfit.design.levels import levels_text
from hierfit.design.outcome import find_family
from hierfit.errors import UsageError, did_you_mean
from hierfit.model.contrasts import LevelContrasts
from hierfit.model.formula import Formula
from hierfit.model.grammar import column_of, quoted
from hierfit.model.roles import Roles
from hierfit.simulate.checks import Count, check_missing, check_range, check_seed, check_trials, ends
from hierfit.simulate.group_layout import blocks_of
from hierfit.simulate.predictors import Predictors

FIRST_LEVELS, FURTHER_LEVELS, NESTED_LEVELS = 30, 10, 4
ROWS_PER_GROUP, ROWS_WITHOUT_GROUPS = 20, 200
NORMAL = Predictors()
TRIALS = "trials"  # name of their column
_TRIALS_OF: Mapping[str, Count] = {"binomial": (10, 30), "beta_binomial": (4, 14)}
_CODED = ("1", "2", "3")  # levels of a column of numbers that a term makes categories of


@dataclass(frozen=True)
class Simulation:
    """What to simulate; refuses what makes no sense with a UsageError.

    Attributes:
        formula: the model.
        family: distribution of the outcome.
        link: link between its mean and the predictors; None takes the family's default.
        levels: group column -> how many levels it has, within every level of the column that it is nested in.
        rows: of every smallest group of the first factor, or all of them where nothing is grouped.
        predictors: the distribution of the number columns.
        distributions: number column -> its own distribution.
        categories: column of words, the outcome among them -> its levels in order, the reference first.
        per: predictor -> factor of which every level has one value.
        trials: of each row, for families that count successes; None takes ten to thirty, or so.
        offset: column that is added to the linear predictor.
        references: text column -> level that the others are compared with.
        contrasts: text column -> what the coefficients of its levels compare, where that is another thing.
        true: parameter, or class of parameters -> true value.
        missing: share of the cells of outcome and predictors that are made empty, at random.
        seed: of the random numbers.
        prefixes: group column -> what its labels begin with; the first letter of its name where nothing is said.
        of_scenario: whether it is one of `simulate.scenarios`: columns of numbers, a factor, perhaps intercepts of a
            second one across it. Their random numbers come in an order of their own, so that a seed gives the file that
            it has always given.
    """

    formula: Formula
    family: str = "gaussian"
    link: str | None = None
    levels: Mapping[str, Count] = field(default_factory=dict)
    rows: Count | None = None
    predictors: Predictors = NORMAL
    distributions: Mapping[str, Predictors] = field(default_factory=dict)
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    per: Mapping[str, str] = field(default_factory=dict)
    trials: Count | None = None
    offset: str | None = None
    references: Mapping[str, str] = field(default_factory=dict)
    contrasts: Mapping[str, LevelContrasts] = field(default_factory=dict)
    true: Mapping[str, float] = field(default_factory=dict)
    missing: float = 0.0
    seed: int = 1
    prefixes: Mapping[str, str] = field(default_factory=dict)
    of_scenario: bool = False

    def __post_init__(self) -> None:
        find_family(self.family, self.link)
        check_trials(self.family, self.all_trials)
        check_missing(self.missing)
        check_seed(self.seed)
        check_range("row", self.all_rows, "group" if self.formula.all_groups else "simulation")
        _check_roles(self)
        _check_levels(self)
        _check_categories(self)
        _check_distributions(self)
        _check_per(self)
        if self.of_scenario:
            _check_scenario(self)

    @property
    def all_rows(self) -> Count:
        """The rows of every smallest group, or all of them, the default among them."""
        default = ROWS_PER_GROUP if self.formula.all_groups else ROWS_WITHOUT_GROUPS
        return default if self.rows is None else self.rows

    @property
    def all_trials(self) -> Count | None:
        """The trials of each row, the default of the family among them."""
        return _TRIALS_OF.get(self.family) if self.trials is None else self.trials

    @property
    def all_levels(self) -> dict[str, Count]:
        """How many levels every group column has, the defaults among them."""
        found: dict[str, Count] = {}
        for number, block in enumerate(blocks_of(self.formula)):
            for depth, column in enumerate(block):
                root = FURTHER_LEVELS if number else FIRST_LEVELS
                default = len(self.categories.get(column, ())) or (NESTED_LEVELS if depth else root)
                found[column] = self.levels.get(column, default)
        return found

    @property
    def all_categories(self) -> dict[str, tuple[str, ...]]:
        """The levels of columns of words, and of numbers that a term makes categories of."""
        coded = {name: _CODED for name in self.formula.predictors if self._is_coded(name)}
        labels = self.formula.label_columns
        named = {name: tuple(levels) for name, levels in self.categories.items()}
        return {name: levels for name, levels in coded.items() if name not in labels} | named

    @property
    def number_columns(self) -> tuple[str, ...]:
        """The columns that are drawn from a distribution: predictors, and the offset."""
        drawn = [name for name in self.formula.predictors if name not in self.formula.label_columns]
        offset = () if self.offset is None else (self.offset,)
        return tuple(name for name in dict.fromkeys((*drawn, *offset)) if name not in self.all_categories)

    @property
    def roles(self) -> Roles:
        """The further columns, as a fit has them."""
        used = (self.formula.response, *self.formula.predictors)
        orders = {name: tuple(levels) for name, levels in self.categories.items() if name in used}
        trials = None if self.all_trials is None else TRIALS
        return Roles(trials, self.offset, None, self.references, orders, contrasts=self.contrasts)

    def _is_coded(self, name: str) -> bool:
        calls = re.compile(rf"\b[CST]\({re.escape(quoted(name))}[,)]")
        return any(calls.search(term) for term in self.formula.all_terms)


def _check_roles(simulation: Simulation) -> None:
    """Refuse columns with two parts in the model that would be one column of the file."""
    formula, trials = simulation.formula, simulation.roles.trials
    used = (formula.response, *formula.predictors, *formula.label_columns)
    if trials is not None and trials in (*used, simulation.offset):
        raise UsageError(
            f"a column cannot be named '{trials}': the numbers of trials are.", hint="name it otherwise in the formula"
        )
    if simulation.offset in (formula.response, *formula.label_columns):
        raise UsageError(
            f"--offset {simulation.offset}: that column is the outcome or a group.", hint="give the offset another name"
        )


def _check_levels(simulation: Simulation) -> None:
    columns = simulation.formula.label_columns
    roots = {block[0] for block in blocks_of(simulation.formula)}
    for name, number in simulation.levels.items():
        if name not in columns:
            raise UsageError(
                f"--levels {name}: '{name}' is no group of '{simulation.formula}'.{did_you_mean(name, columns)}",
                hint=f"groups: {', '.join(columns) or 'none'}; of words name the levels: --levels {name}=A,B,C",
            )
        check_range("level", number, name)
        if name in roots and ends(number)[1] < 2:
            raise UsageError(
                f"'{name}' has {ends(number)[1]} level, but the variation between groups needs at least two groups.",
                hint=f"ask for more, for example {FIRST_LEVELS}",
            )
        if name in roots and not isinstance(number, int):
            raise UsageError(
                f"--levels {name}={number[0]}-{number[1]}: '{name}' is not nested, so it has one number of levels.",
                hint=f"for example --levels {name}={number[1]}; a range is for --rows-per-group and nested groups",
            )
    for name, number in simulation.all_levels.items():
        if name in simulation.categories and ends(number)[1] > len(simulation.categories[name]):
            raise UsageError(
                f"--levels asks for {ends(number)[1]} levels of '{name}' and names {len(simulation.categories[name])}.",
                hint="leave one of them out",
            )


def _check_categories(simulation: Simulation) -> None:
    formula = simulation.formula
    known = (formula.response, *formula.predictors, *formula.label_columns)
    for name, levels in simulation.categories.items():
        given = f"--levels {levels_text(name, levels)}"
        if name not in known:
            raise UsageError(
                f"{given}: '{name}' is no column of '{formula}'.{did_you_mean(name, known)}",
                hint=f"columns: {', '.join(known)}",
            )
        if len(set(levels)) < max(2, len(levels)):
            raise UsageError(f"{given} does not name two or more different levels.", hint=f"--levels {name}=A,B")
        empty = [level for level in levels if level.strip() in MISSING]
        if empty:
            raise UsageError(f"{given}: '{empty[0]}' reads as a missing value.", hint="choose another word")


def _check_distributions(simulation: Simulation) -> None:
    columns = simulation.number_columns
    for name, distribution in simulation.distributions.items():
        if name not in columns:
            formula = simulation.formula
            what = "a group" if name in formula.label_columns else "no column of numbers"
            what = "of named or numbered levels" if name in simulation.all_categories else what
            raise UsageError(
                f"--predictors \"{name} ~ {distribution}\": '{name}' is {what} in '{formula}'."
                f"{did_you_mean(name, columns)}",
                hint=f"columns of numbers: {', '.join(columns) or 'none'}",
            )


def _check_per(simulation: Simulation) -> None:
    formula = simulation.formula
    columns = [name for name in formula.predictors if name not in formula.label_columns]
    factors = tuple(dict.fromkeys((*(block[0] for block in blocks_of(formula)), *formula.factors)))
    for name, factor in simulation.per.items():
        if name not in columns:
            raise UsageError(
                f"--per {name}={factor}: '{name}' is no predictor of '{formula}'.{did_you_mean(name, columns)}",
                hint=f"predictors: {', '.join(columns) or 'none'}",
            )
        if factor not in factors:
            raise UsageError(
                f"--per {name}={factor}: '{factor}' is no group of '{formula}'.{did_you_mean(factor, factors)}",
                hint=f"groups: {', '.join(factors) or 'none'}",
            )


def _check_scenario(simulation: Simulation) -> None:
    """Refuse what has no place in the order in which the random numbers of scenarios come."""
    formula, more = simulation.formula, (simulation.categories, simulation.distributions, simulation.per)
    columns = all(column_of(term) in simulation.number_columns for term in formula.all_terms)
    crossed = all(not group.crossing for group in formula.groups) and not any(g.slopes for g in formula.groups[1:])
    if (
        not (columns and crossed and len(formula.groups) in (1, 2))
        or any(more)
        or formula.distributional
        or simulation.offset
    ):
        raise UsageError(
            f"'{formula}' is no scenario: that has columns of numbers, a factor, and intercepts of a second one.",
            hint="leave out of_scenario: any other formula is simulated without",
        )
