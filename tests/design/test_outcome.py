"""Outcomes: what each family takes, and what it refuses, with line, value and a family that would take it."""

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hierfit.data.table import Table
from hierfit.design.levels import parse_levels
from hierfit.design.outcome import LARGEST_COUNT, find_family, read_outcome
from hierfit.errors import DataError, UsageError
from hierfit.model.families import FAMILIES, Support
from hierfit.model.formula import formula_from_flags
from hierfit.model.request import FitRequest
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.workflow import prepare
from tests.model.cases import table

# A family of each support; values that it takes, and one that it does not with what the message and the hint say.
TAKEN = {
    "gaussian": [-1.5, 0.0, 1e9, 2.0],
    "student": [-1.5, 0.0, 1e9, 2.0],
    "gamma": [1e-9, 1.0, 3.5, 1e9],
    "lognormal": [1e-9, 1.0, 3.5, 1e9],
    "beta": [1e-9, 0.5, 0.25, 1 - 1e-9],
    "poisson": [0.0, 1.0, 7.0, 1e6],
    "negbinomial": [0.0, 1.0, 7.0, 1e6],
    "bernoulli": [0.0, 1.0, 1.0, 0.0],
    "binomial": [0.0, 5.0, 2.0, 1.0],
    "beta_binomial": [0.0, 5.0, 2.0, 1.0],
}
REFUSED = {
    "gamma": (0.0, "holds 0 on line 4, but gamma needs numbers greater than 0", "gaussian, student"),
    "lognormal": (-2.5, "holds -2.5 on line 4, but lognormal needs numbers greater than 0", "gaussian, student"),
    "beta": (1.0, "holds 1 on line 4, but beta needs numbers between 0 and 1", "gamma"),
    "poisson": (-3.0, "holds -3 on line 4, but poisson needs whole numbers from 0 on", "gaussian, student"),
    "negbinomial": (1.5, "holds 1.5 on line 4, but negbinomial needs whole numbers", "gamma"),
    "zero_inflated_poisson": (0.5, "holds 0.5 on line 4", "gamma"),
    "bernoulli": (2.0, "holds 2 on line 4, but bernoulli needs 0 and 1, or two words", "poisson"),
    "binomial": (7.0, "holds 7 of 6 trials on line 4, but binomial needs whole numbers from 0 to the", "poisson"),
    "beta_binomial": (-1.0, "holds -1 of 6 trials on line 4", "gaussian"),
}


def outcome_table(values: list[float] | list[str], trials: list[float] | None = None) -> Table:
    source = table(len(values), 2)
    if isinstance(values[0], str):
        levels = tuple(dict.fromkeys(map(str, values)))
        codes = np.array([levels.index(str(value)) for value in values], dtype=np.int32)
        numbers = {name: column for name, column in source.numbers.items() if name != "y"}
        made = replace(source, numbers=numbers)
        return replace(made, labels={**made.labels, "y": codes}, levels={**made.levels, "y": levels})
    numbers = {**source.numbers, "y": np.array(values, dtype=np.float64)}
    return replace(source, numbers=numbers if trials is None else {**numbers, "n": np.array(trials)})


def roles_of(family: str) -> Roles:
    return Roles(trials="n") if FAMILIES[family].has_trials else NO_ROLES


def test_every_support_is_tried() -> None:
    supports = {FAMILIES[name].support for name in TAKEN}
    assert supports == {family.support for family in FAMILIES.values()} - {Support.CATEGORIES}
    assert supports - {Support.REAL} == {FAMILIES[name].support for name in REFUSED}


@pytest.mark.parametrize("family", TAKEN)
def test_values_in_the_support_are_taken_as_they_are(family: str) -> None:
    made = read_outcome(outcome_table(TAKEN[family], [6.0, 5.0, 2.0, 1.0]), "y", FAMILIES[family], roles_of(family))
    assert made.y.tolist() == TAKEN[family]
    assert made.categories == ()
    assert (made.trials is None) == (not FAMILIES[family].has_trials)


