"""Fit one of the hand-written Stan programs with cmdstanpy: CSV -> CmdStan's CSVs, population.csv, seconds.json.

A script of its own, which imports nothing of hierfit: what somebody who follows a tutorial would write. Read by the
programs: N, K, X [N, K] without intercept, x (the first column of X), y, and for factor f = 1, 2, ... J_f and g_f [N];
for the priors of brms_*.stan, location and scale as brms takes them from the data.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import cmdstanpy
import numpy as np
import pandas as pd


def stan_data(options: dict[str, str]) -> dict[str, Any]:
    """Return what the programs read."""
    table = pd.read_csv(options["csv"])
    columns = [table[name.split(":")].prod(axis=1) for name in options["predictors"].split()]
    y = table[options["response"]]
    data = {"N": len(table), "K": len(columns), "X": np.column_stack(columns), "x": columns[0], "y": y}
    for number, factor in enumerate(options["factors"].split(), start=1):
        codes, labels = pd.factorize(table[factor])
        data |= {f"J_{number}": len(labels), f"g_{number}": codes + 1}
    return data | prior_numbers(y, options["family"])


def prior_numbers(y: pd.Series[float], family: str) -> dict[str, float]:
    """Return location and scale of brms's student_t(3, location, scale): median and MAD on the scale of the link."""
    if family == "bernoulli":
        return {"location": 0.0, "scale": 2.5}
    linked = np.asarray(np.log(y + 0.1) if family == "poisson" else y)
    location = float(np.median(linked))
    spread = 1.4826 * float(np.median(np.abs(linked - location)))
    return {"location": round(location, 1), "scale": max(2.5, round(spread, 1))}


def main(arguments: list[str]) -> None:
    """Sample and write the results."""
    options = dict(word.split("=", 1) for word in arguments)
    data, out = stan_data(options), Path(options["out"])
    model = cmdstanpy.CmdStanModel(exe_file=options["executable"])
    started = time.perf_counter()
    fit = model.sample(
        data=data,
        chains=int(options["chains"]),
        parallel_chains=int(options["cores"]),
        iter_warmup=int(options["warmup"]),
        iter_sampling=int(options["draws"]),
        seed=int(options["seed"]),
        output_dir=str(out),
        show_progress=False,
    )
    seconds = time.perf_counter() - started
    draws = fit.draws()
    wanted = options["columns"].split()
    chosen = draws[:, :, [fit.column_names.index(name) for name in wanted]]
    table = pd.DataFrame(chosen.transpose(1, 0, 2).reshape(-1, len(wanted)), columns=wanted)
    table.insert(0, "chain", np.repeat(np.arange(draws.shape[1]), draws.shape[0]))
    table.to_csv(out / "population.csv", index=False)
    (out / "seconds.json").write_text(json.dumps({"sampling": seconds}))


if __name__ == "__main__":
    main(sys.argv[1:])
