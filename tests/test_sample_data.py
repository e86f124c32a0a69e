"""The sample data are the published ones: they give the published estimates, and the README states them."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from hierfit.data.table import Table, read_table

FOLDER = Path(__file__).parents[1] / "sample_data"
_spec = importlib.util.spec_from_file_location("make_walks", FOLDER / "make_walks.py")
assert _spec and _spec.loader
make_walks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make_walks)


def shown(row: str) -> float:
    """The REML estimate that the README states in the row of a table that begins so."""
    lines = [line for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith(f"| {row}")]
    assert len(lines) == 1, row
    return float(lines[0].split("|")[2])


def reml(table: Table, y: str, x: str | None, group: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Coefficients, covariance of the effects and residual variance by REML, for data with the same x in every group.

    There least squares in each group gives coefficients c_j with covariance D + sigma^2 (X'X)^-1, and the pooled
    residual mean square estimates sigma^2: REML has a closed form as long as D comes out positive definite.
    """
    codes = table.labels[group]
    J = len(table.levels[group])
    Y = np.array([table.numbers[y][codes == j] for j in range(J)])
    columns = [np.ones(Y.shape[1])] + ([table.numbers[x][codes == 0]] if x else [])
    X = np.column_stack(columns)
    C = np.linalg.lstsq(X, Y.T, rcond=None)[0].T
    sigma2 = np.sum((Y - C @ X.T) ** 2) / (J * (X.shape[0] - X.shape[1]))
    D = np.atleast_2d(np.cov(C.T)) - sigma2 * np.linalg.inv(X.T @ X)
    return C.mean(axis=0), D, float(sigma2)


def test_rats() -> None:
    table = read_table(FOLDER / "rats.csv", ["weight", "day"], ["rat"])
    assert table.n_rows == 150 and table.levels["rat"] == tuple(str(rat) for rat in range(1, 31))
    assert table.numbers["day"].reshape(30, 5).tolist() == [[8, 15, 22, 29, 36]] * 30
    coefficients, D, sigma2 = reml(table, "weight", "day", "rat")
    sds = np.sqrt(np.diag(D))
    # lme4 1.1-31
    np.testing.assert_allclose(coefficients, [106.567619048, 6.185714286], rtol=1e-9)
    np.testing.assert_allclose(sds, [10.74333, 0.5105577], rtol=1e-5)
    assert D[0, 1] / sds.prod() == pytest.approx(-0.159185, abs=1e-5)
    assert np.sqrt(sigma2) == pytest.approx(6.014612, rel=1e-6)
    rows = ("Intercept (at birth", "day (grams", "sd(rat), at day 0", "sd(rat: day)", "cor(rat: Intercept, day)")
    expected = [*coefficients, *sds, D[0, 1] / sds.prod()]
    np.testing.assert_allclose([shown(row) for row in rows], expected, atol=5.1e-3)


def test_dyestuff() -> None:
    table = read_table(FOLDER / "dyestuff.csv", ["yield"], ["batch"])
    assert table.n_rows == 30 and len(table.levels["batch"]) == 6
    (mean,), ((variance,),), sigma2 = reml(table, "yield", None, "batch")
    # The published variance components: 1764.05 between batches, 2451.25 within.
    assert (mean, variance, sigma2) == pytest.approx((1527.5, 1764.05, 2451.25), rel=1e-12)
    assert shown("sd(batch)") == pytest.approx(np.sqrt(variance), abs=5.1e-3)
    assert shown("Intercept |") == mean


def test_tutorial_schools() -> None:
    table = read_table(FOLDER / "tutorial_schools.csv", ["score", "hours"], ["school"])
    assert table.numbers["score"].tolist() == [80, 85, 75, 90, 95, 70, 88, 92, 78, 85]
    assert table.numbers["hours"].tolist() == [10, 12, 8, 9, 9, 7, 11, 11, 9, 10]
    assert [table.levels["school"][code] for code in table.labels["school"]] == list("1212212121")


def test_files_are_small_and_described() -> None:
    readme = (FOLDER / "README.md").read_text()
    for path in FOLDER.glob("*.csv"):
        assert path.stat().st_size < (30_000 if path.stem in make_walks.FILES else 20_000)
        assert f"## {path.name}" in readme
        assert path.stem in make_walks.FILES or f"<!-- numbers: {path.stem} -->" in readme


def test_the_made_up_files_are_those_of_their_script(tmp_path: Path) -> None:
    make_walks.write(tmp_path)
    for name in make_walks.FILES:
        assert (tmp_path / f"{name}.csv").read_bytes() == (FOLDER / f"{name}.csv").read_bytes(), name


@pytest.mark.parametrize(
    ("section", "truths"),
    [
        ("pupils.csv", [make_walks.PUPILS]),
        ("birds.csv", [make_walks.BIRDS]),
        ("words.csv", [make_walks.TIMES, make_walks.RATINGS]),
        ("trial.csv", [make_walks.TRIAL]),
    ],
)
def test_the_true_values_of_made_up_files_are_stated(section: str, truths: list[dict[str, float]]) -> None:
    text = (FOLDER / "README.md").read_text().partition(f"### {section}\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| `(.*)` \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(name, f"{value:g}") for truth in truths for name, value in truth.items()]
