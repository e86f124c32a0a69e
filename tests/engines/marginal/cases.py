"""Small designs with several grouping factors, and their marginal posterior worked out row by row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.origin import z_center
from hierfit.design.prior_choice import build_spec
from hierfit.design.scaling import coefficient_scale
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec
from tests.model.cases import table

Array = NDArray[np.float64]


def crossed(rows: int = 60, seed: int = 1) -> Table:
    """Return y, a, b and the factors g (8 levels), h (5) and k (3), crossed without balance."""
    source, rng = table(rows, 8, seed), np.random.default_rng(seed)
    codes = {name: rng.permutation(np.arange(rows) % size).astype(np.int32) for name, size in (("h", 5), ("k", 3))}
    levels = {name: tuple(f"{name}{i}" for i in range(max(found) + 1)) for name, found in codes.items()}
    return replace(source, labels={**source.labels, **codes}, levels={**source.levels, **levels})


def model(text: str, *priors: str, rows: int = 60, centered: bool = True) -> tuple[ModelSpec, Design]:
    """Return the model of a formula on such a table, and its design."""
    formula = parse_formula(text)
    design = build_design(formula, crossed(rows), centered=centered)
    return build_spec(formula, design, priors), design


@dataclass(frozen=True)
class Dense:
    """One multivariate normal distribution of all rows.

    Attributes:
        log_density: marginal log density of the outcome with the priors of coefficients; flat ones left out.
        mean: of the coefficients (less their location, at the mean of X where the design is centred) and the effects,
            in the units of the CSV.
        covariance: of the same.

    Effects are those at `z_center` of their columns.
    """

    log_density: float
    mean: Array
    covariance: Array


def dense(spec: ModelSpec, design: Design, covariances: Sequence[Array], sigma: float) -> Dense:
    """Work out the posterior given the covariances of the effects of every factor, in the units of the CSV.

    A flat prior is a normal one with an sd of 1e4 units; what that does to the density is taken back.
    """
    X = design.X - design.x_mean
    X = np.column_stack([np.ones(design.n_rows), X]) if design.intercept else X
    unit = coefficient_scale(design)
    location, sd, fixed = np.zeros(len(unit)), np.empty(len(unit)), np.zeros(len(unit), dtype=bool)
    back = 0.0
    for k, name in enumerate(spec.coefficient_names):
        prior, origin = spec.priors[name], design.intercept_origin if design.intercept and k == 0 else 0.0
        if prior.distribution == "normal":
            location[k], sd[k] = prior.arguments[0] - origin, prior.arguments[1]
        elif prior.distribution == "flat":
            sd[k] = 1e4 * unit[k]
            back += np.log(sd[k])
        else:
            location[k], sd[k], fixed[k] = prior.arguments[0] - origin, 0.0, True
    blocks = [
        np.column_stack(
            [(group.Z - z_center(spec, group)) * (group.codes == level)[:, None] for level in range(group.n_levels)]
        )
        for group in design.groups
    ]
    W = np.column_stack([X, *blocks])
    of_effects = [np.kron(np.eye(group.n_levels), V) for group, V in zip(design.groups, covariances, strict=True)]
    prior_covariance = np.zeros((W.shape[1], W.shape[1]))
    start = len(unit)
    prior_covariance[:start, :start] = np.diag(sd**2)
    for block in of_effects:
        prior_covariance[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    prior_mean = np.concatenate([location, np.zeros(W.shape[1] - len(unit))])
    offset = 0.0 if design.offset is None else design.offset
    rest = design.y - design.y_mean - offset - W @ prior_mean
    precision = np.ones(design.n_rows) if design.precision is None else design.precision
    V = W @ prior_covariance @ W.T + sigma**2 * np.diag(1 / precision)
    L = np.linalg.cholesky(V)
    half = np.linalg.solve(L, rest)
    gain = np.linalg.solve(L.T, np.linalg.solve(L, W @ prior_covariance)).T
    density = -np.log(np.diag(L)).sum() - half @ half / 2 + back
    return Dense(float(density), prior_mean + gain @ rest, prior_covariance - gain @ W @ prior_covariance)
