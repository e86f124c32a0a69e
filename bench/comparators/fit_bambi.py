"""Fit a case with bambi: CSV -> fit.nc, population.csv, seconds.json. Imports nothing of hierfit."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Sample and write the results."""
    options = dict(word.split("=", 1) for word in arguments)
    chains, cores = int(options["chains"]), int(options["cores"])
    if options["sampler"] == "numpyro":
        import numpyro

        numpyro.set_host_device_count(chains)  # else its chains run one after the other

    import bambi
    import numpy as np
    import pandas as pd

    out, response = Path(options["out"]), options["response"]
    table = pd.read_csv(options["csv"])
    if options["outcome"] == "logarithm":
        table[response] = np.log(table[response])
    elif options["outcome"] == "ordered":
        table[response] = pd.Categorical(table[response], ordered=True)
    model = bambi.Model(options["formula"], table, family=options["call"])
    started = time.perf_counter()
    fit = model.fit(
        inference_method=options["sampler"],
        chains=chains,
        cores=cores,
        tune=int(options["warmup"]),
        draws=int(options["draws"]),
        random_seed=int(options["seed"]),
        progressbar=False,
    )
    seconds = time.perf_counter() - started
    fit.to_netcdf(str(out / "fit.nc"))
    posterior = fit.posterior
    plain = [name for name, values in posterior.data_vars.items() if values.dims == ("chain", "draw")]
    drawn = posterior[plain].to_dataframe().reset_index()
    if "threshold" in posterior:  # [chains, draws, between the categories]
        for number, values in enumerate(np.moveaxis(posterior["threshold"].to_numpy(), -1, 0), start=1):
            drawn[f"threshold {number}"] = values.ravel()
    drawn.drop(columns="draw").to_csv(out / "population.csv", index=False)
    (out / "seconds.json").write_text(json.dumps({"sampling": seconds}))


if __name__ == "__main__":
    main(sys.argv[1:])
