"""A built program and its data -> how long sampling will take: the time of a gradient, times how many there will be.

How many steps an iteration takes is known only after warmup, so `STEPS` are assumed, as small simulated and real data
took them (collapsed 6 and 7; full 13, 15, 16 and 55). That is the larger part of the uncertainty: a factor of four.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hierfit.engines.choice import Engine
from hierfit.engines.collapsed.mode import expected_warmup
from hierfit.sampling import SamplerOptions
from hierfit.stan.executable import Executable
from hierfit.stan.timing import time_gradient

STEPS = {Engine.FULL: 15, Engine.COLLAPSED: 7}


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


def estimate_time(executable: Executable, data: Mapping[str, Any], options: SamplerOptions, engine: Engine) -> Estimate:
    """Return how long sampling will take, after half a second or so of trying.

    Raises:
        SamplerError: the program does not start from these data.
    """
    gradient = time_gradient(executable, data)
    cores = min(options.chains, options.parallel_chains or os.cpu_count() or 1)
    iterations = math.ceil(options.chains / cores) * (expected_warmup(options, engine) + options.draws)
    return Estimate(gradient, STEPS[engine], cores, iterations * STEPS[engine] * gradient)
