"""The words for the scale of coefficients and outcome."""

import dataclasses

import numpy as np
import pytest

from hierfit.design.distributional import PredictorColumns
from hierfit.posterior.scale import (
    expected_words,
    groups_scale,
    link_words,
    outcome_words,
    ratio_words,
    scale_words,
    shown_outcome,
)

from .family_draws import family_case


@pytest.mark.parametrize(
    ("family", "link", "scale", "outcome", "ratio"),
    [
        ("gaussian", None, "", "answer", None),
        ("student", None, "", "answer", None),
        ("bernoulli", "logit", "log odds", "P(answer = yes)", "the odds of answer = yes multiply by"),
        ("bernoulli", "probit", "probit scale", "P(answer = yes)", None),
        ("binomial", "logit", "log odds", "proportion of answer", "the odds of answer multiply by"),
        ("poisson", "log", "log scale", "answer", "expected answer multiplies by"),
        ("lognormal", None, "log scale", "answer", "expected answer multiplies by"),
        ("beta", "logit", "log odds", "answer", "the odds of answer multiply by"),
        ("zero_inflated_poisson", "log", "log scale", "answer", "expected answer multiplies by"),
        ("hurdle_poisson", "log", "log scale", "answer", None),  # exp(b) multiplies nothing that is observed
        ("cumulative", "logit", "log odds", "answer", "the odds of higher answer multiply by"),
        ("cumulative", "probit", "probit scale", "answer", None),
    ],
)
def test_words_of_a_family_and_link(family, link, scale, outcome, ratio):
    design = family_case(family, link=link).design
    assert (scale_words(design), outcome_words(design), ratio_words(design)) == (scale, outcome, ratio)


def test_an_outcome_of_numbers_0_and_1_is_named_so():
    design = dataclasses.replace(family_case("bernoulli").design, categories=())
    assert outcome_words(design) == "P(answer = 1)"
    assert expected_words(family_case("poisson").design) == "Expected answer"


def test_successes_are_shown_as_proportions():
    design = family_case("binomial").design
    np.testing.assert_allclose(shown_outcome(design), design.y / design.trials)


def test_the_median_is_what_a_lognormal_multiplies_where_sigma_differs():
    design = family_case("lognormal", sigma=True).design
    assert ratio_words(design) == "the median of answer multiplies by"


def test_counts_beyond_the_excess_zeros_are_what_multiplies_where_their_share_differs():
    design = family_case("zero_inflated_poisson").design
    assert ratio_words(design) == "expected answer multiplies by"
    own = PredictorColumns("zi", ("Intercept",), np.ones((design.n_rows, 1)))
    design = dataclasses.replace(design, distributional=(own,))
    assert ratio_words(design) == "expected answer beyond the excess zeros multiplies by"


def test_what_the_intercepts_of_groups_are_beside_thresholds():
    assert groups_scale(family_case("bernoulli").design) == "log odds"
    assert groups_scale(family_case("cumulative").design) == (
        "log odds; thresholds take the place of an intercept, so those of groups are deviations from 0"
    )


def test_the_left_hand_side_of_ordered_categories():
    assert link_words(family_case("cumulative").design) == "the log odds of higher answer"
    assert link_words(family_case("cumulative", link="probit").design) == "higher answer (probit scale)"
