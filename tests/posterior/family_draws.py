"""Synthetic outcomes of any family, and draws close around the true values, as a posterior of much data would be."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from hierfit.data.table import table_of
from hierfit.design.design import Design, Group
from hierfit.design.distributional import PredictorColumns
from hierfit.design.terms import evaluate_terms
from hierfit.model.families import FAMILIES, THRESHOLD
from hierfit.model.formula import Formula, GroupTerm, Predictor
from hierfit.model.priors import Prior
from hierfit.model.spec import (
    GroupCoefficients,
    Kind,
    ModelSpec,
    Parameter,
    PredictorCoefficients,
    coefficient_name,
    sd_name,
    threshold_name,
)
from hierfit.posterior.draws import Draws

from .conftest import Case

AUXILIARIES = {"sigma": 0.5, "nu": 5.0, "shape": 3.0, "phi": 8.0, "zi": 0.2, "hu": 0.3}
CATEGORIES, THRESHOLDS = ("never", "seldom", "often", "always"), (-0.9, 0.4, 1.5)
OF_SIGMA = {"Intercept": -0.7, "ses": 0.4}
PRECISION = 0.05


def columns_of(kind, n, rng):
    """Predictors with true coefficients: a number; a text column; their product; a curve. Their columns, their rows."""
    ses, private = rng.normal(size=n), (rng.random(n) < 0.4).astype(np.int32)
    numbers, words, references, terms, b = {"ses": ses}, {}, {}, ("ses",), [0.6]
    if kind == "formula":
        terms, b = ("ses", "sector", "ses:sector"), [0.6, -0.8, 0.5]
        words, references = {"sector": (("Public", "Private"), private)}, {"sector": "Public"}
    elif kind == "categories":
        sector = np.where(private, 1, 2 * (rng.random(n) < 0.5)).astype(np.int32)
        terms, b = ("sector",), [0.7, -0.8]
        words, references = {"sector": (("Public", "Private", "Church"), sector)}, {"sector": "Public"}
    elif kind == "curve":
        terms, b, numbers = ("poly(age, 2)",), [4.0, -9.0], {"age": rng.uniform(20, 60, n)}
    table = table_of(Path("survey.csv"), numbers, words, np.arange(n) + 2)
    return evaluate_terms(terms, table, references, intercept=True), table, np.array(b)


def _terms(groups):
    return tuple(
        GroupTerm(group.factor, "Intercept" in group.terms, tuple(term for term in group.terms if term != "Intercept"))
        for group in groups
    )


def family_case(
    family, *, levels=(20,), rows=12, slope=True, kind="line", link=None, sigma=False, chains=4, n_draws=250, seed=3
):
    """y ~ columns + (1 + first column | school) + (1 | item) ..., `rows` rows per level of the first factor.

    With `sigma` log sigma depends on the first column.
    """
    record, rng = FAMILIES[family], np.random.default_rng(seed)
    link = link or record.link
    codes = [np.repeat(np.arange(levels[0]), rows)]
    n = len(codes[0])
    codes += [rng.integers(0, count, n) for count in levels[1:]]
    columns, table, b = columns_of(kind, n, rng)
    X, names, factors = columns.values, columns.names, ("school", "item", "school:class")[: len(levels)]
    intercept, groups, effects, sds = 0.5, [], {}, {}
    predictor = intercept + X @ b
    for factor, count, code in zip(factors, levels, codes, strict=True):
        slopes = columns.terms[:1] if slope and factor == "school" else ()
        own = sum(sum(term.kept) for term in slopes)
        varies, Z = ("Intercept", *names[:own]), np.column_stack([np.ones(n), X[:, :own]])
        sd = np.array([0.6, 0.3, 0.3])[: len(varies)]
        effects[factor] = rng.normal(size=(count, len(varies))) * sd
        sds |= {sd_name(factor, term): value for term, value in zip(varies, sd, strict=True)}
        labels = tuple(f"{factor[0]}{level + 1}" for level in range(count))
        groups.append(Group(factor, labels, code.astype(np.int32), varies, Z, correlated=False, slopes=slopes))
        predictor += np.einsum("nm,nm->n", Z, effects[factor][code])
    offset = rng.normal(size=n) * 0.3 if family == "poisson" else None
    predictor += 0 if offset is None else offset
    trials = rng.integers(3, 15, n).astype(float) if record.has_trials else None
    truth = {aux.name: AUXILIARIES[aux.name] for aux in record.auxiliaries}
    spread = {name: np.array([[value]]) for name, value in truth.items()}
    X_sigma = np.column_stack([np.ones(n), X[:, 0]])
    of_sigma = PredictorColumns("sigma", tuple(OF_SIGMA), X_sigma, columns.terms[:1]) if sigma else None
    if of_sigma:
        spread["sigma"] = np.exp(of_sigma.X @ list(OF_SIGMA.values()))[None]
        del truth["sigma"]
    between = tuple(f"{a}|{b}" for a, b in pairwise(CATEGORIES)) if record.has_thresholds else ()
    if between:
        intercept, predictor = None, predictor - intercept
        spread[THRESHOLD] = np.array(THRESHOLDS)[:, None, None]
    mean = record.mean(predictor[None], link, spread)
    y = record.replicate(rng, mean, spread, np.ones(n) if trials is None else trials)[0]
    design = Design(
        Path("survey.csv"), "answer", y, names, X, not between, False, tuple(groups), table.lines,
        family=family, link=link, trials=trials, distributional=(of_sigma,) if of_sigma else (),
        categories=CATEGORIES if between else ("no", "yes") if family == "bernoulli" else (),
        offset=offset, references=columns.references, terms=columns.terms, inputs=table,
    )  # fmt: skip
    cut = {threshold_name(term): value for term, value in zip(between, THRESHOLDS, strict=False)}
    log_sigma = {coefficient_name("sigma", term): value for term, value in OF_SIGMA.items()} if sigma else {}
    values = {} if between else {"Intercept": intercept}
    values |= {**dict(zip(names, b.tolist(), strict=True)), **cut, **sds, **log_sigma, **truth}
    kinds = dict.fromkeys(sds, Kind.SD) | dict.fromkeys(truth, Kind.AUXILIARY) | dict.fromkeys(cut, Kind.THRESHOLD)
    kinds |= dict.fromkeys(log_sigma, Kind.DISTRIBUTIONAL)
    owner = {f"sd({factor}": factor for factor in factors}
    parameters = tuple(
        Parameter(
            name,
            kinds.get(name, Kind.COEFFICIENT),
            owner.get(name.split(": ")[0].rstrip(")")),
            name.removeprefix("sigma_"),
            "sigma" if name in log_sigma else None,
        )
        for name in values
    )
    positive = [kinds.get(name) in (Kind.SD, Kind.AUXILIARY) for name in values]
    shape = (chains, n_draws)
    noise = PRECISION * rng.normal(size=(*shape, len(values)))
    centre = np.array(list(values.values()))
    drawn = np.where(positive, centre * np.exp(noise), centre + noise)
    draws = Draws(
        parameters, drawn,
        {name: u + 0.1 * rng.normal(size=(*shape, *u.shape)) for name, u in effects.items()},
        {"diverging": np.zeros(shape, dtype=bool), "energy": rng.normal(size=shape)}, 10,
    )  # fmt: skip
    predictors = (Predictor("sigma", ("ses",)),) if sigma else ()
    spec = ModelSpec(
        Formula("answer", names, _terms(groups), distributional=predictors), family, link, names,
        tuple(GroupCoefficients(group.factor, group.terms, False) for group in groups),
        {name: Prior("normal", (0.0, 2.5), "test") for name in values}, centered=False,
        thresholds=between, distributional=(PredictorCoefficients("sigma", tuple(OF_SIGMA)),) if sigma else (),
    )  # fmt: skip
    return Case(draws, design, spec, {"parameters": values, "effects": effects})
