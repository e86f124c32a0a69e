"""A sampler that samples nothing: in place of Stan's, for tests of what stands before and after it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.sampling import Progress, SamplerOptions, Sampling, Seconds
from hierfit.stan.executable import Executable
from hierfit.stan.toolchain import Toolchain

TOOLCHAIN = Toolchain("bundled", "2.35.0", Path("httpstan"), Path("stanc"), ("g++",), "g++ 12.2.0", (), "0" * 64)
EXECUTABLE = Executable(Path("no-such-program"), "d" * 64, "bundled", "2.35.0", 0.0)


def fake_sampling(data: Mapping[str, Any], options: SamplerOptions, *, interrupted: bool = False) -> Sampling:
    """Return independent draws of every variable of the Stan programs, whatever the data say, for both engines."""
    options = replace(options, seed=options.seed or 7)
    rng = np.random.default_rng(options.seed)
    shape = (options.chains, options.draws)
    levels, terms = np.asarray(data["J"]), np.asarray(data["M"])
    n_pairs = int(np.sum(np.asarray(data["correlated"]) * terms * (terms - 1) // 2))
    partial = rng.uniform(-0.5, 0.5, (*shape, n_pairs))
    variables = {
        "b": rng.normal(size=(*shape, data["K"])),
        "sd": rng.uniform(1, 2, (*shape, data["C"])),
        "aux": rng.uniform(1, 2, (*shape, data["A"])),
        "partial": partial,
        "cor": partial,
        "z": rng.normal(size=(*shape, int(np.sum(levels * terms)))),
        "threshold": np.sort(rng.normal(size=(*shape, data.get("Q", 0))), axis=2),
        "b_aux": rng.normal(0, 0.2, size=(*shape, data.get("S", 0))),
        "horseshoe_global": rng.uniform(0, 1, size=(*shape, int(data["H"] > 0))),
    }
    stats = {
        "lp": rng.normal(size=shape),
        "acceptance_rate": np.full(shape, 0.9),
        "step_size": np.full(shape, 0.5),
        "tree_depth": np.full(shape, 3),
        "n_steps": np.full(shape, 7),
        "diverging": np.zeros(shape, dtype=bool),
        "energy": rng.normal(size=shape),
    }
    return Sampling(
        {name: draws for name, draws in variables.items() if draws.size},
        stats,
        np.full(options.chains, 0.5),
        np.ones((options.chains, 1)),
        Seconds(0.1, 0.1, 0.2),
        options,
        interrupted,
        data=data,
    )


def replace_sampler(monkeypatch: pytest.MonkeyPatch, sampler: Callable[..., Sampling] | None = None) -> None:
    """Make `hierfit.workflow` fit with a sampler of our own and no toolchain; None takes `fake_sampling`."""

    def sample(
        executable: Executable,
        data: Mapping[str, Any],
        options: SamplerOptions,
        on_progress: Callable[[Progress], None] | None = None,
        folder: Path | None = None,
    ) -> Sampling:
        return fake_sampling(data, options) if sampler is None else sampler(data, options)

    monkeypatch.setattr("hierfit.engines.latent.engine.can_be_had", lambda family: False)  # its kernels would be real
    monkeypatch.setattr("hierfit.engines.built.find_toolchain", lambda choice="auto": TOOLCHAIN)
    monkeypatch.setattr("hierfit.engines.built.build_executable", lambda *arguments: EXECUTABLE)
    for engine in ("full", "collapsed"):
        monkeypatch.setattr(f"hierfit.engines.{engine}.source.sample", sample)
