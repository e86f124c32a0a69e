"""Designs that the full engine meets: outcomes of all kinds, few and many levels, sds from 0 to large.

Each is simulated anew for every seed, in the words of hierfit: columns, formula, family, true sds. The published data
among the references (`tests.reference_cases`) are such designs too, with data of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import FAMILIES, THRESHOLD
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import NO_ROLES, Roles
from tests.reference_cases import CASES

Array = NDArray[np.float64]
THRESHOLDS = np.array([[-1.2], [-0.2], [0.6], [1.6]])
Layout = Callable[[np.random.Generator], dict[str, Array]]


@dataclass(frozen=True)
class SimulatedDesign:
    """One kind of data and its model.

    Attributes:
        name: in the table.
        formula: what is fitted.
        layout: labels (as numbers) and predictors of the rows.
        sds: true sds by factor: of the intercept, then of the slope along x.
        family, roles: as for a fit; `lo` is an offset, `n` are trials.
        level, slope: true intercept and coefficient of x.
        auxiliaries: true ones.
        correlation: of intercepts and slopes.
    """

    name: str
    formula: str
    layout: Layout
    sds: Mapping[str, tuple[float, ...]]
    family: str = "bernoulli"
    level: float = 0.0
    slope: float = 0.5
    roles: Roles = NO_ROLES
    auxiliaries: Mapping[str, float] = field(default_factory=dict)
    correlation: float = 0.3

    def request(self, folder: Path, seed: int) -> FitRequest:
        """Write data for a seed, and return what to fit."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        columns = self.layout(rng)
        x = columns["x"]
        eta = self.level + self.slope * x + columns.get("lo", 0.0)
        for factor, sds in self.sds.items():
            codes = columns[factor].astype(int)
            z = rng.normal(size=(codes.max() + 1, 2))
            z[:, 1] = self.correlation * z[:, 0] + np.sqrt(1 - self.correlation**2) * z[:, 1]
            eta = eta + sds[0] * z[codes, 0] + (sds[1] * z[codes, 1] * x if len(sds) > 1 else 0.0)
        family = FAMILIES[self.family]
        auxiliaries = {name: np.array([value]) for name, value in self.auxiliaries.items()}
        if family.has_thresholds:
            auxiliaries[THRESHOLD] = THRESHOLDS
        trials = columns.get("n", np.ones(len(x)))
        columns["y"] = family.replicate(rng, family.mean(eta, family.link, auxiliaries), auxiliaries, trials)
        path = folder / "data.csv"
        rows = zip(*(_cells(name, values, name in self.sds) for name, values in columns.items()), strict=True)
        path.write_text("\n".join([",".join(columns), *map(",".join, rows)]) + "\n")
        return FitRequest(path, parse_formula(self.formula), family=self.family, roles=self.roles)


def _cells(name: str, values: Array, labels: bool) -> list[str]:
    return [f"{name}{value:.0f}" if labels else f"{value:.10g}" for value in values.tolist()]


def groups(levels: int, rows: int, **more: Callable[[np.random.Generator, int], Array]) -> Layout:
    """Rows for each level of g, and a predictor x."""
    n = levels * rows

    def layout(rng: np.random.Generator) -> dict[str, Array]:
        columns = {"g": np.repeat(np.arange(levels), rows).astype(float), "x": rng.normal(size=n)}
        return columns | {name: make(rng, n) for name, make in more.items()}

    return layout


def crossed(persons: int, items: int, conditions: int = 1) -> Layout:
    """Every person meets every item, in every condition; x is the condition, or a property of the rows."""

    def layout(rng: np.random.Generator) -> dict[str, Array]:
        person, item, condition = (
            axis.ravel().astype(float)
            for axis in np.meshgrid(range(persons), range(items), range(conditions), indexing="ij")
        )
        return {"g": person, "h": item, "x": condition if conditions > 1 else rng.normal(size=len(person))}

    return layout


