"""Places of rows -> whether predictions are as wide as they should be, and which rows lie far from theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import Support
from hierfit.posterior.check.binomial import more_than
from hierfit.posterior.check.places import Places
from hierfit.posterior.check.sample import Sample
from hierfit.posterior.check.tries import HEAVIER_TAILS, MORE_SCATTER, Tries
from hierfit.posterior.check.uniform import Uniformity
from hierfit.posterior.check.verdicts import Check, Verdict, binomial_ends, judged
from hierfit.posterior.compare.left_out import k_threshold
from hierfit.posterior.scale import support_of
from hierfit.posterior.words import listed

Array = NDArray[np.float64]
NARROW_BAND = 0.02  # a gap that no reader could see: in many rows it is beyond chance, and harmless
FAR = 0.001
MOST_NAMED = 6


def places_check(sample: Sample, found: Places, even: Uniformity, tries: Tries) -> Check:
    """Say whether rows lie evenly among the predictions that were made without them."""
    verdict, away = judged(even.p), even.away
    if verdict is Verdict.DIFFERS and abs(away) < NARROW_BAND:
        verdict = Verdict.LOOK
    at = int(np.argmax(np.abs(even.below - even.grid)))
    said, options = "as even as they should be", tuple[str, ...]()
    if verdict is not Verdict.OK:
        said, options = _shape(sample, found.pit, tries)
    says = f"places of rows among predictions made without them (LOO-PIT): {said}; largest gap {abs(away):.3f}"
    threshold = k_threshold(len(sample.picks))
    doubtful = int(np.sum(found.k > threshold))
    if doubtful:
        says += f"; {doubtful:,} row{'s' * (doubtful > 1)} could not be left out well (Pareto k above {threshold:.2f})"
    numbers = (float(even.below[at]), float(even.grid[at]), float(even.lower[at]), float(even.upper[at]))
    return Check("places (LOO-PIT)", verdict, *numbers, even.p, says, options)


def _shape(sample: Sample, pit: Array, tries: Tries) -> tuple[str, tuple[str, ...]]:
    """Return what is wrong with places, in words, and what to try."""
    n = len(pit)
    shift = (pit.mean() - 0.5) * np.sqrt(12 * n)
    width = (np.mean((pit - 0.5) ** 2) - 1 / 12) * np.sqrt(180 * n)
    if abs(shift) > 2 and abs(shift) > abs(width):
        return (
            f"too many are {'high' if shift > 0 else 'low'}, predictions lie too {'low' if shift > 0 else 'high'}",
            (),
        )
    if width > 2:
        return "too many lie at the ends, predictions are too narrow", tries.families(MORE_SCATTER, HEAVIER_TAILS)
    heavy = tries.families(HEAVIER_TAILS)
    if width < -2:
        tails = np.mean((pit < FAR) | (pit > 1 - FAR)) > 2 * FAR
        said = ", but a few rows lie far out" if tails else ""
        return f"too many lie in the middle, predictions are too wide{said}", heavy
    return "they are uneven: the distribution has another shape", heavy


def far_rows(sample: Sample, found: Places, tries: Tries) -> Check:
    """Say how many rows lie where one in 1,000 of their predictions does, on either side, and on which lines."""
    n, two = len(found.pit), 2 * FAR
    beyond = np.flatnonzero((found.pit < FAR) | (found.pit > 1 - FAR))
    count = len(beyond)
    p = float(more_than(count - 1, n, two))
    lower, upper = binomial_ends(n, two)
    says = f"rows with only 1 in 1,000 predictions beyond them: {count:,} of {n:,}, {lower:.0f} to {upper:.0f} expected"
    if judged(p) is not Verdict.OK:
        order = beyond[np.argsort(-np.abs(found.pit[beyond] - 0.5), kind="stable")]
        lines = sorted(sample.design.lines[sample.rows[order[:MOST_NAMED]]].tolist())
        more = f" and {count - len(lines):,} more" if count > len(lines) else ""
        says += f": line {listed(list(map(str, lines)), MOST_NAMED)}{more}"
    options = tries.families(HEAVIER_TAILS) if judged(p) is not Verdict.OK else ()
    numbers = (float(count), n * two, lower, upper)
    return Check("far rows", judged(p), *numbers, p, says, options)


def has_places(sample: Sample) -> bool:
    """Whether the place of an outcome among predictions says something: not of two values."""
    return support_of(sample.design) is not Support.BINARY
