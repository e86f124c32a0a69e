"""Programs with group terms in predictors of parameters beside the mean, against the posterior density in numpy.

The part of the mean, with what is centred and swept, is that of `test_densities`; the rest is put together
here, row by row. Tolerances as there.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from hierfit.design.blocks import lay_out_groups
from hierfit.design.design import Design, Group
from hierfit.design.distributional import evaluate_predictor, predictor_columns
from hierfit.design.origin import predictor_center, z_center
from hierfit.design.prior_choice import build_spec
from hierfit.design.terms import evaluate_terms
from hierfit.engines.correlations import cholesky_from_partials
from hierfit.engines.full.blocks import columns_of_mean, effects_of_mean
from hierfit.engines.full.engine import FULL
from hierfit.model.families import FAMILIES
from hierfit.model.formula import Formula
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec, sd_name
from tests.family_cases import FAMILY_CASES, family_design
from tests.model.cases import crossed_table
from tests.stan.test_densities import (
    distributional_of,
    factors,
    log_jacobian,
    log_prior,
    population_predictor,
    run,
    unswept,
)

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]
State = Mapping[str, Array]
MEAN = "y ~ a + (1 + a | g)"
CASES = [
    *(
        (name, f"{MEAN} + (1 | h); {parameter.name} ~ b + (1 + b | g)")
        for name, family in FAMILIES.items()
        for parameter in family.auxiliaries
    ),
    ("gaussian", "y ~ a; sigma ~ 1 + (1 + a || h)"),
    ("gaussian", "y ~ a + (1 | p | g); sigma ~ b + (1 + b | p | g)"),
    ("gaussian", "y ~ a + (1 | p | g) + (1 + b | h); sigma ~ b + (1 | p | g) + (0 + b | h)"),
    ("student", "y ~ a + (1 | g); sigma ~ 1 + (1 | p | g); nu ~ 1 + (1 | p | g)"),
    ("student", "y ~ a + (1 | p | g); sigma ~ 1 + (1 | h); nu ~ 1 + (1 | p | g)"),
]


@pytest.mark.parametrize("further", [False, True], ids=["", "offset and weights, at 0"])
@pytest.mark.parametrize(("name", "text"), CASES)
def test_lp_is_the_density_with_group_terms_of_other_parameters(name: str, text: str, further: bool) -> None:
    formula = parse_formula(text)
    design = with_predictors(name, formula, further)
    sds = [sd_name(group.factor, term) for group in design.groups for term in group.terms]
    priors = [f"{sds[-1]} ~ normal(0, 0.3)", *(["cor ~ lkj(2.5)"] if any_correlated(design) else [])]
    spec = build_spec(formula, design, priors)
    sampling = run(spec, design, FULL)
    draws = [{name: values[0, i] for name, values in sampling.variables.items()} for i in range(20)]
    seen = {} if sampling.narrowed is None else {"narrowed": sampling.narrowed[effects_of_mean(design)]}
    expected = [density(seen | state, spec, design) for state in draws]
    assert np.ptp(expected) > 1, "the draws must differ for the comparison to say anything"
    assert np.ptp(sampling.stats["lp"].ravel() - np.array(expected)) < 1e-5


def any_correlated(design: Design) -> bool:
    return any(block.correlated for group in design.groups for block in group.named.blocks)


def with_predictors(name: str, formula: Formula, further: bool) -> Design:
    """An outcome of the family, on which the formula is laid out."""
    table, family = crossed_table(), FAMILIES[name]
    made = family_design(
        next(case for case in FAMILY_CASES if case.family == name), further=further, centered=not further
    )
    slopes = [evaluate_terms(term.slopes, table, {}, intercept=term.intercept) for term in formula.all_groups]
    columns = [evaluate_predictor(own, formula, table, {}, family) for own in formula.distributional]
    own = [predictor_columns(each, found, table) for each, found in zip(formula.distributional, columns, strict=True)]
    population = evaluate_terms(formula.terms, table, {}, intercept=True)
    return replace(
        made,
        coefficients=population.names,
        X=population.values,
        groups=lay_out_groups(formula, slopes, table),
        distributional=tuple(own),
    )


def density(state: State, spec: ModelSpec, design: Design) -> float:
    """Likelihood times prior times Jacobians, given the program's variables."""
    alone, of_mean = mean_alone(spec, design), design.of_mean
    mean_state = unswept(of_the_mean(state, design), alone, of_mean)
    family, eta = FAMILIES[design.family], population_predictor(mean_state, alone, of_mean)
    standard, total, linked = {}, log_prior(mean_state, alone, of_mean, FULL), {}
    for group, (T, z) in zip(of_mean.groups, factors(mean_state, alone, of_mean), strict=True):
        eta = eta + np.sum((group.Z - z_center(alone, group)) * (z @ T.T)[group.codes], axis=1)
        standard[group.factor] = z
    for own, b in distributional_of(state, design):
        linked[own.parameter] = (own.X - predictor_center(spec, own)) @ b
    for group, parts in own_blocks(state, design):
        start = 0
        for sd, partial, z in parts:
            m, known = len(sd), 0
            columns = range(start, start + m)
            known = sum(group.named.of_parameters[column] is None for column in columns)
            if known:  # what belongs to the mean is standard as `test_densities` has it
                z = np.concatenate([standard[group.factor][:, :known], z[:, known:]], axis=1)
            T = sd[:, None] * (cholesky_from_partials(partial, m) if len(partial) else np.eye(m))
            effects = z @ T.T
            for column in list(columns)[known:]:
                parameter = str(group.named.of_parameters[column])
                linked[parameter] = linked[parameter] + group.Z[:, column] * effects[group.codes, column - start]
            total += float(stats.norm.logpdf(z[:, known:]).sum())
            for at, column in list(enumerate(columns))[known:]:
                prior = spec.priors[sd_name(group.factor, group.terms[column])]
                total += float(np.log(prior.density(np.array(sd[at]), positive=True))) + log_jacobian(
                    sd[at], 0.0, np.inf
                )
            if len(partial) and known < m:
                total += lkj(partial, m, spec.priors[f"cor({group.factor})"].arguments[0])
            start += m
    aux = {auxiliary.name: state["aux"][[i]] for i, auxiliary in enumerate(family.auxiliaries)}
    aux |= {name: family.inverse_of(name, value) for name, value in linked.items()}
    ones = np.ones(design.n_rows)
    rows = family.log_density(
        design.y, family.mean(eta, design.link, aux), aux, ones if design.trials is None else design.trials
    )
    return float((ones if design.weights is None else design.weights) @ rows) + total


