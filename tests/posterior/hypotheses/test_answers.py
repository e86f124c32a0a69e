"""Answers against what is known of a normal posterior, and what they say where numbers do not exist."""

import math

import numpy as np
import pytest
from scipy import stats

from hierfit.posterior.hypotheses.answers import COLUMNS, Answer, Answers, answer
from hierfit.posterior.hypotheses.cautions import cautions, explanations
from hierfit.posterior.hypotheses.evaluate import Known
from hierfit.posterior.hypotheses.names import names_of
from hierfit.posterior.hypotheses.parse import parse

CHAINS, DRAWS = 4, 2_000
SHAPE = (CHAINS, DRAWS)
S = CHAINS * DRAWS
MEAN, SD = {"a": 1.0, "b": 0.5}, {"a": 0.4, "b": 0.3}
NAMES = names_of(["a", "b", "fixed", "slow"], (), {})


@pytest.fixture(scope="module")
def draws() -> Known:
    rng = np.random.default_rng(11)
    values = {name: rng.normal(MEAN[name], SD[name], SHAPE) for name in MEAN}
    slow = np.zeros(SHAPE)  # an autoregression: correlations of 0.98 from draw to draw
    for at in range(1, DRAWS):
        slow[:, at] = 0.98 * slow[:, at - 1] + rng.normal(size=CHAINS) * math.sqrt(1 - 0.98**2)
    return Known({**values, "fixed": np.full(SHAPE, 3.0), "slow": slow}, SHAPE)


def ask(text: str, draws: Known, ci: float = 0.95, rope: tuple[float, float] | None = None) -> Answer:
    return answer(text, parse(text, NAMES), draws, ci, rope)


@pytest.mark.parametrize(
    ("text", "about", "mean", "sd", "chance"),
    [
        ("a > 0.6", "a", 1.0, 0.4, stats.norm.sf(-1)),
        ("0.6 < a", "a", 1.0, 0.4, stats.norm.sf(-1)),
        ("a < 0.6", "a", 1.0, 0.4, stats.norm.cdf(-1)),
        ("a > b", "a - b", 0.5, 0.5, stats.norm.sf(-1)),
        ("b < a", "b - a", -0.5, 0.5, stats.norm.sf(-1)),
        ("2 * a - 1", "2 * a - 1", 1.0, 0.8, math.nan),
        ("0.6 < a < 1.4", "a", 1.0, 0.4, stats.norm.cdf(1) - stats.norm.cdf(-1)),
        ("a > 0.6 and b > 0.5", None, math.nan, math.nan, stats.norm.sf(-1) / 2),
        ("a > 0.6 or b > 0.5", None, math.nan, math.nan, (1 + stats.norm.sf(-1)) / 2),
        ("not a > 0.6", None, math.nan, math.nan, stats.norm.cdf(-1)),
        ("a = 1", "a", 1.0, 0.4, math.nan),
    ],
)
def test_a_normal_posterior(draws: Known, text: str, about: str | None, mean: float, sd: float, chance: float) -> None:
    found = ask(text, draws)
    assert found.about == about and (found.draws, found.without_value) == (S, 0)
    # Standard errors of mean, sd and 2.5 % quantile of 8,000 normal draws: sd / 89, sd / 126, sd / 34; 5 of each.
    assert found.mean == pytest.approx(mean, abs=5 * 0.8 / 89, nan_ok=True)
    assert found.sd == pytest.approx(sd, rel=5 / 126, nan_ok=True)
    for bound, z in ((found.lower, -1.96), (found.upper, 1.96)):
        assert bound == pytest.approx(mean + z * sd, abs=5 * 0.8 / 34, nan_ok=True)
    error = math.sqrt(chance * (1 - chance) / S)
    assert found.probability == pytest.approx(chance, abs=5 * error, nan_ok=True)
    assert found.probability_mcse == pytest.approx(error, rel=0.2, nan_ok=True)  # as the draws are independent
    if not math.isnan(chance):
        assert found.evidence_ratio == pytest.approx(found.probability / (1 - found.probability))
    else:
        assert math.isnan(found.evidence_ratio)