def nested(outer: int, inner: int, rows: int) -> Layout:
    """Levels of h within each level of g, called by names of their own."""

    def layout(rng: np.random.Generator) -> dict[str, Array]:
        h = np.repeat(np.arange(outer * inner), rows)
        return {"g": (h // inner).astype(float), "h": h.astype(float), "x": rng.normal(size=len(h))}

    return layout


def broods(rng: np.random.Generator) -> dict[str, Array]:
    """403 rows of 118 broods at 63 places, as ticks on grouse chicks were counted; every row is a level too."""
    brood = np.sort(np.concatenate([np.arange(118), rng.integers(118, size=285)]))
    place = np.sort(np.concatenate([np.arange(63), rng.integers(63, size=55)]))[brood]
    x = rng.normal(size=118)[brood]
    return {"row": np.arange(403.0), "brood": brood.astype(float), "place": place.astype(float), "x": x}


def _exposure(rng: np.random.Generator, n: int) -> Array:
    return rng.normal(13, 1, n)


def _trials(rng: np.random.Generator, n: int) -> Array:
    return rng.integers(3, 12, n).astype(float)


def _ones(rng: np.random.Generator, n: int) -> Array:
    return np.ones(n)


SLOPES = "y ~ x + (1 + x | g)"
BOTH = "y ~ x + (1 + x | g) + (1 + x | h)"
SIMULATED = [
    SimulatedDesign("bernoulli slopes", SLOPES, groups(15, 20), {"g": (0.7, 0.2)}),
    SimulatedDesign("bernoulli slopes, sd 0", SLOPES, groups(15, 20), {"g": (1.0, 0.0)}),
    SimulatedDesign("bernoulli slopes, large", SLOPES, groups(60, 20), {"g": (2.0, 1.0)}),
    SimulatedDesign("bernoulli crossed", "y ~ x + (1 | g) + (1 | h)", crossed(40, 20), {"g": (1.3,), "h": (0.4,)}),
    SimulatedDesign("bernoulli 2 levels", "y ~ x + (1 | g)", groups(2, 60), {"g": (0.5,)}),
    SimulatedDesign("bernoulli pairs, rare", "y ~ x + (1 | g)", groups(60, 4), {"g": (1.5,)}, level=-2.5),
    SimulatedDesign(
        "poisson offset",
        "y ~ x + (1 | g)",
        groups(15, 10, lo=_exposure),
        {"g": (0.5,)},
        "poisson",
        level=-11.0,
        roles=Roles(offset="lo"),
    ),
    SimulatedDesign("poisson slopes", SLOPES, groups(20, 10), {"g": (0.6, 0.1)}, "poisson", level=1.0),
    SimulatedDesign(
        "poisson nested",
        "y ~ x + (1 | g) + (1 | h)",
        nested(9, 3, 26),
        {"g": (1.0,), "h": (0.3,)},
        "negbinomial",
        level=2.0,
        auxiliaries={"shape": 1.0},
    ),
    SimulatedDesign(
        "poisson row-level",
        "y ~ x + (1 | row) + (1 | brood) + (1 | place)",
        broods,
        {"row": (0.5,), "brood": (0.75,), "place": (0.5,)},
        "poisson",
        level=0.4,
    ),
    SimulatedDesign("poisson 6 levels, sd 0", SLOPES, groups(6, 30), {"g": (0.0, 0.0)}, "poisson", level=1.0),
    SimulatedDesign(
        "binomial row-level",
        "y ~ x + (1 | row) + (1 | g)",
        lambda rng: groups(15, 4, n=_trials)(rng) | {"row": np.arange(60.0)},
        {"row": (0.5,), "g": (0.5,)},
        "binomial",
        level=-1.0,
        roles=Roles(trials="n"),
    ),
    SimulatedDesign(
        "student slopes", SLOPES, groups(20, 15), {"g": (1.0, 0.5)}, "student", auxiliaries={"sigma": 1.0, "nu": 4.0}
    ),
    SimulatedDesign(
        "lognormal subjects, items",
        BOTH + "; sigma ~ x",
        crossed(40, 12, 2),
        {"g": (0.2, 0.04), "h": (0.1, 0.02)},
        "lognormal",
        level=6.5,
        slope=0.1,
        auxiliaries={"sigma": 0.3},
    ),
    SimulatedDesign(
        "gaussian weights",
        SLOPES,
        groups(3, 20, w=_ones),
        {"g": (0.1, 1.0)},
        "gaussian",
        roles=Roles(weights="w"),
        auxiliaries={"sigma": 1.0},
    ),
    SimulatedDesign(
        "gaussian sigma, 3 levels",
        SLOPES + "; sigma ~ x",
        groups(3, 20),
        {"g": (0.1, 1.0)},
        "gaussian",
        auxiliaries={"sigma": 1.0},
    ),
    SimulatedDesign("cumulative slopes", SLOPES, groups(20, 12), {"g": (1.0, 0.4)}, "cumulative"),
    SimulatedDesign(
        "cumulative subjects, items",
        "y ~ x + (1 + x | g) + (1 | h)",
        crossed(40, 12, 2),
        {"g": (1.2, 0.1), "h": (0.3,)},
        "cumulative",
    ),
    SimulatedDesign(
        "hurdle, two factors",
        "y ~ x + (1 | g) + (1 | h)",
        crossed(25, 10),
        {"g": (0.5,), "h": (0.2,)},
        "hurdle_poisson",
        level=0.8,
        auxiliaries={"hu": 0.3},
    ),
    SimulatedDesign("gamma slopes", SLOPES, groups(12, 20), {"g": (0.5, 0.05)}, "gamma", auxiliaries={"shape": 2.0}),
    SimulatedDesign("beta slopes", SLOPES, groups(30, 8), {"g": (0.6, 0.3)}, "beta", auxiliaries={"phi": 10.0}),
]
PUBLISHED = [case for case in CASES if case.name in ("wheeze", "epilepsy", "cbpp", "salamanders", "wine", "gasoline")]
