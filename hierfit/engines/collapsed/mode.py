"""Executable, data and options -> Sampling, after as short a warmup as will do.

The collapsed engine starts at the mode with the metric of the curvature there. Adapting metric and step size takes a
thousand iterations, which for the few parameters of the collapsed engine is most of the work. The optimizer finds the
mode of the density on the unconstrained scale, the Hessian there is the precision of a normal approximation, and in the
metric of its inverse a step size near 0.9 suits every posterior that is near normal. Chains start at draws from the
approximation; a few iterations forget them.

NUTS is exact with any metric and step size, but slow or biased in practice with bad ones, so what it did is judged
afterwards, and where the curvature has misled (few groups, sds near 0, heavy tails) the ordinary warmup does it again:
acceptance below 0.6, a divergence, R-hat above 1.01, or no mode at all. Options that the user has set are not touched:
a given warmup, adapt_delta, metric or start means the ordinary way.

The full engine has its own way (`full.attempts`). Refused nowhere: a failure of an attempt is a reason to adapt, and
is said in `Start`.
"""

from __future__ import annotations

import csv
import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.disk.scratch import scratch
from hierfit.engines.start import Start, may_try
from hierfit.errors import SamplerError
from hierfit.sampling import Progress, SamplerOptions, Sampling
from hierfit.stan.children import NOT_FOUND, run_child
from hierfit.stan.executable import Executable
from hierfit.stan.sampler import sample
from hierfit.stan.trouble import Limits, find_trouble

Array = NDArray[np.float64]
Sample = Callable[..., Sampling]

WARMUP = 40
STEP_SIZE = 0.9  # for up to four parameters; a little less for more
MISLED = Limits(0.0, 1.01, 0.0, 0.0)
_SECONDS = 600.0
_NAMES = ("theta_std", "partial", "horseshoe_global", "horseshoe_local", "slab")


@dataclass(frozen=True)
class Approximation:
    """A normal approximation of the posterior.

    Attributes:
        covariance: on the unconstrained scale [n, n].
        draws: a point for each chain, by variable.
    """

    covariance: Array
    draws: Sequence[Mapping[str, Any]]


class NoModeError(Exception):
    """There is no mode to start from; the text says why."""


@dataclass(frozen=True)
class _Run:
    """All that sampling takes."""

    executable: Executable
    data: Mapping[str, Any]
    options: SamplerOptions
    on_progress: Callable[[Progress], None] | None
    sample: Sample

    def __call__(self, options: SamplerOptions) -> Sampling:
        """Sample in some other way."""
        return self.sample(self.executable, self.data, options, self.on_progress)

    def ordinary(self, **why: Any) -> tuple[Sampling, Start]:
        """Sample as the options say, with an adapting warmup where they leave that open."""
        return self(self.options), Start("adaptation", self.options.warmup_iterations, **why)


def sample_from_mode(
    executable: Executable,
    data: Mapping[str, Any],
    options: SamplerOptions,
    on_progress: Callable[[Progress], None] | None = None,
    sample: Sample = sample,
) -> tuple[Sampling, Start]:
    """Sample from a start at the mode where that goes well, and with an adapting warmup otherwise.

    Only for the collapsed engine, whose data say what the parameters are.

    Raises:
        UsageError, SamplerError, Interrupted: as `sample`.
    """
    run = _Run(executable, data, options.seeded(), on_progress, sample)
    if not may_start_at_mode(data, options):
        return run.ordinary()
    started = time.monotonic()
    try:
        sampling = run(at_mode(run.options, approximate(executable, data, run.options)))
        reason = None if sampling.interrupted else misled(sampling)
    except (NoModeError, SamplerError) as error:
        sampling, reason = None, str(error)
    if sampling is not None and reason is None:
        return sampling, Start("mode", WARMUP, time.monotonic() - started - sampling.seconds.wall)
    return run.ordinary(seconds=time.monotonic() - started, reason=reason)


def may_start_at_mode(data: Mapping[str, Any], options: SamplerOptions) -> bool:
    """Whether all is left to hierfit, and the density is one whose mode says something."""
    return may_try(data, options) and _n_parameters(data) > 0


