"""Texts of expressions: what they are read as, what of names and signs is kept apart, and where a refusal points."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hierfit.errors import UsageError
from hierfit.model.spec import GroupCoefficients
from hierfit.posterior.hypotheses.functions import FUNCTIONS
from hierfit.posterior.hypotheses.names import Names, names_of
from hierfit.posterior.hypotheses.parse import MOST_LETTERS, parse
from hierfit.posterior.hypotheses.tree import Call, Chain, Comparison, Name, Number, Power, Tree, written
from tests.hostile import NASTY, PROFILE

PARAMETERS = (
    "Intercept", "ses", "age", "sector[Private]", "ses:sector[Private]", "sd(school)", "sd(school: ses)", "exp",
    "cor(school: Intercept, ses)", "sigma", "sigma_Intercept", "log(ses)", "ses-age", "I(age^2)", "a`b", "or", "2",
    "threshold[low|mid]", "threshold[mid|high]", "scale(hours)", "poly(age, 2)[1]", "größe", "x\u202ey", "log(income)",
)  # fmt: skip
SCHOOLS = ("12", "7", "a > b", "x]", "St. Mary's")
GROUPS = (GroupCoefficients("school", ("Intercept", "ses", "sigma_Intercept"), True, (None, None, "sigma")),)


@pytest.fixture(scope="module")
def names() -> Names:
    return names_of(PARAMETERS, GROUPS, {"school": SCHOOLS})


def test_every_name_is_read_in_backquotes_and_most_as_they_stand(names: Names) -> None:
    bare = set(names.as_written) - {"log(ses)", "ses-age", "or", "2"}
    for text, name in names.as_written.items():
        assert parse("`" + text.replace("`", "``") + "`", names) == Name(name)
        if text in bare:
            assert parse(f"{text} > 0", names) == Comparison((Name(name), Number(0.0, "0")), (">",)), text
            assert parse(f"2*{text}-{text}", names) == parse(f"2 * ({text}) - ({text})", names), text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("log(`ses`)", Call("log", (Name("ses"),))),
        ("`log(ses)`", Name("log(ses)")),
        ("log(income)", Name("log(income)")),  # there is no income that a logarithm could be of
        ("log(age)", Call("log", (Name("age"),))),
        ("exp(exp)", Call("exp", (Name("exp"),))),
        ("exp", Name("exp")),
        ("ses - age", Chain(Name("ses"), (("-", Name("age")),))),
        ("`ses-age`", Name("ses-age")),
        ("2 ^ ses", Power(Number(2.0, "2"), Name("ses"))),
        ("`2` ** ses", Power(Name("2"), Name("ses"))),
        ("'sd( school )'", Name("sd(school)")),
        ("school[12:ses]", Name("school[12: ses]")),
        ("school[12: Intercept]", Name("school[12]")),
        (r"x\u202ey", Name("x\u202ey")),  # as it stands on the screen
        ("cor(school:Intercept,ses)", Name("cor(school: Intercept, ses)")),
    ],
)
def test_what_a_text_is(names: Names, text: str, same: Tree) -> None:
    assert parse(text, names) == same


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("-ses^2", "-(ses^2)"),
        ("2^-1 * ses", "(2^(-1)) * ses"),
        ("2^ses^2", "2^(ses^2)"),
        ("ses - age - ses", "(ses - age) - ses"),
        ("ses / age * ses", "(ses / age) * ses"),
        ("ses + age * 2 > 1", "(ses + (age * 2)) > 1"),
        ("not ses > 0 and age > 0 or ses < 1", "((not (ses > 0)) and (age > 0)) or (ses < 1)"),
        ("!ses > 0 & age > 0 | ses < 1", "((not (ses > 0)) and (age > 0)) or (ses < 1)"),
        ("ses ≥ 1", "ses >= 1"),
        ("ses == 1", "ses = 1"),
        ("ses \N{MINUS SIGN} 1", "ses - 1"),
    ],
)
def test_what_binds_first(names: Names, text: str, same: str) -> None:
    def flat(tree: Tree) -> str:
        return re.sub(r"[()]", "", written(tree))

    found, meant = parse(text, names), parse(same, names)
    assert written(found) == written(meant) or flat(found) == flat(meant)
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("log(ses) > 0", "letter 1): log(ses) is the name of a parameter, but may also be computed from others"),
        ("1 + ses-age", "letter 5): ses-age is the name of a parameter"),
        ("sd(schol) > 0", "there is no parameter `sd(schol)`; there is `sd(school)`"),
        ("secto[Private]", "there is no parameter `secto[Private]`; there is `sector[Private]`"),
        ("ses + `agee`", "(letter 7): there is no parameter `agee`; there is `age`"),
        ("school[99] > 0", "there is no parameter `school[99]`"),
        ("ses > > 2", 'at "> 2" (letter 7): a parameter or a number is expected'),
        ("ses >", "at its end: a parameter or a number is expected"),
        ("2ses", "a sign is expected after 2"),
        ("ses age", '"age" (letter 5): +, -, *, /, ^, a comparison or the end is expected'),
        ("(ses > 0) + 1", "a comparison is no number"),
        ("exp(ses > 0)", "a comparison is no number"),
        ("ses and age > 0", "'and' is about comparisons"),
        ("not ses", "'not' is about comparisons"),
        ("0 = ses < 1", "= stands in no chain"),
        ("ses != 0", "always differ"),
        ("min(ses)", "min takes two quantities or more"),
        ("log(ses, age)", "log takes one quantity"),
        ("lgo(ses)", "there is no function lgo"),
        ("(ses", "the parenthesis is not closed"),
        ("ses)", "closes nothing"),
        ("`ses", "the ` is not closed"),
        ("sqrt > 0", "sqrt is a function"),
        ("1 > 0", "names no parameter"),
        ("1,5 * ses", "a comma stands only between"),
        ("1e999 * ses", "too large"),
        (" ", "is empty"),
        ("(" * 100 + "ses" + ")" * 100, "within one another"),
        ("-" * 100 + "ses", "within one another"),
        ("ses" + "^ses" * 100, "within one another"),
        ("not " * 100 + "ses > 0", "within one another"),
        ("ses + " * MOST_LETTERS, "letters"),
    ],
)
def test_what_is_refused(names: Names, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        parse(text, names)


def test_a_level_among_many_is_found_and_one_near_it() -> None:
    group = GroupCoefficients("g", ("Intercept", "x"), True)
    names = names_of(["x", "sd(g)"], [group], {"g": [str(level) for level in range(20_000)]})
    assert parse("g[19999: x] > g[7]", names) == Comparison((Name("g[19999: x]"), Name("g[7]")), (">",))
    with pytest.raises(UsageError, match=re.escape("no parameter `g[19999: y]`; there is `g[19999: x]`")):
        parse("g[19999: y]", names)


def test_sums_may_be_long(names: Names) -> None:
    tree = parse(" + ".join(["ses"] * 1_000), names)
    assert isinstance(tree, Chain) and len(tree.then) == 999


def test_an_effect_that_is_called_like_a_parameter_has_another_name() -> None:
    names = names_of(["sector[a]"], [GroupCoefficients("sector", ("Intercept",), False)], {"sector": ["a", "b"]})
    assert parse("sector[a] > sector[b]", names) == Comparison((Name("sector[a]"), Name("sector[b]")), (">",))
    assert dict(names.shared) == {"sector[a]": "sector[a: Intercept]"} and "sector[a]" not in names.effects
    assert names.effects["sector[a: Intercept]"].level == 0 == names.effects["sector[b]"].level - 1


def test_the_reference_level_is_known_not_to_be_a_parameter() -> None:
    names = names_of(["arm[trt]", "ses"], (), {}, {"arm": "ctl"})
    with pytest.raises(UsageError, match=re.escape("`arm[ctl]` is the level that the others are compared with")):
        parse("arm[trt] > arm[ctl]", names)


PIECES = (
    *PARAMETERS, *(f"school[{label}]" for label in SCHOOLS), *FUNCTIONS, "(", ")", "+", "-", "*", "/", "^", "**", ">",
    "<", "=", ">=", ",", "and", "or", "not", "`", "'", '"', "[", "]", ":", "2", "1.5e3", " ", "pi", ".", "!", "&", "|",
    *NASTY,
)  # fmt: skip


@PROFILE
@given(pieces=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12))
def test_whatever_is_written_is_read_or_refused_in_words(names: Names, pieces: list[str]) -> None:
    for text in ("".join(pieces), " ".join(pieces)):
        try:
            tree = parse(text, names)
        except UsageError as error:
            assert error.message
        else:
            assert written(tree)
