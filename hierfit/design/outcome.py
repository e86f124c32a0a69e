"""The outcome as its family needs it: numbers in the family's support, or categories as codes 0, 1, ...

Two categories stand in alphabetical order, or in that of `Roles.levels`, and a reference goes first. More than two are
ordered: whole numbers by themselves, words by `Roles.levels`, which may name categories that no row has. Refused with
a DataError that names line, value and the families that would take it: a negative count, a proportion of exactly 0 or
1, three values for bernoulli.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.data.cells import numbers_in
from hierfit.data.source import on_disk
from hierfit.data.table import Table, read_table
from hierfit.design.levels import check_levels, levels_text, listed
from hierfit.errors import DataError, UsageError, did_you_mean
from hierfit.model.families import FAMILIES, Family, Support
from hierfit.model.roles import Roles
from hierfit.visible import shell_word

Array = NDArray[np.float64]

LARGEST_COUNT = 2**31 - 1  # Stan's integers
_FEWEST, _MOST = 3, 30  # ordered categories, and of these such as are numbers
_NEEDED = {
    Support.BINARY: "0 and 1, or two words",
    Support.CATEGORIES: "whole numbers, or words whose order is stated",
}
_ORDERED = [family.name for family in FAMILIES.values() if family.support is Support.CATEGORIES]
_ORDERED_HINT = f"; for ordered categories: --family {' or '.join(_ORDERED)}" if _ORDERED else ""
_CATEGORIES_HINT = f"for two categories: --family bernoulli{_ORDERED_HINT}"


@dataclass(frozen=True)
class Outcome:
    """The outcome of every row.

    Attributes:
        y: values [N], codes of `categories` where it has these.
        categories: what 0, 1, ... stand for; empty for numbers.
        trials: number of trials [N], or None.
    """

    y: Array
    categories: tuple[str, ...] = ()
    trials: Array | None = None


# What other packages, and people, call a family.
ELSEWHERE = {
    "normal": "gaussian", "gauss": "gaussian", "linear": "gaussian", "t": "student", "student_t": "student",
    "binary": "bernoulli", "logistic": "bernoulli", "logit": "bernoulli", "count": "poisson", "nb": "negbinomial",
    "nbinom": "negbinomial", "nbinom2": "negbinomial", "negative_binomial": "negbinomial",
    "zip": "zero_inflated_poisson", "zinb": "zero_inflated_negbinomial", "hurdle": "hurdle_poisson",
    "betabinomial": "beta_binomial", "ordinal": "cumulative", "ordered": "cumulative",
}  # fmt: skip


def find_family(name: str, link: str | None) -> tuple[Family, str]:
    """Return the family of that name and the link, its default where none is given.

    Raises:
        UsageError: there is no such family, or it cannot have that link.
    """
    if name not in FAMILIES:
        elsewhere = ELSEWHERE.get(name.lower())
        meant = f" Did you mean '{elsewhere}'?" if elsewhere else did_you_mean(name.lower(), FAMILIES)
        raise UsageError(f"there is no family '{name}'.{meant}", hint=f"families: {', '.join(FAMILIES)}")
    family = FAMILIES[name]
    if link is not None and link not in family.links:
        raise UsageError(
            f"the family {name} has no link '{link}'.{did_you_mean(link, family.links)}",
            hint=f"links: {', '.join(family.links)}",
        )
    return family, link or family.link


def read_outcome(table: Table, response: str, family: Family, roles: Roles) -> Outcome:
    """Return the outcome, checked against the family's support.

    Raises:
        DataError: a value that the family cannot have.
        UsageError: trials missing, or given to a family that has none; levels of numbers, or in no known order.
    """
    trials = read_trials(table, family, roles)
    ordered = family.support is Support.CATEGORIES
    _check_roles(response, family, roles)
    if response not in table.numbers:
        return (_ordered_words if ordered else _two_words)(table, response, family, roles)
    y = table.numbers[response]
    bad = ~_supported(y, family.support, trials)
    if bad.any():
        row = int(bad.argmax())
        of = "" if trials is None else f" of {trials[row]:.12g} trials"
        needed = _NEEDED.get(family.support, family.support.value)
        coded = _codes_hint(table, response, roles) if family.support is Support.BINARY else None
        raise DataError(
            f"column '{response}' of {table.path} holds {y[row]:.12g}{of} on {table.place(row)}"
            f"{'' if bad.sum() == 1 else f' ({int(bad.sum()):,} such rows)'}, but {family.name} needs {needed}.",
            hint=coded or _families_hint(y, family),
        )
    if family.is_discrete and not ordered:
        _refuse_large(table, response, y, "count")
    if ordered:
        return _ordered_numbers(table, response, family)
    if response in roles.references:
        raise UsageError(
            f"--reference {response}={roles.references[response]}: the outcome '{response}' holds numbers.",
            hint="leave it out: of 0 and 1, and of False and True, the second is modelled; "
            f"--levels {response}=1,0 turns it around",
        )
    return Outcome(y, trials=trials)


def read_trials(table: Table, family: Family, roles: Roles) -> Array | None:
    """Return the number of trials of each row [N], None for families without.

    Raises:
        UsageError: trials missing, or given to a family that has none.
        DataError: a number that cannot be had there, with its line.
    """
    if (family.support is Support.SUCCESSES) != (roles.trials is not None):
        if roles.trials is not None:
            raise UsageError(f"--trials: the family {family.name} has no trials.", hint="use --family binomial")
        raise UsageError(
            f"the family {family.name} needs the number of trials of each row.", hint="add --trials COLUMN"
        )
    if roles.trials is None:
        return None
    trials = table.numbers[roles.trials]
    bad = (trials != np.round(trials)) | (trials < 1)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(
            f"column '{roles.trials}' of {table.path} holds {trials[row]:.12g} trials on {table.place(row)}.",
            hint="trials are whole numbers from 1 on; leave out rows without trials",
        )
    _refuse_large(table, roles.trials, trials, "number of trials")
    return trials


def _refuse_large(table: Table, column: str, counts: Array, what: str) -> None:
    """Refuse counts that Stan's integers cannot hold."""
    large = counts > LARGEST_COUNT
    if large.any():
        row = int(large.argmax())
        raise DataError(
            f"column '{column}' of {table.path} holds the {what} {counts[row]:,.0f} on {table.place(row)}"
            f"{'' if large.sum() == 1 else f' ({int(large.sum()):,} such rows)'}; the largest that can be fitted is "
            f"{LARGEST_COUNT:,}.",
            hint="such large counts are as good as continuous: --family gaussian, lognormal or gamma",
        )


