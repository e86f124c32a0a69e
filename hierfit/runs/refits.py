"""Runs -> the same models fitted again without some of their rows: several at a time, from the run's folder alone.

The model stays what it is: columns, knots, levels, centring and priors are those of the run, and only the outcomes of
the rows left out are not seen. Effects of a level that loses all its rows are then draws of a new level's.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.choice import ENGINES, choose_engine
from hierfit.engines.engine import Engine, Wanted
from hierfit.engines.rounds import Drawn, Listener, draw_or_stand_in
from hierfit.engines.start import is_tuned
from hierfit.errors import Interrupted
from hierfit.posterior.diagnostics import Diagnosis, diagnose
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.trouble import Asked
from hierfit.runs.finished import Opened
from hierfit.sampling import Progress

Watch = Callable[[float, int], object]
Indices = NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Without:
    """A fit that is wanted.

    Attributes:
        name: what the run is called.
        run: whose model is fitted.
        number: of the fit among those of the run, from 0; its seed follows from that and the run's.
        rows: what is left out.
    """

    name: str
    run: Opened
    number: int
    rows: Indices


@dataclass(frozen=True, eq=False)
class Refit(Generic[T]):
    """What came of it.

    Attributes:
        wanted: what was left out of what.
        diagnosis: the checks of its draws.
        found: what was computed from them.
    """

    wanted: Without
    diagnosis: Diagnosis
    found: T


def refit_all(
    wanted: Sequence[Without],
    evaluate: Callable[[Without, LogLikelihood, float], T],
    watch: Watch = lambda done, total: None,
    say: Callable[[str], None] | None = None,
) -> list[Refit[T]]:
    """Fit each, as many at a time as there are cores, and return what `evaluate` makes of its draws, in that order.

    `evaluate` gets the log likelihood of the run's rows under the new draws, and the share of them that is as good as
    independent ones; the draws are not kept. `watch` hears of how many fits are done, with fractions; `say` of
    programs that are built.

    Raises:
        SamplerError, ToolchainError, DiskError: a fit failed.
        Interrupted, KeyboardInterrupt: somebody asked to stop; no chain runs any more.
    """
    cores = min((_most_chains(each.run) for each in wanted), default=1)
    workers = max(1, min(len(wanted), cores))
    going = _Going(len(wanted), max(1, cores // workers), say)
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(_refit, each, place, going, evaluate) for place, each in enumerate(wanted)]
        try:
            left = set(futures)
            while left:
                done, left = wait(left, 0.2, FIRST_EXCEPTION)
                for future in done:
                    future.result()
                watch(sum(going.shares), len(wanted))
        except BaseException:
            going.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _most_chains(run: Opened) -> int:
    return run.record.request.sampler.parallel_chains or os.cpu_count() or 1


class _Going:
    """What threads share: how far each fit is, how many chains it may run at a time, and whether to stop."""

    def __init__(self, count: int, chains: int, say: Callable[[str], None] | None) -> None:
        self.shares, self.chains, self.say, self.stop = [0.0] * count, chains, say, threading.Event()

    def check(self) -> None:
        """Raise Interrupted where all is to stop."""
        if self.stop.is_set():
            raise Interrupted("Stopped while fitting again: nothing is kept of it.")


def _refit(
    wanted: Without, place: int, going: _Going, evaluate: Callable[[Without, LogLikelihood, float], T]
) -> Refit[T]:
    going.check()
    run, request = wanted.run, wanted.run.record.request
    design = run.design.without(wanted.rows)

    def heard(progress: Progress) -> None:
        going.check()
        # the draws of a further round begin at 0
        going.shares[place] = max(going.shares[place], 0.95 * progress.done / max(1, progress.total))

    engine = _engine(run, design)
    source = engine.prepare(Wanted(run.spec, design, request.toolchain, _seed(wanted)), going.say)
    options = replace(request.sampler, seed=_seed(wanted), parallel_chains=going.chains)
    _, drawn = draw_or_stand_in(source, options, request.until_ess, Listener(progress=heard))
    going.check()
    asked = Asked(request.sampler.warmup, request.sampler.adapt_delta, request.standardize)
    diagnosis = diagnose(drawn.draws, design, run.spec, convergence=drawn.convergence, asked=asked)
    found = evaluate(wanted, LogLikelihood(drawn.draws, run.design), _efficiency(drawn))
    going.shares[place] = 1.0
    return Refit(wanted, diagnosis, found)


def _engine(run: Opened, design: Design) -> Engine:
    """Return the engine of the run; where it does not take the model without these rows, the one that does best."""
    engine = ENGINES[run.record.engine]
    tuned = is_tuned(run.record.request.sampler)
    return choose_engine(run.spec, design) if any(engine.obstacles(run.spec, design, tuned=tuned)) else engine


def _seed(wanted: Without) -> int:
    """Return a seed of the fit's own."""
    own = wanted.run.record.request.sampler.seed or 0
    return int(np.random.SeedSequence([own, wanted.number + 1]).generate_state(1)[0])


def _efficiency(drawn: Drawn) -> float:
    """Return the mean relative ESS of the parameters, 1 at most."""
    ess = drawn.convergence.ess_bulk[np.isfinite(drawn.convergence.ess_bulk)]
    return float(min(1.0, ess.mean() / (drawn.draws.n_chains * drawn.draws.n_draws))) if len(ess) else 1.0
