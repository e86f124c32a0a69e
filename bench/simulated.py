"""The data of the cases, a CSV each, with fixed seeds.

The sizes, and roughly the true values, are those of data sets that everybody in the field knows (High School & Beyond,
InstEval, VerbAgg, epil), and of designs that are common; no row of them is copied. Labels of groups are whole numbers
from 1, rows are in the order of the first factor, as such files usually come.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.simulate.files import DATA_FILE, write_simulation
from hierfit.simulate.scenarios import find_scenario
from hierfit.simulate.simulate import simulate

SAMPLE_DATA = Path(__file__).resolve().parents[1] / "sample_data"
ROWS_AT_A_TIME = 1_000_000
DECIMALS = 4


def tutorial_schools(path: Path) -> None:
    """The ten pupils of the school tutorial."""
    shutil.copyfile(SAMPLE_DATA / "tutorial_schools.csv", path)


def slopes_per_row(path: Path) -> None:
    """A hundred rows with a slope each, which `hierfit simulate slopes-per-row` draws."""
    with tempfile.TemporaryDirectory() as folder:
        write_simulation(simulate(find_scenario("slopes-per-row").simulation), folder)
        shutil.copyfile(Path(folder) / DATA_FILE, path)


def correlated_slopes(path: Path, rows: int, groups: int) -> None:
    """Scores of pupils in schools: intercept and slope of every school vary together."""
    rng = np.random.default_rng(rows + groups)
    codes = _sorted_codes(rng, rows, groups)
    ses = rng.normal(0.0, 0.8, rows)
    z = rng.normal(size=(groups, 2))
    intercept = 12.7 + 2.9 * z[:, 0]
    slope = 2.2 + 0.7 * (-0.3 * z[:, 0] + np.sqrt(1 - 0.3**2) * z[:, 1])
    score = intercept[codes] + slope[codes] * ses + rng.normal(0.0, 6.0, rows)
    _write(path, {"score": score, "ses": ses, "school": codes + 1})


def ratings(path: Path) -> None:
    """73,421 ratings of 1,128 lecturers, each of one of 14 departments, by 2,972 students."""
    rng = np.random.default_rng(3)
    rows, students, lecturers, departments = 73_421, 2_972, 1_128, 14
    student = _sorted_codes(rng, rows, students)
    department_of = _sorted_codes(rng, lecturers, departments)
    popularity = rng.gamma(2.0, size=lecturers)
    lecturer = rng.choice(lecturers, rows, p=popularity / popularity.sum())
    lecturer[rng.choice(rows, lecturers, replace=False)] = np.arange(lecturers)  # every one is there
    department = department_of[lecturer]
    service = (rng.random(rows) < 0.43).astype(int)
    effects = (0.33 * rng.normal(size=students))[student] + (0.52 * rng.normal(size=lecturers))[lecturer]
    effects += (0.15 * rng.normal(size=departments))[department]
    rating = 3.3 - 0.07 * service + effects + rng.normal(0.0, 1.18, rows)
    columns = {"rating": rating, "service": service, "student": student + 1, "lecturer": lecturer + 1}
    _write(path, columns | {"department": department + 1})


def answers(path: Path) -> None:
    """316 persons who say yes or no to 24 items: kind of behaviour, whose fault, whether one wants or does it."""
    rng = np.random.default_rng(4)
    person, item = np.repeat(np.arange(316), 24), np.tile(np.arange(24), 316)
    anger, male = rng.normal(size=316)[person], (rng.random(316) < 0.25).astype(int)[person]
    behaviour, blamed, want = item % 3, item // 3 % 2, item // 12
    eta = 1.2 + 0.28 * anger + 0.3 * male - 1.05 * (behaviour == 1) - 2.05 * (behaviour == 2)
    eta = eta - 1.05 * blamed + 0.7 * want + 1.35 * rng.normal(size=316)[person] + 0.4 * rng.normal(size=24)[item]
    columns = {"yes": _yes(rng, eta), "anger": anger, "male": male}
    columns |= {"scold": (behaviour == 1).astype(int), "shout": (behaviour == 2).astype(int)}
    _write(path, columns | {"self": blamed, "want": want, "person": person + 1, "item": item + 1})


def seizures(path: Path) -> None:
    """Counts of seizures of 59 patients at 4 visits, given baseline, treatment and age."""
    rng = np.random.default_rng(5)
    patient, visit4 = np.repeat(np.arange(59), 4), np.tile([0, 0, 0, 1], 59)
    log_base, log_age = rng.normal(0.0, 0.75, 59)[patient], rng.normal(0.0, 0.22, 59)[patient]
    treated = (np.arange(59) % 2)[patient]
    eta = 1.8 + 0.88 * log_base - 0.33 * treated + 0.48 * log_age - 0.16 * visit4 + 0.34 * log_base * treated
    counts = rng.poisson(np.exp(eta + 0.5 * rng.normal(size=59)[patient]))
    columns = {"seizures": counts, "log_base": log_base, "treated": treated, "log_age": log_age, "visit4": visit4}
    _write(path, columns | {"patient": patient + 1})


def passes(path: Path, rows: int, groups: int) -> None:
    """Who passed, of pupils in schools whose chances vary."""
    rng, codes, ses = _pupils(rows, groups, seed=6)
    eta = -0.5 + 0.4 * ses + 0.8 * rng.normal(size=groups)[codes]
    _write(path, {"passed": _yes(rng, eta), "ses": ses, "school": codes + 1})


def passes_with_slopes(path: Path, rows: int, groups: int) -> None:
    """Who passed, where the slope of every school varies with its intercept."""
    rng, codes, ses = _pupils(rows, groups, seed=7)
    intercept, slope = _pair(rng, groups, 0.8, 0.3, -0.3)
    eta = -0.5 + intercept[codes] + (0.4 + slope[codes]) * ses
    _write(path, {"passed": _yes(rng, eta), "ses": ses, "school": codes + 1})


def absences(path: Path, rows: int, groups: int) -> None:
    """Days absent, Poisson, of pupils in schools."""
    rng, codes, ses = _pupils(rows, groups, seed=8)
    days = rng.poisson(np.exp(0.7 - 0.3 * ses + 0.5 * rng.normal(size=groups)[codes]))
    _write(path, {"absences": days, "ses": ses, "school": codes + 1})


def failures(path: Path) -> None:
    """2,000 machines checked ten times each: about 7 in 1,000 checks find a failure, most machines never fail."""
    rng = np.random.default_rng(9)
    machine, load = np.repeat(np.arange(2_000), 10), rng.normal(size=20_000)
    eta = -5.75 + 0.5 * load + 1.2 * rng.normal(size=2_000)[machine]
    _write(path, {"failed": _yes(rng, eta), "load": load, "machine": machine + 1})


def visits(path: Path) -> None:
    """Visits of 50,000 people to 1,000 clinics, negative binomial with shape 1.5."""
    rng = np.random.default_rng(10)
    clinic, age = _sorted_codes(rng, 50_000, 1_000), rng.normal(size=50_000)
    mean = np.exp(1.0 + 0.3 * age + 0.6 * rng.normal(size=1_000)[clinic])
    _write(path, {"visits": rng.poisson(mean * rng.gamma(1.5, 1 / 1.5, 50_000)), "age": age, "clinic": clinic + 1})


def item_ratings(path: Path) -> None:
    """40 subjects rate 12 items from 1 to 5, each in both conditions; intercepts and slopes of both vary."""
    rng = np.random.default_rng(11)
    design, latent = _both_conditions(rng, 0.6, (1.0, 0.5, 0.3), (0.5, 0.3, 0.2))
    latent = latent + rng.logistic(size=len(latent))
    rating = 1 + (latent[:, None] > np.array([-2.0, -0.7, 0.5, 1.8])).sum(axis=1)
    _write(path, {"rating": rating, **design})


def reaction_times(path: Path) -> None:
    """Seconds that 40 subjects take for 12 items, each in both conditions; intercepts and slopes of both vary."""
    rng = np.random.default_rng(12)
    design, log_time = _both_conditions(rng, 0.1, (0.2, 0.08, 0.3), (0.1, 0.05, 0.2))
    _write(path, {"time": np.exp(-0.5 + log_time + rng.normal(0.0, 0.3, len(log_time))), **design})


def _both_conditions(
    rng: np.random.Generator, slope: float, subjects: tuple[float, float, float], items: tuple[float, float, float]
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """40 subjects x 12 items x 2 conditions, and their linear predictor; of both: sds of intercept, slope, and cor."""
    subject, item = np.repeat(np.arange(40), 24), np.tile(np.repeat(np.arange(12), 2), 40)
    condition = np.tile([-0.5, 0.5], 480)
    eta = slope * condition
    for codes, levels, (sd, sd_slope, cor) in ((subject, 40, subjects), (item, 12, items)):
        intercepts, slopes = _pair(rng, levels, sd, sd_slope, cor)
        eta = eta + intercepts[codes] + slopes[codes] * condition
    return {"condition": condition, "subject": subject + 1, "item": item + 1}, eta


def _pair(rng: np.random.Generator, groups: int, sd: float, sd_slope: float, cor: float) -> NDArray[np.float64]:
    """Intercepts and slopes of groups, around 0 [2, groups]."""
    z = rng.normal(size=(2, groups))
    return np.array([sd * z[0], sd_slope * (cor * z[0] + np.sqrt(1 - cor**2) * z[1])])


def _pupils(rows: int, groups: int, seed: int) -> tuple[np.random.Generator, NDArray[np.int64], NDArray[np.float64]]:
    rng = np.random.default_rng([seed, rows, groups])
    return rng, _sorted_codes(rng, rows, groups), rng.normal(0.0, 0.8, rows)


def _yes(rng: np.random.Generator, eta: NDArray[np.float64]) -> NDArray[np.int64]:
    return (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(int)


def _sorted_codes(rng: np.random.Generator, rows: int, groups: int) -> NDArray[np.int64]:
    """Group of every row, in order: equal groups where rows divide into ten or fewer each, else of random sizes."""
    if rows % groups == 0 and rows // groups <= 10:
        return np.repeat(np.arange(groups), rows // groups)
    return np.sort(np.concatenate([np.arange(groups), rng.integers(groups, size=rows - groups)]))


def _write(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    import pandas as pd

    rows = len(next(iter(columns.values())))
    for start in range(0, rows, ROWS_AT_A_TIME):
        part = {name: np.round(values[start : start + ROWS_AT_A_TIME], DECIMALS) for name, values in columns.items()}
        pd.DataFrame(part).to_csv(path, mode="a" if start else "w", header=not start, index=False, lineterminator="\n")
