"""What any simulation refuses with a UsageError: counts, trials, shares, seeds, correlations that make no sense."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES

Count = int | tuple[int, int]


def ends(number: Count) -> tuple[int, int]:
    """Return the ends of a range, which a single number is too."""
    return (number, number) if isinstance(number, int) else number


def check_range(what: str, number: Count, whole: str) -> None:
    """Refuse less than one row, or trial, of each `whole`, and ranges the wrong way round."""
    low, high = ends(number)
    if low < 1:
        raise UsageError(
            f"{low} {what}s per {whole} cannot be simulated.", hint=f"ask for at least 1 {what} per {whole}"
        )
    if low > high:
        raise UsageError(
            f"the range of {what}s per {whole} is the wrong way round: {low} to {high}.", hint=f"write {high} to {low}"
        )


def check_trials(family: str, trials: Count | None) -> None:
    """Refuse trials of a family that has none, and a family that counts successes without them."""
    if trials is not None:
        check_range("trial", trials, "row")
    if (trials is not None) != FAMILIES[family].has_trials:
        has = "has no" if trials is not None else "needs a number of"
        counting = ", ".join(family.name for family in FAMILIES.values() if family.has_trials)
        raise UsageError(f"the family {family} {has} trials.", hint=f"families with trials: {counting}")


def check_missing(share: float) -> None:
    """Refuse shares of missing cells that are none, or all."""
    if not 0 <= share < 1:
        raise UsageError(
            f"a share of {share:g} of the cells cannot be missing.",
            hint="a share is at least 0 and less than 1, such as 0.05",
        )


def check_seed(seed: int) -> None:
    """Refuse negative seeds."""
    if seed < 0:
        raise UsageError(f"the seed {seed} is negative.", hint="choose a whole number from 0 on")


def check_correlations(R: NDArray[np.float64], names: Sequence[str]) -> None:
    """Refuse a matrix of correlations [M, M] that no coefficients can have."""
    if len(R) and np.linalg.eigvalsh(R)[0] < 1e-12:
        raise UsageError(
            f"the correlations between {', '.join(names)} contradict each other (matrix not positive definite).",
            hint="bring them closer to 0",
        )


def check_increasing(thresholds: Sequence[float]) -> None:
    """Refuse thresholds that are not each greater than the one before."""
    if any(after <= before for before, after in pairwise(thresholds)):
        shown = ", ".join(f"{threshold:g}" for threshold in thresholds)
        raise UsageError(f"the thresholds {shown} are not in order.", hint="each is greater than the one before")
