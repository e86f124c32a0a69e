"""What all terms of a design learnt, as one plain value: taken out of a design, and put into one that was read back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hierfit.model.design import Design
from hierfit.model.terms import Term


@dataclass(frozen=True)
class LearntTerms:
    """The terms of a design.

    Attributes:
        population: what the columns of X are made from.
        groups: what the columns of the slopes of each grouping factor are made from.
        sigma: what the columns that predict log sigma are made from; none where it has no predictors.
    """

    population: tuple[Term, ...] = ()
    groups: tuple[tuple[Term, ...], ...] = ()
    sigma: tuple[Term, ...] = ()


def learnt_terms(design: Design) -> LearntTerms:
    """Return what the terms of a design learnt."""
    of_sigma = () if design.sigma is None else design.sigma.terms
    return LearntTerms(design.terms, tuple(group.slopes for group in design.groups), of_sigma)


def with_terms(design: Design, learnt: LearntTerms) -> Design:
    """Return a design whose columns were stored, with what their terms learnt."""
    pairs = zip(design.groups, learnt.groups, strict=True)
    return replace(
        design,
        terms=learnt.population,
        groups=tuple(replace(group, slopes=slopes) for group, slopes in pairs),
        sigma=None if design.sigma is None else replace(design.sigma, terms=learnt.sigma),
    )