@pytest.mark.parametrize("family", REFUSED)
def test_other_values_are_refused_with_line_value_and_a_family(family: str) -> None:
    value, message, hint = REFUSED[family]
    inside = 0.5 if family in ("beta", "gamma", "lognormal") else 1.0
    values = [inside, inside, value, inside]
    with pytest.raises(DataError) as caught:
        read_outcome(outcome_table(values, [6.0] * 4), "y", FAMILIES[family], roles_of(family))
    assert caught.value.message.startswith(f"column 'y' of case.csv {message}")
    assert caught.value.hint is not None and caught.value.hint.startswith("families that take this column: ")
    assert hint in caught.value.hint and family not in caught.value.hint.split(": ")[1].split(", ")


def test_the_hinted_families_do_take_the_column() -> None:
    for family, (value, *_) in REFUSED.items():
        values = [0.5 if family in ("beta", "gamma", "lognormal") else 1.0, value]
        with pytest.raises(DataError) as caught:
            read_outcome(outcome_table(values, [6.0] * 2), "y", FAMILIES[family], roles_of(family))
        for other in str(caught.value.hint).split(": ")[1].split(", "):
            assert read_outcome(outcome_table(values), "y", FAMILIES[other], NO_ROLES).y.tolist() == values


def test_further_wrong_rows_are_counted() -> None:
    with pytest.raises(DataError, match=r"holds -1 on line 3 \(3 such rows\), but poisson"):
        read_outcome(outcome_table([1.0, -1.0, -2.0, 4.5]), "y", FAMILIES["poisson"], NO_ROLES)


# --- two words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "categories", "ones"),
    [
        (None, ("died", "lived"), [1, 0, 0, 1]),
        ("died", ("died", "lived"), [1, 0, 0, 1]),
        ("lived", ("lived", "died"), [0, 1, 1, 0]),
    ],
)
def test_of_two_words_the_reference_is_zero(
    reference: str | None, categories: tuple[str, ...], ones: list[float]
) -> None:
    roles = NO_ROLES if reference is None else Roles(references={"y": reference})
    made = read_outcome(outcome_table(["lived", "died", "died", "lived"]), "y", FAMILIES["bernoulli"], roles)
    assert made.categories == categories
    assert made.y.tolist() == ones


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", "b", "c", "a"], "column 'y' of case.csv has 3 different values (a, b, c), but bernoulli needs two."),
        (["a", "a", "a", "a"], "column 'y' of case.csv has 1 different values (a), but bernoulli needs two."),
        (list("fedcba"), "has 6 different values (a, b, c, d, e, ...), but bernoulli needs two."),
    ],
)
def test_more_or_fewer_words_are_refused(values: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_outcome(outcome_table(values), "y", FAMILIES["bernoulli"], NO_ROLES)
    assert message in caught.value.message
    assert "one of two" in str(caught.value.hint) or "which of two" in str(caught.value.hint)


def test_a_third_word_may_mean_missing() -> None:
    table = outcome_table(["no", "not known", "yes", "no", "yes", "not known", "no", "yes"])
    with pytest.raises(DataError) as caught:
        read_outcome(table, "y", FAMILIES["bernoulli"], NO_ROLES)
    assert str(caught.value.hint).startswith(
        "if 'not known' (2 such cells) means missing: --na 'not known'; otherwise "
    )


def test_words_are_refused_by_families_of_numbers() -> None:
    with pytest.raises(DataError, match=r"holds text \(no, yes, ...\), but poisson needs whole numbers") as caught:
        read_outcome(outcome_table(["yes", "no"]), "y", FAMILIES["poisson"], NO_ROLES)
    assert str(caught.value.hint).startswith("for two categories: --family bernoulli")


def test_references_of_the_outcome_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="--reference y=dead: the column has no level 'dead'") as caught:
        read_outcome(outcome_table(["lived", "died"]), "y", FAMILIES["bernoulli"], Roles(references={"y": "dead"}))
    assert caught.value.hint == "levels: died, lived"
    with pytest.raises(UsageError, match="--reference y=0: the outcome 'y' holds numbers"):
        read_outcome(outcome_table([0.0, 1.0]), "y", FAMILIES["bernoulli"], Roles(references={"y": "0"}))


def test_levels_turn_two_words_around_and_a_reference_goes_first() -> None:
    values, bernoulli = outcome_table(["lived", "died", "died"]), FAMILIES["bernoulli"]
    levels = {"y": ("lived", "died")}
    made = read_outcome(values, "y", bernoulli, Roles(levels=levels))
    assert (made.categories, made.y.tolist()) == (("lived", "died"), [0, 1, 1])
    made = read_outcome(values, "y", bernoulli, Roles(references={"y": "died"}, levels=levels))
    assert (made.categories, made.y.tolist()) == (("died", "lived"), [1, 0, 0])
    with pytest.raises(UsageError, match=r"--levels y=lived,dead: no row holds 'dead'\. Did you mean 'died'\?"):
        read_outcome(values, "y", bernoulli, Roles(levels={"y": ("lived", "dead")}))


