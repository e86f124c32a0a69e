"""What keeps effects from being integrated out of a model, whatever the number of its grouping factors."""

from __future__ import annotations

from collections.abc import Iterator

from hierfit.model.families import FAMILIES
from hierfit.model.spec import ModelSpec


def obstacles_of_all(spec: ModelSpec) -> Iterator[str]:
    """Yield what keeps group effects from being integrated out exactly."""
    if not FAMILIES[spec.family].collapsible:
        yield f"it needs a gaussian or lognormal outcome, and this one is {spec.family}"
    if not spec.groups:
        yield "there is no grouping factor"
    for own in spec.distributional:
        yield f"{own.parameter} has predictors"
