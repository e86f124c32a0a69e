"""check_places.png: places of rows among predictions made without them (LOO-PIT), against uniform ones.

Left: their distribution function less that of uniform places, with the band that holds all of it with probability
0.95 (Säilynoja, Bürkner, Vehtari 2022). A hump on the left means too many low places, a wave of down and up (in the
shape of ~) too wide predictions, up and down too narrow ones. Right: their histogram.
"""

from __future__ import annotations

import numpy as np

from hierfit.posterior.check.checked import Checked
from hierfit.posterior.check.verdicts import binomial_ends
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import ALARM, DATA, GROUP, POPULATION, entitle, new_figure, styled
from hierfit.posterior.words import elided

BINS, PER_BIN = 20, 10


@styled
def draw_places(material: Material, checked: Checked) -> Plate:
    """Draw the places of rows."""
    even, places = checked.even, checked.places
    assert even is not None and places is not None
    figure = new_figure()
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    grid = np.concatenate([[0.0], even.grid, [1.0]])
    away, lower, upper = (
        np.concatenate([[0.0], own - even.grid, [0.0]]) for own in (even.below, even.lower, even.upper)
    )
    left.fill_between(grid, lower, upper, color=DATA, alpha=0.3, linewidth=0)
    left.axhline(0, color=DATA, linewidth=0.8)
    left.plot(grid, away, color=POPULATION, linewidth=1.4)
    outside = (away < lower) | (away > upper)
    left.plot(grid[outside], away[outside], ".", color=ALARM, markersize=5)
    left.set_xlim(0, 1)
    left.set_xlabel(f"place of {elided(material.design.response, 30)} among predictions without the row")
    left.set_ylabel("share below, less what is expected")
    count = int(np.clip(len(places.pit) // PER_BIN, 4, BINS))
    right.hist(places.pit, bins=count, range=(0, 1), color=GROUP, alpha=0.75)
    low, high = binomial_ends(len(places.pit), 1 / count)
    right.axhspan(low, high, color=DATA, alpha=0.25, linewidth=0)
    right.axhline(len(places.pit) / count, color=DATA, linewidth=1)
    right.set_xlim(0, 1)
    right.set_xlabel("place")
    right.set_ylabel("rows")
    found = next(check for check in checked.checks if check.name.startswith("places"))
    title = found.says.partition("(LOO-PIT): ")[2].partition(";")[0]
    entitle(
        figure,
        f"Places of rows: {title}",
        "grey: 95 % of uniform places · left: of the whole line · right: of each bar singly",
    )
    return Plate(figure, f"Places of {material.design.response} among predictions made without the row: {title}.")