def test_levels_of_an_outcome_of_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="--levels y=1,2: an outcome of poisson is whole numbers from 0 on, without"):
        read_outcome(outcome_table(["1", "2"]), "y", FAMILIES["poisson"], Roles(levels={"y": ("1", "2")}))


# --- ordered categories ---------------------------------------------------------------------------------------------

ORDINAL = replace(FAMILIES["poisson"], name="cumulative", support=Support.CATEGORIES)


def test_words_are_codes_in_the_stated_order() -> None:
    values = outcome_table(["maybe", "yes", "no", "yes"])
    made = read_outcome(values, "y", ORDINAL, Roles(levels={"y": ("no", "maybe", "yes")}))
    assert (made.categories, made.y.tolist()) == (("no", "maybe", "yes"), [1, 2, 0, 2])
    assert made.y.dtype == np.float64


def test_words_without_an_order_are_refused_with_the_option_to_copy() -> None:
    with pytest.raises(UsageError) as caught:
        read_outcome(outcome_table(["so, so", "bad", "good"]), "y", ORDINAL, NO_ROLES)
    assert caught.value.message == (
        "column 'y' of case.csv holds words (bad, good, so, so), and their order is not known."
    )
    assert caught.value.hint == "state it, lowest first: --levels 'y=bad,good,\"so, so\"', in the right order"


def test_whole_numbers_are_codes_in_their_own_order() -> None:
    made = read_outcome(outcome_table([10.0, 2.0, -1.0, 2.0, 5.0]), "y", ORDINAL, NO_ROLES)
    assert (made.categories, made.y.tolist()) == (("-1", "2", "5", "10"), [3, 1, 0, 1, 2])


@pytest.mark.parametrize(
    ("values", "levels", "message", "hint"),
    [
        ([1.0, 2.5, 3.0], None, "holds 2.5 on line 3, but cumulative needs whole numbers, or words whose", "gaussian"),
        ([1.0, 2.0, 1.0], None, "has 2 different values (1, 2), but cumulative needs 3 or more", "--family bernoulli"),
        ([3.0, 3.0], None, "has 1 different value (3), but", "name another outcome"),
        (["yes", "no"], None, "has 2 different values (no, yes), but", "--family bernoulli"),
        (["yes", "no"], ("no", "yes"), "has 2 different values (no, yes), but", "--family bernoulli"),
        ([float(i) for i in range(31)], None, "has 31 different values, too many", "--family gaussian"),
        (["a", "b", "c"], ("a", "b", "d"), "no row holds 'd'", "levels in the rows that are used: a, b, c"),
    ],
)
def test_what_is_no_ordered_category_is_refused(
    values: list[float] | list[str], levels: tuple[str, ...] | None, message: str, hint: str
) -> None:
    roles = NO_ROLES if levels is None else Roles(levels={"y": levels})
    with pytest.raises((DataError, UsageError)) as caught:
        read_outcome(outcome_table(values), "y", ORDINAL, roles)
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_thirty_numbers_are_taken_and_any_number_of_words() -> None:
    made = read_outcome(outcome_table([float(i) for i in range(30)]), "y", ORDINAL, NO_ROLES)
    assert len(made.categories) == 30
    words = [f"w{i:02}" for i in range(40)]
    made = read_outcome(outcome_table(words), "y", ORDINAL, Roles(levels={"y": tuple(words)}))
    assert made.y.tolist() == list(range(40))


def test_ordered_categories_have_no_reference() -> None:
    with pytest.raises(UsageError, match="--reference y=b: none of the ordered categories") as caught:
        read_outcome(outcome_table(["a", "b", "c"]), "y", ORDINAL, Roles(references={"y": "b"}))
    assert "--levels y=" in str(caught.value.hint)


