"""Models held against each other: sums, standard errors, and what is said of them."""

import numpy as np
import pytest

from hierfit.posterior.compare.comparison import compare, standard_error, verdict
from hierfit.posterior.compare.left_out import LeftOut


def left_out(elpd, k=0.1):
    n = len(elpd)
    return LeftOut(np.asarray(elpd, dtype=float), np.full(n, 0.1), np.full(n, k), np.full(n, 0.01), 4_000)


def models(*shifts, n=400, scatter=0.5, seed=1):
    """Models A, B, ... whose elpd is by so much less than the first's, with some scatter."""
    rng = np.random.default_rng(seed)
    base = rng.normal(-2, 1, n)
    found = {"A": left_out(base)}
    for name, shift in zip("BCDE", shifts, strict=False):
        noise = rng.normal(0, scatter, n)
        found[name] = left_out(base - shift / n + noise - noise.mean())
    return found


def test_the_best_stands_first_and_the_others_are_held_against_it():
    given = models(-5.0, 30.0)
    found = compare(given)
    assert [standing.name for standing in found.standings] == ["B", "A", "C"]
    for standing in found.standings:
        own = given[standing.name].elpd
        difference = own - given["B"].elpd
        assert standing.elpd == pytest.approx(own.sum())
        assert standing.se == pytest.approx(np.sqrt(400) * np.std(own, ddof=1))
        assert standing.difference == pytest.approx(difference.sum())
        assert standing.difference_se == pytest.approx(np.sqrt(400) * np.std(difference, ddof=1))
        assert standing.mcse == pytest.approx(0.01 * 20) and standing.p_loo == pytest.approx(40)
    assert sum(standing.weight for standing in found.standings) == pytest.approx(1)


@pytest.mark.parametrize(
    ("shift", "scatter", "apart"),
    # standard error of the difference: 20 scatter
    [(30.0, 0.5, True), (30.0, 0.8, False), (3.9, 0.01, False), (4.1, 0.01, True), (19.0, 0.5, False)],
)
def test_models_are_told_apart_by_four_and_by_two_standard_errors(shift, scatter, apart):
    found = compare(models(shift, scatter=scatter))
    assert found.standings[1].is_told_apart == apart
    said = verdict(found, "rows")
    assert said.startswith("A predicts new rows better by" if apart else "A and B cannot be told apart")


def test_what_is_said_of_several_models():
    found = compare(models(1.0, 60.0, 90.0))
    said = verdict(found, "rows")
    assert said.startswith("A predicts new rows better by 60.0 (SE ") and "than C and 90.0" in said
    assert "A and B cannot be told apart: the difference is less than 4 or within 2 standard errors." in said


def test_few_parts_are_said_to_be_few():
    assert "With 20 schools, standard errors are rough" in verdict(compare(models(9.0, n=20)), "schools")
    assert "rough" not in verdict(compare(models(9.0)), "rows")


def test_nothing_is_said_of_one_model():
    found = compare(models())
    assert verdict(found, "rows") == "" and found.standings[0].weight == 1 and found.n_parts == 400


def test_high_shapes_are_counted():
    k = np.array([0.1, 0.69, 0.71, np.nan, 1.2])
    own = LeftOut(np.zeros(5), np.zeros(5), k, np.zeros(5), 1_000)
    standing = compare({"A": own}).standings[0]
    assert (standing.doubtful, standing.above) == (3, 2)  # of 1,000 draws the threshold is 2/3
    assert own.doubtful.tolist() == [4, 2, 1]


def test_the_interval_of_a_difference():
    found = compare(models(30.0))
    best, other = found.standings
    low, high = other.interval(0.9)
    assert (low + high) / 2 == pytest.approx(other.difference) == pytest.approx(-30)
    assert high - low == pytest.approx(2 * 1.6448536 * other.difference_se)
    assert np.isnan(best.interval(0.9)).all()


def test_a_single_part_has_no_standard_error():
    assert np.isnan(standard_error(np.array([1.0])))
