"""Draws x Design -> figures: the table of all figures and the one function that draws them.

Each figure is one module with one function that returns a Plate (a matplotlib Figure and its caption). matplotlib is
imported when the first figure is drawn, never before. `posterior.pictures` has their names and what each shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from hierfit.design.design import Design, Group
from hierfit.model.families import FAMILIES
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.posterior.pictures import KINDS, Picture
from hierfit.posterior.plots.categories import categories_along, draw_categories
from hierfit.posterior.plots.checks import draw_checks
from hierfit.posterior.plots.coefficients import draw_coefficients, has_coefficients
from hierfit.posterior.plots.course import lines_along
from hierfit.posterior.plots.data import draw_data
from hierfit.posterior.plots.effects import draw_effects, has_effects
from hierfit.posterior.plots.groups import draw_groups
from hierfit.posterior.plots.khat import draw_khat, has_khat
from hierfit.posterior.plots.lines import draw_lines
from hierfit.posterior.plots.loo_pit import draw_loo_pit, has_loo_pit
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.ordered import draw_ordered
from hierfit.posterior.plots.pairs import draw_pairs, pair_indices
from hierfit.posterior.plots.posterior import draw_posterior
from hierfit.posterior.plots.ppc import draw_ppc
from hierfit.posterior.plots.ppc_groups import draw_ppc_groups
from hierfit.posterior.plots.saving import save_figure
from hierfit.posterior.plots.shrinkage import draw_shrinkage
from hierfit.posterior.plots.style import stamp
from hierfit.posterior.plots.trace import draw_trace
from hierfit.posterior.truth import Truth

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FIGURES", "Drawing", "Material", "Truth", "draw_all", "draw_figures", "planned", "save_figure"]


@dataclass(frozen=True)
class FigureKind:
    """One kind of figure.

    Attributes:
        draw: draws it.
        applies: whether the model has what it shows.
        unasked: whether it is worth drawing where nobody asked for it.
    """

    draw: Callable[[Material], Plate]
    applies: Callable[[Material], bool]
    unasked: Callable[[Material], bool] = lambda material: True


@dataclass(frozen=True)
class FactorFigureKind:
    """One kind of figure that is drawn for every grouping factor; its members as those of FigureKind."""

    draw: Callable[[Material, Group], Plate]
    applies: Callable[[Material, Group], bool]


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


@dataclass(frozen=True)
class Planned:
    """A figure that will be drawn.

    Attributes:
        kind: what it is.
        stem: as that of a Drawing.
        material: what it is drawn from.
        draw: draws it.
    """

    kind: Picture
    stem: str
    material: Material
    draw: Callable[[Material], Plate]

    def drawn(self) -> Drawing:
        """Return the finished figure, with the caveat in it and in its caption."""
        plate, caveat = self.draw(self.material), self.material.caveat
        if not caveat:
            return Drawing(self.stem, plate.figure, plate.caption)
        stamp(plate.figure, caveat)
        return Drawing(self.stem, plate.figure, f"{caveat}. {plate.caption}")


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


def _can_predict_groups(material: Material, group: Group) -> bool:
    return _can_predict(material) and bool(np.any(group.rows_per_level > 1))


def _can_shrink(material: Material, group: Group) -> bool:
    return _can_predict_groups(material, group) and len(group.columns_of(None)) > 0


def _moves(material: Material) -> bool:
    return bool(material.free())


def _has_divergences(material: Material) -> bool:
    return bool(np.any(material.draws.stats.get("diverging", False)))


FIGURES: Mapping[Picture, FigureKind | FactorFigureKind] = {
    Picture.POSTERIOR: FigureKind(draw_posterior, lambda material: True),
    Picture.COEFFICIENTS: FigureKind(draw_coefficients, has_coefficients),
    Picture.EFFECTS: FigureKind(draw_effects, has_effects),
    Picture.GROUPS: FactorFigureKind(draw_groups, _has_effects),
    Picture.LINES: FigureKind(_draw_lines_or_categories, _can_draw_lines),
    Picture.DATA: FigureKind(draw_data, lambda material: True),
    Picture.PPC: FigureKind(draw_ppc, _can_predict),
    Picture.PPC_GROUPS: FactorFigureKind(draw_ppc_groups, _can_predict_groups),
    Picture.LOO_PIT: FigureKind(draw_loo_pit, has_loo_pit),
    Picture.KHAT: FigureKind(draw_khat, has_khat),
    Picture.SHRINKAGE: FactorFigureKind(draw_shrinkage, _can_shrink),
    Picture.TRACE: FigureKind(draw_trace, _moves),
    Picture.CHECKS: FigureKind(draw_checks, _moves),
    Picture.PAIRS: FigureKind(draw_pairs, lambda material: len(pair_indices(material)) > 1, _has_divergences),
}


def planned(material: Material, kinds: Collection[str] | None = None) -> list[Planned]:
    """Return the figures of `kinds`, or the usual ones, of which the model has what they show; nothing is drawn yet."""
    found: list[Planned] = []
    for kind, figure in FIGURES.items():
        wanted = KINDS[kind].usual if kinds is None else kind in kinds
        if wanted and (kinds is not None or isinstance(figure, FactorFigureKind) or figure.unasked(material)):
            found += _of_kind(material, kind, figure)
    return found


def _of_kind(material: Material, kind: Picture, figure: FigureKind | FactorFigureKind) -> Iterator[Planned]:
    groups = material.design.groups
    if isinstance(figure, FigureKind):
        if figure.applies(material):
            yield Planned(kind, kind.value, material, figure.draw)
        return
    for group in groups:
        if figure.applies(material, group):
            stem = kind.value if len(groups) == 1 else f"{kind.value}_{_slug(group.factor)}"
            yield Planned(kind, stem, material, partial(_of_factor, figure, group))


def _of_factor(figure: FactorFigureKind, group: Group, material: Material) -> Plate:
    return figure.draw(material, group)


def draw_all(
    draws: Draws,
    design: Design,
    spec: ModelSpec,
    truth: Truth | None = None,
    stems: Collection[str] | None = None,
    *,
    failed: bool = False,
) -> Iterator[Drawing]:
    """Yield the usual figures that apply, or those of the kinds `stems`, one at a time."""
    yield from draw_figures(Material(draws, design, spec, truth, failed=failed), stems)


def draw_figures(material: Material, kinds: Collection[str] | None = None) -> Iterator[Drawing]:
    """Yield the figures of a Material, which may hold numbers that were computed before; of `kinds` or the usual."""
    for figure in planned(material, kinds):
        yield figure.drawn()


def _slug(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-") or "factor"
