"""Synthetic data and draws: a normal hierarchical model whose posterior is known in closed form given the sds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hierfit.data.table import table_of
from hierfit.design.design import Design, Group
from hierfit.design.terms import evaluate_terms
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.priors import Prior
from hierfit.model.spec import GroupCoefficients, Kind, ModelSpec, Parameter
from hierfit.posterior.draws import Draws
from hierfit.posterior.trouble import Asked, Trouble


def trouble(case, *checks, names=(), factors=("school",), ess=200.0, divergent=0.0, asked=None):
    """What the checks of a case found."""
    asked = asked or Asked()
    return Trouble(checks, names, (), factors, ess, 400.0, divergent, case.spec, asked)


@dataclass(frozen=True)
class Case:
    draws: Draws
    design: Design
    spec: ModelSpec
    truth: dict


def make_case(
    n_levels=5, n_x=1, rows=12, slopes=1, *, chains=4, n_draws=500, seed=1, factor="school", intercept=True, scale=1.0
):
    """mathach ~ 1 + x... + (1 + first slopes | school); the intercept and each x have true values, sigma is 6."""
    rng = np.random.default_rng(seed)
    counts = np.full(n_levels, rows) if np.isscalar(rows) else rng.integers(rows[0], rows[1] + 1, n_levels)
    codes = np.repeat(np.arange(n_levels), counts).astype(np.int32)
    n = len(codes)
    names = ("ses", "hours", "age", "motivation")[:n_x] + tuple(f"predictor_{k}" for k in range(4, n_x))
    X = rng.normal(size=(n, n_x)) * scale + (3 * (np.arange(n_x) > 0))
    if not intercept:
        X[:, 0] = rng.uniform(0, 10, n)
    terms = (("Intercept",) if intercept else ()) + names[:slopes]
    columns = ([np.ones(n)] if intercept else []) + [X[:, k] for k in range(slopes)]
    Z = np.column_stack(columns)
    m = len(terms)
    sd = np.array(([3.0] if intercept else []) + [1.0] * slopes)
    sigma = 6.0 if intercept else 0.3
    cor = np.where(np.eye(m) > 0, 1.0, 0.3)
    omega = cor * sd * sd[:, None]
    u = rng.multivariate_normal(np.zeros(m), omega, size=n_levels)
    beta = np.concatenate([[12.0], 2.0 - 0.4 * np.arange(n_x)])
    X1 = np.column_stack([np.ones(n), X])
    y = X1 @ beta + np.einsum("nm,nm->n", Z, u[codes]) + rng.normal(size=n) * sigma
    rows = table_of(Path("hsb.csv"), dict(zip(names, X.T, strict=True)), {}, np.arange(n) + 2)
    own = evaluate_terms(names, rows, {}, intercept=True).terms
    labels = tuple(f"s{j + 1:02d}" for j in range(n_levels))
    group = Group(factor, labels, codes, terms, Z, m > 1, own[:slopes])
    design = Design(
        Path("hsb.csv"), "mathach", y, names, X, True, False, (group,), rows.lines, terms=own, inputs=rows
    )  # fmt: skip

    s = chains * n_draws
    cross = np.zeros((n_levels, m, m + 1 + n_x + 1))
    np.add.at(cross, codes, Z[:, :, None] * np.column_stack([Z, X1, y])[:, None, :])
    ZZ, ZX, Zy = cross[:, :, :m], cross[:, :, m:-1], cross[:, :, -1]
    V = np.linalg.inv(ZZ / sigma**2 + np.linalg.inv(omega))
    precision = X1.T @ X1 / sigma**2 - np.einsum("jmk,jml,jln->kn", ZX, V, ZX) / sigma**4
    right = X1.T @ y / sigma**2 - np.einsum("jmk,jml,jl->k", ZX, V, Zy) / sigma**4
    cov = np.linalg.inv(precision)
    b = rng.multivariate_normal(cov @ right, cov, size=s)
    sds = sd * np.exp(rng.normal(size=(s, m)) * min(0.5, 0.9 / np.sqrt(n_levels)))
    sigmas = sigma * np.exp(rng.normal(size=s) / np.sqrt(2 * n))
    residual = Zy[None] - np.einsum("jmk,sk->sjm", ZX, b)
    effects = np.einsum("jlm,sjm->sjl", V / sigma**2, residual)
    effects += np.einsum("jlm,sjm->sjl", np.linalg.cholesky(V), rng.normal(size=(s, n_levels, m)))
    pairs = [(i, k) for i in range(m) for k in range(i + 1, m)]
    cors = np.tanh(np.arctanh(0.3) + rng.normal(size=(s, len(pairs))) / np.sqrt(n_levels))

    def sd_name(term):
        return f"sd({factor})" if term == "Intercept" else f"sd({factor}: {term})"

    parameters = [Parameter("Intercept", Kind.COEFFICIENT, None, "Intercept")]
    parameters += [Parameter(name, Kind.COEFFICIENT, None, name) for name in names]
    parameters += [Parameter(sd_name(term), Kind.SD, factor, term) for term in terms]
    parameters += [
        Parameter(f"cor({factor}: {terms[i]}, {terms[k]})", Kind.CORRELATION, factor, f"{terms[i]}, {terms[k]}")
        for i, k in pairs
    ]
    parameters.append(Parameter("sigma", Kind.AUXILIARY))
    values = np.column_stack([b, sds, cors, sigmas]).reshape(chains, n_draws, -1)
    draws = Draws(
        tuple(parameters),
        values,
        {factor: effects.reshape(chains, n_draws, n_levels, m)},
        {
            "lp": rng.normal(size=(chains, n_draws)),
            "energy": rng.normal(size=(chains, n_draws)),
            "diverging": np.zeros((chains, n_draws), dtype=bool),
            "tree_depth": np.full((chains, n_draws), 3),
        },
        10,
    )
    truth = dict(zip(["Intercept", *names], beta.tolist(), strict=True))
    truth |= {sd_name(term): float(value) for term, value in zip(terms, sd, strict=True)}
    truth |= {f"cor({factor}: {terms[i]}, {terms[k]})": 0.3 for i, k in pairs} | {"sigma": sigma}
    effects_truth = {
        factor: {"terms": list(terms), "values": dict(zip(group.labels, u.tolist(), strict=True))},
    }
    formula = Formula("mathach", names, (GroupTerm(factor, intercept, names[:slopes]),))
    priors = {name: Prior("normal", (0.0, 5.0), "test") for name in ["Intercept", *names]}
    priors |= {sd_name(term): Prior("student_t", (3.0, 0.0, 5.0), "test") for term in terms}
    priors |= {f"cor({factor})": Prior("lkj", (1.0,), "test"), "sigma": Prior("exponential", (0.2,), "test")}
    groups = (GroupCoefficients(factor, terms, m > 1),)
    spec = ModelSpec(formula, "gaussian", "identity", formula.terms, groups, priors, centered=False)
    return Case(draws, design, spec, {"parameters": truth, "effects": effects_truth})


@pytest.fixture(scope="session")
def synthetic():
    """The factory itself; cases are frozen, so a cached one may be shared."""
    cases = {}

    def build(*args, **options):
        key = (args, tuple(sorted(options.items())))
        if key not in cases:
            cases[key] = make_case(*args, **options)
        return cases[key]

    return build
