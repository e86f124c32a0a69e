"""What expressions may name: the parameters of a run, and the effects of levels.

The effect of a level is named as its sd is: `sd(school: ses)` is that of `school[12: ses]`, `sd(school)` that of
`school[12]`. It is a deviation from the population value. A name that is a parameter's already is that parameter; the
effect is then `school[12: Intercept]`, which is another name of `school[12]` otherwise.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import GroupCoefficients, effect_name
from hierfit.visible import visible

MOST_COMPARED, _LAST = 5_000, 3


@dataclass(frozen=True)
class Effect:
    """The effect of a level: of which factor, and which of its levels and coefficients, from 0."""

    factor: str
    level: int
    term: int


@dataclass(frozen=True)
class Names:
    """What expressions may name.

    Attributes:
        parameters: the population-level parameters.
        effects: effect of a level by its name.
        others: further ways to write a name.
        shared: names that are of a parameter and of an effect, and how the effect is written.
        references: names that the coefficients of reference levels would have, which are 0.
    """

    parameters: tuple[str, ...]
    effects: Mapping[str, Effect] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    references: Collection[str] = ()

    @cached_property
    def as_written(self) -> Mapping[str, str]:
        """Every way to write a name -> the name."""
        own = {name: name for name in (*self.effects, *self.parameters)}
        seen = {visible(name): name for name in own if visible(name) != name}
        return {**seen, **self.others, **own}

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """How long what may be written is, the longest first."""
        return tuple(sorted({len(text) for text in self.as_written}, reverse=True))

    @cached_property
    def _squeezed(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for text, name in self.as_written.items():
            found.setdefault(squeezed(text), set()).add(name)
        return {text: frozenset(names) for text, names in found.items()}

    def find(self, text: str) -> str | None:
        """Return the name that a text is, blanks aside where that leaves no doubt; None where it is none."""
        exact = self.as_written.get(text)
        if exact is not None:
            return exact
        alike = self._squeezed.get(squeezed(text), frozenset())
        return next(iter(alike)) if len(alike) == 1 else None

    def near(self, text: str) -> str | None:
        """Return the name nearest to a text; of many, one that begins like it."""
        known, cutoff = list(self.as_written), 0.6
        if len(known) > MOST_COMPARED:
            start = text[: max(1, len(text) - _LAST)]
            alike = [name for name in known if name.startswith(start)][:MOST_COMPARED]
            known, cutoff = [*self.parameters, *alike], 0.8
        found = difflib.get_close_matches(text, known, n=1, cutoff=cutoff)
        return self.as_written[found[0]] if found else None


def squeezed(text: str) -> str:
    """Return a text without blanks, its letters in one of the forms that look the same."""
    return "".join(unicodedata.normalize("NFC", text).split())


def mentioned(texts: Iterable[str], groups: Iterable[GroupCoefficients]) -> list[GroupCoefficients]:
    """Return the factors of which some effect may be named."""
    all_text = squeezed("\n".join(texts))
    starts = {group: squeezed(f"{group.factor}[") for group in groups}
    return [group for group, start in starts.items() if start in all_text or squeezed(visible(start)) in all_text]


def names_of(
    parameters: Sequence[str],
    groups: Iterable[GroupCoefficients],
    labels: Mapping[str, Sequence[str]],
    references: Mapping[str, str] | None = None,
) -> Names:
    """Return what may be named: all parameters, and the effects of the factors whose labels are given.

    `references` are the levels that those of predictors of words are compared with.
    """
    known, effects, others, shared = set(parameters), dict[str, Effect](), dict[str, str](), dict[str, str]()
    for group in groups:
        for place, label in enumerate(labels.get(group.factor, ())):
            for m, term in enumerate(group.terms):
                name, effect = effect_name(group.factor, label, term), Effect(group.factor, place, m)
                full = effect_name(group.factor, label, term, short=False)
                if name in known or name in effects:
                    shared[name], name = full, full
                elif term == INTERCEPT:
                    others[full] = name
                effects.setdefault(name, effect)
    compared = tuple(f"{column}[{level}]" for column, level in (references or {}).items())
    return Names(tuple(parameters), effects, others, shared, compared)
