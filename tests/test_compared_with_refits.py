"""Groups left out by `hierfit compare` against fits without them."""

from pathlib import Path

import numpy as np
import pytest

from hierfit import workflow
from hierfit.model.formula import formula_from_flags
from hierfit.model.request import FitRequest
from hierfit.posterior.compare.integrated import levels
from hierfit.posterior.compare.left_out import log_sum
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.runs.finished import open_fit
from hierfit.sampling import SamplerOptions

pytestmark = pytest.mark.stan
RATS = Path(__file__).parents[1] / "sample_data" / "rats.csv"
LEFT_OUT = ("1", "9", "14")


def fitted(data: Path, out: Path, priors: tuple[str, ...]) -> Path:
    formula = formula_from_flags("weight", ["day"], "rat", ["day"])
    sampler = SamplerOptions(seed=1, draws=1_000)
    workflow.fit(workflow.prepare(FitRequest(data, formula, priors=priors, sampler=sampler, until_ess=None)), out)
    return out


def test_rats_left_out_are_predicted_as_by_fits_without_them(tmp_path: Path) -> None:
    """All rats were weighed on the same days, so that the same priors, which are set, speak of the same place."""
    priors = tuple(f"{name} ~ normal(0, 150)" for name in ("Intercept", "day", "sd(rat)", "sd(rat: day)", "sigma"))
    whole = open_fit(fitted(RATS, tmp_path / "all", priors))
    (rat,) = whole.design.groups
    found = workflow.compare([tmp_path / "all"], "rat")
    own = found.comparison.left_out["all"]
    header, *lines = RATS.read_text().splitlines()
    column = header.split(",").index("rat")
    for label in LEFT_OUT:
        data = tmp_path / f"without-{label}.csv"
        data.write_text("\n".join([header, *(line for line in lines if line.split(",")[column] != label)]) + "\n")
        without = open_fit(fitted(data, tmp_path / f"run-{label}", priors))
        assert without.design.n_rows == whole.design.n_rows - 5
        level = rat.labels.index(label)
        # Draws of the fit without the rat, rows of the one with it, whose effect is integrated out.
        density = np.concatenate(list(levels(LogLikelihood(without.draws, whole.design), rat)), axis=1)[:, level]
        refitted = float(log_sum(density[None])[0] - np.log(len(density)))
        error = np.std(np.exp(density - refitted)) / np.sqrt(len(density))
        assert own.elpd[level] == pytest.approx(refitted, abs=5 * np.hypot(own.mcse[level], error) + 0.01)
