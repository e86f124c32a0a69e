"""What is said of lines: the ends of a predictor, signs of slopes, which levels are lowest and highest."""

import dataclasses
import re

import numpy as np
import pytest

from hierfit.posterior.plots.course import lines_along, rank_of_lines
from hierfit.posterior.plots.course_words import ends_words, title, usual_ends
from hierfit.posterior.plots.material import Material


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.r_[-3.76, np.linspace(-1.5, 1.25, 98), 2.69], "-1.41 and 1.14 (5th and 95th percentile)"),
        (np.tile(np.arange(10.0), 18), "0 and 9"),
        (np.r_[np.full(50, -2.5), np.full(50, -1.72)], "-2.50 and -1.72"),
        (np.array([0.0, 1.0] * 40), "0 and 1"),
        (np.linspace(1000.0, 3000.0, 201), "1100 and 2900 (5th and 95th percentile)"),
        (np.full(5, 2.0), "2 and 2"),
    ],
)
def test_ends_are_values_without_outliers_with_the_same_decimals(x, said):
    assert ends_words(x) == said
    assert set(usual_ends(x)) <= set(x)


def test_no_predictor_is_said_to_run_from_outlier_to_outlier():
    rng = np.random.default_rng(1)
    for _ in range(50):
        x = np.r_[rng.normal(size=rng.integers(60, 900)), 40.0, -50.0]
        low, high = usual_ends(x)
        assert -4 < low < high < 4
        first, last = re.match(r"(\S+) and (\S+) ", ends_words(x)).groups()
        assert len(first.partition(".")[2]) == len(last.partition(".")[2])


@pytest.mark.parametrize(("shift", "verb"), [(5.0, "rises"), (-5.0, "falls"), (0.0, "changes")])
def test_a_slope_has_the_sign_of_its_word_and_levels_have_their_own(synthetic, shift, verb):
    case = synthetic(40, 1)
    at = [p.name for p in case.draws.parameters].index("ses")
    values = case.draws.values.copy()
    values[:, :, at] += shift - values[:, :, at].mean()
    material = Material(dataclasses.replace(case.draws, values=values), case.design, case.spec)
    said = title(material, lines_along(material))
    means = shift + case.draws.effects["school"][..., 1].mean(axis=(0, 1))
    number = re.match(rf"mathach {verb} by (\S+) \(", said).group(1)
    assert float(number) == pytest.approx(abs(shift), abs=0.006)
    low, high = map(float, re.search(r"slopes of single schools from (\S+) to (\S+)", said).groups())
    assert (low, high) == pytest.approx((means.min(), means.max()), abs=0.006)


@pytest.mark.parametrize(("kind", "said"), [("levels", " from ses = 0 to 1"), ("numbers", " per unit of ses")])
def test_a_column_of_0_and_1_has_one_step_and_no_unit(synthetic, kind, said):
    case = synthetic(40, 1)
    material = Material(case.draws, case.design, case.spec)
    lines = lines_along(material)
    if kind == "levels":
        lines = dataclasses.replace(lines, x=(lines.x > 0).astype(np.float64))
    assert f"){said}; slopes of single" in title(material, lines)


def test_levels_of_curves_are_ranked_by_height_where_the_data_are(synthetic):
    case = synthetic(40, 1)
    material = Material(case.draws, case.design, case.spec)
    lines = lines_along(material)
    heights = np.random.default_rng(2).normal(size=(40, len(lines.grid)))
    slopes, words = rank_of_lines(material, lines, heights)
    assert words == "slope"
    assert (slopes == heights[:, -1] - heights[:, 0]).all()
    curved = dataclasses.replace(lines)
    curved.__dict__["is_straight"] = False
    ranks, words = rank_of_lines(material, curved, heights)
    at = int(np.abs(lines.grid - np.median(lines.x)).argmin())
    assert (ranks == heights[:, at]).all()
    assert words == "line at the median of ses"