def _n_parameters(data: Mapping[str, Any]) -> int:
    pairs = sum(m * (m - 1) // 2 for m, correlated in zip(data["M"], data["correlated"], strict=True) if correlated)
    return int(data["T_free"] + pairs)


def at_mode(options: SamplerOptions, found: Approximation) -> SamplerOptions:
    """Return options for chains that start near the mode, with the curvature's metric held fixed."""
    size = len(found.covariance)
    return replace(
        options,
        warmup=WARMUP,
        adapt=False,
        metric="dense_e",
        inv_metric=found.covariance,
        step_size=STEP_SIZE * min(1.0, (4 / size) ** 0.25),
        inits=found.draws,
    )


def approximate(executable: Executable, data: Mapping[str, Any], options: SamplerOptions) -> Approximation:
    """Find the mode, and the curvature there.

    Raises:
        NoModeError: the optimizer failed, or the curvature is not that of a mode.
    """
    from stanio import dump_stan_json

    with scratch() as folder:
        (folder / "data.json").write_text(dump_stan_json(data))
        (folder / "start.json").write_text(json.dumps(first_guess(data)))
        common = ["data", "file=data.json", "random", f"seed={options.seed}", "output", "sig_figs=16", "refresh=0"]
        optimize = ["optimize", "jacobian=1", "iter=1000", "init=start.json", *common, "file=mode.csv"]
        _run(executable, optimize, folder)
        laplace = ["laplace", "mode=mode.csv", "jacobian=1", f"draws={options.chains}", "calculate_lp=0", *common]
        _run(executable, [*laplace, "file=draws.csv", "diagnostic_file=hessian.json"], folder)
        return Approximation(_covariance(folder / "hessian.json"), _read_draws(folder / "draws.csv", data))


def first_guess(data: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return values to climb from, within their bounds: half the sd of the outcome for everything that is an sd."""
    guess: dict[str, list[float]] = {name: [] for name in _NAMES}
    values = [0.0 if at <= data["K"] else 0.5 for at in data["theta_free"]]
    guess["theta_std"] = list(map(_within, values, data["theta_lower"].tolist(), data["theta_upper"].tolist()))
    guess["partial"] = [0.0] * (_n_parameters(data) - len(values))
    return guess


def _within(value: float, lower: float, upper: float) -> float:
    """Return the value, or one well inside the interval where it is not."""
    if lower < value < upper:
        return value
    if np.isfinite(lower) and np.isfinite(upper):
        return (lower + upper) / 2
    return lower + 1 if np.isfinite(lower) else upper - 1


def _run(executable: Executable, words: Sequence[str], folder: Path) -> None:
    try:
        done = run_child([str(executable.path), *words], cwd=folder, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoModeError(f"{words[0]} could not be run") from error
    if done.returncode == NOT_FOUND:
        raise NoModeError(f"{words[0]} could not be run")
    if done.returncode != 0:
        raise NoModeError("no mode was found" if words[0] == "optimize" else "the mode has no curvature to go by")


def _covariance(file: Path) -> Array:
    """Return the inverse of the negative Hessian, symmetric."""
    hessian = np.array(json.loads(file.read_text())["Hessian"], dtype=np.float64)
    values, vectors = np.linalg.eigh(-(hessian + hessian.T) / 2)
    if not (np.isfinite(values).all() and values.min() > 1e-8 * values.max()):
        raise NoModeError("the density is flat at its mode")
    return np.asarray((vectors / values) @ vectors.T)


def _read_draws(file: Path, data: Mapping[str, Any]) -> list[dict[str, list[float]]]:
    """Return the draws of the approximation, variable by variable."""
    sizes = {name: len(values) for name, values in first_guess(data).items()}
    with file.open() as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    points = [
        {name: [float(row[f"{name}.{index + 1}"]) for index in range(size)] for name, size in sizes.items()}
        for row in rows
    ]
    if not all(np.isfinite([value for values in point.values() for value in values]).all() for point in points):
        raise NoModeError("the curvature at the mode leads out of bounds")
    return points


def misled(sampling: Sampling) -> str | None:
    """Return what says that the curvature at the mode was no good guide, or None."""
    return next(iter(find_trouble(sampling, MISLED).reasons), None)
