"""ModelSpec -> the model in symbols, in the names of the columns: what is distributed how, and what adds up to it.

    score[i] ~ Normal(mu[i], sigma)
    mu[i]    = b_Intercept + b_ses ses[i] + u_Intercept,school[i] + u_ses,school[i] ses[i]

Coefficients bear the names that the tables have. `mathml` and `tex` write lines; `plain` says them in ASCII.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hierfit.model.families import FAMILIES, Support, auxiliary_of
from hierfit.model.grammar import INTERCEPT
from hierfit.model.roles import Roles
from hierfit.model.spec import GroupCoefficients, ModelSpec, sd_name, varying_name

MOST_TERMS = 12
TERMS_A_LINE = 3


@dataclass(frozen=True)
class Name:
    """A name as it is written elsewhere, upright."""

    text: str


@dataclass(frozen=True)
class Letter:
    """A letter of mathematics, by its name in TeX: mu, beta, i."""

    name: str


@dataclass(frozen=True)
class Sign:
    """What stands between or around: +, (, a comma."""

    text: str


@dataclass(frozen=True)
class Marked:
    """Something with an index, and perhaps something above it."""

    base: Name | Letter
    below: tuple[Node, ...]
    above: tuple[Node, ...] = ()


Node: TypeAlias = Name | Letter | Sign | Marked


@dataclass(frozen=True)
class Line:
    """One line: `left` `sign` `right`; a line that goes on has neither of the first two."""

    left: tuple[Node, ...]
    sign: str
    right: tuple[Node, ...]


LETTERS = {
    "mu": "\N{GREEK SMALL LETTER MU}",
    "sigma": "\N{GREEK SMALL LETTER SIGMA}",
    "nu": "\N{GREEK SMALL LETTER NU}",
    "phi": "\N{GREEK SMALL LETTER PHI}",
    "beta": "\N{GREEK SMALL LETTER BETA}",
    "Sigma": "\N{GREEK CAPITAL LETTER SIGMA}",
}
_ROW = (Letter("i"),)
_PLUS, _MINUS, _TIMES, _COMMA, _OPEN, _CLOSE = map(Sign, ("+", "-", "*", ",", "(", ")"))
# Sign -> how it looks, and how TeX calls it.
_SIGNS = {
    "~": ("\N{TILDE OPERATOR}", r"\sim"),
    "-": ("\N{MINUS SIGN}", "-"),
    "*": ("\N{DOT OPERATOR}", r"\cdot"),
    "<=": ("\N{LESS-THAN OR EQUAL TO}", r"\le"),
    "...": ("\N{HORIZONTAL ELLIPSIS}", r"\ldots"),
}


def equations(spec: ModelSpec, roles: Roles, levels: dict[str, int]) -> tuple[Line, ...]:
    """Return the lines of a model; `levels` says how many each factor has."""
    lines = list(_outcome(spec, roles))
    for own in spec.distributional:
        link = auxiliary_of(own.parameter).link
        terms = [*_population(own.terms, own.parameter), *_varying(spec, own.parameter)]
        lines += _sum(_linked(link, (Marked(_symbol(own.parameter), _ROW),)), terms)
    for group in spec.groups:
        lines += _distribution_of(group, levels[group.factor])
    return tuple(lines)


def _outcome(spec: ModelSpec, roles: Roles) -> Iterator[Line]:
    """Yield what the outcome is distributed as, and what adds up to its mean."""
    family = FAMILIES[spec.family]
    y = Marked(Name(spec.formula.response), _ROW)
    terms = [*_population(spec.coefficient_names, None), *_varying(spec, None), *_offsets(roles)]
    if family.has_thresholds:
        chance = (Name("P"), _OPEN, y, Sign("<="), Letter("k"), _CLOSE)
        left = _linked(spec.link, chance)
        threshold = (Marked(Name("threshold"), (Letter("k"),)),)
        yield from _sum(left, [threshold, *terms], minus=True)
        return
    is_share = family.support in (Support.BINARY, Support.SUCCESSES)
    mean = Marked(Letter("p" if is_share else "mu"), _ROW)
    predicted = [own.parameter for own in spec.distributional]
    arguments: list[tuple[Node, ...]] = [(Marked(Letter("n"), _ROW),)] if family.has_trials else []
    arguments.append((mean,))
    for auxiliary in family.auxiliaries:
        symbol = _symbol(auxiliary.name)
        arguments.append((Marked(symbol, _ROW) if auxiliary.name in predicted else symbol,))
    yield Line((y,), "~", (Name(family.title), *_listed(arguments)))
    yield from _sum(_linked(spec.link, (mean,)), terms)


def _linked(link: str, inside: tuple[Node, ...]) -> tuple[Node, ...]:
    if link == "identity":
        return inside
    if link == "logm1":
        return (Name("log"), _OPEN, *inside, _MINUS, Sign("1"), _CLOSE)
    return (Name(link), _OPEN, *inside, _CLOSE)


def _symbol(parameter: str) -> Name | Letter:
    return Letter(parameter) if parameter in LETTERS else Name(parameter)


def _population(terms: Sequence[str], parameter: str | None) -> Iterator[tuple[Node, ...]]:
    """Yield b_ses ses[i] for every coefficient; of many, the first, and that there are more."""
    for at, term in enumerate(terms):
        if at == MOST_TERMS - 1 and len(terms) > MOST_TERMS:
            yield (Sign("..."),)
            return
        above = () if parameter is None else (_symbol(parameter),)
        coefficient = Marked(Letter("beta"), (Name(term),), above)
        yield (coefficient,) if term == INTERCEPT else (coefficient, _TIMES, Marked(Name(term), _ROW))


def _varying(spec: ModelSpec, parameter: str | None) -> Iterator[tuple[Node, ...]]:
    """Yield u_ses,school[i] ses[i] for everything that varies in the predictor of a parameter."""
    for group in spec.groups:
        for term, own, is_intercept in zip(group.terms, group.of_parameters, group.is_intercept, strict=True):
            if own != parameter:
                continue
            level = (Name(group.factor), Sign("["), Letter("i"), Sign("]"))
            effect = Marked(Letter("u"), level, (Name(term),))
            column = term.removeprefix("" if parameter is None else varying_name(parameter, ""))
            yield (effect,) if is_intercept else (effect, _TIMES, Marked(Name(column), _ROW))


def _offsets(roles: Roles) -> Iterator[tuple[Node, ...]]:
    if roles.offset is not None:
        yield (Marked(Name(roles.offset), _ROW),)
    if roles.exposure is not None:
        yield (Name("log"), _OPEN, Marked(Name(roles.exposure), _ROW), _CLOSE)


def _distribution_of(group: GroupCoefficients, levels: int) -> Iterator[Line]:
    """Yield what the effects of the levels of a factor are distributed as, block by block."""
    until = (Sign(","), Letter("j"), Sign("="), Sign("1"), Sign("..."), Sign(f"{levels:,}"))
    start = 0
    for block in group.blocks:
        terms = group.terms[start : start + block.size]
        start += block.size
        effects = [(Marked(Letter("u"), (Name(group.factor), _COMMA, Letter("j")), (Name(term),)),) for term in terms]
        if block.correlated and block.size > 1:
            spread = Marked(Letter("Sigma"), (Name(group.factor),))
            yield Line(_listed(effects), "~", (Name("Normal"), *_listed([(Sign("0"),), (spread,)]), *until))
            continue
        for term, effect in zip(terms, effects, strict=True):
            name = sd_name(group.factor, term)
            yield Line(effect, "~", (Name("Normal"), *_listed([(Sign("0"),), (Name(name),)]), *until))


def _listed(parts: Sequence[tuple[Node, ...]]) -> tuple[Node, ...]:
    """Return (a, b, c)."""
    inside: list[Node] = []
    for at, part in enumerate(parts):
        inside += [*([_COMMA] if at else []), *part]
    return (_OPEN, *inside, _CLOSE)


def _sum(left: tuple[Node, ...], terms: Sequence[tuple[Node, ...]], *, minus: bool = False) -> Iterator[Line]:
    """Yield left = a + b + c, a few terms a line; all but the first are subtracted where it says so."""
    terms = terms or [(Sign("0"),)]
    for start in range(0, len(terms), TERMS_A_LINE):
        part: list[Node] = []
        for at, term in enumerate(terms[start : start + TERMS_A_LINE], start):
            part += [*([_MINUS if minus else _PLUS] if at else []), *term]
        yield Line(left if start == 0 else (), "=" if start == 0 else "", tuple(part))


def plain(lines: Sequence[Line]) -> str:
    """Return lines as words and ASCII: "score[i] ~ Normal(mu[i], sigma)"."""
    said = ""
    for line in lines:
        right = _written(line.right, _plain).strip()
        start = f"{_written(line.left, _plain)} {line.sign} " if line.sign else ""
        said += f"{'; ' if said and start else ' ' if said else ''}{start}{right}"
    return said


def _signs(sign: str) -> tuple[str, str]:
    """Return how a sign looks, and what TeX takes for it."""
    return _SIGNS.get(sign, (sign, sign))


def _written(nodes: Sequence[Node], write: Callable[[Node], str]) -> str:
    return "".join(write(node) for node in nodes)


def _plain(node: Node) -> str:
    if isinstance(node, Marked):
        index = _written((*node.below, *((Sign(", "), *node.above) if node.above else ())), _plain)
        return f"{_plain(node.base)}[{index}]"
    if isinstance(node, Sign):
        return f" {node.text} " if node.text in (*_SIGNS, "+", "=") else ", " if node.text == "," else node.text
    return node.name if isinstance(node, Letter) else node.text


def tex(lines: Sequence[Line], escaped: Callable[[str], str]) -> str:
    """Return an `aligned` environment of TeX; `escaped` makes names harmless there."""

    def write(node: Node) -> str:
        if isinstance(node, Marked):
            above = f"^{{{_written(node.above, write)}}}" if node.above else ""
            return f"{write(node.base)}_{{{_written(node.below, write)}}}{above}"
        if isinstance(node, Sign):
            return f" {_signs(node.text)[1]} " if node.text in (*_SIGNS, "+", "=") else node.text
        if isinstance(node, Letter):
            return node.name if len(node.name) == 1 else f"\\{node.name}"
        return rf"\mathrm{{{escaped(node.text)}}}"

    rows = []
    for line in lines:
        sign = _signs(line.sign)[1]
        rows.append(f"{_written(line.left, write)} &{sign} {_written(line.right, write)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def mathml(lines: Sequence[Line], escaped: Callable[[str], str]) -> str:
    """Return a `math` element with a table of three columns; `escaped` makes names harmless there."""

    def write(node: Node) -> str:
        if isinstance(node, Marked):
            base, below = write(node.base), f"<mrow>{_written(node.below, write)}</mrow>"
            if not node.above:
                return f"<msub>{base}{below}</msub>"
            return f"<msubsup>{base}{below}<mrow>{_written(node.above, write)}</mrow></msubsup>"
        if isinstance(node, Sign):
            text = _signs(node.text)[0]
            return f"<mn>{text}</mn>" if text[0].isdigit() else f"<mo>{text}</mo>"
        if isinstance(node, Letter):
            return f"<mi>{LETTERS.get(node.name, node.name)}</mi>"
        return f"<mtext>{escaped(node.text)}</mtext>"

    rows = []
    for line in lines:
        sign = f"<mo>{_signs(line.sign)[0]}</mo>" if line.sign else ""
        cells = (_written(line.left, write), sign, _written(line.right, write))
        rows.append("<mtr>" + "".join(f"<mtd><mrow>{cell}</mrow></mtd>" for cell in cells) + "</mtr>")
    return f'<math display="block"><mtable>{"".join(rows)}</mtable></math>'
