"""Draws of the prior alone -> what it holds of outcomes, in their units. Nothing is said of the data.

A prior that puts most probabilities next to 0 or 1, or counts beyond a million, says more than its author may have
meant (Gabry et al. 2019, JRSS A 182(2), section 3): that is worth a look. All else is for the reader to judge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import Support
from hierfit.posterior.check.places import outcomes_of
from hierfit.posterior.check.sample import Sample
from hierfit.posterior.check.verdicts import INTERVAL, Check, Verdict
from hierfit.posterior.digits import format_number, format_share
from hierfit.posterior.predict import trials_of
from hierfit.posterior.scale import event, support_of
from hierfit.visible import visible

Array = NDArray[np.float64]
ROWS = 200
NEXT_TO, MOST_THERE = 0.01, 0.5
ABSURD, SOME_ABSURD = 1e6, 0.01
DOMINATED = 0.95


@dataclass(frozen=True, eq=False)
class Implied:
    """What the prior holds of outcomes.

    Attributes:
        outcomes: replicated, of some rows under each draw [S, R]; shares where successes are counted.
        expected: means of the outcome, of one trial [S, R].
    """

    outcomes: Array
    expected: Array


def implied(sample: Sample) -> Implied:
    """Replicate outcomes of at most `ROWS` rows."""
    rng = sample.rng(9)
    rows = np.sort(rng.choice(sample.rows, min(ROWS, len(sample.rows)), replace=False))
    found = outcomes_of(sample, rows, sample.design.at(rows), rng, density=False)
    trials = np.maximum(trials_of(sample.design, rows), 1)
    return Implied(found.replicated / trials, found.expected / trials)


def prior_checks(sample: Sample, found: Implied) -> list[Check]:
    """Say what the prior holds of outcomes."""
    kind, response = support_of(sample.design), visible(sample.design.response)
    if kind is Support.CATEGORIES:
        return _categories(sample, found)
    if kind in (Support.BINARY, Support.SUCCESSES):
        return [_probabilities(found, event(sample.design) if kind is Support.BINARY else response)]
    checks = [_outcomes(found, response), _means(found, response)]
    if kind is Support.COUNT:
        checks.append(_zeros(found, response))
    return checks


def _check(name: str, values: Array, says: str, *, look: bool = False) -> Check:
    lower, upper = np.quantile(values, INTERVAL)
    verdict, nan = Verdict.LOOK if look else Verdict.OK, float("nan")
    return Check(name, verdict, nan, float(np.median(values)), float(lower), float(upper), nan, says)


def _outcomes(found: Implied, response: str) -> Check:
    values = found.outcomes.ravel()
    low, lower, upper, high = (format_number(float(v), None) for v in np.quantile(values, (0.025, 0.25, 0.75, 0.975)))
    says = f"95% of the {response} values that the priors imply lie between {low} and {high}"
    says += f", half between {lower} and {upper}"
    absurd = float(np.mean(~(np.abs(values) < ABSURD)))
    look = bool(np.all(values == np.round(values))) and absurd > SOME_ABSURD
    if look:
        says += f"; {format_share(absurd)} are counts of a million or more: are priors on the log scale too wide?"
    return _check("outcomes", values, says, look=look)


def _means(found: Implied, response: str) -> Check:
    with np.errstate(over="ignore"):
        means = found.expected.mean(axis=1)
    low, middle, high = (format_number(float(v), None) for v in np.quantile(means, (0.025, 0.5, 0.975)))
    return _check(
        "mean", means, f"the mean of {response} over all rows is between {low} and {high}, most likely near {middle}"
    )


def _zeros(found: Implied, response: str) -> Check:
    shares = np.mean(found.outcomes == 0, axis=1)
    low, middle, high = map(format_share, np.quantile(shares, (0.025, 0.5, 0.975)).tolist())
    return _check("share of zeros", shares, f"{response} is 0 in {middle} of the rows ({low} to {high})")


def _probabilities(found: Implied, words: str) -> Check:
    values = found.expected.ravel()
    low, high = map(format_share, np.quantile(values, INTERVAL).tolist())
    extreme = float(np.mean((values < NEXT_TO) | (values > 1 - NEXT_TO)))
    says = (
        f"95% of the probabilities of {visible(words)} that the priors imply lie between {low} and {high}; "
        f"{format_share(extreme)} are within 0.01 of 0 or 1"
    )
    look = extreme > MOST_THERE
    return _check("probabilities", values, says + (": are priors too wide?" if look else ""), look=look)


def _categories(sample: Sample, found: Implied) -> list[Check]:
    names = sample.design.categories
    by_draw = np.stack([np.mean(found.outcomes == code, axis=1) for code in range(len(names))])
    checks = []
    for name, shares in zip(names, by_draw, strict=True):
        low, middle, high = map(format_share, np.quantile(shares, (0.025, 0.5, 0.975)).tolist())
        says = f"{visible(sample.design.response)} is {visible(name)} in {middle} of the rows ({low} to {high})"
        checks.append(_check(visible(name), shares, says))
    alone = np.mean(by_draw.max(axis=0) > DOMINATED)
    says = f"in {format_share(float(alone))} of the draws one category has over {format_share(DOMINATED)} of the rows"
    return [*checks, _check("largest category", by_draw.max(axis=0), says, look=bool(alone > MOST_THERE))]