def test_the_error_of_a_probability_is_that_of_draws_that_depend(draws: Known) -> None:
    """Zeros and ones of a chain with correlation r are correlated by 2 / pi asin(r^k): their sum is known."""
    found = ask("slow > 0", draws)
    lags = 1 + 2 * np.sum(2 / np.pi * np.arcsin(0.98 ** np.arange(1, 2_000)))
    assert found.probability_mcse == pytest.approx(math.sqrt(0.25 * lags / S), rel=0.35)
    assert found.probability_mcse > 5 * math.sqrt(0.25 / S)
    assert found.ess_bulk < 400
    answers = Answers((found,), 0.95, None, CHAINS)
    assert any("few effective draws" in said and "hierfit extend" in said for said in cautions(answers))


def test_intervals_have_their_mass(draws: Known) -> None:
    for ci in (0.5, 0.8, 0.99):
        found = ask("a", draws, ci)
        assert (found.lower, found.upper) == tuple(np.quantile(draws.values["a"], [(1 - ci) / 2, (1 + ci) / 2]))


def test_a_rope_has_a_share_of_the_posterior_and_of_the_interval(draws: Known) -> None:
    found = ask("a - b", draws, 0.9, (-0.5, 0.5))
    x = draws.values["a"] - draws.values["b"]
    low, high = np.quantile(x, [0.05, 0.95])
    inside, central = (x >= -0.5) & (x <= 0.5), (x >= low) & (x <= high)
    assert found.in_rope == pytest.approx(inside.mean())
    assert found.interval_in_rope == pytest.approx((inside & central).sum() / central.sum())
    assert found.in_rope == pytest.approx(stats.norm.cdf(0) - stats.norm.cdf(-2), abs=5 * math.sqrt(0.25 / S))
    assert math.isnan(ask("a > b or a > 2", draws, 0.9, (-0.5, 0.5)).in_rope)


def test_certainty_has_no_error_and_no_end(draws: Known) -> None:
    for text, share, ratio in (("a > -9", 1.0, math.inf), ("a < -9", 0.0, 0.0)):
        found = ask(text, draws)
        assert (found.probability, found.evidence_ratio) == (share, ratio)
        assert math.isnan(found.probability_mcse)


def test_what_is_fixed_has_no_spread(draws: Known) -> None:
    found = ask("fixed^2 > 5", draws)
    assert (found.mean, found.sd, found.probability) == (3.0**2, 0.0, 1.0)
    assert math.isnan(found.rhat) and found.fixed
    assert cautions(Answers((found,), 0.95, None, CHAINS)) == []


def test_draws_without_a_value_are_left_out_and_said(draws: Known) -> None:
    a, b = draws.values["a"], draws.values["b"]
    found = ask("log(a) > log(b)", draws)
    known = (a > 0) & (b > 0)
    assert (found.draws, found.without_value) == (known.sum(), S - known.sum())
    assert found.probability == pytest.approx((a > b)[known].mean())
    assert found.mean == pytest.approx((np.log(a[known]) - np.log(b[known])).mean())
    assert math.isnan(found.rhat) and math.isnan(found.probability_mcse)
    (said,) = cautions(Answers((found,), 0.95, None, CHAINS))
    assert f"no value in {S - known.sum():,} of 8,000 draws" in said and "logarithm" in said
    nothing = ask("log(a - a) > 0", draws)
    assert (nothing.draws, nothing.without_value) == (0, S) and math.isnan(nothing.probability)


def test_csv_has_all_numbers(draws: Known) -> None:
    rows = tuple(ask(text, draws, rope=(0, 1)) for text in ("a > -9", "a > b", "a"))
    header, *found = Answers(rows, 0.95, (0.0, 1.0), CHAINS).csv_rows()
    assert header == COLUMNS
    first = dict(zip(COLUMNS, found[0], strict=True))
    assert (first["expression"], first["probability"], first["evidence_ratio"]) == ("a > -9", 1.0, "inf")
    assert first["probability_mcse"] == "" and first["mean"] == rows[0].mean
    assert dict(zip(COLUMNS, found[2], strict=True))["probability"] == ""


def test_what_numbers_are_of_is_said(draws: Known) -> None:
    said = explanations(Answers((ask("a > b", draws),), 0.95, (0.0, 1.0), CHAINS, ("school[12]",)))
    assert "left - right" in said[0] and "school[12]" in said[1] and "from 0 to 1" in said[2]
    alone = [ask(text, draws) for text in ("a > 0", "a - b", "abs(a - b) < 1", "0 < a - b < 1")]
    assert explanations(Answers(tuple(alone), 0.95, None, CHAINS)) == []