# --- trials, families, links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trials", "message"),
    [
        ([6.0, 0.0], "column 'n' of case.csv holds 0 trials on line 3."),
        ([2.5, 6.0], "column 'n' of case.csv holds 2.5 trials on line 2."),
        ([6.0, -1.0], "column 'n' of case.csv holds -1 trials on line 3."),
    ],
)
def test_trials_are_whole_numbers_from_one(trials: list[float], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_outcome(outcome_table([0.0, 0.0], trials), "y", FAMILIES["binomial"], Roles(trials="n"))
    assert caught.value.message == message
    assert "whole numbers from 1 on" in str(caught.value.hint)


def test_trials_belong_to_families_of_successes() -> None:
    with pytest.raises(UsageError, match="the family binomial needs the number of trials") as caught:
        read_outcome(outcome_table([0.0, 1.0]), "y", FAMILIES["binomial"], NO_ROLES)
    assert caught.value.hint == "add --trials COLUMN"
    with pytest.raises(UsageError, match="--trials: the family poisson has no trials") as caught:
        read_outcome(outcome_table([0.0, 1.0], [2.0, 2.0]), "y", FAMILIES["poisson"], Roles(trials="n"))
    assert "binomial" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "link", "message", "hint"),
    [
        ("poison", None, "there is no family 'poison'. Did you mean 'poisson'?", "families: gaussian, bernoulli"),
        ("bernoulli", "probitt", "has no link 'probitt'. Did you mean 'probit'?", "links: logit, probit, cloglog"),
        ("gaussian", "log", "the family gaussian has no link 'log'.", "links: identity"),
    ],
)
def test_unknown_families_and_links_are_refused(name: str, link: str | None, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_family(name, link)
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_the_link_is_the_wanted_one_or_the_default() -> None:
    for family in FAMILIES.values():
        assert find_family(family.name, None) == (family, family.links[0])
        assert [find_family(family.name, link)[1] for link in family.links] == list(family.links)


@pytest.mark.parametrize("family", ["poisson", "negbinomial", "binomial", "zero_inflated_poisson"])
def test_counts_that_stan_cannot_hold_are_refused_with_their_line(family: str) -> None:
    trials = [float(LARGEST_COUNT)] * 4
    largest = outcome_table([0.0, 1.0, float(LARGEST_COUNT), 2.0], trials)
    assert read_outcome(largest, "y", FAMILIES[family], roles_of(family)).y[2] == LARGEST_COUNT
    over = outcome_table([0.0, 1.0, 2.0**31, 2.0], [2.0**31] * 4)
    with pytest.raises(DataError) as caught:
        read_outcome(over, "y", FAMILIES[family], roles_of(family))
    column, line = ("n", 2) if family == "binomial" else ("y", 4)
    assert caught.value.message.startswith(f"column '{column}' of case.csv holds the ")
    assert f"2,147,483,648 on line {line}" in caught.value.message
    assert "--family gaussian" in str(caught.value.hint)


@pytest.mark.parametrize(("one", "two", "reference"), [("1", "2", None), ("-1", "1", "1"), ("1.0", "2.0", None)])
def test_two_other_numbers_are_taken_by_the_levels_that_the_hint_says(
    tmp_path: Path, one: str, two: str, reference: str | None
) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code,x,g\n" + "".join(f"{one if row % 3 else two},{row % 7},g{row % 5}\n" for row in range(30)))
    roles = NO_ROLES if reference is None else Roles(references={"code": reference})
    formula = formula_from_flags("code", ["x"], "g")
    with pytest.raises(DataError) as caught:
        prepare(FitRequest(path, formula, family="bernoulli", roles=roles))
    column, levels = parse_levels(shlex.split(str(caught.value.hint))[1])
    asked = FitRequest(path, formula, family="bernoulli", roles=replace(roles, levels={column: levels}))
    assert prepare(asked).design.categories == ((two, one) if reference == two else (one, two))
    assert str(caught.value.hint).endswith(f"the probability of {levels[1]}")


def test_a_category_of_the_scale_that_no_row_has_is_kept() -> None:
    source = outcome_table(["low", "high", "mid", "low"])
    scale = ("none", "low", "mid", "more", "high")
    made = read_outcome(source, "y", FAMILIES["cumulative"], Roles(levels={"y": scale}))
    assert made.categories == scale
    assert made.y.tolist() == [1, 4, 2, 1]
    with pytest.raises(UsageError, match=r"no row holds 'hihg'\. Did you mean 'high'"):
        read_outcome(source, "y", FAMILIES["cumulative"], Roles(levels={"y": ("low", "mid", "hihg")}))
