"""Whatever the contrasts of a column, the same posterior gives the same predictions and effects.

Draws of a model with one coding are turned into those of the model with the other by the linear map that leads from
columns to columns; what is asked of both must then agree draw by draw, up to rounding.
"""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.data.table import table_of
from hierfit.model.contrasts import ContrastKind, LevelContrasts
from hierfit.model.roles import Roles
from hierfit.posterior.effects.answer import answer
from hierfit.posterior.effects.questions import Contrasts, EffectScale, Groups, Question, Weights
from hierfit.posterior.predict import linear_predictor

from ..predict.made_up import MadeUp, made_up

N, LEVELS = 80, ("low", "mid", "high", "top")
RNG = np.random.default_rng(5)
DOSE, G, X = RNG.integers(4, size=N), RNG.integers(6, size=N), RNG.normal(1, 1, N)
TEXT = "y ~ dose * x + (1 | g)"


def rows(dose=DOSE, x=X):
    words = {"dose": (LEVELS, dose.astype(np.int32)), "g": (tuple("abcdef"), G.astype(np.int32))}
    return table_of("data.csv", {"y": RNG.normal(size=N), "x": x}, words, 2 + np.arange(N))


TABLE = rows()


def coded(kind):
    roles = Roles(levels={"dose": LEVELS}, contrasts={"dose": LevelContrasts(kind)})
    return made_up(TEXT, TABLE, roles=roles, draws=20)


def place(made, name):
    return [parameter.name for parameter in made.draws.parameters].index(name)


def turned(plain, made):
    """Return the model with draws that say what those of the other coding say."""
    design = made.design
    one, other = (np.column_stack([np.ones(N), own.design.X]) for own in (plain, made))
    matrix, *_ = np.linalg.lstsq(other, one, rcond=None)
    names, own_names = (("Intercept", *of.design.coefficients) for of in (plain, made))
    coefficients = plain.draws.values[..., [place(plain, name) for name in names]] @ matrix.T
    values = made.draws.values.copy()
    for at, parameter in enumerate(made.draws.parameters):
        if parameter.name in own_names:
            values[..., at] = coefficients[..., own_names.index(parameter.name)]
        elif parameter.name == "Intercept_at_mean":
            values[..., at] = coefficients @ np.array([1.0, *design.X.mean(axis=0)])
        else:
            values[..., at] = plain.draws.values[..., place(plain, parameter.name)]
    return MadeUp(replace(plain.draws, parameters=made.draws.parameters, values=values), design)


@pytest.fixture(scope="module")
def plain():
    return coded(ContrastKind.TREATMENT)


@pytest.fixture(scope="module", params=["sum", "helmert", "poly", "sdif"])
def other(request, plain):
    return turned(plain, coded(ContrastKind(request.param)))


def test_rows_of_the_fit_and_others_are_expected_the_same(plain, other) -> None:
    moved = rows((DOSE + 1) % 4, X[::-1] + 2)
    for table in (TABLE, moved):
        one, two = (
            linear_predictor(made.draws, made.design, made.design.on(table), made.every) for made in (plain, other)
        )
        np.testing.assert_allclose(two, one, atol=1e-10)


@pytest.mark.parametrize(
    "question",
    [
        Question(("dose",)),
        Question(("dose",), marginal=True),
        Question(("dose",), contrasts=Contrasts.SEQUENTIAL, at={"x": ["0", "2"]}),
        Question(("dose",), contrasts=Contrasts.PAIRWISE),
        Question(("x",), by="dose"),
        Question(("dose",), weights=Weights.EQUAL),
    ],
    ids=["reference", "marginal", "at", "pairwise", "slopes", "equal"],
)
def test_effects_are_the_same(plain, other, question) -> None:
    scale, groups = EffectScale("response"), Groups("none" if question.weights is Weights.EQUAL else "own")
    found = [answer(made.draws, made.design, question, scale, groups, None, 0.95) for made in (plain, other)]
    assert [effect.what for effect in found[0]] == [effect.what for effect in found[1]] and len(found[0]) > 2
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose((two.mean, two.sd, two.lower), (one.mean, one.sd, one.lower), atol=1e-10)
