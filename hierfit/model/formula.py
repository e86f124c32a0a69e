"""The model's one text form: `score ~ 1 + ses + (1 + ses | school)`.

The flags of the command line are sugar for a Formula; its text, in lme4's grammar, is printed before every fit and
stored with every run. A Formula sees no data: whether its columns exist is found out by `data.table` and
`design.design`.

A term is a piece of text that `formulae` evaluates: a column (`ses`, or `` `family income` `` where the name is no
plain word), an interaction (`ses:sector`), a call (`poly(age, 2)`). Texts are read by `model.formula_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hierfit.errors import FormulaError, did_you_mean
from hierfit.model.grammar import function_or_column, quoted
from hierfit.plain import Later


@dataclass(frozen=True)
class GroupTerm:
    """What varies between the levels of one grouping factor: `(1 + ses | school)`.

    Attributes:
        factor: name of the factor: the column that holds the labels, or `school:class`.
        intercept: whether the intercept varies.
        slopes: terms whose coefficients vary, in the order given.
        correlated: whether correlations between the varying coefficients are estimated (`|`) or fixed at 0 (`||`).
        crossing: the columns whose combinations are the levels; empty where the factor is one column.
        shared: the letter of `(1 | p | school)`; what varies with the same letter in predictors of several parameters
            is correlated.
    """

    factor: str
    intercept: bool = True
    slopes: tuple[str, ...] = ()
    correlated: bool = True
    crossing: tuple[str, ...] = ()
    shared: Later[str | None] = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold the labels."""
        return self.crossing or (self.factor,)

    def __str__(self) -> str:
        varying = ["1" if self.intercept else "0", *self.slopes]
        bar = "|" if self.correlated or not self.slopes else "||"  # one slope of a text column is several
        bar += f" {self.shared} |" if self.shared else ""
        return f"({' + '.join(varying)} {bar} {':'.join(quoted(column) for column in self.columns)})"


@dataclass(frozen=True)
class Predictor:
    """What predicts a parameter of the outcome's distribution beside the mean: `sigma ~ 1 + ses`.

    Attributes:
        parameter: `sigma`, `zi`, ...
        terms: as in a Formula.
        intercept: whether there is an intercept.
        groups: as in a Formula.
    """

    parameter: str
    terms: tuple[str, ...]
    intercept: bool = True
    groups: Later[tuple[GroupTerm, ...]] = ()

    @property
    def right(self) -> str:
        """What stands right of the tilde: `1 + ses`."""
        return " + ".join(["1" if self.intercept else "0", *self.terms, *map(str, self.groups)])

    def __str__(self) -> str:
        return f"{self.parameter} ~ {self.right}"


