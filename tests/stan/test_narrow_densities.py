"""Narrow and wide programs have the same density of the same quantities, up to a constant, and report the same.

The wide program draws; what it drew is put into the narrow one as initial values, which it reports the lp__ of after a
step so small that nothing moves. Few programs are compiled, which together hold what the language has.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.origin import predictor_center, predictor_location, x_center
from hierfit.engines.full.back import full_draws
from hierfit.engines.full.engine import FULL
from hierfit.model.families import FAMILIES
from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.spec import ModelSpec, cor_name, pair_name, sd_name, threshold_name
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.executable import build_all, build_executable
from hierfit.stan.narrow import narrow_data, narrow_program
from hierfit.stan.programs import render_program
from hierfit.stan.sampler import sample
from hierfit.stan.shaping import shape_of
from hierfit.stan.toolchain import bundled_toolchain
from tests.narrow_cases import NarrowCase

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]
State = Mapping[str, Array]
DRAWS = 5

CASES = [
    NarrowCase(
        "y ~ a + b + (1 + a + b | g) + (1 | h)",
        priors=("cor(g) ~ lkj(2.5)", "a ~ uniform(-1, 9)", "sd(g: b) ~ gamma(2, 0.1)", "sigma ~ flat()"),
        rows=("offset", "precision"),
    ),
    NarrowCase(
        "y ~ a + (1 + a || g) + (0 + b | h); sigma ~ a + (1 | p | g); nu ~ 0 + h + (0 + a | p | g)",
        priors=("sd(g: a) ~ constant(0.5)", "a ~ cauchy(0, 2)"),
        family="student",
        centered=False,
    ),
    NarrowCase(
        "y ~ a + (1 + a | p | g) + (1 | h); sigma ~ b + (1 + b | p | g) + (0 + b | h)",
        priors=("cor(g) ~ lkj(2.5)", "sd(g: sigma_b) ~ normal(0, 0.3)", "sd(h: sigma_b) ~ constant(0.2)"),
        rows=("offset",),
    ),
    NarrowCase(
        "y ~ a + (1 + a | g); zi ~ a + b + (1 + b | g) + (1 | h:g)",
        priors=("shape ~ lognormal(0, 1)", "zi_b ~ laplace(0, 1)"),
        family="zero_inflated_negbinomial",
        rows=("weights",),
    ),
    NarrowCase(
        "y ~ a + b + (1 + b | g)",
        priors=("threshold ~ cauchy(0, 2)", "b ~ constant(0.3)"),
        family="cumulative",
        link="probit",
    ),
    NarrowCase(
        "y ~ a + h",
        priors=("b ~ horseshoe(1)", "a ~ logistic(1, 2)", "h[h4] ~ constant(2)", "Intercept ~ constant(20)"),
    ),
    NarrowCase(
        "y ~ a + (1 + a | g) + (1 | h) + (1 | h:g)",
        priors=("sd(g) ~ uniform(0, 30)", "Intercept ~ student_t(4, 0, 9)", "sd(h) ~ inv_gamma(2, 3)"),
        family="binomial",
        link="cloglog",
        centered=False,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_narrow_program_is_the_wide_one(case: NarrowCase) -> None:
    programs = (narrow_program(*one.model()) for one in CASES)
    executables = dict(zip(CASES, build_all(bundled_toolchain(), programs=tuple(programs)), strict=True))
    spec, design = case.model()
    wide = draw_wide(spec, design)
    options = SamplerOptions(
        chains=DRAWS, warmup=0, draws=1, adapt=False, step_size=1e-12, max_treedepth=1, seed=1, sig_figs=14,
        inits=[narrow_values(state_of(wide, draw), spec, design) for draw in range(DRAWS)],
    )  # fmt: skip
    narrow = sample(executables[case], narrow_data(spec, design), options)
    density = wide.stats["lp"].ravel()
    assert np.ptp(density) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(narrow.stats["lp"].ravel() - density) < 1e-6 * np.abs(density).max()
    compare_reported(narrow, full_draws(wide, design, spec), spec, design)


def draw_wide(spec: ModelSpec, design: Design) -> Sampling:
    """Return draws of the wide program, whose z are standardized effects."""
    effects = sum(group.n_levels * len(group.terms) for group in design.groups)
    data: dict[str, Any] = dict(FULL.data(spec, design, np.ones(effects)))
    tricks = ("within", "swept", "Z_in_X", "Z_in_thresholds")
    data |= {name: np.zeros_like(data[name]) for name in tricks if name in data}
    executable = build_executable(render_program(spec.family), bundled_toolchain())
    options = SamplerOptions(
        chains=1, warmup=0, draws=DRAWS, adapt=False, inits=0.2, step_size=0.005, max_treedepth=7, seed=3, sig_figs=14
    )
    return sample(executable, data, options)


def state_of(wide: Sampling, draw: int) -> State:
    names = ("b", "sd", "aux", "b_aux", "cor", "threshold", "z", "horseshoe_global", "horseshoe_local", "slab")
    return {name: wide.variables[name][0, draw] for name in names if name in wide.variables}


def compare_reported(narrow: Sampling, draws: Draws, spec: ModelSpec, design: Design) -> None:
    """Compare what both report: sds, correlations, effects, intercepts where the columns are 0."""
    shape, reported = shape_of(spec, design), {name: values[:, 0] for name, values in narrow.variables.items()}
    compared = set()

    def compare(identifier: str, names: Sequence[str]) -> None:
        if identifier in reported:  # not what a prior fixes
            compared.add(identifier)
            expected = np.stack([draws.of(name)[0] for name in names], axis=-1)
            np.testing.assert_allclose(reported[identifier].reshape(expected.shape), expected, rtol=1e-7, atol=1e-9)

    for predictor in shape.predictors:
        printed = "" if predictor is shape.predictors[0] else f"{predictor.parameter}_"
        compare(f"Intercept{predictor.suffix}", [f"{printed}Intercept"])
        compare(f"b{predictor.suffix}", [f"{printed}{term}" for term in predictor.terms])
    for block in shape.blocks:
        compare(f"sd_{block.stem}", block.printed)
        terms = design.group(block.factor.name).terms
        u = draws.effects[block.factor.name][0][..., [terms.index(term) for term in block.terms]]
        np.testing.assert_allclose(reported[f"u_{block.stem}"].reshape(u.shape), u, rtol=1e-7, atol=1e-9)
        for i in range(1, len(block.terms) * (block.cor is not None)):
            for j in range(i):
                name = cor_name(block.factor.name, pair_name(block.terms[j], block.terms[i]))
                np.testing.assert_allclose(reported[f"cor_{block.stem}"][:, i, j], draws.of(name)[0], atol=1e-8)
    compare("threshold", [threshold_name(between) for between in spec.thresholds])
    for vector in shape.auxiliaries:
        compare(vector.identifier, [vector.identifier])
    fixed = {vector.identifier for vector in shape.vectors if vector.is_constant}
    wanted = {"threshold"} if spec.thresholds else {"Intercept"}
    assert compared >= wanted | {"b", *(vector.identifier for vector in shape.auxiliaries)} - fixed


def narrow_values(state: State, spec: ModelSpec, design: Design) -> dict[str, Any]:
    """Return the parameters of the narrow program where the wide one is at a state."""
    shape, printed = shape_of(spec, design), printed_values(state, spec, design)
    found: dict[str, Any] = {}
    for vector in shape.vectors:
        values = [printed[one.name] for one in vector.scalars]
        if vector.is_declared:
            found[vector.identifier] = values[0] if vector.single else np.array(values)
        else:
            found |= {one.identifier: printed[one.name] for one in vector.scalars if one.is_declared}
    seen = blocks_at(state, design)
    for block in shape.blocks:
        z, R = seen[block.factor.name, block.terms]
        found[f"z_{block.stem}"] = z[0] if block.single else z
        if block.cor:
            found[f"L_{block.stem}"] = np.linalg.cholesky(R)
    if spec.shrunk:
        spread = state["horseshoe_global"] * state["horseshoe_local"]
        b = np.array([printed[name] for name in spec.shrunk]) / narrow_data(spec, design)["unit"]
        found["z_shrunk"] = b / (spread * np.sqrt(state["slab"] / (state["slab"] + spread**2)))
        found |= {"horseshoe_local": state["horseshoe_local"], "slab": float(state["slab"][0])}
    return found


def blocks_at(state: State, design: Design) -> dict[tuple[str, tuple[str, ...]], tuple[Array, Array]]:
    """Return z [M, J] and correlations [M, M] of each block, by its factor and its terms."""
    found: dict[tuple[str, tuple[str, ...]], tuple[Array, Array]] = {}
    at, p = 0, 0
    for group in design.groups:
        start, j = 0, group.n_levels
        for block in group.named.blocks:
            m = block.size
            R = np.eye(m)
            if block.correlated:
                R[np.tril_indices(m, -1)] = state["cor"][p : p + m * (m - 1) // 2]
                p += m * (m - 1) // 2
            z = state["z"][at : at + m * j].reshape(m, j)
            found[group.factor, group.terms[start : start + m]] = (z, R + np.tril(R, -1).T)
            start, at = start + m, at + m * j
    return found


def printed_values(state: State, spec: ModelSpec, design: Design) -> dict[str, float]:
    """Return the parameters of a state by the names that they are printed as, each where its prior speaks of it."""
    b = state["b"].copy()
    away = x_center(spec, design) * (not spec.centered)  # of the sampler's intercept from that of the prior
    level = float(away @ b[int(design.intercept) :])
    if design.intercept:
        b[0] += design.intercept_origin - level
    sds = [sd_name(group.factor, term) for group in design.groups for term in group.terms]
    names = [*spec.coefficient_names, *sds, *map(threshold_name, spec.thresholds)]
    values = [*b, *state.get("sd", ()), *(state.get("threshold", np.empty(0)) + level)]
    at = 0
    for i, auxiliary in enumerate(FAMILIES[spec.family].auxiliaries):
        own, named = design.predictor(auxiliary.name), spec.predictor(auxiliary.name)
        if own is None or named is None:
            names.append(auxiliary.name)
            values.append(state["aux"][i])
            continue
        b_aux = state["b_aux"][at : at + len(named.names)] + predictor_location(design, own)
        at += len(named.names)
        b_aux[0] -= float(predictor_center(spec, own) @ b_aux) * (not spec.centered)
        names += named.names
        values += list(b_aux)
    if spec.shrunk:
        names.append(HORSESHOE_SCALE)
        values.append(state["horseshoe_global"][0])
    return {spec.speaks_of(name): float(value) for name, value in zip(names, values, strict=True)}
