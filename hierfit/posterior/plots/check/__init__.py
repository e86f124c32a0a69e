"""Checks of a model -> their pictures: the table of all, and the one function that draws them.

Each is one function that returns a Plate from a Material and what `posterior.check` found of it. What is drawn are the
numbers of the checks: nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from hierfit.posterior.check.checked import Checked, check_model
from hierfit.posterior.plots.check.groups import draw_group_means
from hierfit.posterior.plots.check.outcomes import draw_outcomes
from hierfit.posterior.plots.check.places import draw_places
from hierfit.posterior.plots.check.prior_alone import draw_prior_alone
from hierfit.posterior.plots.check.priors import draw_priors, pictured
from hierfit.posterior.plots.check.residuals import draw_residuals
from hierfit.posterior.plots.check.statistics import draw_statistics
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import stamp


@dataclass(frozen=True)
class CheckFigure:
    """One kind of figure.

    Attributes:
        draw: draws it.
        applies: whether there is what it shows.
        shows: what that is, for lists and help.
    """

    draw: Callable[[Material, Checked], Plate]
    applies: Callable[[Material, Checked], bool]
    shows: str


CHECK_FIGURES: Mapping[str, CheckFigure] = {
    "prior": CheckFigure(
        draw_prior_alone, lambda material, found: found.implied is not None, "outcomes that the priors imply"
    ),
    "outcomes": CheckFigure(
        draw_outcomes, lambda material, found: found.replicated is not None, "replicated outcomes against the data"
    ),
    "statistics": CheckFigure(
        draw_statistics,
        lambda material, found: len(found.statistics) > 1,
        "mean, sd, zeros, ... of data and replications",
    ),
    "places": CheckFigure(
        draw_places, lambda material, found: found.even is not None, "places of rows among predictions without them"
    ),
    "groups": CheckFigure(
        draw_group_means, lambda material, found: bool(found.groups), "group means among those of new groups"
    ),
    "residuals": CheckFigure(
        draw_residuals, lambda material, found: bool(found.residuals), "residuals against predictors"
    ),
    "priors": CheckFigure(
        draw_priors, lambda material, found: bool(pictured(material, found)), "prior against posterior, and sensitivity"
    ),
}


def draw_checks(
    material: Material, checked: Checked | None = None, stems: Collection[str] | None = None
) -> Iterator[tuple[str, Plate]]:
    """Yield every figure that applies, or those of `stems`, by its stem; checks that are not given are computed."""
    found = checked or check_model(material.draws, material.design, material.spec, truth=material.truth)
    for stem, kind in CHECK_FIGURES.items():
        if (stems is None or stem in stems) and kind.applies(material, found):
            plate = kind.draw(material, found)
            if material.caveat:
                stamp(plate.figure, material.caveat)
                plate = Plate(plate.figure, f"{material.caveat}. {plate.caption}")
            yield stem, plate
