"""Draws -> one of them, picked at random, as the truth that new data are simulated from."""

from __future__ import annotations

import numpy as np

from hierfit.design.design import Design
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict import chosen_effects, linear_predictor, pick_draws
from hierfit.simulate.again import TrueDraw
from hierfit.simulate.truth import Origin


def pick_true_draw(draws: Draws, design: Design, rng: np.random.Generator, run: str, seed: int) -> TrueDraw:
    """Return one draw, which `rng`, made of the seed, chooses, with its linear predictor of every row."""
    picks = pick_draws(draws, 1, rng)
    chain, iteration = divmod(int(picks[0]), draws.n_draws)
    return TrueDraw(
        {parameter.name: float(draws.of(parameter.name)[chain, iteration]) for parameter in draws.parameters},
        {group.factor: chosen_effects(draws, group, picks)[0] for group in design.groups},
        linear_predictor(draws, design, np.arange(design.n_rows), picks)[0],
        Origin(run, seed, chain, iteration),
    )
