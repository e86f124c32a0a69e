"""From the Stan program's variables to draws in the units of the CSV."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.design import Design, Group
from hierfit.design.origin import predictor_center
from hierfit.design.prior_choice import build_spec
from hierfit.engines.correlations import cholesky_from_partials
from hierfit.engines.full.back import full_draws
from hierfit.engines.full.blocks import effects_of_mean
from hierfit.engines.full.engine import FULL
from hierfit.model.formula import Formula, GroupTerm, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict import auxiliary_draws
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.theta import part
from tests.fake_sampling import fake_sampling
from tests.model.cases import crossed_table, nested_table, table
from tests.model.cases import design as make_design

Array = NDArray[np.float64]
OPTIONS = SamplerOptions(chains=2, draws=6, seed=3, max_treedepth=9)


def test_cholesky_of_two() -> None:
    factor = cholesky_from_partials(np.array([0.6]), 2)
    np.testing.assert_allclose(factor, [[1, 0], [0.6, 0.8]])


def test_cholesky_of_three_by_hand() -> None:
    # Partial correlations r12 = 0.5, r13 = -0.6 and r23 given 1 = 0.25, so that
    # r23 = r12 r13 + r23|1 sqrt((1 - r12^2) (1 - r13^2)).
    factor = cholesky_from_partials(np.array([0.5, -0.6, 0.25]), 3)
    r23 = 0.5 * -0.6 + 0.25 * np.sqrt((1 - 0.25) * (1 - 0.36))
    np.testing.assert_allclose(factor @ factor.T, [[1, 0.5, -0.6], [0.5, 1, r23], [-0.6, r23, 1]], atol=1e-15)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_any_partials_make_a_correlation_matrix(size: int) -> None:
    rng = np.random.default_rng(size)
    factor = cholesky_from_partials(rng.uniform(-1, 1, (3, 4, size * (size - 1) // 2)), size)
    matrix = factor @ np.swapaxes(factor, -1, -2)
    assert factor.shape == (3, 4, size, size)
    np.testing.assert_allclose(np.diagonal(matrix, axis1=-2, axis2=-1), 1)
    assert np.all(np.linalg.eigvalsh(matrix) > -1e-12)
    np.testing.assert_allclose(np.linalg.cholesky(matrix), factor, atol=1e-7)
    assert np.all(np.triu(factor, 1) == 0)


def collect(design: Design, formula: Formula, centred: str = "", **variables: Any) -> tuple[Draws, Sampling]:
    """Draws of a fake sampler that sees the effects of those columns with their mean whose digit is 1."""
    spec = build_spec(formula, design)
    narrowed = np.where([digit == "1" for digit in centred], 0.4, 1.0) if centred else None
    sampling = fake_sampling(FULL.data(spec, design, narrowed=narrowed), OPTIONS)
    sampling = replace(sampling, variables={**sampling.variables, **variables})
    return full_draws(sampling, design, spec), sampling


TWO_FACTORS = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a", "b")), GroupTerm("h", True, ("b",), False)))


def two_factors() -> Design:
    design = make_design(formula_from_flags("y", ["a", "b"], "g", ["a", "b"]))
    group = design.groups[0]
    labels, codes = ("x", "y", "z"), (np.arange(design.n_rows) % 3).astype(np.int32)
    other = replace(group, factor="h", labels=labels, codes=codes, terms=("Intercept", "b"), Z=group.Z[:, [0, 2]],
                    correlated=False)  # fmt: skip
    return replace(design, groups=(group, other))


def test_centred_effects_are_what_is_left_of_their_mean() -> None:
    design = two_factors()
    draws, sampling = collect(design, TWO_FACTORS, "11100")
    b, z = sampling.variables["b"][0, 0], sampling.variables["z"][0, 0]
    scale, mean, sd = design.y_scale, design.x_mean, design.x_scale
    of_a, of_b = z[8:16] * scale / sd[0] - b[1], z[16:24] * scale / sd[1] - b[2]
    np.testing.assert_allclose(draws.effects["g"][0, 0, :, 1], of_a)
    intercepts = z[:8] * scale - b[0]  # where a and b are at their means
    np.testing.assert_allclose(draws.effects["g"][0, 0, :, 0], intercepts - of_a * mean[0] - of_b * mean[1])


@pytest.mark.parametrize(
    ("centered", "swept"),
    [
        ("11100", [0, 0, 0, 1, 1]),
        ("11111", [0, 0, 0, 1, 1]),
        ("00011", [1, 1, 1, 0, 0]),
        ("00000", [1, 1, 1, 1, 1]),
        ("10100", [0, 1, 0, 1, 1]),
        ("01001", [1, 0, 1, 1, 0]),
    ],
)
def test_the_linear_predictor_is_the_program_s(centered: str, swept: list[int]) -> None:
    """Coefficients and effects in the units of the CSV give what the program makes of b and z, means swept out."""
    design = two_factors()
    draws, sampling = collect(design, TWO_FACTORS, centered)
    given = FULL.data(build_spec(TWO_FACTORS, design), design, narrowed=sampling.narrowed)
    assert given["swept"].tolist() == swept
    found = draws.of("Intercept")[..., np.newaxis]
    found = found + np.stack([draws.of(name) for name in design.coefficients], axis=-1) @ design.X.T
    for group in design.groups:
        found = found + np.einsum("cdnm,nm->cdn", draws.effects[group.factor][:, :, group.codes], group.Z)
    for (chain, draw), _ in np.ndenumerate(draws.of("Intercept")):
        state = {name: values[chain, draw] for name, values in sampling.variables.items()}
        eta = program_eta(state, given) * design.y_scale + design.y_mean
        np.testing.assert_allclose(found[chain, draw], eta, atol=1e-8)


CHAIN = "y ~ a + b + (1 | r) + (1 + a | g) + (1 + b || h)"


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_linear_predictor_of_nested_factors_is_the_program_s(share: float) -> None:
    """Whichever levels are centred; those of the inner factors' intercepts in any mixture."""
    formula = parse_formula(CHAIN)
    design = build_design(formula, nested_table())
    spec = build_spec(formula, design)
    rng = np.random.default_rng(3)
    wanted = np.where(rng.uniform(size=24 + 2 * 8 + 2 * 4) < share, rng.uniform(0.2, 0.9, 48), 1.0)
    given = FULL.data(spec, design, narrowed=wanted)
    sampling = fake_sampling(given, OPTIONS)
    draws = full_draws(sampling, design, spec)
    found = draws.of("Intercept")[..., np.newaxis]
    found = found + np.stack([draws.of(name) for name in design.coefficients], axis=-1) @ design.X.T
    for group in design.groups:
        found = found + np.einsum("cdnm,nm->cdn", draws.effects[group.factor][:, :, group.codes], group.Z)
    for (chain, draw), _ in np.ndenumerate(draws.of("Intercept")):
        state = {name: values[chain, draw] for name, values in sampling.variables.items()}
        eta = program_eta(state, given) * design.y_scale + design.y_mean
        np.testing.assert_allclose(found[chain, draw], eta, atol=1e-8)


