"""What simulated data come from: a formula with true values, of a simulation or of a draw of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import hierfit
from hierfit.model.formula import Formula
from hierfit.simulate.effects import Factor


@dataclass(frozen=True)
class Origin:
    """The draw of a finished run that is taken as the truth: the run, the seed that chose it, its chain and number."""

    run: str
    seed: int
    chain: int
    draw: int


@dataclass(frozen=True)
class TrueModel:
    """A formula with the true value of every parameter and of every effect.

    Attributes:
        formula: the model.
        parameters: parameter -> true value, in the order of a fit's table.
        factors: the grouping factors with the effects of their levels.
        origin: a draw of a run, or the settings of a simulation, as truth.json has them.
        given: the parameters whose values were asked for.
    """

    formula: Formula
    parameters: Mapping[str, float]
    factors: tuple[Factor, ...]
    origin: Origin | Mapping[str, Any]
    given: Mapping[str, float] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """What truth.json holds, but for the hash of its data."""
        return {
            "hierfit": hierfit.__version__,
            **({"from": asdict(self.origin)} if isinstance(self.origin, Origin) else self.origin),
            "formula": str(self.formula),
            "parameters": dict(self.parameters),
            "effects": {factor.name: factor.truth for factor in self.factors},
        }
