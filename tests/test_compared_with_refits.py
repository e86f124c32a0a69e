"""What `hierfit compare` leaves out, against fits without it, and against closed forms where variances are known."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from hierfit import asked, workflow
from hierfit.model.formula import formula_from_flags
from hierfit.model.request import FitRequest
from hierfit.model.roles import Roles
from hierfit.posterior.compare.integrated import levels
from hierfit.posterior.compare.left_out import log_sum
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.runs.cross_validated import Way
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
    found = asked.compare([tmp_path / "all"], "rat")
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


N_SCHOOLS, ROWS, SD, SIGMA, PRIOR_SDS = 4, 3, 2.0, 1.0, (10.0, 5.0)


class Known:
    """y ~ 1 + x + (1 | school), all variances known, in rows of different precision: a normal distribution of all y."""

    def __init__(self, folder: Path) -> None:
        rng = np.random.default_rng(6)
        self.school = np.repeat(np.arange(N_SCHOOLS), ROWS)
        x, precision = rng.normal(size=len(self.school)), 0.5 + rng.integers(0, 3, len(self.school))
        self.y = np.round(3 + x + rng.normal(0, SD, N_SCHOOLS)[self.school] + rng.normal(size=len(x)), 3)
        self.data = folder / "data.csv"
        rows = zip(self.y, np.round(x, 4), self.school, precision, strict=True)
        self.data.write_text("y,x,school,w\n" + "".join(f"{a},{b},s{c},{w}\n" for a, b, c, w in rows))
        X = np.column_stack([np.ones(len(x)), np.round(x, 4)])
        same = self.school[:, None] == self.school
        self.covariance = X @ np.diag(np.square(PRIOR_SDS)) @ X.T + SD**2 * same
        self.precision = precision

    def fitted(self, out: Path, engine: str, weighed: bool) -> Path:
        priors = ("Intercept ~ normal(0, 10)", "x ~ normal(0, 5)", "sd(school) ~ constant(2)", "sigma ~ constant(1)")
        roles = Roles(precision="w" if weighed else None)
        formula, sampler = formula_from_flags("y", ["x"], "school"), SamplerOptions(seed=1, draws=1_000)
        request = FitRequest(
            self.data, formula, priors=priors, centered=False, engine=engine, sampler=sampler, roles=roles
        )
        workflow.fit(workflow.prepare(request), out)
        return out

    def density(self, rows: list[int], left: list[int], weighed: bool) -> float:
        """Return the log density of rows given all that are not left out."""
        V = self.covariance + np.diag(SIGMA**2 / (self.precision if weighed else np.ones(len(self.y))))
        kept = [row for row in range(len(self.y)) if row not in left]
        both = [*rows, *kept]
        whole = stats.multivariate_normal.logpdf(self.y[both], cov=V[np.ix_(both, both)])
        return float(whole - stats.multivariate_normal.logpdf(self.y[kept], cov=V[np.ix_(kept, kept)]))


@pytest.mark.parametrize(
    ("engine", "weighed", "count"), [("auto", False, 12), ("auto", True, 3), ("full", False, 3), ("full", True, 3)]
)
def test_rows_are_those_of_the_closed_form(tmp_path: Path, engine: str, weighed: bool, count: int) -> None:
    """Twelve folds of twelve rows leave out one by one; each fold of three has rows of several schools."""
    known = Known(tmp_path)
    run = known.fitted(tmp_path / "run", engine, weighed)
    found = asked.compare([run], way=Way(folds=count))
    own, folds = found.comparison.left_out["run"], found.folds
    assert folds is not None and folds.count == count
    for row in range(12):
        left = folds.rows(int(folds.of_part[row])).tolist()
        assert own.elpd[row] == pytest.approx(known.density([row], left, weighed), abs=5 * own.mcse[row] + 0.005)
    assert own.mcse.max() < 0.1
    if count == 12:  # and what draws of the fit to all rows say of each, and fits without those that these cannot say
        weights = asked.compare([run], way=Way(refit=True)).comparison.left_out["run"]
        error = 5 * np.hypot(own.mcse, weights.mcse) + 0.02
        assert np.all(np.abs(weights.elpd - own.elpd) < error)


def test_groups_are_those_of_the_closed_form(tmp_path: Path) -> None:
    """Four folds of four schools leave out one by one; of two, two at a time, each with a density of its own."""
    known = Known(tmp_path)
    run = known.fitted(tmp_path / "run", "auto", weighed=False)
    for count in (4, 2):
        found = asked.compare([run], "school", way=Way(folds=count))
        own, folds = found.comparison.left_out["run"], found.folds
        assert folds is not None
        for school in range(N_SCHOOLS):
            rows = np.flatnonzero(known.school == school).tolist()
            left = folds.rows(int(folds.of_part[school])).tolist()
            assert own.elpd[school] == pytest.approx(known.density(rows, left, weighed=False), abs=5 * own.mcse[school])
        assert own.mcse.max() < 0.2
