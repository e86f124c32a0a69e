"""Effects of levels that no row of the fit had, against their distribution.

Numbers of draws N are 8,000; a mean has a standard error of sd / sqrt(N), an sd of sd / sqrt(2 N), a correlation of
1 / sqrt(N) at most: five of these are allowed.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hierfit.data.table import Table, table_of
from hierfit.design.rows import GroupRows, NewLevels
from hierfit.model.spec import below_diagonal, cor_name, pairs, sd_name
from hierfit.posterior.predict import auxiliary_draws, linear_predictor
from hierfit.posterior.predict.linear import level_effects, population_part
from hierfit.posterior.predict.new_levels import new_effects

from .made_up import MadeUp, made_up

N = 8_000
RNG = np.random.default_rng(5)
ROWS = 120
X, W = np.round(RNG.normal(size=ROWS) * 1024) / 1024, RNG.normal(size=ROWS)


def table(x=X, g=None, h=None, w=W) -> Table:
    n = len(x)
    words = {}
    for name, labels in (
        ("g", [f"g{i % 6}" for i in range(n)] if g is None else g),
        ("h", [f"h{i // 6 % 4}" for i in range(n)] if h is None else h),
    ):
        levels = tuple(dict.fromkeys(labels))
        words[name] = (levels, np.array([levels.index(label) for label in labels], dtype=np.int32))
    numbers = {"y": np.random.default_rng(1).normal(size=n), "x": np.asarray(x, float), "w": np.asarray(w, float)[:n]}
    return table_of(Path("t.csv"), numbers, words, np.arange(n) + 2)


def fixed(case: MadeUp) -> MadeUp:
    """Return the same with all draws as the first one is, so that only effects of new levels differ."""
    values = np.broadcast_to(case.draws.values[:1, :1], case.draws.values.shape).copy()
    effects = {name: np.broadcast_to(u[:1, :1], u.shape) for name, u in case.draws.effects.items()}
    return replace(case, draws=replace(case.draws, values=values, effects=effects))


def covariance(case: MadeUp, factor: str) -> np.ndarray:
    """Return D R D of the first draw."""
    group, draws = case.design.group(factor), case.draws
    sd = np.array([draws.of(sd_name(factor, term))[0, 0] for term in group.terms])
    R = np.eye(len(sd))
    for (i, j), pair in zip(below_diagonal(group.named), pairs(group.named), strict=True):
        R[i, j] = R[j, i] = draws.of(cor_name(factor, pair))[0, 0]
    return R * sd * sd[:, None]


def effects_of(case: MadeUp, factor: str, label="new", seed=3) -> np.ndarray:
    """Return the effects of a new level under all draws [T, M]."""
    group = case.design.group(factor)
    rows = GroupRows((*group.labels, label), np.array([group.n_levels], np.int32), np.ones((1, len(group.terms))))
    found = level_effects(case.draws, group, rows, case.every, new_effects(case.draws, case.design, seed))
    return found.values[found.places[0]].T


@pytest.mark.parametrize(
    ("formula", "factor"),
    [
        ("y ~ x + (1 | g)", "g"),
        ("y ~ x + (1 + x | g)", "g"),
        ("y ~ x + w + (1 + x + w | g)", "g"),
        ("y ~ x + w + (1 + x + w || g)", "g"),
        ("y ~ x + (0 + x | g)", "g"),
        ("y ~ x + (1 | g/h)", "g:h"),
        ("y ~ x + (1 + x | p | g); sigma ~ 1 + (1 + w | p | g)", "g"),
        ("y ~ x + (1 + x | g); sigma ~ 1 + (1 + w | g)", "g"),
    ],
)
def test_they_have_the_covariance_of_the_levels(formula: str, factor: str) -> None:
    case = fixed(made_up(formula, table(), draws=N // 4))
    wanted, found = covariance(case, factor), effects_of(case, factor)
    sd = np.sqrt(np.diag(wanted))
    assert found.shape == (N, len(sd))
    assert np.all(np.abs(found.mean(axis=0)) < 5 * sd / np.sqrt(N))
    np.testing.assert_allclose(found.std(axis=0), sd, rtol=5 / np.sqrt(2 * N))
    np.testing.assert_allclose(
        np.corrcoef(found.T), wanted / sd / sd[:, None], atol=5 / np.sqrt(N), err_msg=str(wanted)
    )


def test_each_draw_has_its_own_sd() -> None:
    case = made_up("y ~ x + (1 | g)", table(), draws=N // 4)
    sd, found = case.draws.of("sd(g)").ravel(), effects_of(case, "g")[:, 0]
    # the policy that brms calls gaussian: a mixture of normal distributions, one for each draw
    assert found.std() == pytest.approx(np.sqrt(np.mean(sd**2)), rel=5 / np.sqrt(2 * N))
    standard = found / sd
    assert standard.std() == pytest.approx(1, rel=5 / np.sqrt(2 * N))
    assert abs(np.corrcoef(np.abs(standard), sd)[0, 1]) < 5 / np.sqrt(N)
    # brms's uncertainty, one of the known levels for each draw, has about the same: these levels are of that model
    known = case.draws.effects["g"].reshape(N, -1)
    assert known.std() == pytest.approx(found.std(), rel=0.05)


def test_a_level_has_the_same_effects_wherever_it_stands() -> None:
    case = made_up("y ~ x + (1 + x | g) + (1 | h)", table())
    new = new_effects(case.draws, case.design, 3)
    g = ["a", "g1", "b", "a", "b", "g1"]
    whole = case.design.on(table(np.zeros(6), g), new_levels=NewLevels.DRAW)
    found = linear_predictor(case.draws, case.design, whole, case.every, new)
    np.testing.assert_array_equal(found[:, 0] - found[:, 3], 0 * found[:, 0])
    assert np.abs(found[:, 0] - found[:, 2]).min() > 0
    for at in ([0], [2], [4, 3], [5, 1, 0]):
        own = case.design.on(
            table(np.zeros(len(at)), [g[i] for i in at], [f"h{i // 6 % 4}" for i in at]), new_levels=NewLevels.DRAW
        )
        one = linear_predictor(case.draws, case.design, own, case.every, new)
        np.testing.assert_allclose(one, found[:, at], rtol=1e-13)
    some = np.array([3, 77, 150])
    np.testing.assert_allclose(linear_predictor(case.draws, case.design, whole, some, new), found[some], rtol=1e-13)
    other = linear_predictor(case.draws, case.design, whole, case.every, new_effects(case.draws, case.design, 4))
    assert np.all(other[:, [1, 5]] == found[:, [1, 5]]) and np.all(other[:, [0, 2]] != found[:, [0, 2]])


def test_levels_and_factors_are_independent() -> None:
    case = fixed(made_up("y ~ x + (1 | g) + (1 | h)", table(), draws=N // 4))
    found = np.column_stack([effects_of(case, factor, label)[:, 0] for factor in "gh" for label in ("1", "2", "11")])
    assert np.abs(np.corrcoef(found.T) - np.eye(6)).max() < 5 / np.sqrt(N)


def test_a_level_of_two_parameters_has_one_joint_draw() -> None:
    case = fixed(made_up("y ~ x + (1 | p | g); sigma ~ 1 + (1 | p | g)", table(), draws=N // 4))
    rows = case.design.on(table(np.zeros(1), ["new"]), new_levels=NewLevels.DRAW)
    new = new_effects(case.draws, case.design, 3)
    mean = linear_predictor(case.draws, case.design, rows, case.every, new)[:, 0]
    sigma = np.log(auxiliary_draws(case.draws, case.design, case.every, rows, new)["sigma"][:, 0])
    wanted = case.draws.of("cor(g: Intercept, sigma_Intercept)")[0, 0]
    assert np.corrcoef(mean, sigma)[0, 1] == pytest.approx(wanted, abs=5 / np.sqrt(N))
    assert sigma.std() == pytest.approx(case.draws.of("sd(g: sigma_Intercept)")[0, 0], rel=5 / np.sqrt(2 * N))


def test_a_nested_level_that_is_new_in_a_known_one_keeps_what_is_known() -> None:
    case = fixed(made_up("y ~ x + (1 | g/h)", table(), draws=N // 4))
    rows = case.design.on(table(np.zeros(2), ["g2", "zz"], ["new", "new"]), new_levels=NewLevels.DRAW)
    found = linear_predictor(case.draws, case.design, rows, case.every, new_effects(case.draws, case.design, 3))
    outer = case.draws.effects["g"].reshape(N, -1)[:, case.design.group("g").labels.index("g2")]
    population = population_part(case.draws, case.design, case.every).at(rows.X)
    inner, both = found[:, 0] - population[:, 0] - outer, found[:, 1] - population[:, 1]
    sds = [case.draws.of(name)[0, 0] for name in ("sd(g)", "sd(g:h)")]
    assert inner.std() == pytest.approx(sds[1], rel=5 / np.sqrt(2 * N))
    assert abs(inner.mean()) < 5 * sds[1] / np.sqrt(N)
    assert both.std() == pytest.approx(np.hypot(*sds), rel=5 / np.sqrt(2 * N))


def test_an_average_level_has_no_effects_and_a_known_one_beside_it_its_own() -> None:
    case = made_up("y ~ x + (1 + x | g); sigma ~ 1 + (1 | g)", table())
    rows = case.design.on(table(X[[1, 1]], ["g1", "new"]), new_levels=NewLevels.AVERAGE)
    found = linear_predictor(case.draws, case.design, rows, case.every)
    population = population_part(case.draws, case.design, case.every).at(rows.X)
    np.testing.assert_array_equal(found[:, 1], population[:, 1])
    np.testing.assert_allclose(found[:, 0], linear_predictor(case.draws, case.design, np.array([1]), case.every)[:, 0])
    sigma = auxiliary_draws(case.draws, case.design, case.every, rows)["sigma"]
    np.testing.assert_allclose(sigma[:, 1], np.exp(case.draws.of("sigma_Intercept").ravel()))


@pytest.mark.parametrize("shift", [1e6, -1e9, 1e12])
def test_columns_far_from_0_lose_nothing(shift: float) -> None:
    found = []
    for by in (0.0, shift):
        case = made_up("y ~ x + (1 + x | g)", table(X + by))
        assert "sd(g: Intercept_at_mean)" in {parameter.name for parameter in case.draws.parameters}
        rows = case.design.on(table(np.array([-2.0, 0.5, 3.0]) + by, ["new", "new", "g1"]), new_levels=NewLevels.DRAW)
        new = new_effects(case.draws, case.design, 3)
        found.append(linear_predictor(case.draws, case.design, rows, case.every, new))
    # numbers near 1e12 are 1.2e-4 apart, and slopes of some units multiply them; sums of a few such
    np.testing.assert_allclose(found[1], found[0], atol=40 * np.spacing(abs(shift)) + 1e-6)


def test_effects_that_go_together_entirely_are_drawn_so() -> None:
    case = fixed(made_up("y ~ x + w + (1 + x + w | g)", table(), draws=N // 4))
    names = [parameter.name for parameter in case.draws.parameters]
    keep = [name for name in names if "at_mean" not in name]
    values = case.draws.values.copy()
    for place, name in enumerate(names):
        if name.startswith("cor("):
            values[..., place] = -1.0 if name.endswith("Intercept, x)") or name.endswith("x, w)") else 1.0
    draws = replace(
        case.draws,
        values=values[..., [names.index(name) for name in keep]],
        parameters=tuple(parameter for parameter in case.draws.parameters if parameter.name in keep),
    )
    found = effects_of(replace(case, draws=draws), "g") / [draws.of(f"sd(g{end})")[0, 0] for end in ("", ": x", ": w")]
    np.testing.assert_allclose(found[:, 1], -found[:, 0], atol=1e-6)
    np.testing.assert_allclose(found[:, 2], found[:, 0], atol=1e-6)
