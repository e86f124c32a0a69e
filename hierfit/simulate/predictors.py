"""What columns of numbers are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import UsageError, did_you_mean

_DISTRIBUTIONS = {"normal": "normal(mean, sd)", "uniform": "uniform(low, high)"}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Predictors:
    """The distribution of every predictor: normal(mean, sd) or uniform(low, high).

    Attributes:
        distribution: "normal" or "uniform".
        first: mean, or the lower end.
        second: standard deviation, or the upper end.
    """

    distribution: Literal["normal", "uniform"] = "normal"
    first: float = 0.0
    second: float = 1.0

    def __post_init__(self) -> None:
        if self.distribution not in _DISTRIBUTIONS:
            near = did_you_mean(self.distribution, _DISTRIBUTIONS)
            raise UsageError(
                f"predictors cannot be drawn from '{self.distribution}'.{near}",
                hint=f"choose {' or '.join(_DISTRIBUTIONS.values())}",
            )
        usable = self.second >= (0 if self.distribution == "normal" else self.first)
        if not (usable and math.isfinite(self.first) and math.isfinite(self.second)):
            raise UsageError(
                f"predictors cannot be drawn from {self}.",
                hint=f"write {_DISTRIBUTIONS[self.distribution]} with finite numbers"
                + (" and sd >= 0" if self.distribution == "normal" else " and low <= high"),
            )

    def __str__(self) -> str:
        return f"{self.distribution}({self.first:g}, {self.second:g})"

    @classmethod
    def from_text(cls, text: str) -> Predictors:
        """Read "normal(0, 1)" or "uniform(0, 10)".

        Raises:
            UsageError: the text is neither.
        """
        name, _, rest = text.strip().partition("(")
        try:
            first, second = map(float, rest.removesuffix(")").split(","))
        except ValueError:
            raise UsageError(
                f"'{text}' is no distribution of predictors.", hint=f"write {' or '.join(_DISTRIBUTIONS.values())}"
            ) from None
        return cls(cast("Any", name.strip()), first, second)

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        """Return independent draws of the given shape."""
        if self.distribution == "normal":
            return rng.normal(self.first, self.second, shape)
        return rng.uniform(self.first, self.second, shape)
