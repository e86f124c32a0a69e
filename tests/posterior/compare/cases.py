"""Normal outcomes with groups and draws of their model: covariances of rows written out, with dense matrices."""

from dataclasses import replace

import numpy as np

from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.predict.new_levels import level_scales

from ..conftest import make_case
from ..family_draws import family_case


def nested_case():
    """6 schools of 12 rows, items of 3 rows within them."""
    case = family_case("gaussian", levels=(6, 24), n_draws=50)
    school, item = case.design.groups
    codes = school.codes * 4 + np.tile(np.arange(12) % 4, 6)
    return replace(case, design=replace(case.design, groups=(school, replace(item, codes=codes.astype(np.int32)))))


def shuffled(case):
    """The same with its rows in another order."""
    order = np.random.default_rng(8).permutation(case.design.n_rows)
    design = case.design
    groups = tuple(replace(group, codes=group.codes[order], Z=group.Z[order]) for group in design.groups)
    own = tuple(replace(predictor, X=predictor.X[order]) for predictor in design.distributional)
    rows = {name: getattr(design, name) for name in ("y", "X", "lines", "weights", "precision", "offset")}
    moved = {name: values[order] for name, values in rows.items() if values is not None}
    return replace(case, design=replace(design, **moved, groups=groups, distributional=own))


def plain_case(**changes):
    """8 schools of 5 to 9 rows, a slope that is correlated with the intercept."""
    case = make_case(8, 1, (5, 9), chains=2, n_draws=50)
    return replace(case, design=replace(case.design, **changes))


def precision_of(case):
    return 0.5 + np.arange(case.design.n_rows) % 3


CASES = {
    "slopes": plain_case,
    "precision": lambda: plain_case(precision=precision_of(plain_case())),
    "offset": lambda: plain_case(offset=precision_of(plain_case())),
    "shuffled": lambda: shuffled(plain_case(precision=precision_of(plain_case()))),
    "sigma": lambda: family_case("gaussian", levels=(8,), rows=6, sigma=True, n_draws=50),
    "lognormal": lambda: family_case("lognormal", levels=(8,), rows=6, n_draws=50),
    "crossed": lambda: family_case("gaussian", levels=(8, 5), rows=6, n_draws=50),
    "nested": nested_case,
    "shuffled nested": lambda: shuffled(nested_case()),
}


def covariance(case, rows, pick, factors):
    """Mean and covariance [R, R] of (the log of) the outcome under one draw, the effects of factors integrated out."""
    likelihood = LogLikelihood(case.draws, case.design)
    mean = likelihood.predictor(rows, tuple(factors))[pick]
    sigma = np.broadcast_to(likelihood.auxiliaries(rows)["sigma"], (likelihood.n_draws, len(rows)))[pick]
    V = np.diag(sigma**2)
    for group in case.design.groups:
        if group.factor in factors:
            T = level_scales(case.draws, group)[pick]
            same = group.codes[rows][:, None] == group.codes[rows]
            V += same * (group.Z[rows] @ T @ T.T @ group.Z[rows].T)
    return mean, V
