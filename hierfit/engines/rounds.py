"""Sampling in rounds: until the effective sample sizes are large enough, or the rounds are used up.

The first round adapts, or starts at the mode. Each later one goes on from where the chains stand, with their step sizes
and metrics, random numbers of its own and no warmup, so that its draws are as good as the first one's. Where the
chains stand is kept with a run, and `hierfit extend` goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from hierfit.engines.chain_state import ChainState
from hierfit.engines.engine import Source
from hierfit.engines.start import Start
from hierfit.errors import DiskError, Interrupted, SamplerError, ToolchainError
from hierfit.interrupts import shielded
from hierfit.posterior.convergence import EXACT_EFFECTS, Convergence, assess, screen_effects
from hierfit.posterior.diagnostics import CHANCE, EFFECT_SHARE, check_weights, one_dominates, weights_of
from hierfit.posterior.digits import format_share
from hierfit.posterior.draws import Draws, joined
from hierfit.posterior.verdict import THRESHOLDS
from hierfit.sampling import Progress, SamplerOptions

MOST_ROUNDS = 10
FEW_ROUNDS = 4  # weights that are too large after these, or chains that differ, are not the fault of few draws
LARGE_RHAT = THRESHOLDS["rhat"].warn


@dataclass(frozen=True)
class Listener:
    """Who wants to hear how a fit goes.

    Attributes:
        message: takes lines worth showing, such as that a program is being built.
        progress: takes the state of the sampler, several times a second.
    """

    message: Callable[[str], None] | None = None
    progress: Callable[[Progress], None] | None = None

    def say(self, text: str) -> None:
        """Pass a line on."""
        if self.message is not None:
            self.message(text)


SILENT = Listener()


@dataclass(frozen=True)
class Drawn:
    """Draws of one or more rounds.

    Attributes:
        draws: all of them.
        convergence: of the population-level parameters.
        state: where the chains stand.
        seed: of all chains.
        rounds: how many there were.
        interrupted: whether the user stopped it.
        start: how the first round started; None where that was in another process.
    """

    draws: Draws
    convergence: Convergence
    state: ChainState
    seed: int
    rounds: int
    interrupted: bool
    start: Start | None = None


def draw(source: Source, options: SamplerOptions, until_ess: int | None, listener: Listener = SILENT) -> Drawn:
    """Sample, and go on until every population-level parameter has `until_ess` effective draws, bulk and tail.

    None asks for one round. Gives up early where the rounds so far show that `MOST_ROUNDS` would not do. Up to
    `FEW_ROUNDS` go on where chains differ no more than so many would mend. Where a first round was made short, chains
    that R-hat says disagree go on up to the draws that the options ask for.

    Raises:
        SamplerError, Interrupted: there is no draw to keep.
    """
    if until_ess is None:
        return _first(source, options, listener)
    shorter = replace(options, draws=min(options.draws, source.first_round))
    drawn = _first(source, shorter, listener)
    going = not drawn.interrupted
    while going and drawn.draws.n_draws < options.draws and highest_rhat(drawn) > LARGE_RHAT:
        listener.say(f"Drawing on: R-hat {highest_rhat(drawn):.3f} {_after(drawn)}")
        drawn, going = _go_on_or_keep(source, shorter, drawn, listener)
    return _until(source, shorter, drawn, until_ess, MOST_ROUNDS, listener) if going else drawn


def draw_or_stand_in(
    source: Source, options: SamplerOptions, until_ess: int | None, listener: Listener = SILENT
) -> tuple[Source, Drawn]:
    """Sample as `draw` does; where the draws cannot be trusted, another source stands in. Return what has drawn, too.

    Where there is no Stan to stand in, the draws are returned that there are; the checks say what is wrong with them.
    """
    drawn = draw(source, options, until_ess, listener)
    weights = weights_of(drawn.draws)
    finding = None if weights is None else check_weights(weights)
    if finding is None or drawn.interrupted:
        return source, drawn
    try:
        other = source.stand_in(f"of its weights, {finding.value}", listener.message)
    except ToolchainError as error:
        listener.say(f"Nothing stands in for the {source.engine} engine: {error}")
        return source, drawn
    if other is None:
        return source, drawn
    return other, draw(other, options, until_ess, listener)


def draw_more(
    source: Source, options: SamplerOptions, drawn: Drawn, until_ess: int | None, listener: Listener = SILENT
) -> Drawn:
    """Sample another round, or as many as `until_ess` needs, at most `MOST_ROUNDS` more.

    Raises:
        SamplerError, DiskError: a chain failed in the first of them.
    """
    most = drawn.rounds + MOST_ROUNDS
    if until_ess is not None and not _worth_going_on(drawn, until_ess, most):
        return drawn
    drawn, going = _go_on(source, options, drawn, listener)
    return drawn if until_ess is None or not going else _until(source, options, drawn, until_ess, most, listener)


def _until(
    source: Source, options: SamplerOptions, drawn: Drawn, until_ess: int, most: int, listener: Listener
) -> Drawn:
    going = not drawn.interrupted
    while going and (lacking := _lacking(drawn, until_ess, most)):
        listener.say(f"Drawing on: {lacking} {_after(drawn)}")
        drawn, going = _go_on_or_keep(source, options, drawn, listener)
    return drawn


def _lacking(drawn: Drawn, until_ess: int, most: int) -> str | None:
    """Return what there is too little of, and another round may add to."""
    if _worth_going_on(drawn, until_ess, most):
        least, name = least_effective(drawn)
        return f"ESS {least:,.0f} of {until_ess:,} ({name})"
    if drawn.rounds >= min(most, FEW_ROUNDS):
        return None
    weights = weights_of(drawn.draws)
    if weights is not None and one_dominates(weights):
        return f"one draw has {format_share(weights.share)} of the weight of all"
    rhat, name = _disagreement(drawn)
    curable = 1 + (LARGE_RHAT - 1) * FEW_ROUNDS / drawn.rounds  # what R-hat has above 1 falls as the draws grow
    return f"R-hat {rhat:.3f} ({name})" if LARGE_RHAT < rhat < curable else None


def _disagreement(drawn: Drawn) -> tuple[float, str]:
    """Return the largest R-hat that the checks look at, and whose it is; of effects where they are few."""
    rhat, draws = drawn.convergence.rhat, drawn.draws
    found = [(float(value), own.name) for value, own in zip(rhat, draws.parameters, strict=True) if value > 0]
    for factor, effects in draws.effects.items():
        if effects[0, 0].size <= EXACT_EFFECTS:
            ranked = np.sort(np.nan_to_num(screen_effects(effects).rhat), axis=None)
            worst = float(ranked[-1 - int(EFFECT_SHARE * ranked.size)])
            found += [(worst, f"effects of {factor}")] if worst > 1 + CHANCE / draws.n_draws else []
    return max(found, default=(1.0, ""))


def _go_on_or_keep(source: Source, options: SamplerOptions, drawn: Drawn, listener: Listener) -> tuple[Drawn, bool]:
    """Sample another round; where that fails, say so and keep what there is."""
    try:
        return _go_on(source, options, drawn, listener)
    except (SamplerError, DiskError) as error:
        listener.say(f"Drawing on failed, and the draws so far are kept: {error.message}")
        return drawn, False


def _go_on(source: Source, options: SamplerOptions, drawn: Drawn, listener: Listener = SILENT) -> tuple[Drawn, bool]:
    """Sample another round of `options.draws`; return all draws so far, and whether there may be another round.

    An interrupt loses nothing that was there. Of chains of which one is killed the others are kept and go on, where
    these are more draws than those of all chains before.
    """
    try:
        sampling = source.more(drawn.state, replace(options, seed=drawn.seed), listener.progress)
    except (Interrupted, KeyboardInterrupt):
        return replace(drawn, interrupted=True), False
    with shielded() as shield:
        n_chains, n_before, n_more = len(sampling.step_size), drawn.draws.n_draws, sampling.stats["lp"].shape[1]
        if n_chains + len(sampling.lost) < drawn.state.n_chains:  # an interrupt left some chains without draws
            return replace(drawn, interrupted=True), False
        if n_chains * (n_before + n_more) < drawn.state.n_chains * n_before:
            lost = drawn.draws.lost_chains + len(sampling.lost)
            return replace(drawn, draws=replace(drawn.draws, lost_chains=lost)), False
        more = source.draws(sampling)
        draws = joined(drawn.draws.without(sampling.lost), more)
        convergence, state = assess(draws.values), ChainState.after(sampling)
        stopped = sampling.interrupted or shield.asked
    return Drawn(draws, convergence, state, drawn.seed, drawn.rounds + 1, stopped, drawn.start), not stopped


def highest_rhat(drawn: Drawn) -> float:
    """Return the largest R-hat of a population-level parameter; 1 where all are fixed."""
    return float(np.nanmax(drawn.convergence.rhat, initial=1.0))


def least_effective(drawn: Drawn) -> tuple[float, str]:
    """Return the smallest effective sample size of a population-level parameter, bulk or tail, and whose it is."""
    sizes = np.fmin(drawn.convergence.ess_bulk, drawn.convergence.ess_tail)
    if np.isnan(sizes).all():  # all are fixed by their priors
        return np.inf, ""
    worst = int(np.nanargmin(sizes))
    return float(sizes[worst]), drawn.draws.parameters[worst].name


def _first(source: Source, options: SamplerOptions, listener: Listener) -> Drawn:
    sampling, start = source.first(options, listener.progress)
    with shielded() as shield:
        draws = source.draws(sampling)
        state, convergence = ChainState.after(sampling), assess(draws.values)
    return Drawn(draws, convergence, state, sampling.seed, 1, sampling.interrupted or shield.asked, start)


def _worth_going_on(drawn: Drawn, until_ess: int, most: int) -> bool:
    """Whether there are too few effective draws, and `most` rounds at the pace so far would be enough."""
    least, _ = least_effective(drawn)
    return least < until_ess and drawn.rounds < most and least / drawn.rounds * most >= until_ess


def _after(drawn: Drawn) -> str:
    return f"after {drawn.draws.n_draws:,} draws of {drawn.draws.n_chains} chains"
