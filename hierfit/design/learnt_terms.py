"""What all terms of a design learnt, as one plain value: taken out of a design, and put into one that was read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from hierfit.design.design import Design
from hierfit.design.terms import Term


@dataclass(frozen=True)
class LearntTerms:
    """The terms of a design.

    Attributes:
        population: what the columns of X are made from.
        groups: what the columns of the slopes of each grouping factor are made from.
        distributional: what the columns that predict other parameters than the mean are made from, by parameter.
    """

    population: tuple[Term, ...] = ()
    groups: tuple[tuple[Term, ...], ...] = ()
    distributional: Mapping[str, tuple[Term, ...]] = field(default_factory=dict)

    @property
    def every(self) -> tuple[Term, ...]:
        """All of them."""
        return tuple(chain(self.population, *self.groups, *self.distributional.values()))


def learnt_terms(design: Design) -> LearntTerms:
    """Return what the terms of a design learnt."""
    distributional = {own.parameter: own.terms for own in design.distributional}
    return LearntTerms(design.terms, tuple(group.slopes for group in design.groups), distributional)


def with_terms(design: Design, learnt: LearntTerms) -> Design:
    """Return a design whose columns were stored, with what their terms learnt."""
    pairs = zip(design.groups, learnt.groups, strict=True)
    return replace(
        design,
        terms=learnt.population,
        groups=tuple(replace(group, slopes=slopes) for group, slopes in pairs),
        distributional=tuple(replace(own, terms=learnt.distributional[own.parameter]) for own in design.distributional),
    )
