"""What keeps models from being compared is found, and named by file, line and value."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hierfit.posterior.compare.alike import first_difference

from ..family_draws import family_case


def design(family="gaussian"):
    return family_case(family).design


def said(one, other):
    found = first_difference("one", one, "two", other)
    assert found is not None and found.hint
    return found.what


@pytest.mark.parametrize("family", ["gaussian", "bernoulli", "binomial", "cumulative"])
def test_the_same_rows_may_be_compared(family):
    own = design(family)
    assert first_difference("one", own, "two", replace(own, source=Path("b.csv"), groups=(), X=own.X[:, :0])) is None


def test_other_rows():
    own = design()
    kept = np.delete(np.arange(own.n_rows), [4, 9])
    fewer = replace(own, lines=own.lines[kept], y=own.y[kept])
    for pair in ((own, fewer), (fewer, own)):
        found = said(*pair)
        has, lacks = ("one", "two") if pair[0] is own else ("two", "one")
        assert f"line 6 of survey.csv is one of {has} and not of {lacks}" in found
        assert "240" in found and "238" in found


def test_other_outcomes():
    own = design()
    y = own.y.copy()
    y[[3, 8]] += 1
    found = said(own, replace(own, y=y))
    assert f"on line 5 of survey.csv answer is {own.y[3]:.15g} for one; answer is {y[3]:.15g} for two." in found
    found = first_difference("one", replace(own, y=np.exp(y)), "two", replace(own, y=y, response="log(answer)"))
    assert found is not None and "log(answer) is" in found.what and "lognormal" in found.hint


def test_nothing_in_common():
    own = design()
    found = said(own, replace(own, source=Path("b.csv"), response="other"))
    assert found == "one and two have different outcomes: answer of survey.csv, other of b.csv."


def test_outcomes_of_categories_are_compared_by_their_labels():
    own = design("bernoulli")
    swapped = replace(own, y=1 - own.y, categories=own.categories[::-1])
    assert first_difference("one", own, "two", swapped) is None
    assert "answer is 'no' for one; answer is 'yes' for two" in said(
        replace(own, y=np.zeros(240)), replace(own, y=np.ones(240))
    )


def test_other_trials_and_weights():
    own = design("binomial")
    assert "different numbers of trials: on line 2" in said(own, replace(own, trials=own.trials + 1))
    assert "different weights: on line 2" in said(own, replace(own, weights=np.full(240, 2.0)))
    assert first_difference("one", own, "two", replace(own, weights=np.ones(240))) is None


def test_probabilities_and_densities():
    own = design("poisson")
    dense = replace(own, family="gaussian", link="identity")
    assert "one gives outcomes probabilities and two densities (poisson, gaussian)" in said(own, dense)
    assert "two gives outcomes probabilities and one densities" in said(dense, own)
    assert first_difference("one", own, "two", replace(own, family="negbinomial")) is None
