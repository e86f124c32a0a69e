"""Sampling -> Trouble: what is wrong with the draws of a first round, told from what moves and without ArviZ.

Thresholds are those of the checks of a fit (`posterior.verdict`), those of divergences a little laxer: to draw all
again for one of 4,000 is not worth it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.sampling import Sampling

Array = NDArray[np.float64]

# Free parameters, but for the effects.
MOVING = ("theta_std", "partial", "horseshoe_global", "horseshoe_local", "slab", "threshold")
LEAST_ACCEPTANCE = 0.6
FEW_DRAWS = 4


@dataclass(frozen=True)
class Limits:
    """From where on something is wrong.

    Attributes:
        divergent: share of the draws.
        rhat: for many draws; that of few exceeds it by chance.
        ess: effective share of the draws.
        ebfmi: of the energies of any chain.
    """

    divergent: float
    rhat: float
    ess: float
    ebfmi: float


SOME = Limits(0.001, 1.01, 0.1, 0.3)
SEVERE = Limits(0.01, 1.05, 0.025, 0.2)


@dataclass(frozen=True)
class Trouble:
    """What is wrong with draws.

    Attributes:
        reasons: what is, by the limits for some trouble.
        severe: what is, by those for severe trouble.
        divergent: how many draws diverge.
        draws: how many there are, of all chains.
        ess: the smallest effective sample size of a parameter that is no effect.
    """

    reasons: tuple[str, ...]
    severe: tuple[str, ...]
    divergent: int
    draws: int
    ess: float

    @property
    def many_divergent(self) -> bool:
        """Whether more draws diverge than is some trouble."""
        return self.divergent > SOME.divergent * self.draws

    @property
    def rank(self) -> tuple[bool, bool, int, float]:
        """The smaller, the better."""
        return bool(self.severe), bool(self.reasons), self.divergent, -self.ess

    def __str__(self) -> str:
        return ", ".join(self.severe or self.reasons) or f"{self.divergent} divergent"


def find_trouble(sampling: Sampling, some: Limits = SOME) -> Trouble:
    """Return what is wrong with the draws; nothing where a program has no parameters."""
    if "diverging" not in sampling.stats:
        return Trouble((), (), 0, 0, np.inf)
    moving = list(scalars(sampling))
    n_draws = sampling.stats["lp"].shape[1]
    rhats = [rhat(values) for values in moving] if n_draws >= FEW_DRAWS else []
    sizes = [effective(values) for values in moving] if n_draws >= FEW_DRAWS else []
    found = _Found(
        int(sampling.stats["diverging"].sum()),
        float(sampling.stats["acceptance_rate"].mean(axis=1).min()),
        max(rhats, default=1.0),
        min(sizes, default=np.inf),
        ebfmi(np.asarray(sampling.stats["energy"], dtype=np.float64)) if n_draws >= FEW_DRAWS else np.inf,
        sampling.stats["lp"].size,
        n_draws,
    )
    return Trouble(tuple(found.beyond(some)), tuple(found.beyond(SEVERE)), found.divergent, found.draws, found.ess)


@dataclass(frozen=True)
class _Found:
    """What a sampling comes to; the draws are those of all chains, and of one."""

    divergent: int
    acceptance: float
    rhat: float
    ess: float
    ebfmi: float
    draws: int
    draws_of_chain: int

    def beyond(self, limits: Limits) -> Iterator[str]:
        """Yield what is beyond the limits, in words."""
        if self.divergent > limits.divergent * self.draws:
            yield f"{self.divergent} divergent"
        if self.acceptance < LEAST_ACCEPTANCE:
            yield f"acceptance {self.acceptance:.2f}"
        if self.rhat > 1 + max(limits.rhat - 1, 10 / self.draws_of_chain):
            yield f"R-hat {self.rhat:.3f}"
        if self.ess < limits.ess * self.draws:
            yield f"ESS {self.ess:.0f}"
        if self.ebfmi < limits.ebfmi:
            yield f"E-BFMI {self.ebfmi:.2f}"


def scalars(sampling: Sampling) -> Iterator[Array]:
    """Yield what moves, number by number, [chains, draws] each."""
    for name in MOVING:
        if name in sampling.variables:
            values = sampling.variables[name]
            yield from np.moveaxis(values.reshape(*values.shape[:2], -1), 2, 0)


def rhat(values: Array) -> float:
    """Return the larger of the split R-hats of the ranks and of the ranks of the distances from the median.

    As Vehtari et al. (2021), but for the ranks, which stay uniform rather than made normal.
    """
    if np.ptp(values) == 0:
        return np.inf
    split = _split(values)
    return max(_rank_rhat(split), _rank_rhat(np.abs(split - np.median(split))))


def _split(values: Array) -> Array:
    half = values.shape[1] // 2
    return np.concatenate([values[:, :half], values[:, -half:]])


def _ranks(split: Array) -> Array:
    return split.ravel().argsort().argsort().reshape(split.shape).astype(np.float64)


def _rank_rhat(split: Array) -> float:
    n_draws = split.shape[1]
    ranks = _ranks(split)
    within = ranks.var(axis=1, ddof=1).mean()
    between = n_draws * ranks.mean(axis=1).var(ddof=1)
    return float(np.sqrt((n_draws - 1) / n_draws + between / within / n_draws)) if within > 0 else np.inf


def effective(values: Array) -> float:
    """Return the effective sample size of the ranks of draws [chains, draws].

    As Vehtari et al. (2021), but for the ranks, which stay uniform rather than made normal: split chains, and Geyer's
    (1992) initial sequence of positive sums of pairs of autocorrelations, made monotone.
    """
    if np.ptp(values) == 0:
        return 1.0
    ranks = _ranks(_split(values))
    n_chains, n_draws = ranks.shape
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n_draws, axis=1)) ** 2
    covariance = np.fft.irfft(spectrum, axis=1)[:, :n_draws].mean(axis=0) / n_draws
    within = covariance[0] * n_draws / (n_draws - 1)
    variance = covariance[0] + ranks.mean(axis=1).var(ddof=1)
    correlation = 1 - (within - covariance * n_draws / (n_draws - 1)) / variance
    pairs = correlation[: n_draws // 2 * 2].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs < 0)
    kept = np.minimum.accumulate(pairs[: ends[0] if len(ends) else len(pairs)])
    time = max(2 * kept.sum() - 1, 1 / np.log10(n_chains * n_draws))
    return float(n_chains * n_draws / time)


def ebfmi(energy: Array) -> float:
    """Return the smallest estimated Bayesian fraction of missing information of a chain (Betancourt 2016)."""
    variance = energy.var(axis=1)
    return float(np.min(np.mean(np.diff(energy, axis=1) ** 2, axis=1) / np.maximum(variance, 1e-300)))
