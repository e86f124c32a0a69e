"""New data from a finished run: the same rows under their own names, and an outcome of the draw in truth.json."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit import workflow
from hierfit.errors import FormulaError, UsageError
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import Roles
from hierfit.runs import finished
from hierfit.sampling import SamplerOptions
from hierfit.simulate.files import Simulated, write_simulation
from tests.fake_sampling import replace_sampler

ROWS = 600


@dataclass(frozen=True)
class Model:
    formula: str
    family: str = "gaussian"
    roles: Mapping[str, Any] = field(default_factory=dict)
    link: str | None = None
    centered: bool = True


MODELS = {
    "slopes": Model("score ~ x + (1 + x | g)"),
    "two factors": Model("score ~ x + `odd name` + (1 + x || g) + (1 | `the level`)", centered=False),
    "slope without a population": Model("score ~ x + (0 + `odd name` | g)"),
    "no group": Model("score ~ 0 + x"),
    "offset": Model("count ~ x + (1 | g)", "poisson", {"offset": "exposure"}),
    "trials": Model("successes ~ x + (1 | g)", "binomial", {"trials": "n"}, "probit"),
    "text outcome": Model("passed ~ x + (1 | g)", "bernoulli", {"references": {"passed": "yes"}}),
    "group in numbers": Model("score ~ year + (1 | year)"),
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(2)
    header = "score,count,successes,n,passed,x,odd name,exposure,g,the level,year,sector"
    lines = [header]
    for row in range(ROWS):
        n = int(rng.integers(3, 9))
        numbers = [rng.normal(), rng.poisson(2), rng.integers(0, n), n]
        text = ["yes", "no"][row % 2]
        x = "" if row == 5 else repr(float(1e6 + rng.normal()))
        rest = [
            x,
            rng.normal(),
            rng.normal(),
            f"00{row % 7}",
            '"a, b"' if row % 3 else "c",
            2000 + row % 4,
            "AB"[row % 2],
        ]
        lines.append(",".join(map(str, [*numbers, text, *rest])))
    path = tmp_path / "again.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Model], Path]:
    replace_sampler(monkeypatch)

    def fit(model: Model) -> Path:
        request = FitRequest(
            data,
            parse_formula(model.formula),
            family=model.family,
            link=model.link,
            roles=Roles(**model.roles),
            centered=model.centered,
            sampler=SamplerOptions(draws=20, seed=3),
        )
        return workflow.fit(workflow.prepare(request), tmp_path / "run").folder

    return fit


def again(folder: Path, place: Path) -> tuple[Simulated, workflow.Plan]:
    """Simulate from a run, and prepare the same fit to what was written."""
    simulated = finished.simulate_from(folder, 8)
    write_simulation(simulated, place)
    request = replace(finished.stored_request(folder), data=place / "data.csv")
    return simulated, workflow.prepare(request)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_rows_predictors_and_groups_stay(model: Model, run: Callable[[Model], Path], tmp_path: Path) -> None:
    folder = run(model)
    simulated, plan = again(folder, tmp_path / "new")
    before, after = finished.load(folder), plan.design
    np.testing.assert_array_equal(after.X, before.design.X)
    assert after.categories == before.design.categories
    for name in ("trials", "offset"):
        one, other = getattr(after, name), getattr(before.design, name)
        assert (one is None) == (other is None)
        assert one is None or np.array_equal(one, other)
    for group, old in zip(after.groups, before.design.groups, strict=True):
        assert (group.labels, group.terms) == (old.labels, old.terms)
        np.testing.assert_array_equal(group.codes, old.codes)
        np.testing.assert_array_equal(group.Z, old.Z)
    assert not np.array_equal(after.y, before.design.y)
    origin = simulated.truth.content["from"]
    drawn = before.draws.values[origin["chain"], origin["draw"]]
    assert list(simulated.truth.parameters.values()) == drawn.tolist()
    assert list(simulated.truth.parameters) == [parameter.name for parameter in before.spec.parameters]
    for factor, effects in before.draws.effects.items():
        stored = list(simulated.truth.content["effects"][factor]["values"].values())
        np.testing.assert_array_equal(stored, effects[origin["chain"], origin["draw"]])


def test_the_outcome_is_that_of_the_true_values(run: Callable[[Model], Path]) -> None:
    simulated = finished.simulate_from(run(MODELS["two factors"]), 8)
    true, effects = simulated.truth.parameters, simulated.truth.content["effects"]
    g = np.array([effects["g"]["values"][label] for label in simulated.columns["g"]])
    level = np.array([effects["the level"]["values"][label][0] for label in simulated.columns["the level"]])
    x, odd = np.asarray(simulated.columns["x"]), np.asarray(simulated.columns["odd name"])
    eta = true["Intercept"] + (true["x"] + g[:, 1]) * x + true["odd name"] * odd + g[:, 0] + level
    residuals = (np.asarray(simulated.columns["score"]) - eta) / true["sigma"]
    # Standard normal, within five standard errors of its mean and of its sd.
    assert abs(residuals.mean()) < 5 / np.sqrt(len(residuals))
    assert abs(residuals.std() - 1) < 5 / np.sqrt(2 * len(residuals))


def test_the_seed_chooses_draw_and_outcome(run: Callable[[Model], Path]) -> None:
    folder = run(MODELS["slopes"])
    one, same, other = (finished.simulate_from(folder, seed) for seed in (1, 1, 2))
    assert one.truth.content == same.truth.content and np.array_equal(one.columns["score"], same.columns["score"])
    assert one.truth.parameters != other.truth.parameters


@pytest.mark.parametrize(
    ("formula", "roles", "says"),
    [
        ("score ~ poly(x, 2) + (1 | g)", {}, r"'poly\(x, 2\)' .* is more than a column"),
        ("score ~ x * `odd name` + (1 | g)", {}, "is more than a column"),
        ("score ~ sector + (1 | g)", {}, "'sector' .* is not a column of numbers"),
        ("score ~ x + (1 | g/sector)", {}, "does not store the columns g and sector"),
        ("score ~ x + (1 | g)", {"weights": "n"}, "weighs its rows by 'n'"),
    ],
)
def test_what_is_not_stored_is_refused(
    formula: str, roles: dict[str, str], says: str, run: Callable[[Model], Path]
) -> None:
    folder = run(Model(formula, roles=roles))
    finished.stored_request(folder).data.unlink()
    with pytest.raises((FormulaError, UsageError), match=says) as caught:
        finished.simulate_from(folder, 1)
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    "formula",
    [
        "score ~ poly(x, 2) + (1 | g)",
        "score ~ x * `odd name` + sector + (1 + sector | g)",
        "score ~ x + (1 | g/sector)",
    ],
)
def test_columns_that_a_run_does_not_store_are_read_again(
    formula: str, run: Callable[[Model], Path], tmp_path: Path
) -> None:
    folder = run(Model(formula))
    simulated, plan = again(folder, tmp_path / "new")
    before = finished.load(folder)
    np.testing.assert_allclose(plan.design.X, before.design.X)
    for group, old in zip(plan.design.groups, before.design.groups, strict=True):
        assert group.labels == old.labels and np.array_equal(group.codes, old.codes)
        assert simulated.truth.content["effects"][group.factor]["terms"] == list(old.terms)


def test_a_file_that_has_changed_is_not_read(run: Callable[[Model], Path]) -> None:
    folder = run(Model("score ~ sector + (1 | g)"))
    data = finished.stored_request(folder).data
    data.write_text(data.read_text() + "\n")
    with pytest.raises(FormulaError, match="does not store"):
        finished.simulate_from(folder, 1)
