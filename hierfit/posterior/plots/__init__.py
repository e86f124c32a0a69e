"""Draws x Design -> figures: the table of all figures and the one function that draws them.

Each figure is one module with one function that returns a Plate (a matplotlib Figure and its caption). matplotlib is
imported when the first figure is drawn, never before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hierfit.design.design import Design, Group
from hierfit.model.families import FAMILIES
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.posterior.plots.categories import categories_along, draw_categories
from hierfit.posterior.plots.course import lines_along
from hierfit.posterior.plots.groups import draw_groups
from hierfit.posterior.plots.lines import draw_lines
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.ordered import draw_ordered
from hierfit.posterior.plots.pairs import draw_pairs, pair_indices
from hierfit.posterior.plots.posterior import draw_posterior
from hierfit.posterior.plots.ppc import draw_ppc
from hierfit.posterior.plots.shrinkage import draw_shrinkage
from hierfit.posterior.plots.style import save_png, stamp
from hierfit.posterior.plots.trace import draw_trace
from hierfit.posterior.plots.truth import Truth

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "Drawing", "Material", "Truth", "draw_all", "draw_figures", "save_png"]


@dataclass(frozen=True)
class FigureKind:
    """One kind of figure.

    Attributes:
        draw: draws it.
        applies: whether the model has what it shows.
        shows: what it shows, for lists and help.
    """

    draw: Callable[[Material], Plate]
    applies: Callable[[Material], bool]
    shows: str


@dataclass(frozen=True)
class FactorFigureKind:
    """One kind of figure that is drawn for every grouping factor; its members as those of FigureKind."""

    draw: Callable[[Material, Group], Plate]
    applies: Callable[[Material, Group], bool]
    shows: str


@dataclass(frozen=True)
class Drawing:
    """One drawn figure.

    Attributes:
        stem: file name without suffix, such as "groups" or, with several factors, "groups_school".
        figure: the figure.
        caption: what it shows and what it found, in one or two sentences.
    """

    stem: str
    figure: Figure
    caption: str


def _has_effects(material: Material, group: Group) -> bool:
    return group.factor in material.draws.effects


def _can_draw_lines(material: Material) -> bool:
    along = lines_along(material)
    if along is None:
        kept = all(_has_effects(material, group) for group in material.design.groups)
        return kept and categories_along(material) is not None
    return along.group.factor in material.draws.effects


def _draw_lines_or_categories(material: Material) -> Plate:
    if FAMILIES[material.spec.family].has_thresholds:
        return draw_ordered(material)
    return draw_categories(material) if lines_along(material) is None else draw_lines(material)


def _can_predict(material: Material) -> bool:
    kept = all(group.factor in material.draws.effects for group in material.design.groups)
    return not material.spec.prior_only and kept


def _can_shrink(material: Material, group: Group) -> bool:
    kept = all(other.factor in material.draws.effects for other in material.design.groups)
    of_mean = len(group.columns_of(None)) > 0
    return kept and of_mean and not material.spec.prior_only and bool(np.any(group.rows_per_level > 1))


FIGURES: dict[str, FigureKind | FactorFigureKind] = {
    "posterior": FigureKind(draw_posterior, lambda material: True, "all population-level parameters"),
    "groups": FactorFigureKind(draw_groups, _has_effects, "the coefficients of every level, ranked"),
    "lines": FigureKind(_draw_lines_or_categories, _can_draw_lines, "group lines over the data"),
    "ppc": FigureKind(draw_ppc, _can_predict, "replicated outcomes against the data"),
    "shrinkage": FactorFigureKind(draw_shrinkage, _can_shrink, "what pooling did"),
    "trace": FigureKind(draw_trace, lambda material: bool(material.free()), "what the chains did"),
    "pairs": FigureKind(draw_pairs, lambda material: len(pair_indices(material)) > 1, "sds and correlations in pairs"),
}


def draw_all(
    draws: Draws,
    design: Design,
    spec: ModelSpec,
    truth: Truth | None = None,
    stems: Collection[str] | None = None,
    *,
    failed: bool = False,
) -> Iterator[Drawing]:
    """Yield every figure that applies, or those of `stems`, one at a time."""
    yield from draw_figures(Material(draws, design, spec, truth, failed=failed), stems)


def draw_figures(material: Material, stems: Collection[str] | None = None) -> Iterator[Drawing]:
    """Yield the figures of a Material, which may hold numbers that were computed before."""
    for stem, kind in FIGURES.items():
        if stems is not None and stem not in stems:
            continue
        if isinstance(kind, FigureKind):
            if kind.applies(material):
                yield _drawing(stem, kind.draw(material), material)
            continue
        for group in material.design.groups:
            if kind.applies(material, group):
                name = stem if len(material.design.groups) == 1 else f"{stem}_{_slug(group.factor)}"
                yield _drawing(name, kind.draw(material, group), material)


def _drawing(stem: str, plate: Plate, material: Material) -> Drawing:
    """Return the finished figure, with the caveat in it and in its caption."""
    if not material.caveat:
        return Drawing(stem, plate.figure, plate.caption)
    stamp(plate.figure, material.caveat)
    return Drawing(stem, plate.figure, f"{material.caveat}. {plate.caption}")


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-") or "factor"