def _codes_hint(table: Table, response: str, roles: Roles) -> str | None:
    """Return the option that takes a column of two other numbers, such as 1 and 2, as it is written in the file."""
    values = np.unique(table.numbers[response])
    if len(values) != 2 or not on_disk(table.path).is_file():
        return None
    written = read_table(table.path, (), (response,)).levels[response]
    numbers = zip(numbers_in(written), written, strict=True)
    levels = [level for number, level in sorted(numbers, key=lambda pair: pair[0] or 0.0) if number in values]
    if len(levels) != 2:  # 1 and 1.0
        return None
    if roles.references.get(response) == levels[1]:
        levels.reverse()
    return (
        f"--levels {shell_word(levels_text(response, levels))} takes it as two categories and models the probability "
        f"of {levels[1]}"
    )


def _check_roles(response: str, family: Family, roles: Roles) -> None:
    """Refuse levels of an outcome of numbers, and a reference among ordered categories."""
    if response in roles.levels and family.support not in (Support.BINARY, Support.CATEGORIES):
        option = f"--levels {levels_text(response, roles.levels[response])}"
        raise UsageError(
            f"{option}: an outcome of {family.name} is {family.support.value}, without levels.",
            hint=_CATEGORIES_HINT,
        )
    if response in roles.references and family.support is Support.CATEGORIES:
        raise UsageError(
            f"--reference {response}={roles.references[response]}: none of the ordered categories of an outcome is a "
            "reference.",
            hint=f"state their order with --levels {response}=LOWEST,...,HIGHEST",
        )


def _two_words(table: Table, response: str, family: Family, roles: Roles) -> Outcome:
    """Return two words as 0 and 1."""
    levels = _stated_levels(table, response, roles)
    if family.support is not Support.BINARY:
        raise DataError(
            f"column '{response}' of {table.path} holds text ({', '.join(levels[:4])}, ...), but {family.name} needs "
            f"{family.support.value}.",
            hint=_CATEGORIES_HINT,
        )
    if len(levels) != 2:
        raise DataError(
            f"column '{response}' of {table.path} has {len(levels)} different values ({', '.join(levels[:5])}"
            f"{', ...' if len(levels) > 5 else ''}), but bernoulli needs two.",
            hint=f"{_third_value_hint(table, response)}make a column that says which of two things each row is"
            f"{_ORDERED_HINT}",
        )
    zero = roles.references.get(response, levels[0])
    if zero not in levels:
        raise UsageError(
            f"--reference {response}={zero}: the column has no level '{zero}'.", hint=f"levels: {', '.join(levels)}"
        )
    one = next(level for level in levels if level != zero)
    return _coded(table, response, (zero, one))


