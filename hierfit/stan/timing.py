"""A built program and its data -> the seconds of a gradient, from a few timed leapfrog steps.

One chain takes steps far too small to go anywhere, adapts nothing, and is thrown away: what a gradient costs hardly
depends on where it is taken. A first run of one step says how many fit into half a second; the second is timed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hierfit.disk.scratch import scratch
from hierfit.errors import SamplerError
from hierfit.stan.children import run_child
from hierfit.stan.executable import Executable
from hierfit.stan.stan_csv import ChainFiles, read_chain

TIMED_SECONDS = 0.5
TIMED_DEPTH = 3
_EVALUATION = re.compile(r"Gradient evaluation took ([\d.e+-]+) seconds")


def time_gradient(executable: Executable, data: Mapping[str, Any]) -> float:
    """Return the seconds that one gradient takes.

    Raises:
        SamplerError: the program does not start from these data.
    """
    from stanio import dump_stan_json

    with scratch() as folder:
        (folder / "data.json").write_text(dump_stan_json(data))
        first = _run(executable, folder, draws=1, depth=1)
        found = _EVALUATION.search(first.console.read_text(errors="replace"))
        guess = max(float(found[1]) if found else 0.0, 1e-5)
        draws = round(TIMED_SECONDS / guess / (2**TIMED_DEPTH - 1))
        if draws < 1:
            return guess
        timed = read_chain(_run(executable, folder, draws=min(draws, 1000), depth=TIMED_DEPTH))
    steps = timed.draws[:, timed.names.index("n_leapfrog__")].sum()
    return max(timed.sampling_seconds, 1e-3) / float(steps)  # Stan reports milliseconds


def _run(executable: Executable, folder: Path, *, draws: int, depth: int) -> ChainFiles:
    """Draw a few times, without warmup, in steps that change nothing."""
    files = ChainFiles(folder / "console.txt", folder / "draws.csv")
    method = f"sample num_samples={draws} num_warmup=0 adapt engaged=0 algorithm=hmc engine=nuts max_depth={depth}"
    rest = f"stepsize=1e-8 random seed=1 data file=data.json output file={files.csv.name} refresh=0"
    with files.console.open("w") as console:
        command = [str(executable.path), *method.split(), *rest.split()]
        status = run_child(command, cwd=folder, stdout=console).returncode
    if status != 0:
        lines = files.console.read_text(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        raise SamplerError(f"the sampler does not start: {said[-1][:200] if said else f'status {status}'}")
    return files
