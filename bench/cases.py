"""The named cases: what is fitted, and to which CSV.

The CSVs are simulated with fixed seeds (`bench.simulated`), written once and kept in a folder under the system's
temporary one, or where HIERFIT_BENCH_DATA says.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from bench import simulated
from bench.case import INTERCEPT, Case, Grouping

# Raised when a generator changes, so that no CSV of an earlier one is taken.
DATA_VERSION = 1


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


def intercepts_case(family: Literal["bernoulli", "poisson"], name: str, title: str, rows: int, groups: int) -> Case:
    """Return the case of a varying intercept and an outcome that is no measurement, at any size."""
    response, write = _NOT_GAUSSIAN[family]
    return Case(
        name,
        title,
        response,
        ("ses",),
        (Grouping("school", groups),),
        rows,
        lambda path: write(path, rows, groups),
        family=family,
        program=family,
    )


_NOT_GAUSSIAN = {"bernoulli": ("passed", simulated.passes), "poisson": ("absences", simulated.absences)}
BOTH_SLOPES = tuple(Grouping(factor, n, (INTERCEPT, "condition")) for factor, n in (("subject", 40), ("item", 12)))
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
    intercepts_case("bernoulli", "bernoulli", "yes or no, many rows", 100_000, 2_000),
    Case(
        "rare",
        "rare events: failures of machines, ten checks each",
        "failed",
        ("load",),
        (Grouping("machine", 2_000),),
        20_000,
        simulated.failures,
        family="bernoulli",
        program="bernoulli",
    ),
    Case(
        "negbinomial",
        "counts that spread more than Poisson's",
        "visits",
        ("age",),
        (Grouping("clinic", 1_000),),
        50_000,
        simulated.visits,
        family="negbinomial",
    ),
    Case(
        "ordinal",
        "ratings from 1 to 5: every subject sees every item twice, slopes by both",
        "rating",
        ("condition",),
        BOTH_SLOPES,
        960,
        simulated.item_ratings,
        family="cumulative",
        categories=5,
    ),
    Case(
        "lognormal",
        "reaction times: every subject sees every item twice, slopes by both",
        "time",
        ("condition",),
        BOTH_SLOPES,
        960,
        simulated.reaction_times,
        family="lognormal",
    ),
    slopes_case("million", "a million rows", 1_000_000, 10_000),
    slopes_case("many-groups", "a hundred thousand groups of ten", 1_000_000, 100_000, costly=True),
    slopes_case("ten-million", "ten million rows", 10_000_000, 10_000, costly=True),
    Case(
        "bernoulli-million",
        "yes or no, a million rows, correlated intercepts and slopes",
        "passed",
        ("ses",),
        (Grouping("school", 10_000, (INTERCEPT, "ses")),),
        1_000_000,
        lambda path: simulated.passes_with_slopes(path, 1_000_000, 10_000),
        family="bernoulli",
        costly=True,
    ),
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
