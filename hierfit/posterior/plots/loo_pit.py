"""loo_pit.png: places of rows among predictions made without them (LOO-PIT), against uniform ones.

Left: their distribution function less that of uniform places, with the band that holds all of it with probability
0.95 (Säilynoja, Bürkner, Vehtari 2022). A hump on the left means too many low places, a wave of down and up (in the
shape of ~) too wide predictions, up and down too narrow ones. Right: their histogram. The numbers are those of
`hierfit check`, which draws the same as check_places.png.
"""

from __future__ import annotations

import numpy as np

from hierfit.model.families import Support
from hierfit.posterior.check.fresh import place_again
from hierfit.posterior.check.places import Places
from hierfit.posterior.check.replicated import replicate_rows
from hierfit.posterior.check.rows import places_check
from hierfit.posterior.check.sample import Sample, take_sample
from hierfit.posterior.check.tries import Tries
from hierfit.posterior.check.uniform import Uniformity, uniformity
from hierfit.posterior.check.verdicts import Check, binomial_ends
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import ALARM, DATA, GROUP, POPULATION, QUIET, entitle, new_figure, styled
from hierfit.posterior.scale import support_of
from hierfit.posterior.words import elided

BINS, PER_BIN = 20, 10


def has_loo_pit(material: Material) -> bool:
    """Whether rows have places: their outcomes are more than two values, and the draws have seen them."""
    kept = all(group.factor in material.draws.effects for group in material.design.groups)
    return kept and not material.spec.prior_only and support_of(material.design) is not Support.BINARY


@styled
def draw_loo_pit(material: Material) -> Plate:
    """Draw the places of rows."""
    sample = take_sample(material.draws, material.design)
    places = place_again(sample, replicate_rows(sample).places)
    even = uniformity(places.pit)
    check = places_check(sample, places, even, Tries("RUN", material.design, material.spec))
    return draw_evenness(sample, places, even, check)


def draw_evenness(sample: Sample, places: Places, even: Uniformity, found: Check) -> Plate:
    """Draw places that are known, and what the check says of them."""
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
    left.set_xlabel(f"place of {elided(sample.design.response, 30)} among predictions without the row")
    left.set_ylabel("share below, less what is expected")
    count = int(np.clip(len(places.pit) // PER_BIN, 4, BINS))
    right.hist(places.pit, bins=count, range=(0, 1), color=GROUP, alpha=0.75)
    low, high = binomial_ends(len(places.pit), 1 / count)
    for bound in (low, high):
        right.axhline(bound, color=QUIET, linewidth=1, linestyle="--")
    right.set_xlim(0, 1)
    right.set_xlabel("place")
    right.set_ylabel("rows")
    title = f"Places of rows: {found.says.partition('(LOO-PIT): ')[2].partition(';')[0]}"
    notes = ["left, grey: holds 95 % of whole lines of uniform places", "right, dashed: 95 % of each bar by itself"]
    entitle(figure, title, " · ".join([*notes, *[sample.part] * bool(sample.part)]))
    return Plate(figure, f"{sample.design.response} among predictions made without the row (LOO-PIT). {title}.")
