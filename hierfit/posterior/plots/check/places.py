"""check_places.png: places of rows among predictions made without them, drawn as `plots.loo_pit` does."""

from __future__ import annotations

from hierfit.posterior.check.checked import Checked
from hierfit.posterior.plots.loo_pit import draw_evenness
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import styled


@styled
def draw_places(material: Material, checked: Checked) -> Plate:
    """Draw the places of rows."""
    assert checked.even is not None and checked.places is not None
    found = next(check for check in checked.checks if check.name.startswith("places"))
    return draw_evenness(checked.sample, checked.places, checked.even, found)
