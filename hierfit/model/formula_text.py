"""Text in lme4's grammar -> Formula: `score ~ ses * sector + (1 + ses | school/class)`.

`formulae` reads the population-level part, the left of each bar and the right of each bar, unless they are plain sums
(`model.plain_terms`); `model.expansion` says what terms its tree comes to. What is done here is to find the bars,
because `formulae` neither knows `||` nor says which varying terms stood together, and to refuse what it would pass over
in silence (`model.term_checks`). While a formula is being read its names are masked (`model.masking`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hierfit.errors import FormulaError, did_you_mean
from hierfit.model.derived import derived_from
from hierfit.model.expansion import ONE
from hierfit.model.formula import Formula, GroupTerm, Predictor
from hierfit.model.grammar import COLUMN_FUNCTIONS, PREDICTABLE, column_of, quoted
from hierfit.model.masking import mask, unmask
from hierfit.model.plain_terms import expand_plain
from hierfit.model.term_checks import EXAMPLE
from hierfit.model.term_text import columns_in, terms_in

_OFFSET = re.compile(r"(?:\+\s*)?\boffset\((?P<what>[^()]*(?:\([^()]*\))?[^()]*)\)")


def parse_formula(text: str) -> Formula:
    """Read a formula, `y ~ x + (1 | g)`, or with predictors of other parameters than the mean `y ~ x; sigma ~ x`.

    Raises:
        FormulaError: the text has another form; says where.
    """
    masked, *further = mask(text).split(";")
    left, tilde, right = masked.partition("~")
    if not tilde or "~" in right:
        raise FormulaError(f"'{text}' is no formula: it needs one '~' between outcome and predictors.", hint=EXAMPLE)
    if not right.strip():
        raise FormulaError(f"nothing stands right of the '~' in '{text}'.", hint="write y ~ 1 for an intercept alone")
    response = _column_or_function(left)
    if response is None:
        raise FormulaError(
            f"the outcome of a formula is one column, but '{unmask(left.strip())}' stands left of the '~'.",
            hint=f"write y, or {', '.join(f'{name}(y)' for name in COLUMN_FUNCTIONS)}; for trials there is --trials",
        )
    right, offset = _without_offset(right, text)
    gaps, bars = _split(right, text)
    terms, intercept = _expand(_population(gaps, bars, text), text)
    groups = tuple(group for bar in bars for group in _group_terms(bar, text))
    _refuse_repeated(groups, text)
    formula = Formula(response, terms, groups, intercept, _distributional(further, text), offset)
    derived = derived_from(response)
    outcome = derived.column if derived else response
    if outcome in formula.predictors or outcome in formula.label_columns:
        raise FormulaError(f"'{outcome}' is both the outcome and a predictor or group in '{text}'.", hint=EXAMPLE)
    return formula


def _column_or_function(masked: str) -> str | None:
    """Return the column that a masked text is, or a function of one as `design.derived` has it; None for all else."""
    text = unmask(masked.strip())
    return column_of(text) or (text if derived_from(text) else None)


def _without_offset(right: str, text: str) -> tuple[str, str | None]:
    """Return the masked right-hand side without its offset, and the offset."""
    outside = [right.count("(", 0, at) == right.count(")", 0, at) for at in range(len(right) + 1)]
    found = [each for each in _OFFSET.finditer(right) if outside[each.start()]]
    if not found:
        return right, None
    offset = _column_or_function(found[0]["what"])
    if len(found) > 1 or offset is None:
        said = f"'{unmask(found[0]['what']).strip()}'" if len(found) == 1 else "two"
        raise FormulaError(
            f"the offset of '{text}' is one column, or a function of one, not {said}.",
            hint="write offset(log(minutes)), or put the sum of several into a column of its own",
        )
    left = (right[: found[0].start()] + right[found[0].end() :]).strip().removeprefix("+")
    return left or "1", offset


def parse_predictor(parameter: str, text: str) -> Predictor:
    """Read what predicts a parameter: `ses + school`, with or without `sigma ~` before it.

    Raises:
        FormulaError: the text has another form.
    """
    name, _, right = mask(text).rpartition("~")
    gaps, bars = _split(right, text)
    if name.strip() not in ("", parameter):
        raise FormulaError(f"--{parameter} '{text}' is not about {parameter}.", hint=f"write --{parameter} 'x + arm'")
    if not right.strip():
        hint = f"write --{parameter} school for a {parameter} of each school"
        raise FormulaError(f"--{parameter} '{text}' is empty.", hint=hint)
    terms, intercept = _expand(_population(gaps, bars, text), text)
    groups = tuple(group for bar in bars for group in _group_terms(bar, text))
    _refuse_repeated(groups, text)
    return Predictor(parameter, terms, intercept, groups)


def _distributional(masked: Sequence[str], text: str) -> tuple[Predictor, ...]:
    """Return what predicts other parameters than the mean, from what stands after each ';'."""
    found: dict[str, Predictor] = {}
    for part in masked:
        name, tilde, _ = part.partition("~")
        parameter = unmask(name).strip()
        if not tilde or parameter not in PREDICTABLE:
            raise FormulaError(
                f"'{unmask(part).strip()}' in '{text}' does not say what predicts a parameter."
                f"{did_you_mean(parameter, PREDICTABLE)}",
                hint=f"write y ~ x; sigma ~ x, or another of {', '.join(PREDICTABLE)}",
            )
        if parameter in found:
            raise FormulaError(f"'{text}' says twice what predicts {parameter}.", hint="join the terms with a '+'")
        found[parameter] = parse_predictor(parameter, unmask(part).strip())
    return tuple(found.values())


def _split(right: str, text: str) -> tuple[list[str], list[str]]:
    """Return what stands before, between and after the group terms, and what stands between their brackets."""
    gaps, bars, start, opened, depth, has_bar = [], [], 0, 0, 0, False
    depths: set[int] = set()  # how deep in brackets the bars stand
    for position, letter in enumerate(right):
        if letter == "(":
            depth += 1
            if depth == 1:
                opened, has_bar = position, False
        elif letter == ")":
            depth -= 1
            if depth == 0 and has_bar:
                gaps.append(right[start:opened].strip())
                bars.append(right[opened + 1 : position])
                start = position + 1
        elif letter == "|":
            has_bar, depths = True, {*depths, depth}
        if depth < 0:
            break
    if depth:
        raise FormulaError(f"the brackets of '{text}' do not match.", hint=EXAMPLE)
    if depths - {1}:
        where = "outside brackets" if 0 in depths else "inside more than one pair of brackets"
        raise FormulaError(f"a '|' in '{text}' stands {where}.", hint="write (1 | school) in brackets")
    return [*gaps, right[start:].strip()], bars


def _population(gaps: Sequence[str], bars: Sequence[str], text: str) -> str:
    """Return the right-hand side without its group terms, which must be joined to it by '+'."""
    last = len(gaps) - 1
    for index, gap in enumerate(gaps):
        ends_well = index == last or gap.endswith("+") or (index == 0 and not gap)
        begins_well = index == 0 or gap.startswith(("+", "-")) or (index == last and not gap)
        if not (ends_well and begins_well):
            raise FormulaError(
                f"'({unmask(bars[index if not ends_well else index - 1])})' in '{text}' is not joined by a '+'.",
                hint="write x + (1 | school); (1 + x | school) for a slope of x that varies",
            )
    return " ".join(gap if index == last else gap.removesuffix("+") for index, gap in enumerate(gaps)).strip()


def _group_terms(bar: str, text: str) -> Iterator[GroupTerm]:
    shown, correlated = f"({unmask(bar)})", "||" not in bar
    varying, *letters, factors = bar.replace("||", "|").split("|")
    if len(letters) > 1 or not all(part.strip() for part in (varying, *letters, factors)):
        raise FormulaError(f"'{shown}' in '{text}' is no group term.", hint="write (1 + x | school)")
    shared = unmask(letters[0].strip()) if letters else None
    if shared is not None and not (correlated and shared.isidentifier()):
        raise FormulaError(
            f"'{shown}' in '{text}' is no group term with a letter.",
            hint="write (1 | p | school), and the same in the predictor whose effects go along with these",
        )
    slopes, intercept = _expand(varying, text)
    if not slopes and not intercept:
        raise FormulaError(f"nothing varies in '{shown}' of '{text}'.", hint="write (1 | school) or (0 + x | school)")
    names, _ = _expand(factors, text)
    if not names:
        raise FormulaError(f"'{shown}' in '{text}' names no group.", hint="write (1 + x | school)")
    for name in names:
        columns = columns_in(name)
        if name != ":".join(map(quoted, columns)):
            raise FormulaError(
                f"'{name}' in '{shown}' is no group: groups are columns, joined by ':' or '/'.",
                hint="write (1 | school), (1 | school/class) or (1 | school:class)",
            )
        crossing = columns if len(columns) > 1 else ()
        yield GroupTerm(":".join(columns), intercept, slopes, correlated or not slopes, crossing, shared)


def _refuse_repeated(groups: Sequence[GroupTerm], text: str) -> None:
    """Refuse two terms of the same levels, `a:b` and `b:a` among them."""
    levels = [frozenset(group.columns) for group in groups]
    for group in groups:
        if levels.count(frozenset(group.columns)) > 1:
            raise FormulaError(
                f"the group '{group.factor}' stands in two terms of '{text}'.",
                hint=f"write one: (1 + x | {group.factor}), or with || for no correlation",
            )


def _expand(part: str, text: str) -> tuple[tuple[str, ...], bool]:
    """Return the terms of one part of a formula, and whether it has an intercept."""
    plain = expand_plain(part)
    if plain is not None:
        return plain
    terms = terms_in(f"y ~ {part or '1'}", text).added
    return tuple(":".join(term) for term in terms if term), ONE in terms
