"""Findings x Design -> the likely cause: one sentence on what makes the posterior hard to sample.

Only what the data, the command or draws that agree show is said; chains that disagree on an sd say nothing of its size.
"""

from __future__ import annotations

import numpy as np

from hierfit.design.design import Design, Group
from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.spec import sd_name, threshold_name
from hierfit.posterior.draws import Draws
from hierfit.posterior.separation import separation
from hierfit.posterior.trouble import Trouble, column_scale, has_horseshoe, residual_scale, suspect_groups
from hierfit.posterior.words import all_in_words, counted, spread

FEW_LEVELS = 8
ROWS_BEYOND_TERMS = 3
ROWS_PER_COEFFICIENT = 5
SMALL_SD = 0.1
# Fewer iterations do not find the scales of a model with group effects; a few hundred are hierfit's own shortest.
LEAST_WARMUP = 150


def likely_cause(trouble: Trouble, draws: Draws, design: Design) -> str | None:
    """Return one sentence on what in the data makes the posterior hard to sample, or None where nothing stands out."""
    if not trouble.checks:
        return None
    if trouble.asked.warmup is not None and trouble.asked.warmup < LEAST_WARMUP:
        iterations = f"{trouble.asked.warmup} iteration{'s' if trouble.asked.warmup != 1 else ''}"
        return f"--warmup {trouble.asked.warmup}: {iterations} of warmup are too few to find step size and scales."
    divided = separation(draws, design)
    if divided:
        return divided
    for group in suspect_groups(trouble, design):
        cause = _thin_groups(group) or _no_variation(trouble, group, draws, design)
        if cause:
            return cause
    cause = _rare_category(trouble, design) or _horseshoe_funnel(trouble, draws)
    if cause:
        return cause
    n_coefficients = len(design.coefficients) + design.intercept + len(design.thresholds)
    if design.n_rows < ROWS_PER_COEFFICIENT * n_coefficients:
        return f"{design.n_rows:,} rows say little about {n_coefficients} coefficients."
    return None


def _horseshoe_funnel(trouble: Trouble, draws: Draws) -> str | None:
    if "divergences" not in trouble.checks or not has_horseshoe(draws):
        return None
    return f"Coefficients near 0 leave {HORSESHOE_SCALE} little room, which takes small steps."


def _rare_category(trouble: Trouble, design: Design) -> str | None:
    """A category of few rows beside a threshold that a finding names."""
    if not any(threshold_name(between) in trouble.names for between in design.thresholds):
        return None
    rows = np.bincount(design.y.astype(np.int64), minlength=len(design.categories))
    rarest = int(rows.argmin())
    if rows[rarest] >= ROWS_PER_COEFFICIENT:
        return None
    count = f"{rows[rarest]:,} row{'s' if rows[rarest] != 1 else ''}"
    return f"{count} of {design.response} = {design.categories[rarest]} say little about the thresholds beside it."


def _thin_groups(group: Group) -> str | None:
    rows, terms = group.rows_per_level, len(group.terms)
    levels = counted(group.n_levels, group.factor)
    varying = " and ".join(all_in_words(group.named, m) for m in range(len(group.terms))[-2:])
    if group.n_levels < FEW_LEVELS:
        return f"{levels} say little about how much their {varying} vary."
    if np.median(rows) <= terms + ROWS_BEYOND_TERMS:
        noun = "row" if rows.max() == 1 else "rows"
        return f"{levels} with {spread(rows.tolist())} {noun} each say little about how {varying} vary."
    return None


def _no_variation(trouble: Trouble, group: Group, draws: Draws, design: Design) -> str | None:
    for index, term in enumerate(group.terms):
        name = trouble.spec.speaks_of(sd_name(group.factor, term))
        if name in trouble.disagreeing:
            continue
        of_mean = group.named.of_parameters[index] is None  # of others on the scale of a link
        scale = residual_scale(draws, design) if of_mean else 1.0
        if np.median(draws.of(name)) * column_scale(group, index) < SMALL_SD * scale:
            varying = all_in_words(group.named, index)
            return f"{name} is close to 0: {varying} hardly vary between the {group.n_levels:,} levels."
    return None
