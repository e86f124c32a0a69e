"""docs/laplace.md: what it quotes of glmer is what glmer's three criteria come to, worked out here without R.

Data of one varying intercept and no predictor are, for each level, events among trials: few kinds of levels, so the
criteria take microseconds. Tolerance: glmer stops where its criterion changes by a relative 1e-7 or so, which leaves
the third to fourth digit of an sd open where the criterion is flat; 1 % is well below what the page speaks of.
tests/test_docs.py runs the page's commands.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from hierfit.cli.app import main
from tests.render import LAPLACE, ROOT, commands_in
from tests.test_docs import words

Array = NDArray[np.float64]
RECORDED = ROOT / "tests" / "reference_data" / "laplace.csv"
ROUGHLY = 0.01


@dataclass(frozen=True)
class Counts:
    """Kinds of levels: `events` of `trials` in `levels` of them [kinds]."""

    events: Array
    levels: Array
    trials: int

    def log_joint(self, u: Array, intercept: float, sd: float) -> Array:
        """Log density of events and of effects sd u, u standard normal [kinds, ...]."""
        eta = intercept + sd * u
        events = self.events.reshape(-1, *[1] * (u.ndim - 1))
        return events * eta - self.trials * np.logaddexp(0, eta) - u**2 / 2 - np.log(2 * np.pi) / 2

    def curvature(self, u: Array, intercept: float, sd: float) -> Array:
        p = expit(intercept + sd * u)
        return 1 + sd**2 * self.trials * p * (1 - p)

    def modes(self, intercept: float, sd: float) -> Array:
        u = np.zeros(len(self.events))
        for _ in range(200):
            slope = sd * (self.events - self.trials * expit(intercept + sd * u)) - u
            step = np.clip(slope / self.curvature(u, intercept, sd), -1, 1)
            u = u + step
            if np.abs(step).max() < 1e-10:
                break
        return u


def laplace(counts: Counts, intercept: float, sd: float) -> float:
    """The log likelihood by Laplace's approximation: nAGQ = 1."""
    u = counts.modes(intercept, sd)
    each = counts.log_joint(u, intercept, sd) + np.log(2 * np.pi / counts.curvature(u, intercept, sd)) / 2
    return float(counts.levels @ each)


def exact(counts: Counts, intercept: float, sd: float) -> float:
    """The log likelihood by the trapezoid rule over effects up to 12 sds: far more than 25 nodes."""
    u = np.linspace(-12, 12, 2001)
    each = logsumexp(counts.log_joint(np.tile(u, (len(counts.events), 1)), intercept, sd), axis=1) + np.log(u[1] - u[0])
    return float(counts.levels @ each)


def with_the_effects(counts: Counts, sd: float) -> float:
    """The intercept that is best together with the effects at their modes: nAGQ = 0 takes it for the estimate."""

    def penalised(point: Array) -> float:
        u = counts.modes(point[0], sd)
        return -float(counts.levels @ counts.log_joint(u, point[0], sd))

    return float(minimize(penalised, [-2.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9}).x[0])


def best(log_likelihood: Callable[[Counts, float, float], float], counts: Counts, start: Array) -> Array:
    """Intercept and sd."""
    found = minimize(
        lambda point: -log_likelihood(counts, point[0], abs(point[1])),
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-9},
    )
    return np.array([found.x[0], abs(found.x[1])])


def best_of_none(counts: Counts) -> Array:
    found = minimize(
        lambda sd: -laplace(counts, with_the_effects(counts, abs(sd[0])), abs(sd[0])),
        [1.0],
        method="Nelder-Mead",
        options={"xatol": 1e-5, "fatol": 1e-8},
    )
    sd = float(abs(found.x[0]))
    return np.array([with_the_effects(counts, sd), sd])


def recorded() -> Mapping[tuple[str, int], Mapping[str, str]]:
    with RECORDED.open() as file:
        return {(row["data"], int(row["nodes"])): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Counts]:
    """The data sets of the page, made by its own commands."""
    folder, found = tmp_path_factory.mktemp("laplace"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command, _ in commands_in(LAPLACE.read_text()):
            if words(command)[1] == "simulate":
                with pytest.raises(SystemExit) as left:
                    main(words(command)[1:])
                assert left.value.code == 0
    for name in ("rare", "pairs"):
        found[name] = counts_of(folder / name / "data.csv")
    return found


def counts_of(path: Path) -> Counts:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    (factor,) = set(rows[0]) - {"event"}
    codes = np.unique([row[factor] for row in rows], return_inverse=True)[1]
    events = np.bincount(codes, [float(row["event"]) for row in rows])
    kinds, levels = np.unique(events, return_counts=True)
    return Counts(kinds, levels.astype(float), int(np.bincount(codes)[0]))


@pytest.mark.parametrize("data", ["rare", "pairs"])
@pytest.mark.parametrize("nodes", [0, 1, 25])
def test_what_is_recorded_of_glmer_comes_out_without_it(data: str, nodes: int, simulated: Mapping[str, Counts]) -> None:
    row, counts = recorded()[data, nodes], simulated[data]
    expected = np.array([float(row["intercept"]), float(row["sd"])])
    start = expected + np.array([0.3, -0.2])
    found = best({1: laplace, 25: exact}[nodes], counts, start) if nodes else best_of_none(counts)
    np.testing.assert_allclose(found, expected, rtol=ROUGHLY)


def test_the_rare_events_are_those_of_the_page(simulated: Mapping[str, Counts]) -> None:
    counts = simulated["rare"]
    assert (counts.events @ counts.levels, counts.levels[0], counts.levels.sum()) == (47, 463, 500)
    assert "47 in all, none in 463 of the clinics" in LAPLACE.read_text()


def rows_of_the_table() -> Iterator[list[str]]:
    table = LAPLACE.read_text().partition("<!-- glmer -->\n\n")[2].partition("\n\n<!-- /glmer -->")[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_has_what_is_recorded_and_what_was_printed() -> None:
    text, glmer = LAPLACE.read_text(), recorded()
    printed = "\n".join(output or "" for _, output in commands_in(text))
    commands = "\n".join(command for command, _ in commands_in(text))
    rows = list(rows_of_the_table())
    assert len(rows) == 4
    for name, truth, *estimates, ours in rows:
        data, parameter = re.fullmatch(r"`(\w+)`: (\S+)", name).groups()  # type: ignore[union-attr]
        key = "intercept" if parameter == "Intercept" else "sd"
        assert estimates == [f"{float(glmer[data, nodes][key]):.2f}" for nodes in (0, 1, 25)]
        assert re.search(rf"{re.escape(parameter)}={re.escape(truth)}\b", commands), name
        mean, lower, upper = re.fullmatch(r"(\S+) \((\S+) to (\S+)\)", ours).groups()  # type: ignore[union-attr]
        assert re.search(rf"{re.escape(parameter)} +{mean} +\S+ +{lower} +{upper} ", printed), name
    assert {row["software"] for row in glmer.values()} == {"lme4 1.1-31"} and "lme4 1.1-31" in text
