"""Ready simulations by name, for `hierfit simulate NAME` and `hierfit simulate --list`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hierfit.errors import UsageError, did_you_mean
from hierfit.model.formula import INTERCEPT
from hierfit.model.simulation import Predictors, Simulation


@dataclass(frozen=True)
class Scenario:
    """A simulation with a name.

    Attributes:
        name: as the user writes it.
        description: one line for a list.
        simulation: what to simulate.
    """

    name: str
    description: str
    simulation: Simulation


_SCHOOL_SLOPES = Simulation(groups=40, rows_per_group=25, sds={INTERCEPT: 5.0, "ses": 1.5}, correlations=0.3)

_ALL = (
    Scenario(
        "schools",
        "30 schools of 20 pupils; the intercept varies",
        Simulation(),
    ),
    Scenario(
        "slopes",
        "40 schools of 25 pupils; intercept and slope vary together (correlation 0.3)",
        _SCHOOL_SLOPES,
    ),
    Scenario(
        "slopes-per-row",
        "100 rows, each with a slope of its own, one common intercept, no noise",
        Simulation(
            groups=100,
            rows_per_group=1,
            intercept=2.0,
            coefficients={"x": 2.0},
            sds={"x": 1.0},
            sigma=0.0,
            predictors=Predictors("uniform", 0.0, 10.0),
            y="y",
            group="row",
            label_prefix="",
        ),
    ),
    Scenario(
        "few-groups",
        "5 schools of 30 pupils: the data say little about the sd between schools",
        Simulation(groups=5, rows_per_group=30),
    ),
    Scenario(
        "many-groups",
        "5,000 schools of 10 pupils; intercept and slope vary",
        Simulation(groups=5_000, rows_per_group=10, sds={INTERCEPT: 5.0, "ses": 1.5}, correlations=0.3),
    ),
    Scenario(
        "unbalanced",
        "60 schools of 1 to 80 pupils; the intercept varies",
        Simulation(groups=60, rows_per_group=(1, 80)),
    ),
    Scenario(
        "pilot",
        "12 schools of 2 to 5 pupils, intercept and slope vary: hard, the checks may fail",
        Simulation(groups=12, rows_per_group=(2, 5), sds={INTERCEPT: 5.0, "ses": 0.5}, correlations=0.3),
    ),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
DEFAULT_SCENARIO = "schools"


def find_scenario(name: str) -> Scenario:
    """Return the scenario of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in SCENARIOS:
        raise UsageError(
            f"there is no scenario '{name}'.{did_you_mean(name, SCENARIOS)}", hint=f"scenarios: {', '.join(SCENARIOS)}"
        )
    return SCENARIOS[name]
