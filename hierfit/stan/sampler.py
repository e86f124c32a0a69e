"""Executable and data -> Sampling: draws of every Stan variable as plain numpy arrays.

cmdstanpy (1.3.x) composes the commands and starts one process per chain; progress is read from the console files and
the growing CSVs, which the driver flushes at every progress line. An interrupt keeps the draws that are finished.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.disk.scratch import scratch
from hierfit.errors import Interrupted, SamplerError
from hierfit.interrupts import shielded
from hierfit.sampling import Progress, SamplerOptions, Sampling, Seconds
from hierfit.stan.chains import Chains
from hierfit.stan.executable import Executable
from hierfit.stan.stan_csv import ChainOutput, read_chain
from hierfit.stan.theta import SIZES, part

Array = NDArray[np.float64]

# Stan's names of the sampler's own columns -> ArviZ's.
STAT_NAMES = {
    "lp__": "lp",
    "accept_stat__": "acceptance_rate",
    "stepsize__": "step_size",
    "treedepth__": "tree_depth",
    "n_leapfrog__": "n_steps",
    "divergent__": "diverging",
    "energy__": "energy",
}
POLL_SECONDS = 0.1
GRACE_SECONDS = 10.0


def sample(
    executable: Executable,
    data: Mapping[str, Any],
    options: SamplerOptions,
    on_progress: Callable[[Progress], None] | None = None,
    folder: Path | None = None,
) -> Sampling:
    """Run the chains and return their draws; CSVs go to `folder`, or to a temporary one that is deleted.

    On KeyboardInterrupt the chains are stopped and the draws that are finished returned.

    Raises:
        UsageError: options that the sampler does not take.
        SamplerError: a chain failed; not so one that was killed while others came to their end.
        DiskError: there is no room for the files of the chains.
        Interrupted: stopped before there was a draw after warmup.
    """
    if folder is None:
        with scratch() as temporary:
            return sample(executable, data, options, on_progress, temporary)
    options = options.seeded()
    chains = Chains(executable, options, folder)
    started = time.monotonic()
    interrupted = False
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(chains.run, data)
        try:
            _watch(chains, running, options, on_progress)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            chains.stop(GRACE_SECONDS)
    with shielded() as shield:
        if not interrupted:
            chains.raise_failure(running.exception())
        lost = () if interrupted else chains.lost
        outputs = _best_chains(_outputs(chains)) if interrupted else _whole_chains(chains, lost, options.draws)
        if not outputs and options.draws > 0:
            raise Interrupted("Stopped before the first draw after warmup: there is nothing to keep.")
        sampling = _assemble(outputs, options, time.monotonic() - started)
        stopped = interrupted or shield.asked
        variables = _in_parts(sampling.variables, data)
        return replace(sampling, variables=variables, interrupted=stopped, lost=lost, data=data)


def _in_parts(variables: Mapping[str, Array], data: Mapping[str, Any]) -> dict[str, Array]:
    """Return the variables with the parts of theta in its place, those that are not empty."""
    found = dict(variables)
    if "theta" in found:
        theta = found.pop("theta")
        found |= {name: part(theta, name, data) for name in SIZES}
    return {name: values for name, values in found.items() if values.size}


def _outputs(chains: Chains, without: Sequence[int] = ()) -> list[ChainOutput]:
    files = [files for index, files in enumerate(chains.files) if index not in without]
    return [read_chain(each) for each in files if each.csv.is_file()]


def _whole_chains(chains: Chains, lost: Sequence[int], n_draws: int) -> list[ChainOutput]:
    """Return the chains that came to their end, with all of their draws: CmdStan's programs say nothing of a full disk.

    Raises:
        DiskError, SamplerError: draws are missing.
    """
    outputs = _outputs(chains, lost)
    if any(len(output.draws) < n_draws for output in outputs):
        chains.raise_if_full()
        raise SamplerError("A chain ended without an error, but some of its draws are missing.")
    return outputs


def _watch(
    chains: Chains, running: Future[None], options: SamplerOptions, on_progress: Callable[[Progress], None] | None
) -> None:
    """Report progress until the chains are finished."""
    started = time.monotonic()
    said = -1
    while True:
        finished = bool(wait([running], POLL_SECONDS).done)
        if on_progress is not None:
            chains.update()
            progress = _progress(chains, options, time.monotonic() - started, finished)
            if progress.done != said:
                on_progress(progress)
            said = progress.done
        if finished:
            return


def _progress(chains: Chains, options: SamplerOptions, seconds: float, finished: bool) -> Progress:
    each = options.warmup_iterations + options.draws
    by_chain = tuple(each if finished else files.iterations for files in chains.files) or (0,) * options.chains
    started = [done for done in by_chain if done > 0]
    sampling = bool(started) and min(started) >= options.warmup_iterations
    return Progress(
        done=sum(by_chain),
        total=each * options.chains,
        by_chain=by_chain,
        phase="sampling" if sampling else "warmup",
        divergences=sum(files.divergences for files in chains.files),
        seconds=seconds,
    )


def _best_chains(outputs: Sequence[ChainOutput]) -> list[ChainOutput]:
    """The chains with draws, as many as make the most draws when all are cut to the shortest of them."""
    whole = [output for output in outputs if len(output.draws) > 0]
    lengths = sorted((len(output.draws) for output in whole), reverse=True)
    if not lengths:
        return []
    shortest = max(lengths, key=lambda length: length * sum(other >= length for other in lengths))
    return [replace(output, draws=output.draws[:shortest]) for output in whole if len(output.draws) >= shortest]


def _assemble(outputs: Sequence[ChainOutput], options: SamplerOptions, wall: float) -> Sampling:
    """Chains side by side, columns gathered into variables."""
    from stanio import parse_header

    draws = np.stack([output.draws for output in outputs])
    columns = parse_header(",".join(outputs[0].names))
    variables = {name: found.extract_reshape(draws) for name, found in columns.items() if not name.endswith("__")}
    stats: dict[str, NDArray[Any]] = {
        STAT_NAMES[name]: draws[:, :, index] for index, name in enumerate(outputs[0].names) if name in STAT_NAMES
    }
    for name, kind in (("diverging", bool), ("tree_depth", int), ("n_steps", int)):
        if name in stats:
            stats[name] = stats[name].astype(kind)
    return Sampling(
        variables=variables,
        stats=stats,
        step_size=stats["step_size"][:, 0] if "step_size" in stats else np.full(len(outputs), np.nan),
        inv_metric=np.stack([output.inv_metric for output in outputs]),
        seconds=Seconds(
            max(output.warmup_seconds for output in outputs), max(output.sampling_seconds for output in outputs), wall
        ),
        options=options,
    )
