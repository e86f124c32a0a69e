"""Effects against closed forms and numerical integration, from made-up draws."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, special, stats

from hierfit.data.table import table_of
from hierfit.design.moved_rows import Held
from hierfit.errors import UsageError
from hierfit.model.roles import NO_ROLES
from hierfit.posterior.effects import averages
from hierfit.posterior.effects.answer import answer
from hierfit.posterior.effects.over_groups import over_groups
from hierfit.posterior.effects.questions import Contrasts, EffectScale, Groups, Question
from hierfit.posterior.predict import linear_predictor
from hierfit.posterior.predict.quantities import Asked, Scale

from ..predict.made_up import made_up

N = 90
rng = np.random.default_rng(3)
X, A, G = rng.normal(size=N), rng.integers(3, size=N), rng.integers(8, size=N)
LEVELS = np.array(["low", "mid", "high"])
ETA = 0.3 * X + 0.2 * A + rng.normal(0, 0.5, 8)[G]
OUTCOMES = {
    "gaussian": ETA + rng.normal(size=N),
    "poisson": rng.poisson(np.exp(ETA)).astype(float),
    "bernoulli": (rng.random(N) < special.expit(ETA)).astype(float),
}


def rows(family, times=None):
    which = np.repeat(np.arange(N), np.ones(N, dtype=int) if times is None else times)
    words = {
        "a": (tuple(LEVELS), A[which].astype(np.int32)),
        "g": (tuple("abcdefgh"), G[which].astype(np.int32)),
    }
    return table_of("data.csv", {"y": OUTCOMES[family][which], "x": X[which]}, words, 2 + np.arange(len(which)))


def positive():
    return replace(rows("gaussian"), numbers={"y": np.exp(OUTCOMES["gaussian"]), "x": X})


def ordered():
    codes = np.digitize(OUTCOMES["gaussian"], [-0.5, 0.5]).astype(np.int32)
    words = {"y": (("no", "some", "much"), codes), "g": (tuple("abcdefgh"), G.astype(np.int32))}
    return table_of("data.csv", {"x": X}, words, 2 + np.arange(N))


def model(text, family="gaussian", table=None, roles=NO_ROLES):
    return made_up(text, table or rows(family), family, roles, draws=25)


def ask(made, question=None, scale="response", groups="own", parameter=None):
    asked = question or Question()
    return answer(made.draws, made.design, asked, EffectScale(scale), Groups(groups), parameter, 0.95)


def matches(effect, values, rtol=1e-7):
    """Hold that an effect is the summary of these draws."""
    wanted = [values.mean(), values.std(ddof=1), *np.quantile(values, (0.025, 0.975))]
    np.testing.assert_allclose([effect.mean, effect.sd, effect.lower, effect.upper], wanted, rtol=rtol, atol=1e-9)
    assert effect.above == (values > 0).mean() or np.isnan(effect.above)


def flat(made, name):
    return made.draws.of(name).reshape(-1)


def test_derivatives_of_curves_and_products_are_averages_over_the_rows() -> None:
    made = model("y ~ x + I(x**2) + a + x:a + (1 + x | g)")
    own = flat(made, "x")[:, None] + 2 * flat(made, made.design.coefficients[1])[:, None] * X
    for label in LEVELS:
        if f"x:a[{label}]" in made.design.coefficients:
            own = own + flat(made, f"x:a[{label}]")[:, None] * (LEVELS[A] == label)
    (effect,) = ask(made, Question(("x",)), groups="none")
    matches(effect, own.mean(axis=1), rtol=1e-5)
    (group,) = made.design.groups
    slopes = made.draws.effects["g"].reshape(100, group.n_levels, 2)[:, group.codes, 1]
    (effect,) = ask(made, Question(("x",)))
    matches(effect, (own + slopes).mean(axis=1), rtol=1e-5)
    by = {effect.by["a"]: effect for effect in ask(made, Question(("x",), by="a"), groups="none")}
    for label in LEVELS:
        matches(by[label], own[:, LEVELS[A] == label].mean(axis=1), rtol=1e-5)


def test_a_step_is_taken_by_every_row_and_values_are_held() -> None:
    made = model("y ~ x + I(x**2)")
    b, c = flat(made, "x"), flat(made, made.design.coefficients[1])
    (effect,) = ask(made, Question(("x",), step=-2.0))
    matches(effect, -2 * b + c * ((X - 2) ** 2 - X**2).mean())
    assert effect.what == "-2"
    for effect, value in zip(ask(made, Question(at={"x": (1.0, 4.0)}, marginal=True)), (1.0, 4.0), strict=True):
        matches(effect, flat(made, "Intercept") + b * value + c * value**2)
        assert effect.of is None and effect.at == {"x": f"{value:g}"}


@pytest.mark.parametrize("family", ["gaussian", "poisson", "bernoulli"])
def test_contrasts_are_differences_of_averages(family) -> None:
    made = model("y ~ x * a + (1 | g)", family)
    level = {effect.what: effect.mean for effect in ask(made, Question(("a",), marginal=True))}
    first, second, third = level
    assert set(level) == set(LEVELS)
    pairs = {
        Contrasts.REFERENCE: [(second, first), (third, first)],
        Contrasts.PAIRWISE: [(second, first), (third, first), (third, second)],
        Contrasts.SEQUENTIAL: [(second, first), (third, second)],
    }
    for contrasts, wanted in pairs.items():
        found = ask(made, Question(("a",), contrasts))
        assert [effect.what for effect in found] == [f"{after} - {before}" for after, before in wanted]
        differences = [level[after] - level[before] for after, before in wanted]
        np.testing.assert_allclose([effect.mean for effect in found], differences, rtol=1e-9, atol=1e-12)


def test_of_a_log_link_all_is_a_closed_form() -> None:
    made = model("y ~ x + (1 | g)", "poisson")
    b, sd = flat(made, "x"), flat(made, "sd(g)")
    eta = flat(made, "Intercept")[:, None] + b[:, None] * X
    (effect,) = ask(made, Question(("x",)), groups="none")
    matches(effect, b * np.exp(eta).mean(axis=1), rtol=1e-5)
    (effect,) = ask(made, Question(("x",)), groups="average-over")
    matches(effect, b * np.exp(eta + (sd**2 / 2)[:, None]).mean(axis=1), rtol=1e-4)
    (ratio,) = ask(made, Question(("x",), step=2.0), scale="ratio")
    np.testing.assert_allclose(ratio.mean, np.exp(2 * b).mean(), rtol=1e-9)
    assert ratio.above == (b > 0).mean()


def test_groups_are_integrated_over_on_the_scale_of_the_outcome() -> None:
    made = model("y ~ x + (1 + x | g)", "bernoulli")
    held = Question(at={"x": (0.7,)}, marginal=True)
    (effect,) = ask(made, held, groups="average-over")
    sds, cor = (flat(made, "sd(g)"), flat(made, "sd(g: x)")), flat(made, "cor(g: Intercept, x)")
    spread = np.sqrt(sds[0] ** 2 + 2 * 0.7 * cor * sds[0] * sds[1] + (0.7 * sds[1]) ** 2)

    def integrated(mean, sd):
        return integrate.quad(lambda z: special.expit(mean + sd * z) * stats.norm.pdf(z), -12, 12, epsabs=1e-12)[0]

    values = np.array(list(map(integrated, flat(made, "Intercept") + 0.7 * flat(made, "x"), spread)))
    np.testing.assert_allclose([effect.mean, effect.sd], [values.mean(), values.std(ddof=1)], atol=5e-9)
    (other,) = ask(made, held, groups="none")
    assert abs(other.mean - effect.mean) > 1e-3


# formula, family, its rows, parameter that is asked for
TABLES = {"poisson": lambda: rows("poisson"), "positive": lambda: positive(), "ordered": lambda: ordered()}
AVERAGED = [
    ("y ~ x + (1 + x | g)", "poisson", "poisson", None),
    ("y ~ x + (1 | g)", "cumulative", "ordered", None),
    ("y ~ x + (1 | g)", "lognormal", "positive", None),
    ("y ~ x + (1 + x | g); zi ~ x", "zero_inflated_poisson", "poisson", None),
    ("y ~ x; zi ~ x + (1 | g)", "zero_inflated_poisson", "poisson", "zi"),
]


@pytest.mark.parametrize(("formula", "family", "data", "parameter"), AVERAGED)
def test_rules_for_averages_over_groups_agree_with_sums_over_nodes(formula, family, data, parameter) -> None:
    table = TABLES[data]()
    roles = replace(NO_ROLES, levels={"y": ("no", "some", "much")}) if data == "ordered" else NO_ROLES
    made = model(formula, family, table, roles)
    how = over_groups(made.draws, made.design, Asked(Scale.RESPONSE, parameter))
    own = made.design.at(np.arange(5))
    assert how.rule is not None
    (known,), summed = how.means([own]), replace(how, rule=None)
    small = np.sqrt(sum(np.square(part) for part in how._factor(own.groups)[0])) < 1.2  # where 21 nodes are exact
    assert small.any()
    for one, other in zip(known, summed.means([own])[0], strict=True):
        np.testing.assert_allclose(one[small], other[small], rtol=1e-8, atol=1e-8)


def test_a_row_that_counts_twice_is_two_rows() -> None:
    times, table = rng.integers(1, 4, size=N).astype(float), rows("poisson")
    weighted = replace(table, numbers={**table.numbers, "w": times})
    made = model("y ~ x + a + (1 | g)", "poisson", weighted, replace(NO_ROLES, weights="w"))
    eta = linear_predictor(made.draws, made.design, np.arange(N), made.every)
    (effect,) = ask(made, Question(("x",), step=1.0))
    difference = np.exp(eta + flat(made, "x")[:, None]) - np.exp(eta)
    matches(effect, np.repeat(difference, times.astype(int), axis=1).mean(axis=1))


def test_splines_have_a_derivative_at_their_ends() -> None:
    made = model("y ~ bs(x, df=5)")
    (effect,) = ask(made, Question(("x",)))
    b = np.stack([flat(made, name) for name in made.design.coefficients], axis=1)
    up, down = np.minimum(X + 1e-4, X.max()), np.maximum(X - 1e-4, X.min())
    table = rows("gaussian")
    ends = [made.design.on(replace(table, numbers={**table.numbers, "x": values})).X for values in (up, down)]
    slopes = b @ ((ends[0] - ends[1]).T / (up - down))
    np.testing.assert_allclose(effect.mean, slopes.mean(), rtol=0.01)


def test_blocks_do_not_matter(monkeypatch) -> None:
    made = model("y ~ x * a + (1 | g)", "bernoulli")
    question = Question(("x", "a"), by="a")
    before = [effect.mean for effect in ask(made, question)]
    monkeypatch.setattr(averages, "BLOCK", 32)
    monkeypatch.setattr(averages, "UNIT", 8)
    np.testing.assert_allclose([effect.mean for effect in ask(made, question)], before, rtol=1e-9)


def test_parameters_that_have_predictors_can_be_asked_for() -> None:
    made = model("y ~ x; sigma ~ a")
    found = ask(made, Question(("a",), marginal=True), parameter="sigma")
    base = flat(made, "sigma_Intercept")
    matches(found[0], np.exp(base))
    assert len(found) == 3
    for effect in found[1:]:
        matches(effect, np.exp(base + flat(made, f"sigma_a[{effect.what}]")))


REFUSED = [
    (Question(("z",)), {}, "--of z: the model has no such predictor"),
    (Question(("x",), marginal=True), {}, "x is a column of numbers"),
    (Question(("a",), step=1.0), {}, "--step: a is no column of numbers"),
    (Question(("x",), at={"x": ("1",)}), {}, "x is to move"),
    (Question(at={"x": ("b",)}), {}, "x is a column of numbers"),
    (Question(at={"a": ("hihg",)}), {}, "a has no such level. Did you mean 'high'?"),
    (Question(by="x"), {}, "--by x: a column of numbers has no levels"),
    (Question(by="gg"), {}, "--by gg: the model has no such column"),
    (Question(("x",)), {"scale": "ratio"}, "exp of a difference is no ratio for the link identity"),
    (Question(("x",)), {"parameter": "nu"}, "--parameter nu: the family gaussian has no such parameter"),
]


@pytest.mark.parametrize(("question", "how", "said"), REFUSED)
def test_what_makes_no_sense_is_refused(question, how, said) -> None:
    with pytest.raises(UsageError) as refused:
        ask(model("y ~ x + a + (1 | g)"), question, **how)
    assert said in refused.value.message


AT = Question(at={"x": (0.7,)}, marginal=True)


def test_the_mean_of_a_normal_outcome_does_not_hear_of_sigma() -> None:
    made = model("y ~ x + (1 | g); sigma ~ x + (1 | g)")
    (effect,) = ask(made, groups="average-over")
    matches(effect, flat(made, "x"))
    (sigma,) = ask(made, AT, groups="average-over", parameter="sigma")
    predictor = flat(made, "sigma_Intercept") + 0.7 * flat(made, "sigma_x")
    matches(sigma, np.exp(predictor + flat(made, "sd(g: sigma_Intercept)") ** 2 / 2), rtol=1e-9)


@pytest.mark.parametrize("letter", ["", "p | "])
def test_groups_of_two_parameters_are_integrated_over_together(letter) -> None:
    made = model(f"y ~ x + (1 | {letter}g); zi ~ 1 + (1 | {letter}g)", "zero_inflated_poisson", rows("poisson"))
    sd, sd_zi = flat(made, "sd(g)"), flat(made, "sd(g: zi_Intercept)")
    cor = flat(made, "cor(g: Intercept, zi_Intercept)") if letter else np.zeros(len(sd))
    eta = flat(made, "Intercept") + 0.7 * flat(made, "x")

    # exp(eta) tilts the distribution of the other effect: its mean moves by the covariance.
    def not_excess(zi, moved, spread):
        density = lambda z: special.expit(-(zi + moved + spread * z)) * stats.norm.pdf(z)  # noqa: E731
        return integrate.quad(density, -12, 12, epsabs=1e-12)[0]

    shares = np.array([*map(not_excess, flat(made, "zi_Intercept"), cor * sd * sd_zi, sd_zi)])
    (effect,) = ask(made, AT, groups="average-over")
    small = np.maximum(sd, sd_zi) < 1.5  # up to which 13 nodes are exact to 1e-4
    assert small.sum() > 20
    wanted = np.exp(eta + sd**2 / 2) * shares
    np.testing.assert_allclose(over(made, small), wanted[small], rtol=3e-4)
    assert effect.mean > 0


def over(made, chosen):
    """Return the average at x = 0.7 over the rows and groups under each of the chosen draws."""
    how = averages.averaging(made.draws, made.design, Asked(), Groups.AVERAGE_OVER)
    found = averages.averages(how, [{"x": Held(0.7)}], np.full((1, N), 1 / N))
    return found[0, 0, 0][chosen]


def test_the_mean_of_a_lognormal_over_groups_that_differ_in_sigma_is_none() -> None:
    made = model("y ~ x + (1 | g); sigma ~ x + (1 | g)", "lognormal", positive())
    with pytest.raises(UsageError, match="has no mean over groups"):
        ask(made, AT, groups="average-over")
    (effect,) = ask(made, AT, groups="average-over", parameter="mu")
    matches(effect, flat(made, "Intercept") + 0.7 * flat(made, "x"))
