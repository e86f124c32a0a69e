"""Ready simulations by name, for `hierfit simulate NAME` and `hierfit simulate --list`: formulas with true values.

The first one of a family has the true values that a formula's parameters get by default (`simulate.true_values`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from hierfit.design.outcome import find_family
from hierfit.errors import UsageError, did_you_mean
from hierfit.model.formula_text import parse_formula
from hierfit.simulate.checks import Count
from hierfit.simulate.predictors import Predictors
from hierfit.simulate.simulation import Simulation

DEFAULT_SCENARIO = "schools"
_SCHOOLS = {"Intercept": 50.0, "ses": 2.0, "sd(school)": 5.0, "sigma": 8.0}
_SLOPES = {**_SCHOOLS, "sd(school: ses)": 1.5, "cor(school)": 0.3}
_VARYING_SLOPES = "score ~ ses + (1 + ses | school)"


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


def _scenario(
    name: str,
    description: str,
    formula: str,
    true: Mapping[str, float],
    levels: Mapping[str, int],
    rows: Count = 20,
    **more: Any,
) -> Scenario:
    asked = Simulation(parse_formula(formula), true=true, levels=levels, rows=rows, of_scenario=True, **more)
    return Scenario(name, description, asked)


_ALL = (
    _scenario(
        "schools",
        "30 schools of 20 pupils; the intercept varies",
        "score ~ ses + (1 | school)",
        _SCHOOLS,
        {"school": 30},
    ),
    _scenario(
        "slopes",
        "40 schools of 25 pupils; intercept and slope vary together (correlation 0.3)",
        _VARYING_SLOPES,
        _SLOPES,
        {"school": 40},
        25,
    ),
    _scenario(
        "slopes-per-row",
        "100 rows, each with a slope of its own, one common intercept, no noise",
        "y ~ x + (0 + x | row)",
        {"Intercept": 2.0, "x": 2.0, "sd(row: x)": 1.0, "sigma": 0.0},
        {"row": 100},
        1,
        predictors=Predictors("uniform", 0.0, 10.0),
        prefixes={"row": ""},
    ),
    _scenario(
        "few-groups",
        "5 schools of 30 pupils: the data say little about the sd between schools",
        "score ~ ses + (1 | school)",
        _SCHOOLS,
        {"school": 5},
        30,
    ),
    _scenario(
        "many-groups",
        "5,000 schools of 10 pupils; intercept and slope vary",
        _VARYING_SLOPES,
        _SLOPES,
        {"school": 5_000},
        10,
    ),
    _scenario(
        "unbalanced",
        "60 schools of 1 to 80 pupils; the intercept varies",
        "score ~ ses + (1 | school)",
        _SCHOOLS,
        {"school": 60},
        (1, 80),
    ),
    _scenario(
        "pilot",
        "12 schools of 2 to 5 pupils, intercept and slope vary: hard, the checks may fail",
        _VARYING_SLOPES,
        {**_SLOPES, "sd(school: ses)": 0.5},
        {"school": 12},
        (2, 5),
    ),
    _scenario(
        "exams",
        "bernoulli: 40 schools of 25 pupils, who pass (1) or fail (0)",
        "passed ~ ses + (1 | school)",
        {"Intercept": 0.5, "ses": 0.8, "sd(school)": 0.8},
        {"school": 40},
        25,
        family="bernoulli",
    ),
    _scenario(
        "crossed",
        "bernoulli: 100 persons answer 24 items each; intercepts of persons and items vary",
        "correct ~ 1 + (1 | person) + (1 | item)",
        {"Intercept": 0.5, "sd(person)": 1.0, "sd(item)": 0.8},
        {"person": 100, "item": 24},
        24,
        family="bernoulli",
    ),
    _scenario(
        "germination",
        "binomial: 40 trays with 6 pots of 10 to 30 seeds, of which some germinate",
        "germinated ~ moisture + (1 | tray)",
        {"Intercept": 0.3, "moisture": 0.5, "sd(tray)": 0.7},
        {"tray": 40},
        6,
        family="binomial",
    ),
    _scenario(
        "litters",
        "beta_binomial: 40 farms with 8 litters of 4 to 14 piglets, of which some survive, alike within a litter",
        "survived ~ weight + (1 | farm)",
        {"Intercept": 1.0, "weight": 0.5, "sd(farm)": 0.6, "phi": 6.0},
        {"farm": 40},
        8,
        family="beta_binomial",
    ),
    _scenario(
        "ticks",
        "poisson: 60 broods of 6 chicks, counts of ticks",
        "ticks ~ height + (1 | brood)",
        {"Intercept": 1.0, "height": -0.4, "sd(brood)": 0.8},
        {"brood": 60},
        6,
        family="poisson",
    ),
    _scenario(
        "visits",
        "negbinomial: 40 practices of 20 patients, counts of visits, more spread than poisson's",
        "visits ~ age + (1 | practice)",
        {"Intercept": 1.2, "age": 0.3, "sd(practice)": 0.5, "shape": 2.0},
        {"practice": 40},
        family="negbinomial",
    ),
    _scenario(
        "fish",
        "zero_inflated_poisson: 50 lakes of 15 anglers, counts of fish, some of whom never fished",
        "fish ~ hours + (1 | lake)",
        {"Intercept": 1.0, "hours": 0.5, "sd(lake)": 0.6, "zi": 0.3},
        {"lake": 50},
        15,
        family="zero_inflated_poisson",
    ),
    _scenario(
        "parasites",
        "zero_inflated_negbinomial: 50 ponds of 20 frogs, counts of parasites, some frogs never exposed",
        "parasites ~ size + (1 | pond)",
        {"Intercept": 2.0, "size": 0.4, "sd(pond)": 0.6, "shape": 2.0, "zi": 0.25},
        {"pond": 50},
        family="zero_inflated_negbinomial",
    ),
    _scenario(
        "cigarettes",
        "hurdle_poisson: 40 towns of 20 persons, cigarettes of a day, most of them none",
        "cigarettes ~ stress + (1 | town)",
        {"Intercept": 1.5, "stress": 0.3, "sd(town)": 0.4, "hu": 0.6},
        {"town": 40},
        family="hurdle_poisson",
    ),
    _scenario(
        "absences",
        "hurdle_negbinomial: 50 firms of 20 employees, days of absence, none for some",
        "days ~ strain + (1 | firm)",
        {"Intercept": 2.0, "strain": 0.4, "sd(firm)": 0.5, "shape": 2.0, "hu": 0.3},
        {"firm": 50},
        family="hurdle_negbinomial",
    ),
    _scenario(
        "ratings",
        "cumulative: 40 courses of 25 students, who rate them from 1 to 5",
        "rating ~ interest + (1 | course)",
        {
            "interest": 0.7,
            "threshold[1|2]": -2.5,
            "threshold[2|3]": -1.0,
            "threshold[3|4]": 0.5,
            "threshold[4|5]": 2.0,
            "sd(course)": 0.8,
        },
        {"course": 40},
        25,
        family="cumulative",
    ),
    _scenario(
        "readings",
        "student: 30 laboratories of 20 readings, a few of them far off",
        "reading ~ dose + (1 | laboratory)",
        {"Intercept": 100.0, "dose": 6.0, "sd(laboratory)": 5.0, "sigma": 4.0, "nu": 3.0},
        {"laboratory": 30},
        family="student",
    ),
    _scenario(
        "waiting",
        "gamma: 40 clinics of 20 patients, minutes of waiting",
        "minutes ~ urgency + (1 | clinic)",
        {"Intercept": 3.5, "urgency": -0.3, "sd(clinic)": 0.4, "shape": 3.0},
        {"clinic": 40},
        family="gamma",
    ),
    _scenario(
        "incomes",
        "lognormal: 40 regions of 20 persons, incomes",
        "income ~ schooling + (1 | region)",
        {"Intercept": 10.0, "schooling": 0.2, "sd(region)": 0.3, "sigma": 0.5},
        {"region": 40},
        family="lognormal",
    ),
    _scenario(
        "cover",
        "beta: 40 meadows of 15 plots, shares of the ground that clover covers",
        "cover ~ moisture + (1 | meadow)",
        {"Intercept": -0.8, "moisture": 0.5, "sd(meadow)": 0.6, "phi": 10.0},
        {"meadow": 40},
        15,
        family="beta",
    ),
)
SCENARIOS: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})


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
