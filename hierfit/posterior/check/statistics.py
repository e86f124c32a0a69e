"""Replicated outcomes -> test statistics of the data against those of the replications.

What is compared is a number of all outcomes: mean, sd, smallest, largest, share of zeros, how often each category
occurs; and the scatter around what is expected, whose data and replications are measured from the same draw (Gelman,
Meng, Stern 1996, Statistica Sinica 6). Effects of groups are their own, so that a p value is nearer to 1 / 2 than it
would be of new data: a model that is right is flagged more seldom than its threshold says, never more often.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import Support
from hierfit.posterior.check.replicated import Replicated
from hierfit.posterior.check.sample import Sample
from hierfit.posterior.check.tries import FEWER_ZEROS, HEAVIER_TAILS, MORE_SCATTER, MORE_ZEROS, Tries
from hierfit.posterior.check.verdicts import INTERVAL, Check, Verdict, judged, two_sided
from hierfit.posterior.digits import decimals, format_number, format_share
from hierfit.posterior.scale import event, support_of
from hierfit.visible import visible

Array = NDArray[np.float64]
Told = tuple[Check, Array]
ZEROS, SCATTER = "share of zeros", "scatter"


def statistic_checks(sample: Sample, found: Replicated, tries: Tries) -> list[Told]:
    """Return the checks of test statistics that the outcome has, and the statistics [1 + S]."""
    kind, n, response = support_of(sample.design), len(sample.rows), sample.design.response
    if kind is Support.CATEGORIES:
        return [_categories(sample, found)]
    if kind is Support.BINARY:
        return [_share(f"share of {event(sample.design)}", found.full / n, event(sample.design))]
    if kind is Support.SUCCESSES:
        mean, sd = _moments(found.shares[0], found.shares[1], n)
        scatter = _scatter(found, tries)
        wide = scatter[0].tries
        none, full = f"no {response} in any trial", f"{response} in all trials"
        return [
            _number("mean", mean, f"mean share of {response}"),
            _number("sd", sd, f"sd of the shares of {response}", wide),
            _share("share of none", found.zeros / n, none, wide),
            _share("share of all", found.full / n, full, wide),
            scatter,
        ]
    mean, sd = _moments(found.total, found.square, n)
    mean = mean + found.origin
    if kind is Support.COUNT:
        scatter = _scatter(found, tries)
        wide = scatter[0].tries
        return [
            _number("mean", mean, f"mean of {response}"),
            _number("sd", sd, f"sd of {response}", wide),
            _number("largest", found.most, f"largest {response}", wide),
            _zeros(sample, found, tries, scatter[0]),
            scatter,
        ]
    heavy, skewed = tries.families(HEAVIER_TAILS), tries.skewed()
    # An end nearer than predicted says that the tail there is too heavy as it is.
    below = heavy if _exceeds(-found.least) else skewed
    above = (*heavy, *skewed) if _exceeds(found.most) else ()
    return [
        _number("mean", mean, f"mean of {response}"),
        _number("sd", sd, f"sd of {response}"),
        _number("smallest", found.least, f"smallest {response}", below),
        _number("largest", found.most, f"largest {response}", above),
    ]


def _exceeds(values: Array) -> bool:
    """Whether the statistic of the data, the first [1 + S], is above the middle of the others."""
    return bool(values[0] > np.median(values[1:]))


def _moments(total: Array, square: Array, n: int) -> tuple[Array, Array]:
    """Return mean and sd from sums and sums of squares [1 + S]."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = total / n
        return mean, np.sqrt(np.maximum(square - n * mean**2, 0) / max(1, n - 1))


def _made(name: str, values: Array, says: str, tries: tuple[str, ...]) -> Told:
    """Return the check of a statistic [1 + S], the first of which is that of the data."""
    observed, replicated = float(values[0]), values[1:]
    p = two_sided(observed, replicated)
    lower, upper = np.quantile(replicated, INTERVAL)
    verdict = judged(p)
    kept = tries if verdict is not Verdict.OK else ()
    return Check(
        name, verdict, observed, float(np.median(replicated)), float(lower), float(upper), p, says, kept
    ), values


