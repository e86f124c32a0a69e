"""Sample x factor -> means of groups among those that a new group with the same rows would have.

Effects of the factor, and of factors whose levels lie within its own, are drawn from their distribution; those of other
factors are the rows' own (`fresh`). Under own effects the mean of a group agrees with what was fitted to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.links import special
from hierfit.posterior.check.fresh import all_levels, as_new, effects_of_new
from hierfit.posterior.check.places import outcomes_of, places
from hierfit.posterior.check.sample import Sample
from hierfit.posterior.check.uniform import uniformity
from hierfit.posterior.check.verdicts import INTERVAL, Check, Verdict, binomial_ends, binomial_p, judged
from hierfit.posterior.predict import trials_of
from hierfit.posterior.words import counted, listed, plural
from hierfit.visible import visible

Array = NDArray[np.float64]
_GROUPS = 3
FAR = 0.002


@dataclass(frozen=True, eq=False)
class GroupMeans:
    """Means of the groups of one factor, J of them.

    Attributes:
        group: the factor.
        levels: those that have rows here, by their code [J].
        observed: means of the outcome, shares where it counts successes [J].
        lower, middle, upper: quantiles of the means of new groups with these rows [J].
        within: share of them between the outer two, more than 95 % where few values are possible [J].
        tail: how likely a new group is as far out, beyond the replications by extrapolation [J].
        pit: place of each mean among them, at random within ties [J].
    """

    group: Group
    levels: NDArray[np.int64]
    observed: Array
    lower: Array
    middle: Array
    upper: Array
    within: Array
    tail: Array
    pit: Array

    @property
    def residuals(self) -> Array:
        """Normal quantiles of the places [J]."""
        return np.asarray(special().ndtri(self.pit))

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Which means lie in their interval."""
        return np.asarray((self.lower <= self.observed) & (self.observed <= self.upper))


def group_means(sample: Sample, group: Group) -> GroupMeans:
    """Hold the means of the groups of a factor against those of new groups."""
    design = sample.design
    redrawn = frozenset(other.factor for other in design.groups if _lies_within(other, group))
    order = sample.rows[np.argsort(group.codes[sample.rows], kind="stable")]
    new = effects_of_new(sample)
    blocks = [(number, order[at]) for number, at in sample.blocks()]

    def block(numbered: tuple[int, NDArray[np.int64]]) -> tuple[NDArray[np.int64], Array, Array]:
        number, rows = numbered
        rng = sample.rng(_GROUPS, _number(design, group), number)
        found = outcomes_of(sample, rows, as_new(design, rows, all_levels(design, redrawn)), rng, new, density=False)
        codes, starts = np.unique(group.codes[rows], return_index=True)
        every = np.concatenate([found.y[None], found.replicated])
        with np.errstate(over="ignore", invalid="ignore"):
            sums = np.add.reduceat(every, starts, axis=1).T
        return codes.astype(np.int64), sums, np.add.reduceat(trials_of(design, rows), starts)

    rng = sample.rng(_GROUPS, _number(design, group))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = [_among(*each, rng) for each in _whole(pool.map(block, blocks))]
    levels, *numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
    return GroupMeans(group, levels.astype(np.int64), *numbers)


def _number(design: Design, group: Group) -> int:
    return [other.factor for other in design.groups].index(group.factor)


def _among(codes: NDArray[np.int64], sums: Array, trials: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    """Return what is kept of sums [L, 1 + S]: levels, means, quantiles of the replicated ones, and places."""
    means = sums / trials[:, None]
    y, replicated = means[:, 0], means[:, 1:].T
    middle = np.median(replicated, axis=0)
    # Of few values, one that was drawn: ends between two would leave both out.
    lower, upper = (np.quantile(replicated, p, axis=0, method="inverted_cdf") for p in INTERVAL)
    within = np.mean((lower <= replicated) & (replicated <= upper), axis=0)
    alike = np.full(replicated.shape, 1 / len(replicated))
    pit = places(y, replicated, alike, rng.random(len(y)))
    tail = np.minimum(1.0, 2 * np.minimum(_tail(y, replicated, middle), _tail(-y, -replicated, -middle)))
    return codes.astype(np.float64), y, lower, middle, upper, within, tail, pit


def _tail(y: Array, replicated: Array, middle: Array) -> Array:
    """Return how likely replications [S, L] are above numbers [L]: beyond the outer ones by an exponential tail.

    That of a normal distribution is thinner, so that what lies far out is said to do so too seldom.
    """
    end = np.quantile(replicated, INTERVAL[1], axis=0, method="inverted_cdf")
    above = replicated > end
    count = above.sum(axis=0)
    excess = np.sum(np.where(above, replicated - end, 0.0), axis=0) / np.maximum(count, 1)
    scale = np.maximum(np.maximum(excess, 0.1 * (end - middle)), np.finfo(np.float64).tiny)
    share = (1 + count) / (1 + len(replicated))
    return np.asarray(np.where(y > end, share * np.exp(-np.maximum(y - end, 0) / scale), 1.0))


def _whole(parts: Iterator[tuple[NDArray[np.int64], Array, Array]]) -> Iterator[tuple[NDArray[np.int64], Array, Array]]:
    """Yield sums by level as whole levels, which may lie in several blocks one after another."""
    left: tuple[NDArray[np.int64], Array, Array] | None = None
    for codes, sums, trials in parts:
        if left is not None:
            if left[0][-1] == codes[0]:
                sums[0] += left[1][-1]
                trials[0] += left[2][-1]
            else:
                codes, sums = np.concatenate([left[0], codes]), np.concatenate([left[1], sums])
                trials = np.concatenate([left[2], trials])
        if len(codes) > 1:
            yield codes[:-1], sums[:-1], trials[:-1]
        left = codes[-1:], sums[-1:], trials[-1:]
    if left is not None:
        yield left


def _lies_within(inner: Group, outer: Group) -> bool:
    """Whether all rows of each level of a factor are of one level of another."""
    own = np.zeros(inner.n_levels, dtype=np.int64)
    own[inner.codes] = outer.codes
    return np.array_equal(own[inner.codes], outer.codes)


def groups_check(sample: Sample, means: GroupMeans) -> Check:
    """Say how many groups have a mean that a new group could have."""
    factor, total, inside = means.group.factor, len(means.levels), int(means.inside.sum())
    share = float(means.within.mean())
    even = uniformity(means.pit)
    far = float(means.tail.min()) * total
    p = min(1.0, 3 * min(even.p, binomial_p(inside, total, share), far))
    says = (
        f"means of {inside:,} of {counted(total, factor)} lie in the 95% interval that a new one of the same rows "
        f"would have (expect {share * total:,.0f})"
    )
    if judged(p) is not Verdict.OK:
        outer = [visible(means.group.labels[means.levels[at]]) for at in np.argsort(means.tail, kind="stable")[:3]]
        width = np.mean((means.pit - 0.5) ** 2) - 1 / 12
        if judged(3 * far) is not Verdict.OK:
            says += (
                f"; far out: {listed([name for name, p in zip(outer, np.sort(means.tail), strict=False) if p < FAR])}"
            )
        elif width > 0:
            says += f": {plural(visible(factor))} differ by more than a normal distribution says, most {listed(outer)}"
        else:
            says += f": the means of {plural(visible(factor))} are not spread as a normal distribution says"
    lower, upper = (end / total for end in binomial_ends(total, share))
    return Check(visible(plural(factor)), judged(p), inside / total, share, lower, upper, p, says)
