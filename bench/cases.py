"""The named cases: what is fitted, and to which CSV.

A `Case` says in hierfit's own terms what the model is; every comparator writes its own command from that. The CSVs are
simulated with fixed seeds (`bench.simulated`), written once and kept in a folder under the system's temporary one, or
where HIERFIT_BENCH_DATA says.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from bench import simulated

INTERCEPT = "Intercept"
# Raised when a generator changes, so that no CSV of an earlier one is taken.
DATA_VERSION = 1


@dataclass(frozen=True)
class Grouping:
    """One grouping factor.

    Attributes:
        factor: name of its column.
        levels: how many it has.
        terms: what varies, "Intercept" or predictors; correlated where there are several.
    """

    factor: str
    levels: int
    terms: tuple[str, ...] = (INTERCEPT,)

    def __str__(self) -> str:
        fixed = "1" if INTERCEPT in self.terms else "0"
        return f"({' + '.join([fixed, *(term for term in self.terms if term != INTERCEPT)])} | {self.factor})"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its sds, then of its correlations, as hierfit reports them."""
        sds = [f"sd({self.factor})" if term == INTERCEPT else f"sd({self.factor}: {term})" for term in self.terms]
        return (*sds, *(f"cor({self.factor}: {one}, {other})" for one, other in combinations(self.terms, 2)))


@dataclass(frozen=True)
class Case:
    """One model and its data.

    Attributes:
        name: as in `--case`.
        title: a line for people.
        response: column of the outcome.
        predictors: columns of the population-level coefficients; "a:b" is a product.
        groupings: the grouping factors.
        rows: of the CSV.
        write: writes the CSV.
        family: gaussian, bernoulli or poisson.
        program: which of the Stan programs of `comparators/programs/` it is; None where there are none.
        priors: of the tutorial, in hierfit's words; the others take each program's defaults.
        centered: whether hierfit may centre the predictors.
        costly: not part of a plain `python -m bench`, only when named.
    """

    name: str
    title: str
    response: str
    predictors: tuple[str, ...]
    groupings: tuple[Grouping, ...]
    rows: int
    write: Callable[[Path], None]
    family: str = "gaussian"
    program: str | None = None
    priors: Mapping[str, str] = field(default_factory=dict)
    centered: bool = True
    costly: bool = False

    @property
    def formula(self) -> str:
        """The model in lme4's grammar, which all of them read."""
        return f"{self.response} ~ {' + '.join(['1', *self.predictors, *map(str, self.groupings)])}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the population-level parameters that are estimated, as hierfit reports them."""
        names = [INTERCEPT, *self.predictors, *(name for factor in self.groupings for name in factor.parameters)]
        names += ["sigma"] if self.family == "gaussian" else []
        return tuple(name for name in names if not self.priors.get(name, "").startswith("constant"))

    @property
    def shape(self) -> str:
        """Its size in words, such as "7,185 rows, school 160"."""
        return ", ".join([f"{self.rows:,} rows", *(f"{factor.factor} {factor.levels:,}" for factor in self.groupings)])


def slopes_case(name: str, title: str, rows: int, groups: int, *, costly: bool = False) -> Case:
    """Return the case of a correlated intercept and slope in every group, at any size."""
    return Case(
        name,
        title,
        "score",
        ("ses",),
        (Grouping("school", groups, (INTERCEPT, "ses")),),
        rows,
        lambda path: simulated.correlated_slopes(path, rows, groups),
        program="slopes",
        costly=costly,
    )


_ALL = (
    Case(
        "school",
        "the school tutorial: 10 pupils of 2 schools",
        "score",
        ("hours",),
        (Grouping("school", 2),),
        10,
        simulated.tutorial_schools,
        program="school",
        priors={
            "Intercept": "normal(0, 10)",
            "hours": "normal(0, 10)",
            "sd(school)": "constant(1)",
            "sigma": "cauchy(0, 5)",
        },
        centered=False,
    ),
    Case(
        "row-slopes",
        "one slope for every row, no noise",
        "y",
        ("x",),
        (Grouping("row", 100, ("x",)),),
        100,
        simulated.slopes_per_row,
        program="row_slopes",
        priors={
            "Intercept": "normal(0, 10000)",
            "x": "normal(0, 10000)",
            "sd(row: x)": "uniform(0, 100)",
            "sigma": "uniform(0, 10)",
        },
        centered=False,
    ),
    slopes_case("slopes", "correlated intercepts and slopes", 7_185, 160),
    Case(
        "poisson",
        "seizure counts: 59 patients, 4 visits each",
        "seizures",
        ("log_base", "treated", "log_age", "visit4", "log_base:treated"),
        (Grouping("patient", 59),),
        236,
        simulated.seizures,
        family="poisson",
        program="poisson",
    ),
    Case(
        "crossed-bernoulli",
        "yes or no: every person answers every item",
        "yes",
        ("anger", "male", "scold", "shout", "self", "want"),
        (Grouping("person", 316), Grouping("item", 24)),
        7_584,
        simulated.answers,
        family="bernoulli",
        program="crossed_bernoulli",
    ),
    Case(
        "crossed-gaussian",
        "ratings of lecturers by students, in departments",
        "rating",
        ("service",),
        (Grouping("student", 2_972), Grouping("lecturer", 1_128), Grouping("department", 14)),
        73_421,
        simulated.ratings,
        program="crossed_gaussian",
    ),
    slopes_case("million", "a million rows", 1_000_000, 10_000),
    slopes_case("many-groups", "a hundred thousand groups of ten", 1_000_000, 100_000, costly=True),
    slopes_case("ten-million", "ten million rows", 10_000_000, 10_000, costly=True),
)
CASES: Mapping[str, Case] = {case.name: case for case in _ALL}


def data_folder() -> Path:
    """Return where the CSVs are kept: HIERFIT_BENCH_DATA, or a folder under the system's temporary one."""
    given = os.environ.get("HIERFIT_BENCH_DATA")
    return Path(given).expanduser().absolute() if given else Path(tempfile.gettempdir()) / "hierfit-bench"


def csv_of(case: Case) -> Path:
    """Return the CSV of a case, written if it is not there."""
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{case.name}-{case.rows}-v{DATA_VERSION}.csv"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        case.write(partial)
        os.replace(partial, path)
    return path
