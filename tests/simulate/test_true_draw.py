"""A draw picked as the truth is one of the draws, whole, and the seed picks it."""

import numpy as np

from hierfit.posterior.predict import linear_predictor
from hierfit.simulate.true_draw import pick_true_draw


def test_the_truth_is_one_draw_of_everything(synthetic):
    case = synthetic(5, 2)
    draw = pick_true_draw(case.draws, case.design, np.random.default_rng(3), "r", 3)
    chain, iteration = draw.origin.chain, draw.origin.draw
    assert (draw.origin.run, draw.origin.seed) == ("r", 3)
    assert list(draw.parameters.values()) == case.draws.values[chain, iteration].tolist()
    assert list(draw.parameters) == [parameter.name for parameter in case.draws.parameters]
    np.testing.assert_array_equal(draw.effects["school"], case.draws.effects["school"][chain, iteration])
    pick = np.array([chain * case.draws.n_draws + iteration])
    rows = np.arange(case.design.n_rows)
    np.testing.assert_array_equal(draw.predictor, linear_predictor(case.draws, case.design, rows, pick)[0])


def test_the_seed_picks(synthetic):
    case = synthetic(5, 2)
    one, same, other = (
        pick_true_draw(case.draws, case.design, np.random.default_rng(seed), "r", 0).origin for seed in (1, 1, 2)
    )
    assert one == same != other
