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
    import pandas as pd

    out = Path(options["out"])
    table = pd.read_csv(options["csv"])
    model = bambi.Model(options["formula"], table, family=options["family"])
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
    plain = [name for name, values in fit.posterior.data_vars.items() if values.dims == ("chain", "draw")]
    drawn = fit.posterior[plain].to_dataframe().reset_index().drop(columns="draw")
    drawn.to_csv(out / "population.csv", index=False)
    (out / "seconds.json").write_text(json.dumps({"sampling": seconds}))


if __name__ == "__main__":
    main(sys.argv[1:])
