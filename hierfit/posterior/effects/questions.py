"""What is asked about predictors: whose effects, at which values, over which rows, on what scale.

Nothing heavy is imported: the options of the command line are these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Contrasts(StrEnum):
    """Which levels are compared."""

    REFERENCE = "reference"  # each with the first
    PAIRWISE = "pairwise"
    SEQUENTIAL = "sequential"  # each with the one before


class Weights(StrEnum):
    """What is averaged over."""

    PROPORTIONAL = "proportional"  # the rows of the data
    EQUAL = "equal"  # the reference grid: levels count equally, numbers are at their means


class Groups(StrEnum):
    """What stands for the groups of a row."""

    OWN = "own"
    NONE = "none"
    AVERAGE_OVER = "average-over"


class EffectScale(StrEnum):
    """On what scale effects are told."""

    RESPONSE = "response"
    LINK = "link"
    RATIO = "ratio"  # exp of a difference of the linear predictor


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        of: the predictors whose effects are asked for; empty for all.
        contrasts: which levels of a predictor of levels are compared.
        step: by how much a predictor of numbers changes; None for the effect per unit of a small change.
        at: column -> values at which it is held.
        by: the column in whose levels rows are looked at one by one.
        marginal: whether averages are asked for, not what they differ by.
        weights: what is averaged over.
    """

    of: tuple[str, ...] = ()
    contrasts: Contrasts = Contrasts.REFERENCE
    step: float | None = None
    at: Mapping[str, Sequence[float | str]] = field(default_factory=dict)
    by: str | None = None
    marginal: bool = False
    weights: Weights = Weights.PROPORTIONAL