def _number(name: str, values: Array, what: str, tries: tuple[str, ...] = ()) -> Told:
    whole = bool(np.all(values == np.round(values)))
    places = 0 if whole else decimals(float(np.std(values[1:][np.isfinite(values[1:])])))
    observed, middle, low, high = (format_number(float(v), places) for v in _told(values))
    return _made(name, values, f"{visible(what)}: {observed} in the data, {middle} ({low} to {high}) predicted", tries)


def _share(name: str, values: Array, what: str, tries: tuple[str, ...] = ()) -> Told:
    observed, middle, low, high = map(format_share, _told(values))
    says = f"{visible(what)}: {observed} in the data, {middle} ({low} to {high}) predicted"
    return _made(name, values, says, tries)


def _told(values: Array) -> tuple[float, float, float, float]:
    low, high = np.quantile(values[1:], INTERVAL)
    return float(values[0]), float(np.median(values[1:])), float(low), float(high)


def _zeros(sample: Sample, found: Replicated, tries: Tries, scatter: Check) -> Told:
    shares = found.zeros / len(sample.rows)
    few = shares[0] > np.median(shares[1:])
    also = scatter.verdict is not Verdict.OK and scatter.observed > 1
    options = tries.families(*([MORE_SCATTER] if also else []), MORE_ZEROS if few else FEWER_ZEROS)
    check, values = _share(ZEROS, shares, f"{sample.design.response} of 0", options)
    if check.verdict is Verdict.OK:
        return check, values
    return replace(check, says=f"{check.says}: the model has too {'few' if few else 'many'} zeros"), values


def _scatter(found: Replicated, tries: Tries) -> Told:
    """Compare squared distances from what a draw expects, over variances, with those of the draw's replication."""
    own, replicated = found.scatter
    around = float(np.mean(replicated))
    ratio, spread = float(np.mean(own)) / around, replicated / around
    low, high = np.quantile(spread, INTERVAL)
    above, below = np.sum(replicated >= own), np.sum(replicated <= own)
    p = float(min(1.0, 2 * (1 + min(above, below)) / (1 + len(own))))
    verdict = judged(p)
    says = f"scatter around what is expected: {ratio:.2f} times what the model says ({low:.2f} to {high:.2f} expected)"
    if verdict is not Verdict.OK:
        says += ": outcomes scatter more" if ratio > 1 else ": outcomes scatter less"
    options = tries.families(MORE_SCATTER) if verdict is not Verdict.OK and ratio > 1 else ()
    return Check(SCATTER, verdict, ratio, 1.0, float(low), float(high), p, says, options), np.concatenate(
        [[ratio], spread]
    )


def _categories(sample: Sample, found: Replicated) -> Told:
    """Compare how often categories occur, by the squared distances of their counts from the expected ones."""
    counts = found.categories
    expected = np.maximum(counts[1:].mean(axis=0), 0.5)
    away = np.sum((counts - expected) ** 2 / expected, axis=1)
    p = float((1 + np.sum(away[1:] >= away[0])) / len(away))
    low, high = np.quantile(counts[1:], INTERVAL, axis=0)
    inside = int(((low <= counts[0]) & (counts[0] <= high)).sum())
    worst = int(np.argmax(np.abs(counts[0] - expected) / np.sqrt(expected)))
    names, n = sample.design.categories, len(sample.rows)
    says = f"{inside} of {len(names)} categories of {visible(sample.design.response)} are as frequent as predicted"
    if judged(p) is not Verdict.OK:
        shares = [format_share(float(count) / n) for count in (counts[0, worst], low[worst], high[worst])]
        says += f": {visible(names[worst])} {shares[0]} in the data, {shares[1]} to {shares[2]} predicted"
    share = counts[0, worst] / n
    numbers = (float(share), float(expected[worst] / n), float(low[worst] / n), float(high[worst] / n))
    return Check("categories", judged(p), *numbers, p, says), away
