"""Log likelihood of parts of the data -> what the model says of each part when it is fitted without it.

Letters: N parts (rows, or levels of a factor), S draws, R parts of a block. The posterior without a part is that with
it over the part's likelihood: the draws are weighted by its inverse, the largest weights smoothed by a Pareto
distribution fitted to them, whose shape k says whether that can be trusted (PSIS). From draws with weights w that add
up to 1, elpd = log sum w p(y | draw); with equal weights it would be the density that the fitted model gives to data
that it has seen, the larger by p, the effective number of parameters.

Sources: Vehtari, Gelman, Gabry 2017, Statistics and Computing 27(5); Vehtari, Simpson, Gelman, Yao, Gabry 2024, Journal
of Machine Learning Research 25(72), where the threshold of k is min(1 - 1 / log10(S), 0.7).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.posterior.convergence import MIN_WEIGHTS as MIN_WEIGHTS
from hierfit.posterior.pareto import smoothed

Array = NDArray[np.float64]
Watch = Callable[[int], object]
Rows = NDArray[np.int64]
LARGEST_K = 0.7


@dataclass(frozen=True)
class LeftOut:
    """What a model says of each part of the data when it is fitted without it.

    Attributes:
        elpd: log predictive density of each part [N].
        p: by how much less that is than with the part in the fit [N].
        k: shape of the tail of the weights [N], NaN where these do not differ.
        mcse: Monte Carlo standard error of elpd [N].
        n_draws: S.
    """

    elpd: Array
    p: Array
    k: Array
    mcse: Array
    n_draws: int

    @property
    def threshold(self) -> float:
        """Above it a k says that the part's elpd cannot be trusted."""
        return k_threshold(self.n_draws)

    @property
    def doubtful(self) -> NDArray[np.int64]:
        """The parts whose elpd cannot be trusted, the worst first."""
        k = np.nan_to_num(self.k, nan=-np.inf)
        order = np.argsort(-k, kind="stable")
        return order[k[order] > self.threshold]

    def replaced(self, parts: NDArray[np.int64], other: LeftOut) -> LeftOut:
        """Return the same with some parts as they are found in another way, which `other` has in this order."""
        elpd, k, mcse = self.elpd.copy(), self.k.copy(), self.mcse.copy()
        elpd[parts], k[parts], mcse[parts] = other.elpd, other.k, other.mcse
        return replace(self, elpd=elpd, p=self.p + self.elpd - elpd, k=k, mcse=mcse)


def k_threshold(n_draws: int) -> float:
    """Return above which k so many draws are not enough, or no number of draws is."""
    return float(min(1 - 1 / np.log10(n_draws), LARGEST_K))


def relative_efficiency(ess: Array, n_draws: int) -> float:
    """Return the mean ESS of parameters over the number of draws, 1 at most, as ArviZ takes it where it is not told.

    Those without an ESS do not count; 1 where all are.
    """
    known = ess[np.isfinite(ess)]
    return float(min(1.0, known.mean() / n_draws)) if len(known) else 1.0


def leave_out(parts: Iterable[Array], efficiency: float, watch: Watch = lambda count: None) -> LeftOut:
    """Leave out each part in turn; `parts` are the log likelihoods [S, R] of one block of them after another.

    efficiency: share of the draws that are as good as independent ones. `watch` hears of how many parts are done.
    """
    return _joined((_leave_out_block(block, efficiency) for block in parts), watch)


def leave_out_on_all_cores(
    parts: Iterable[Rows], log_likelihood: Callable[[Rows], Array], efficiency: float, watch: Watch = lambda count: None
) -> LeftOut:
    """Leave out each part in turn, several blocks at a time; `log_likelihood` gives that of a block [S, R].

    As `leave_out` in all else.
    """
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        return _joined(pool.map(lambda rows: _leave_out_block(log_likelihood(rows), efficiency), parts), watch)
    finally:
        pool.shutdown(cancel_futures=True)


def _joined(blocks: Iterable[LeftOut], watch: Watch) -> LeftOut:
    """Return blocks of parts, one after another, as one."""
    found: list[LeftOut] = []
    done = 0
    for block in blocks:
        found.append(block)
        done += len(block.elpd)
        watch(done)
    return LeftOut(
        elpd=np.concatenate([block.elpd for block in found]),
        p=np.concatenate([block.p for block in found]),
        k=np.concatenate([block.k for block in found]),
        mcse=np.concatenate([block.mcse for block in found]),
        n_draws=found[0].n_draws,
    )


def _leave_out_block(by_draw: Array, efficiency: float) -> LeftOut:
    """Leave out parts whose log likelihoods are [S, R]."""
    log_likelihood = np.ascontiguousarray(by_draw.T)
    log_weights, k = smoothed(-log_likelihood, efficiency)
    elpd = log_sum(log_weights + log_likelihood)
    with_part = log_sum(log_likelihood) - np.log(log_likelihood.shape[1])
    density = np.exp(np.minimum(log_likelihood - elpd[:, None], 700.0))  # over its mean under the weights
    variance = np.sum(np.square(np.exp(log_weights) * (density - 1)), axis=1)
    return LeftOut(elpd, with_part - elpd, k, np.sqrt(variance / efficiency), len(by_draw))


def log_sum(values: Array) -> Array:
    """Return the log of the sum of exponentials of each row [R, S] -> [R]."""
    most = values.max(axis=1)
    return np.asarray(most + np.log(np.sum(np.exp(values - most[:, None]), axis=1)))
