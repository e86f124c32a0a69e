from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.prior_choice import build_spec
from hierfit.engines import choice
from hierfit.engines.choice import ENGINES, choose_engine
from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.engines.engine import Engine
from hierfit.engines.full.engine import FULL
from hierfit.engines.latent.engine import LATENT
from hierfit.engines.marginal import engine as marginal
from hierfit.engines.marginal.engine import MARGINAL
from hierfit.engines.sizes import eliminated_factor, met_pairs
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from tests.engines.latent.models import model as latent_model
from tests.engines.marginal.cases import model
from tests.family_cases import FAMILY_CASES, FamilyCase, family_design
from tests.model.cases import design, small_spec

TWO = "y ~ a + (1 | g) + (1 | h)"


@pytest.mark.parametrize(
    ("text", "priors", "engine"),
    [
        ("y ~ a + (1 + a | g)", (), COLLAPSED),
        ("y ~ a + (1 + a | g)", ("a ~ cauchy(0, 1)",), COLLAPSED),
        ("y ~ a", (), FULL),
        (TWO, (), MARGINAL),
        (TWO, ("a ~ flat()", "Intercept ~ constant(3)"), MARGINAL),
        (TWO, ("a ~ cauchy(0, 1)",), FULL),
        (TWO, ("sd ~ constant(2)",), MARGINAL),
        (TWO, ("sd ~ constant(2)", "sigma ~ constant(1)"), FULL),
        ("y ~ a + (1 | g) + (1 + b | k)", (), MARGINAL),
    ],
)
def test_collapsed_is_taken_wherever_it_is_exact(text: str, priors: tuple[str, ...], engine: Engine) -> None:
    assert choose_engine(*model(text, *priors)) is engine


@pytest.mark.parametrize(("text", "engine"), [("y ~ a + (1 + a | g)", COLLAPSED), (TWO, MARGINAL)])
def test_the_logarithm_of_a_lognormal_outcome_is_gaussian(text: str, engine: Engine) -> None:
    spec, made = model(text)
    assert choose_engine(replace(spec, family="lognormal"), replace(made, family="lognormal")) is engine
    with pytest.raises(UsageError, match="needs a gaussian or lognormal outcome, and this one is student"):
        choose_engine(replace(spec, family="student"), made, "collapsed")


@pytest.mark.parametrize(
    ("text", "engine", "apart_too"),
    [("y ~ a + (1 + a | g)", COLLAPSED, False), (TWO, MARGINAL, True)],
)
def test_weights_are_taken_where_they_add_up_to_rows(text: str, engine: Engine, apart_too: bool) -> None:
    spec, made = model(text)
    assert choose_engine(spec, replace(made, weights=np.full(made.n_rows, 0.1))) is engine  # 60 x 0.1 = 6
    apart = replace(made, weights=np.full(made.n_rows, 1 / 7))
    assert choose_engine(spec, apart) is (engine if apart_too else FULL)
    if not apart_too:
        with pytest.raises(UsageError, match=r"the weights add up to 8\.57143, which is no whole number"):
            choose_engine(spec, apart, "collapsed")


def test_what_is_in_the_way_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, made = model(TWO)
    assert list(MARGINAL.obstacles(spec, made, tuned=False)) == []
    with pytest.raises(UsageError, match="no warmup, step size or metric"):
        choose_engine(spec, made, "collapsed", tuned=True)
    assert choose_engine(spec, made, tuned=True) is FULL
    with pytest.raises(UsageError, match="that of a is neither"):
        choose_engine(*model(TWO, "a ~ laplace(0, 1)"), "collapsed")
    with pytest.raises(UsageError, match="no engine 'half'"):
        choose_engine(spec, made, "half")
    monkeypatch.setattr(marginal, "MOST_TOGETHER", 4)
    with pytest.raises(UsageError, match="5 effects together, more than 4"):
        choose_engine(spec, made, "collapsed")
    monkeypatch.setattr(marginal, "MOST_PAIRS", 10)
    assert any("meet too often" in text for text in MARGINAL.obstacles(spec, made, tuned=False))