def _third_value_hint(table: Table, response: str) -> str:
    """What to do where the rarest of three values is a word for a missing one."""
    levels = table.levels[response]
    if len(levels) != 3:
        return ""
    counts = np.bincount(table.labels[response], minlength=3)
    rarest = levels[int(counts.argmin())]
    return f"if '{rarest}' ({int(counts.min()):,} such cells) means missing: --na {shell_word(rarest)}; otherwise "


def _ordered_words(table: Table, response: str, family: Family, roles: Roles) -> Outcome:
    """Return words as codes in the stated order."""
    levels = _stated_levels(table, response, roles, unused=True)
    _check_fewest(table, response, family, levels)
    if response not in roles.levels:
        raise UsageError(
            f"column '{response}' of {table.path} holds words ({listed(levels)}), and their order is not known.",
            hint=f"state it, lowest first: --levels {shell_word(levels_text(response, levels))}, in the right order",
        )
    return _coded(table, response, levels)


def _ordered_numbers(table: Table, response: str, family: Family) -> Outcome:
    """Return whole numbers as codes in their own order."""
    values, codes = np.unique(table.numbers[response], return_inverse=True)
    levels = tuple(f"{value:.0f}" for value in values)
    _check_fewest(table, response, family, levels)
    if len(levels) > _MOST:
        raise DataError(
            f"column '{response}' of {table.path} has {len(levels):,} different values, too many for the categories "
            f"of {family.name}, {_MOST} at most.",
            hint="take them as numbers: --family gaussian",
        )
    return Outcome(codes.astype(np.float64), levels)


def _stated_levels(table: Table, response: str, roles: Roles, *, unused: bool = False) -> tuple[str, ...]:
    """Return the levels in the stated order, where asked with such as no row has, or in alphabetical order."""
    if response not in roles.levels:
        return tuple(sorted(table.levels[response]))
    check_levels(table, response, roles.levels[response], unused=unused)
    return roles.levels[response]


def _coded(table: Table, response: str, levels: tuple[str, ...]) -> Outcome:
    """Return the outcome as positions among the levels."""
    positions = np.array([levels.index(level) for level in table.levels[response]], dtype=np.float64)
    return Outcome(positions[table.labels[response]], levels)


def _check_fewest(table: Table, response: str, family: Family, levels: Sequence[str]) -> None:
    """Refuse fewer ordered categories than three."""
    if len(levels) < _FEWEST:
        raise DataError(
            f"column '{response}' of {table.path} has {len(levels)} different value{'s' * (len(levels) > 1)} "
            f"({', '.join(levels)}), but {family.name} needs {_FEWEST} or more.",
            hint="for two categories: --family bernoulli" if len(levels) == 2 else "name another outcome",
        )


def _supported(y: Array, support: Support, trials: Array | None) -> NDArray[np.bool_]:
    """Return which values the support contains [N]."""
    whole = y == np.round(y)
    if support is Support.POSITIVE:
        return np.asarray(y > 0)
    if support is Support.UNIT:
        return np.asarray((y > 0) & (y < 1))
    if support is Support.COUNT:
        return np.asarray(whole & (y >= 0))
    if support is Support.BINARY:
        return np.asarray((y == 0) | (y == 1))
    if support is Support.CATEGORIES:
        return np.asarray(whole)
    if support is Support.SUCCESSES and trials is not None:
        return np.asarray(whole & (y >= 0) & (y <= trials))
    return np.ones(len(y), dtype=bool)


def _families_hint(y: Array, family: Family) -> str:
    """Name the families whose support holds the whole column, the narrowest supports first."""
    order = [Support.BINARY, Support.COUNT, Support.UNIT, Support.POSITIVE, Support.REAL]
    fitting = [
        other.name
        for support in order
        for other in FAMILIES.values()
        if other.support is support and other.name != family.name and _supported(y, support, None).all()
    ]
    return f"families that take this column: {', '.join(fitting[:4])}" if fitting else "check the column"
