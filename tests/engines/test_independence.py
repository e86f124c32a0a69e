"""Walks of independence Metropolis, from weights that are known."""

import numpy as np
import pytest

from hierfit.engines.independence import walk


def test_a_walk_takes_what_is_better_and_counts_how_likely_it_moved() -> None:
    weights = np.array([1.0, -np.inf, 30.0, 29.0])
    found = walk((-5.0, 0.0), 10 * weights, weights, np.random.default_rng(1))
    assert found.where.tolist()[:3] == [1, 1, 3] and found.accepted[:3].tolist() == [1, 0, 1]
    assert found.accepted[3] == pytest.approx(np.exp(-1)) and found.lp[2] == 300 and found.weight[2] == 30
