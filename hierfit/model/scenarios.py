"""Ready simulations by name, for `hierfit simulate NAME` and `hierfit simulate --list`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hierfit.errors import UsageError, did_you_mean
from hierfit.model.formula import INTERCEPT
from hierfit.model.outcome import find_family
from hierfit.model.simulation import Crossed, Predictors, Simulation


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
    Scenario(
        "exams",
        "bernoulli: 40 schools of 25 pupils, who pass (1) or fail (0)",
        Simulation(
            groups=40,
            rows_per_group=25,
            intercept=0.5,
            coefficients={"ses": 0.8},
            sds={INTERCEPT: 0.8},
            family="bernoulli",
            y="passed",
        ),
    ),
    Scenario(
        "crossed",
        "bernoulli: 100 persons answer 24 items each; intercepts of persons and items vary",
        Simulation(
            groups=100,
            rows_per_group=24,
            intercept=0.5,
            coefficients={},
            sds={INTERCEPT: 1.0},
            family="bernoulli",
            crossed=Crossed("item", 24, 0.8),
            y="correct",
            group="person",
            label_prefix="p",
        ),
    ),
    Scenario(
        "germination",
        "binomial: 40 trays with 6 pots of 10 to 30 seeds, of which some germinate",
        Simulation(
            groups=40,
            rows_per_group=6,
            intercept=0.3,
            coefficients={"moisture": 0.5},
            sds={INTERCEPT: 0.7},
            family="binomial",
            trials=(10, 30),
            y="germinated",
            group="tray",
            label_prefix="t",
        ),
    ),
    Scenario(
        "litters",
        "beta_binomial: 40 farms with 8 litters of 4 to 14 piglets, of which some survive, alike within a litter",
        Simulation(
            groups=40,
            rows_per_group=8,
            intercept=1.0,
            coefficients={"weight": 0.5},
            sds={INTERCEPT: 0.6},
            family="beta_binomial",
            auxiliaries={"phi": 6.0},
            trials=(4, 14),
            y="survived",
            group="farm",
            label_prefix="f",
        ),
    ),
    Scenario(
        "ticks",
        "poisson: 60 broods of 6 chicks, counts of ticks",
        Simulation(
            groups=60,
            rows_per_group=6,
            intercept=1.0,
            coefficients={"height": -0.4},
            sds={INTERCEPT: 0.8},
            family="poisson",
            y="ticks",
            group="brood",
            label_prefix="b",
        ),
    ),
    Scenario(
        "visits",
        "negbinomial: 40 practices of 20 patients, counts of visits, more spread than poisson's",
        Simulation(
            groups=40,
            rows_per_group=20,
            intercept=1.2,
            coefficients={"age": 0.3},
            sds={INTERCEPT: 0.5},
            family="negbinomial",
            auxiliaries={"shape": 2.0},
            y="visits",
            group="practice",
            label_prefix="p",
        ),
    ),
    Scenario(
        "fish",
        "zero_inflated_poisson: 50 lakes of 15 anglers, counts of fish, some of whom never fished",
        Simulation(
            groups=50,
            rows_per_group=15,
            intercept=1.0,
            coefficients={"hours": 0.5},
            sds={INTERCEPT: 0.6},
            family="zero_inflated_poisson",
            auxiliaries={"zi": 0.3},
            y="fish",
            group="lake",
            label_prefix="l",
        ),
    ),
    Scenario(
        "parasites",
        "zero_inflated_negbinomial: 50 ponds of 20 frogs, counts of parasites, some frogs never exposed",
        Simulation(
            groups=50,
            rows_per_group=20,
            intercept=2.0,
            coefficients={"size": 0.4},
            sds={INTERCEPT: 0.6},
            family="zero_inflated_negbinomial",
            auxiliaries={"shape": 2.0, "zi": 0.25},
            y="parasites",
            group="pond",
            label_prefix="p",
        ),
    ),
    Scenario(
        "cigarettes",
        "hurdle_poisson: 40 towns of 20 persons, cigarettes of a day, most of them none",
        Simulation(
            groups=40,
            intercept=1.5,
            coefficients={"stress": 0.3},
            sds={INTERCEPT: 0.4},
            family="hurdle_poisson",
            auxiliaries={"hu": 0.6},
            y="cigarettes",
            group="town",
            label_prefix="t",
        ),
    ),
    Scenario(
        "absences",
        "hurdle_negbinomial: 50 firms of 20 employees, days of absence, none for some",
        Simulation(
            groups=50,
            intercept=2.0,
            coefficients={"strain": 0.4},
            sds={INTERCEPT: 0.5},
            family="hurdle_negbinomial",
            auxiliaries={"shape": 2.0, "hu": 0.3},
            y="days",
            group="firm",
            label_prefix="f",
        ),
    ),
    Scenario(
        "ratings",
        "cumulative: 40 courses of 25 students, who rate them from 1 to 5",
        Simulation(
            groups=40,
            rows_per_group=25,
            intercept=0.0,
            coefficients={"interest": 0.7},
            sds={INTERCEPT: 0.8},
            family="cumulative",
            thresholds=(-2.5, -1.0, 0.5, 2.0),
            y="rating",
            group="course",
            label_prefix="c",
        ),
    ),
    Scenario(
        "readings",
        "student: 30 laboratories of 20 readings, a few of them far off",
        Simulation(
            groups=30,
            intercept=100.0,
            coefficients={"dose": 6.0},
            sds={INTERCEPT: 5.0},
            sigma=4.0,
            family="student",
            auxiliaries={"nu": 3.0},
            y="reading",
            group="laboratory",
            label_prefix="l",
        ),
    ),
    Scenario(
        "waiting",
        "gamma: 40 clinics of 20 patients, minutes of waiting",
        Simulation(
            groups=40,
            intercept=3.5,
            coefficients={"urgency": -0.3},
            sds={INTERCEPT: 0.4},
            family="gamma",
            auxiliaries={"shape": 3.0},
            y="minutes",
            group="clinic",
            label_prefix="c",
        ),
    ),
    Scenario(
        "incomes",
        "lognormal: 40 regions of 20 persons, incomes",
        Simulation(
            groups=40,
            intercept=10.0,
            coefficients={"schooling": 0.2},
            sds={INTERCEPT: 0.3},
            sigma=0.5,
            family="lognormal",
            y="income",
            group="region",
            label_prefix="r",
        ),
    ),
    Scenario(
        "cover",
        "beta: 40 meadows of 15 plots, shares of the ground that clover covers",
        Simulation(
            groups=40,
            rows_per_group=15,
            intercept=-0.8,
            coefficients={"moisture": 0.5},
            sds={INTERCEPT: 0.6},
            family="beta",
            auxiliaries={"phi": 10.0},
            y="cover",
            group="meadow",
            label_prefix="m",
        ),
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


def scenario_of(family: str) -> Scenario:
    """Return the scenario that shows a family: the first of its.

    Raises:
        UsageError: there is no such family, or no scenario of it.
    """
    find_family(family, None)
    for scenario in _ALL:
        if scenario.simulation.family == family:
            return scenario
    raise UsageError(f"there is no scenario of the family {family}.", hint=f"scenarios: {', '.join(SCENARIOS)}")
