"""Draws x Truth -> whether the posterior holds the values that simulated data were made from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.posterior.check.verdicts import INTERVAL, Check, Verdict, binomial_ends, binomial_p, judged
from hierfit.posterior.draws import Draws
from hierfit.posterior.truth import Truth
from hierfit.posterior.words import listed, plural
from hierfit.visible import visible

Array = NDArray[np.float64]


def truth_checks(draws: Draws, design: Design, truth: Truth) -> list[Check]:
    """Return how many parameters, and effects of each factor, have their true value in their interval."""
    values = draws.values.reshape(-1, len(draws.parameters))
    known = [
        at
        for at, parameter in enumerate(draws.parameters)
        if parameter.name in truth.parameters and np.ptp(values[:, at]) > 0 and not parameter.is_at_mean
    ]
    checks = []
    if known:
        names = [draws.parameters[at].name for at in known]
        true = np.array([truth.parameters[name] for name in names])
        checks.append(_check("true parameters", "parameters", values[:, known], true, names))
    for group in design.groups:
        of_levels = truth.effects.get(group.factor)
        if of_levels is None or group.factor not in draws.effects:
            continue
        effects = draws.effects_of(group).reshape(-1, group.n_levels * len(group.terms))
        names = [f"{label}: {term}" for label in group.labels for term in group.terms]
        what = f"effects of {plural(group.factor)}"
        checks.append(_check(f"true {what}", what, effects, of_levels.ravel(), names))
    return checks


def _check(name: str, what: str, values: Array, true: Array, names: list[str]) -> Check:
    """Count the intervals of draws [S, P] that hold true values [P], NaN where these are not known."""
    some = np.flatnonzero(np.isfinite(true))
    lower, upper = np.quantile(values[:, some], INTERVAL, axis=0)
    inside = (lower <= true[some]) & (true[some] <= upper)
    share, count, total = INTERVAL[1] - INTERVAL[0], int(inside.sum()), len(some)
    p = binomial_p(count, total, share)
    expected = f"(expect {share * total:,.1f})"
    says = f"{count:,} of {total:,} {visible(what)} have their true value in the 95% interval {expected}"
    missed = [visible(names[at]) for at in some[~inside]]
    if missed and (judged(p) is not Verdict.OK or len(missed) <= 3):
        says += f"; not {listed(missed)}"
    low, high = (end / max(1, total) for end in binomial_ends(total, share))
    return Check(visible(name), judged(p), count / max(1, total), share, low, high, p, says)
