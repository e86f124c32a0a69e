"""What R packages report -> hierfit's names of the parameters: estimates from estimates.csv, draws from columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bench.case import INTERCEPT, Case, Grouping
from bench.comparators.contract import Array

R_INTERCEPT = "(Intercept)"


def estimates(folder: Path, case: Case) -> dict[str, float]:
    """Return what `write_estimates` of job.R has left."""
    import pandas as pd

    table = pd.read_csv(folder / "estimates.csv", index_col="name")["value"].to_dict()
    found = {name: table[_in_r(name)] for name in (*case.intercepts, *case.predictors)}
    for grouping in case.groupings:
        terms = [_in_r(term) for term in grouping.terms]
        native = [f"sd {grouping.factor} {term}" for term in terms]
        native += [f"cor {grouping.factor} {' '.join(terms)}"] if len(terms) == 2 else []
        found |= {name: table[column] for name, column in zip(grouping.parameters, native, strict=True)}
    return found | ({case.auxiliary: table[case.auxiliary]} if case.auxiliary else {})


def brms_draws(columns: Mapping[str, Array], case: Case) -> dict[str, Array]:
    """Return brms's draws; its thresholds are numbered intercepts."""
    numbered = [f"{INTERCEPT}[{number}]" for number in range(1, case.categories)] or [INTERCEPT]
    draws = {name: columns[f"b_{own}"] for name, own in zip(case.intercepts, numbered, strict=True)}
    draws |= {name: columns[f"b_{name}"] for name in case.predictors}
    for grouping in case.groupings:
        native = [f"sd_{grouping.factor}__{term}" for term in grouping.terms]
        native += [f"cor_{grouping.factor}__{'__'.join(grouping.terms)}"] if len(grouping.terms) == 2 else []
        draws |= {name: columns[column] for name, column in zip(grouping.parameters, native, strict=True)}
    return draws | ({case.auxiliary: columns[case.auxiliary]} if case.auxiliary else {})


def rstanarm_draws(columns: Mapping[str, Array], case: Case) -> dict[str, Array]:
    """Return rstanarm's draws; it reports variances and covariances, and calls the shape a reciprocal."""
    draws = {name: columns[_in_r(name)] for name in (INTERCEPT, *case.predictors)}
    for grouping in case.groupings:
        draws |= dict(zip(grouping.parameters, _from_covariance(columns, grouping), strict=True))
    own = {"sigma": "sigma", "shape": "reciprocal_dispersion"}
    return draws | ({case.auxiliary: columns[own[case.auxiliary]]} if case.auxiliary else {})


def _from_covariance(columns: Mapping[str, Array], grouping: Grouping) -> list[Array]:
    factor = grouping.factor
    terms = [_in_r(term) for term in grouping.terms]
    sds: list[Array] = [np.sqrt(columns[f"Sigma[{factor}:{term},{term}]"]) for term in terms]
    if len(terms) < 2:
        return sds
    covariance = columns[f"Sigma[{factor}:{terms[1]},{terms[0]}]"]
    return [*sds, covariance / (sds[0] * sds[1])]


def _in_r(name: str) -> str:
    return R_INTERCEPT if name == INTERCEPT else name
