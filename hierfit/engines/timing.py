"""A built program and its data -> how long sampling will take: the time of a gradient, times how many there will be.

How many steps an iteration takes is known only after warmup, so engines assume a number. That is the larger part of the
uncertainty: a factor of four.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.sampling import SamplerOptions
from hierfit.stan.data import StanData
from hierfit.stan.executable import Executable
from hierfit.stan.timing import time_gradient


@dataclass(frozen=True)
class Estimate:
    """How long sampling will take.

    Attributes:
        gradient: seconds of one gradient, with its share of what an iteration does besides.
        steps: leapfrog steps that an iteration is assumed to take.
        cores: chains at the same time.
        seconds: of all chains.
    """

    gradient: float
    steps: int
    cores: int
    seconds: float


def time_of_point(work_out: Callable[[NDArray[np.float64]], object], points: NDArray[np.float64]) -> float:
    """Return the seconds of a point, from several that are worked out together [s, d]."""
    work_out(points[:1])  # pays for what is imported
    started = time.perf_counter()
    work_out(points)
    return (time.perf_counter() - started) / len(points)


def estimate_time(executable: Executable, data: StanData, options: SamplerOptions, warmup: int, steps: int) -> Estimate:
    """Return how long sampling will take, after half a second or so of trying.

    `warmup` are the iterations that are not kept, `steps` the leapfrog steps that an iteration is assumed to take.

    Raises:
        SamplerError: the program does not start from these data.
    """
    gradient = time_gradient(executable, data)
    cores = min(options.chains, options.parallel_chains or os.cpu_count() or 1)
    iterations = math.ceil(options.chains / cores) * (warmup + options.draws)
    return Estimate(gradient, steps, cores, iterations * steps * gradient)