def program_eta(state: dict[str, Array], given: Any) -> Array:
    """The linear predictor as the model block puts it together, per unit of y_scale."""
    b = state["b"] / part(given["theta_scale"], "b", given)
    eta = given["X"] @ b[given["in_rows"] - 1]
    total: dict[int, Array] = {}
    for f in given["outer_first"] - 1:
        n_levels, n_terms = given["J"][f], given["M"][f]
        j, c, u = given["J"][:f].sum(), given["M"][:f].sum(), (given["J"] * given["M"])[:f].sum()
        p = (given["M"] * (given["M"] - 1) // 2 * given["correlated"])[:f].sum()
        pairs = n_terms * (n_terms - 1) // 2 * given["correlated"][f]
        z = state["z"][u : u + n_levels * n_terms].reshape(n_terms, n_levels).T
        mean = np.zeros_like(z)
        mean[:, 0] = given["level_X"][j : j + n_levels] @ b
        outer = given["within"][f] - 1
        if outer >= 0:
            mean[:, 0] += total[outer][given["outer_level"][j : j + n_levels] - 1]
        mean += [b[k - 1] if k else 0.0 for k in given["slope"][c : c + n_terms]]
        L = cholesky_from_partials(state["partial"][p : p + pairs], n_terms) if pairs else np.eye(n_terms)
        T = (state["sd"] / part(given["theta_scale"], "sd", given))[c : c + n_terms, np.newaxis] * L
        effects, standard = np.empty_like(z), z.copy()
        for m in range(n_terms):
            before = standard[:, :m] @ T[m, :m]
            narrowed = given["narrowed"][u + m * n_levels : u + (m + 1) * n_levels]
            own = np.where(narrowed < 1, z[:, m] - mean[:, m], before + T[m, m] * z[:, m])
            stretch = 1 / narrowed[0] - 1 if given["swept"][c + m] else 0.0
            standard[:, m] = np.where(narrowed < 1, (own + stretch * own.mean() - before) / T[m, m], z[:, m])
            effects[:, m] = own + mean[:, m] - own.mean() * given["swept"][c + m]
        total[f] = effects[:, 0].copy()
        effects[:, 0] *= f + 1 not in given["within"]  # rows see the total of the inner factor
        eta = eta + np.sum(given["Z"][c : c + n_terms] * effects[given["level"][f] - 1].T, axis=0)
    return np.asarray(eta)


def test_effects_against_a_loop() -> None:
    design = two_factors()
    draws, sampling = collect(design, TWO_FACTORS, "00000")
    variables = sampling.variables
    assert draws.effects["g"].shape == (2, 6, 8, 3) and draws.effects["h"].shape == (2, 6, 3, 2)
    for chain in range(2):
        for draw in range(6):
            sd, partial, z = (variables[name][chain, draw] for name in ("sd", "partial", "z"))
            factor = cholesky_from_partials(partial, 3)
            for level in range(8):
                own = sd[:3] * (factor @ np.array([z[term * 8 + level] for term in range(3)]))
                own[0] -= own[1:] @ design.groups[0].mean[1:]  # from the means of a and b to 0
                np.testing.assert_allclose(draws.effects["g"][chain, draw, level], own)
            for level in range(3):
                own = np.array([z[24 + term * 3 + level] for term in range(2)])
                np.testing.assert_allclose(draws.effects["h"][chain, draw, level], sd[3:] * own)


def test_the_order_of_the_parameters() -> None:
    draws, sampling = collect(two_factors(), TWO_FACTORS, "11100")  # a is the mean of a centred slope
    names = [parameter.name for parameter in draws.parameters]
    assert names == [
        "Intercept", "Intercept_at_mean", "a", "b",
        "sd(g)", "sd(g: a)", "sd(g: b)", "sd(h)", "sd(h: b)", "sd(g: Intercept_at_mean)",
        "cor(g: Intercept, a)", "cor(g: Intercept, b)", "cor(g: a, b)", "sigma",
    ]  # fmt: skip
    taken = [("a", "b", 1), ("sd(h)", "sd", 3), ("sd(g: Intercept_at_mean)", "sd", 0), ("cor(g: a, b)", "cor", 2)]
    for name, variable, column in [*taken, ("sigma", "aux", 0)]:
        np.testing.assert_array_equal(draws.of(name), sampling.variables[variable][..., column])
    assert draws.stats is sampling.stats
    assert draws.max_treedepth == 9


def test_no_group_and_no_predictor() -> None:
    design = make_design(Formula("y"))
    draws, sampling = collect(design, Formula("y"))
    assert [parameter.name for parameter in draws.parameters] == ["Intercept", "sigma"]
    assert draws.effects == {}
    np.testing.assert_allclose(draws.of("Intercept"), sampling.variables["b"][..., 0] + design.y.mean())


@pytest.mark.parametrize("offset", [0.0, 1e12])
def test_the_intercept_is_carried_to_zero_exactly(offset: float) -> None:
    formula = formula_from_flags("y", ["a", "b"], "g")
    design = make_design(formula)
    design = replace(design, y=design.y + offset, X=design.X + np.array([offset, 0.0]))
    draws, sampling = collect(design, formula)
    b = sampling.variables["b"]
    np.testing.assert_array_equal(draws.of("Intercept_at_mean"), b[..., 0] + design.y_mean)
    mean = [sum(map(Fraction, column)) / design.n_rows for column in design.X.T.tolist()]
    y_mean = sum(map(Fraction, design.y.tolist())) / design.n_rows
    for (chain, draw), intercept in np.ndenumerate(draws.of("Intercept")):
        own = [Fraction(float(number)) for number in b[chain, draw]]
        exact = own[0] + y_mean - own[1] * mean[0] - own[2] * mean[1]
        # Means and sums of numbers as large as the offset are rounded in their last place.
        assert abs(float(Fraction(float(intercept)) - exact)) < 8 * np.spacing(100 + 3 * offset)


def test_without_centring_there_is_one_intercept() -> None:
    formula = formula_from_flags("y", ["a"], "g")
    design = make_design(formula, centered=False)
    draws, sampling = collect(design, formula)
    assert [parameter.name for parameter in draws.parameters[:2]] == ["Intercept", "a"]
    b = sampling.variables["b"]  # at the mean of a, whatever priors speak of
    wanted = b[..., 0] + design.y_mean - b[..., 1] * design.X.mean()
    np.testing.assert_allclose(draws.of("Intercept"), wanted)


# thresholds, log sigma, the horseshoe


def collected(text: str, *priors: str, family: str = "gaussian", y: Array | None = None) -> tuple[Any, ...]:
    """Return draws, sampling, design and model of a formula on the table of the cases."""
    source, formula = table(), parse_formula(text)
    made = replace(source, numbers=source.numbers | ({} if y is None else {"y": y}))
    design = build_design(formula, made, family=family)
    spec = build_spec(formula, design, priors)
    sampling = fake_sampling(FULL.data(spec, design), OPTIONS)
    return full_draws(sampling, design, spec), sampling, design, spec


def test_thresholds_are_carried_to_zero() -> None:
    y = (np.arange(40) * 7 % 4).astype(np.float64)
    draws, sampling, design, _ = collected("y ~ a + b + (1 | g)", family="cumulative", y=y)
    assert [parameter.name for parameter in draws.parameters][:5] == [
        "a", "b", "threshold[0|1]", "threshold[1|2]", "threshold[2|3]",
    ]  # fmt: skip
    b, at_mean = sampling.variables["b"], sampling.variables["threshold"]
    found = np.stack([draws.of(f"threshold[{between}]") for between in design.thresholds], axis=2)
    x, u = design.X[7], draws.effects["g"][..., 0]
    # threshold - x b - u is the same wherever it is measured from; the sampler's thresholds are less the mean of u
    wanted = at_mean - ((x - design.X.mean(axis=0)) * b).sum(axis=2, keepdims=True) + u.mean(axis=2, keepdims=True)
    np.testing.assert_allclose(found - (x * b).sum(axis=2, keepdims=True), wanted, rtol=1e-10)
    assert np.all(np.diff(found, axis=2) > 0)


def test_log_sigma_is_carried_to_zero() -> None:
    draws, sampling, design, _ = collected("y ~ a + (1 | g); sigma ~ a + b")
    b_sigma, X = sampling.variables["b_aux"], design.distributional[0].X[:, 1:]
    row = 11
    # the program's own log sigma of a row, whose columns are centred, of an outcome over its sd
    wanted = np.log(design.y_scale) + b_sigma[..., 0] + b_sigma[..., 1:] @ (X[row] - X.mean(axis=0))
    found = draws.of("sigma_Intercept") + draws.of("sigma_a") * X[row, 0] + draws.of("sigma_b") * X[row, 1]
    np.testing.assert_allclose(found, wanted, rtol=1e-10)
    np.testing.assert_array_equal(draws.of("sigma_b"), b_sigma[..., 2])


def test_log_sigma_of_every_level() -> None:
    draws, sampling, design, spec = collected("y ~ a + (1 | g); sigma ~ 0 + g")
    for index, level in enumerate(spec.distributional[0].terms):
        wanted = sampling.variables["b_aux"][..., index] + np.log(design.y_scale)
        np.testing.assert_allclose(draws.of(f"sigma_{level}"), wanted)


def test_sigma_is_no_auxiliary_where_it_has_predictors_and_others_keep_their_draws() -> None:
    draws, sampling, *_ = collected("y ~ a; sigma ~ b", family="student")
    names = [parameter.name for parameter in draws.parameters]
    assert names[-3:] == ["sigma_Intercept", "sigma_b", "nu"]
    np.testing.assert_array_equal(draws.of("nu"), sampling.variables["aux"][..., 1])


def test_the_scale_of_a_horseshoe_comes_last() -> None:
    draws, sampling, *_ = collected("y ~ a + I(a^2) + I(a^3)", "b ~ horseshoe(1)")
    assert [parameter.name for parameter in draws.parameters[-2:]] == ["sigma", "horseshoe_scale"]
    np.testing.assert_array_equal(draws.of("horseshoe_scale"), sampling.variables["horseshoe_global"][..., 0])


OF_SIGMA = [
    "y ~ a + (1 + a | g) + (1 | h); sigma ~ b + (1 + b | g) + (b | h)",
    "y ~ a + (1 | p | g); sigma ~ b + (1 + b | p | g)",
    "y ~ a; sigma ~ 1 + (1 + b || h)",
]


@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("text", OF_SIGMA)
def test_log_sigma_of_each_row_is_what_the_program_s_effects_say(text: str, share: float) -> None:
    """Effects of sigma are T z of their block, whatever the sampler sees of those of the mean."""
    formula = parse_formula(text)
    design = build_design(formula, crossed_table())
    spec = build_spec(formula, design)
    rng, where = np.random.default_rng(5), effects_of_mean(design)
    given = FULL.data(spec, design, narrowed=np.where(where & (rng.uniform(size=len(where)) < share), 0.5, 1.0))
    sampling = fake_sampling(given, OPTIONS)
    draws = full_draws(sampling, design, spec)
    (own,) = design.distributional
    rows, picks = np.arange(design.n_rows), np.arange(draws.n_chains * draws.n_draws)
    found = np.log(auxiliary_draws(draws, design, picks, rows)["sigma"]).reshape(*draws.values.shape[:2], -1)
    b = sampling.variables["b_aux"]
    wanted = b @ (own.X - predictor_center(spec, own)).T + np.log(design.y_scale)
    c = p = u = 0
    for group in design.groups:
        start = 0
        for block in group.named.blocks:
            m, pairs = block.size, block.size * (block.size - 1) // 2 * block.correlated
            columns = range(start, start + m)
            if group.named.of_parameters[start] is None:  # those of sigma in the same block follow the mean's
                standard = standard_of_mean(group, draws, sampling.variables["sd"][..., c : c + m])
            else:
                standard = np.empty((*b.shape[:2], group.n_levels, 0))
            z = sampling.variables["z"][..., u : u + m * group.n_levels].reshape(*b.shape[:2], m, -1).swapaxes(2, 3)
            z = np.concatenate([standard, z[..., standard.shape[-1] :]], axis=-1)
            L = cholesky_from_partials(sampling.variables["partial"][..., p : p + pairs], m) if pairs else np.eye(m)
            T = sampling.variables["sd"][..., c : c + m, np.newaxis] * L
            effects = np.einsum("cdij,cdlj->cdli", T, z)
            for column in columns:
                if group.named.of_parameters[column] == "sigma":
                    wanted = wanted + group.Z[:, column] * effects[:, :, group.codes, column - start]
            c, p, u, start = c + m, p + pairs, u + m * group.n_levels, start + m
    np.testing.assert_allclose(found, wanted, atol=1e-8)


def standard_of_mean(group: Group, draws: Draws, sd: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the mean's effects of a block are with a mean of 0 and an sd of 1; here there is one, or none is used."""
    effects = draws.effects[group.factor][..., : len(group.columns_of(None))]
    return effects / sd[..., np.newaxis, : effects.shape[-1]]