def test_only_the_priors_of_several_factors_are_left_to_stan() -> None:
    assert choose_engine(small_spec(prior_only=True), design()) is COLLAPSED
    spec, made = model(TWO)
    assert choose_engine(replace(spec, prior_only=True), made) is FULL


def test_the_factor_with_most_effects_is_eliminated() -> None:
    _, made = model("y ~ a + (1 | g) + (1 + a + b | h) + (1 | k)")  # 8 levels, 5 x 3 effects, 3 levels
    assert eliminated_factor(made.groups) == 1
    assert met_pairs(np.array([1, 2, 3])) == 1 + 3 + 6


@pytest.mark.parametrize("wanted", ["auto", "collapsed", "marginal"])
def test_either_name_stands_for_chains_of_several_factors(wanted: str) -> None:
    assert choose_engine(*model(TWO), wanted) is MARGINAL


def test_one_factor_is_left_to_stan_unless_there_are_many_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, made = model("y ~ a + (1 + a | g)")
    assert choose_engine(spec, made) is choose_engine(spec, made, "collapsed") is COLLAPSED
    assert choose_engine(spec, made, "marginal") is MARGINAL
    monkeypatch.setattr(choice, "MANY_LEVELS", 8)
    assert choose_engine(spec, made) is MARGINAL
    assert choose_engine(spec, made, "collapsed") is choose_engine(spec, made, tuned=True) is COLLAPSED
    assert choose_engine(replace(spec, prior_only=True), made) is COLLAPSED
    assert choose_engine(*model("y ~ a + (1 + a | g)", "a ~ cauchy(0, 1)")) is COLLAPSED
    monkeypatch.setattr(marginal, "MOST_REALS", 2)
    assert choose_engine(spec, made) is COLLAPSED


def test_each_name_stands_for_one_engine_and_one_program() -> None:
    made = model(TWO)[1]
    programs = {name: engine.program(made).name for name, engine in ENGINES.items()}
    assert programs == {
        "full": "gaussian",
        "collapsed": "gaussian_collapsed",
        "marginal": "gaussian",
        "latent": "gaussian",
    }
    assert [engine.name for engine in ENGINES.values() if not engine.runs_program] == ["marginal", "latent"]


@pytest.mark.parametrize("case", [case for case in FAMILY_CASES if not FAMILIES[case.family].collapsible], ids=str)
def test_one_factor_of_an_outcome_that_is_not_normal_is_latent(case: FamilyCase) -> None:
    for text in ("y ~ a + (1 | g)", "y ~ a + b + (1 + a + b | g)"):
        formula = parse_formula(text)
        made = family_design(case, formula=formula)
        spec = build_spec(formula, made, case.priors)
        assert choose_engine(spec, made) is choose_engine(spec, made, "latent") is LATENT
        assert choose_engine(spec, made, tuned=True) is choose_engine(spec, made, "full") is FULL


@pytest.mark.parametrize(
    ("family", "text", "priors", "said"),
    [
        ("gaussian", "y ~ a + (1 | g)", (), "gaussian outcome are integrated out exactly"),
        ("poisson", "y ~ a", (), "there is no grouping factor"),
        ("poisson", "y ~ a + (1 + a + b + a:b | g)", (), "g has 4 varying coefficients, more than 3"),
        ("poisson", "y ~ (1 | g)", ("Intercept ~ constant(1)", "sd ~ constant(1)"), "all parameters are constant"),
    ],
)
def test_what_is_in_the_way_of_the_latent_engine_is_said(
    family: str, text: str, priors: tuple[str, ...], said: str
) -> None:
    case = next(case for case in FAMILY_CASES if case.family == family)
    spec, made = latent_model(case.family, text, *priors) if family != "gaussian" else model(text, *priors)
    with pytest.raises(UsageError, match=said):
        choose_engine(spec, made, "latent")
    assert choose_engine(spec, made) is (COLLAPSED if family == "gaussian" else FULL)