def mean_alone(spec: ModelSpec, design: Design) -> ModelSpec:
    """The model without what varies of other parameters; a block that the mean shares has no correlations there."""
    return replace(spec, groups=tuple(group.named for group in design.of_mean.groups))


def of_the_mean(state: State, design: Design) -> dict[str, Array]:
    """The variables without the effects of other parameters."""
    columns, partial = columns_of_mean(design), []
    for group, parts in own_blocks(state, design):
        if group.named.of_parameters[0] is None and group.of_mean.correlated:
            partial.append(parts[0][1])
    return {
        **state,
        "sd": state["sd"][columns],
        "z": state["z"][effects_of_mean(design)],
        "partial": np.concatenate([np.empty(0), *partial]),
    }


def own_blocks(state: State, design: Design) -> list[tuple[Group, list[tuple[Array, Array, Array]]]]:
    """Sds, partial correlations and z [J, M] of each block, in the scale of the sampler's link for z."""
    found, c, p, u = [], 0, 0, 0
    for group in design.groups:
        parts = []
        for block in group.named.blocks:
            m, pairs = block.size, block.correlated * block.size * (block.size - 1) // 2
            z = state["z"][u : u + m * group.n_levels].reshape(m, group.n_levels).T
            partial = state.get("partial", np.empty(0))[p : p + pairs]
            parts.append((state["sd"][c : c + m], partial, z))
            c, p, u = c + m, p + pairs, u + m * group.n_levels
        found.append((group, parts))
    return found


def lkj(partial: Array, m: int, eta: float) -> float:
    """det(R)^(eta - 1), times the Jacobian from R to partial correlations, by differences, and to reals."""

    def correlations(values: Array) -> Array:
        L = cholesky_from_partials(values, m)
        return (L @ L.T)[np.tril_indices(m, -1)]

    steps = 1e-6 * np.eye(len(partial))
    slopes = [(correlations(partial + step) - correlations(partial - step)) / 2e-6 for step in steps]
    L = cholesky_from_partials(partial, m)
    determinants = (eta - 1) * np.linalg.slogdet(L @ L.T)[1] + np.linalg.slogdet(np.array(slopes))[1]
    return float(determinants + np.sum(np.log1p(-(partial**2))))
