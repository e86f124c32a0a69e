"""Priors: their text form, their defaults with the source, and which parameter each belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prior:
    """A distribution with numbers, in the units of the CSV.

    Attributes:
        distribution: one of `DISTRIBUTIONS`, such as "normal".
        arguments: its numbers, such as (0.0, 2.5).
        source: where it comes from, such as "rstanarm default, 2.5 sd(y)" or "set by --prior".
    """

    distribution: str
    arguments: tuple[float, ...]
    source: str

    def __str__(self) -> str:
        return f"{self.distribution}({', '.join(f'{number:.4g}' for number in self.arguments)})"

    def density(self, x: NDArray[np.float64], *, positive: bool = False) -> NDArray[np.float64]:
        """Return the normalised density at x; with `positive`, of the distribution truncated to x > 0."""
        raise NotImplementedError