@dataclass(frozen=True)
class Formula:
    """Response, population-level terms and group terms.

    Attributes:
        response: column of the outcome, or a function of one: `score`, `log(score)`.
        terms: terms with population-level coefficients.
        groups: one GroupTerm per grouping factor.
        intercept: whether there is a population-level intercept.
        distributional: what predicts other parameters than the mean; those not named are the same for all rows.
        offset: what `offset(...)` in its text names: a column, or a function of one.
    """

    response: str
    terms: tuple[str, ...] = ()
    groups: tuple[GroupTerm, ...] = ()
    intercept: bool = True
    distributional: tuple[Predictor, ...] = ()
    offset: Later[str | None] = None

    @property
    def all_terms(self) -> tuple[str, ...]:
        """The terms with population-level coefficients, those whose coefficients vary, those of other parameters."""
        slopes = (slope for group in self.all_groups for slope in group.slopes)
        return (*self.terms, *slopes, *(term for predictor in self.distributional for term in predictor.terms))

    @property
    def all_groups(self) -> tuple[GroupTerm, ...]:
        """The group terms of the mean, and then those of other parameters."""
        return (*self.groups, *(group for predictor in self.distributional for group in predictor.groups))

    def predictor(self, parameter: str) -> Predictor | None:
        """Return what predicts a parameter beside the mean, None where it is the same for all rows."""
        return next((found for found in self.distributional if found.parameter == parameter), None)

    def with_predictor(self, predictor: Predictor) -> Formula:
        """Return the formula in which a parameter has that predictor, in place of one that it had."""
        others = tuple(other for other in self.distributional if other.parameter != predictor.parameter)
        return replace(self, distributional=(*others, predictor))

    def without_predictor(self, parameter: str) -> Formula:
        """Return the formula in which a parameter is the same for all rows."""
        others = tuple(other for other in self.distributional if other.parameter != parameter)
        return replace(self, distributional=others)

    @property
    def uncorrelated(self) -> Formula:
        """The formula without correlations of what varies."""
        alone = (replace(own, groups=_uncorrelated(own.groups)) for own in self.distributional)
        return replace(self, groups=_uncorrelated(self.groups), distributional=tuple(alone))

    @property
    def predictors(self) -> tuple[str, ...]:
        """Columns that the terms use, each once."""
        from hierfit.model.term_text import columns_in  # loads formulae where a term is more than a column

        return tuple(dict.fromkeys(column for term in self.all_terms for column in columns_in(term)))

    @property
    def categorical(self) -> tuple[str, ...]:
        """Columns that a term makes categories of: `C(grade)`."""
        return tuple(name for name in self.predictors if any(f"C({quoted(name)}" in term for term in self.all_terms))

    @property
    def label_columns(self) -> tuple[str, ...]:
        """Columns that hold group labels, each once."""
        return tuple(dict.fromkeys(column for group in self.all_groups for column in group.columns))

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the grouping factors, each once; `a:b` and `b:a` have the same levels."""
        names: dict[frozenset[str], str] = {}
        for group in self.all_groups:
            names.setdefault(frozenset(group.columns), group.factor)
        return tuple(names.values())

    def __str__(self) -> str:
        population = ["1" if self.intercept else "0", *self.terms]
        population += [f"offset({function_or_column(self.offset)})"] if self.offset is not None else []
        response = function_or_column(self.response)
        text = f"{response} ~ {' + '.join(population + [str(group) for group in self.groups])}"
        return "; ".join([text, *map(str, self.distributional)])


def _uncorrelated(groups: Sequence[GroupTerm]) -> tuple[GroupTerm, ...]:
    return tuple(replace(group, correlated=group.correlated and not group.slopes, shared=None) for group in groups)


def formula_from_flags(
    y: str,
    x: Sequence[str],
    group: str | Sequence[str] | None = None,
    slopes: Sequence[str] = (),
    *,
    varying_intercept: bool = True,
    correlated: bool = True,
) -> Formula:
    """Build the Formula that `--y --x --group --slope` describe; with several groups a slope is `ses:school`.

    A column named by --slope gets a population-level coefficient too, named by --x or not: a slope that varies around
    zero is rarely meant.

    Raises:
        FormulaError: a column is used in two roles, or the flags leave nothing that varies.
    """
    factors = tuple(dict.fromkeys([group] if isinstance(group, str) else group or ()))
    if not factors and (slopes or not varying_intercept):
        raise FormulaError(
            "--slope and --no-varying-intercept say what varies between groups, but no --group is given.",
            hint="add --group COLUMN, the column that holds the group labels",
        )
    by_factor = _slopes_by_factor(slopes, factors)
    for factor in factors:
        if not varying_intercept and not by_factor[factor]:
            raise FormulaError(
                f"with --no-varying-intercept and no --slope, nothing varies between the groups of '{factor}'.",
                hint=f"add --slope COLUMN:{factor}, or leave out --group {factor} or --no-varying-intercept",
            )
    terms = tuple(
        GroupTerm(factor, varying_intercept, tuple(map(quoted, by_factor[factor])), correlated or not by_factor[factor])
        for factor in factors
    )
    columns = dict.fromkeys((*x, *(column for factor in factors for column in by_factor[factor])))
    formula = Formula(y, tuple(map(quoted, columns)), terms)
    _refuse_two_roles(formula)
    return formula


def _slopes_by_factor(slopes: Sequence[str], factors: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns whose slope varies, for each factor, in the order given."""
    found: dict[str, list[str]] = {factor: [] for factor in factors}
    for slope in slopes:
        column, colon, factor = slope.rpartition(":")
        if not colon:
            column, factor = slope, factors[0]
            if len(factors) > 1:
                raise FormulaError(
                    f"--slope {slope} does not say for which of {' and '.join(factors)} it varies.",
                    hint=f"for example --slope {slope}:{factors[0]}",
                )
        if factor not in found:
            raise FormulaError(
                f"--slope {slope}: '{factor}' is not a --group.{did_you_mean(factor, factors)}",
                hint=f"--slope {column}:{factors[0]}",
            )
        if column not in found[factor]:
            found[factor].append(column)
    return found


def _refuse_two_roles(formula: Formula) -> None:
    for column, role, flags in (
        *((column, "a predictor", "--y and --x") for column in formula.predictors),
        *((column, "a group (--group)", "--y and --group") for column in formula.label_columns),
    ):
        if column == formula.response:
            raise FormulaError(
                f"'{column}' is both the outcome (--y) and {role}.", hint=f"name different columns with {flags}"
            )
