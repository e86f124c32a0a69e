"""Rows in units: the same numbers however many come together."""

from itertools import chain

import numpy as np
import pytest

from hierfit.posterior.predict.blocks import UNIT, Predicting
from hierfit.posterior.predict.new_levels import new_effects
from hierfit.posterior.predict.quantities import Asked

from ..family_draws import family_case


def predicting(case, seed=1, ci=0.9, asked=None) -> Predicting:
    return Predicting(case.draws, case.design, asked or Asked(), ci, seed, new_effects(case.draws, case.design, seed))


@pytest.mark.parametrize("family", ["gaussian", "negbinomial", "cumulative"])
def test_how_many_rows_come_together_does_not_matter(family: str) -> None:
    case = family_case(family, levels=(15,), rows=15)
    rows, question = case.design.at(slice(None)), predicting(case)
    whole = question.columns(rows)
    assert len(whole) == len(question.names) and all(len(column) == 225 for column in whole)
    for ends in ([64, 128, 192], [192], [128]):
        parts = []
        for start, stop in zip([0, *ends], [*ends, 225], strict=True):
            parts.append(question.columns(rows.at(slice(start, stop)), start))
        assert [list(chain(*column)) for column in zip(*parts, strict=True)] == whole


def test_units_and_seeds_have_outcomes_of_their_own() -> None:
    case = family_case("gaussian", levels=(15,), rows=15)
    rows = case.design.at(slice(0, UNIT))
    noise = []
    for seed, unit in ((1, 0), (1, 1), (2, 0)):
        expected, outcome = predicting(case, seed).values(rows, unit)
        noise.append((outcome - expected).ravel())
    # 64,000 numbers: a correlation of independent ones has an sd of 0.004
    assert np.abs(np.corrcoef(noise) - np.eye(3)).max() < 0.02
    again = predicting(case).values(rows, 1)[1] - predicting(case).values(rows, 1)[0]
    np.testing.assert_array_equal(again.ravel(), noise[1])


def test_intervals_are_of_the_probability_that_is_asked_for() -> None:
    case = family_case("gaussian", levels=(4,), rows=5)
    rows = case.design.at(slice(None))
    for ci in (0.5, 0.95):
        question = predicting(case, ci=ci)
        columns = dict(zip(question.names, question.columns(rows), strict=True))
        expected, outcome = question.values(rows, 0)
        ends = [(1 - ci) / 2, (1 + ci) / 2]
        for name, own in (("expected", expected), ("outcome", outcome)):
            wanted = np.quantile(own, ends, axis=0)
            np.testing.assert_allclose([columns[f"{name}_lower"], columns[f"{name}_upper"]], wanted)
        np.testing.assert_allclose(columns["expected"], expected.mean(axis=0))
    assert question.of_words == (False,) * 5
