"""What columns are drawn from, as text, and what is refused."""

import pytest

from hierfit.errors import HierfitError
from hierfit.simulate.predictors import Predictors


def test_predictors_are_read_from_their_text() -> None:
    assert Predictors.from_text("uniform(0, 10)") == Predictors("uniform", 0.0, 10.0)
    assert Predictors.from_text(" normal ( 1e2,.5 ) ") == Predictors("normal", 100.0, 0.5)
    assert str(Predictors("uniform", 0.0, 10.0)) == "uniform(0, 10)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("norml(0, 1)", "predictors cannot be drawn from 'norml'. Did you mean 'normal'?"),
        ("normal(0, -1)", "predictors cannot be drawn from normal(0, -1)."),
        ("uniform(3, 1)", "predictors cannot be drawn from uniform(3, 1)."),
        ("uniform(0, inf)", "predictors cannot be drawn from uniform(0, inf)."),
        ("normal(0)", "'normal(0)' is no distribution of predictors."),
        ("normal(a, b)", "'normal(a, b)' is no distribution of predictors."),
    ],
)
def test_predictors_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(HierfitError) as caught:
        Predictors.from_text(text)
    assert caught.value.message == message
