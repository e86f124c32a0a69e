"""The model's one text form: `score ~ 1 + ses + (1 + ses | school)`.

The flags of the command line are sugar for a Formula; its text, in lme4's grammar, is printed before every
fit and stored with every run. A Formula
sees no data: whether its columns exist is found out by `model.table` and `model.design`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hierfit.errors import FormulaError

INTERCEPT = "Intercept"


@dataclass(frozen=True)
class GroupTerm:
    """What varies between the levels of one grouping factor: `(1 + ses | school)`.

    Attributes:
        factor: column that holds the group labels.
        intercept: whether the intercept varies.
        slopes: columns whose coefficient varies, in the order given.
        correlated: whether correlations between the varying coefficients are estimated (`|`) or fixed at 0 (`||`).
    """

    factor: str
    intercept: bool = True
    slopes: tuple[str, ...] = ()
    correlated: bool = True

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the varying coefficients, the intercept first."""
        return ((INTERCEPT,) if self.intercept else ()) + self.slopes

    def __str__(self) -> str:
        bar = "|" if self.correlated or len(self.terms) < 2 else "||"
        return f"({' + '.join(['1' if self.intercept else '0', *self.slopes])} {bar} {self.factor})"


@dataclass(frozen=True)
class Formula:
    """Response, population-level terms and group terms.

    Attributes:
        response: column of the outcome.
        terms: columns with a population-level coefficient.
        groups: one GroupTerm per grouping factor.
        intercept: whether there is a population-level intercept.
    """

    response: str
    terms: tuple[str, ...] = ()
    groups: tuple[GroupTerm, ...] = ()
    intercept: bool = True

    @property
    def numeric_columns(self) -> tuple[str, ...]:
        """Columns that must hold numbers: the response, then every predictor once."""
        slopes = (slope for group in self.groups for slope in group.slopes)
        return tuple(dict.fromkeys((self.response, *self.terms, *slopes)))

    @property
    def factors(self) -> tuple[str, ...]:
        """Columns that hold group labels."""
        return tuple(group.factor for group in self.groups)

    def __str__(self) -> str:
        population = ["1" if self.intercept else "0", *self.terms]
        return f"{self.response} ~ {' + '.join(population + [str(group) for group in self.groups])}"


def formula_from_dict(stored: Mapping[str, Any]) -> Formula:
    """Make the Formula whose `dataclasses.asdict` was stored."""
    groups = (
        GroupTerm(group["factor"], group["intercept"], tuple(group["slopes"]), group["correlated"])
        for group in stored["groups"]
    )
    return Formula(stored["response"], tuple(stored["terms"]), tuple(groups), stored["intercept"])


def formula_from_flags(
    y: str,
    x: Sequence[str],
    group: str | None,
    slopes: Sequence[str] = (),
    *,
    varying_intercept: bool = True,
    correlated: bool = True,
) -> Formula:
    """Build the Formula that `--y --x --group --slope` describe.

    A column named by --slope gets a population-level coefficient too, named by --x or not: a slope that
    varies around zero is rarely meant.

    Raises:
        FormulaError: a column is used in two roles, or the flags leave nothing that varies.
    """
    if group is None:
        if slopes or not varying_intercept:
            raise FormulaError(
                "--slope and --no-varying-intercept say what varies between groups, but no --group is given.",
                hint="add --group COLUMN, the column that holds the group labels",
            )
        groups: tuple[GroupTerm, ...] = ()
    elif not slopes and not varying_intercept:
        raise FormulaError(
            "with --no-varying-intercept and no --slope, nothing varies between the groups.",
            hint="add --slope COLUMN, or leave out --no-varying-intercept",
        )
    else:
        groups = (GroupTerm(group, varying_intercept, tuple(dict.fromkeys(slopes)), correlated),)
    formula = Formula(y, tuple(dict.fromkeys((*x, *slopes))), groups)
    _refuse_two_roles(formula)
    return formula


def _refuse_two_roles(formula: Formula) -> None:
    if formula.response in formula.terms:
        raise FormulaError(
            f"'{formula.response}' is both the outcome (--y) and a predictor.",
            hint="name different columns with --y and --x",
        )
    for factor in formula.factors:
        if factor == formula.response:
            raise FormulaError(
                f"'{factor}' is both the outcome (--y) and the group (--group).",
                hint="name different columns with --y and --group",
            )
