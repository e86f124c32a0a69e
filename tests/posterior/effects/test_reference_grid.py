"""Averages over the reference grid, levels weighted equally, against emmeans and against sums by hand.

The figures are those of emmeans 1.8.4 after lme4 1.1-31 in R 4.2.2 (Debian 12), to the digits printed. They are sums of
the coefficients that lme4 estimated, so every draw is given these, and nothing is left to chance. In R:

    e$treatment <- factor(e$treatment, c("placebo", "progabide"))          # e: reference_data/epilepsy.csv
    e$last <- as.numeric(e$visit == 4); e$b <- e$base / 10; e$a <- e$age / 10
    m <- glmer(seizures ~ treatment * (b + last) + a + I(a^2) + (1 | patient), e, family = poisson)
    emmeans(m, "treatment"); emmeans(m, "treatment", regrid = "response")
    emmeans(m, "treatment", at = list(b = c(1, 5)), by = "b"); pairs(emmeans(m, "treatment"), reverse = TRUE)
    emtrends(m, "treatment", var = "b"); emtrends(m, ~1, var = "a")
    w$rating <- factor(w$rating)                                           # w: sample_data/words.csv
    m <- lmer(rt ~ freq * rating + (1 | subject), w)
    emmeans(m, "freq"); emmeans(m, "rating"); emmeans(m, "freq", weights = "proportional")
"""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.data.table import read_table, table_of
from hierfit.design.reference_grid import reference_grid
from hierfit.errors import UsageError
from hierfit.model.roles import Roles
from hierfit.posterior.effects.answer import answer
from hierfit.posterior.effects.questions import Contrasts, EffectScale, Groups, Question, Weights
from hierfit.posterior.predict import linear_predictor
from tests.reference_cases import FOLDER, ROOT

from ..predict.made_up import MadeUp, made_up

EPILEPSY = {
    "Intercept": -0.5832875259,
    "treatment[progabide]": -0.2940052976,
    "b": 0.2615968869,
    "last": -0.09815996827,
    "a": 0.9582972686,
    "I(a ** 2)": -0.1372717846,
    "treatment[progabide]:b": 0.02313892634,
    "treatment[progabide]:last": -0.1237005915,
}
WORDS = {
    "Intercept": 638.041206,
    "freq[low]": 46.18828349,
    "C(rating)[2]": -56.28694974,
    "C(rating)[3]": -83.2339591,
    "C(rating)[4]": -38.26881941,
    "C(rating)[5]": -4.708447619,
    "freq[low]:C(rating)[2]": 67.58499835,
    "freq[low]:C(rating)[3]": 90.35988478,
    "freq[low]:C(rating)[4]": 13.74959987,
    "freq[low]:C(rating)[5]": -4.31381798,
}


def given(made, coefficients) -> MadeUp:
    """Return the model with these coefficients in every draw."""
    known = {**coefficients, "Intercept_at_mean": coefficients["Intercept"]}
    for name, mean in zip(made.design.coefficients, made.design.x_mean, strict=True):
        known["Intercept_at_mean"] += coefficients[name] * mean
    values = made.draws.values.copy()
    for at, parameter in enumerate(made.draws.parameters):
        values[..., at] = known.pop(parameter.name, values[..., at])
    assert not known
    return MadeUp(replace(made.draws, values=values), made.design)


@pytest.fixture(scope="module")
def epilepsy():
    table = read_table(FOLDER / "epilepsy.csv", ("seizures", "base", "age", "visit"), ("treatment", "patient"))
    own = table.numbers
    numbers = {
        "seizures": own["seizures"],
        "b": own["base"] / 10,
        "a": own["age"] / 10,
        "last": (own["visit"] == 4).astype(float),
    }
    formula = "seizures ~ treatment * (b + last) + a + I(a**2) + (1 | patient)"
    return given(made_up(formula, replace(table, numbers=numbers), "poisson", draws=3), EPILEPSY)


@pytest.fixture(scope="module")
def words():
    missing = ("", "timeout", "skipped")
    table = read_table(ROOT / "sample_data/words.csv", ("rt", "rating"), ("freq", "subject"), missing=missing)
    return given(made_up("rt ~ freq * C(rating) + (1 | subject)", table, draws=3), WORDS)


def ask(made, *of, scale="link", groups="none", weights=Weights.EQUAL, **further):
    question = Question(of, weights=weights, **further)
    return answer(made.draws, made.design, question, EffectScale(scale), Groups(groups), None, 0.95)


def means(*arguments, **further):
    return [effect.mean for effect in ask(*arguments, **further)]


def test_averages_are_those_of_emmeans_where_a_column_of_two_numbers_counts_as_levels(epilepsy) -> None:
    assert reference_grid(epilepsy.design).levels == ("treatment", "last")
    close = np.testing.assert_allclose
    close(means(epilepsy, "treatment", marginal=True), [1.7976369, 1.5140219], atol=1e-7)
    close(means(epilepsy, "treatment", marginal=True, scale="response"), [6.042639, 4.572966], atol=1e-6)
    found = ask(epilepsy, "treatment", marginal=True, at={"b": ["1", "5"]})
    assert [(effect.what, effect.at["b"]) for effect in found[::3]] == [("placebo", "1"), ("progabide", "5")]
    close([effect.mean for effect in found], [1.2425195, 0.9098028, 2.2889070, 2.0487461], atol=1e-7)
    close(means(epilepsy, "treatment"), [-0.28361508], atol=1e-8)
    close(means(epilepsy, "b", by="treatment"), [0.26159689, 0.28473581], atol=1e-8)
    step = 0.001 * (4.2 - 1.8)  # emtrends takes the difference to a point above, by that share of the range
    close(means(epilepsy, "a"), [0.17993926 - EPILEPSY["I(a ** 2)"] * step], atol=1e-8)


def test_averages_over_an_unbalanced_interaction_are_those_of_emmeans(words) -> None:
    close = np.testing.assert_allclose
    assert words.design.n_rows == 558
    close(means(words, "freq", marginal=True), [601.5416, 681.2060], atol=5e-5)
    ratings = [661.1353, 638.6409, 623.0813, 629.7413, 654.2700]
    close(means(words, "rating", marginal=True), ratings, atol=5e-5)
    high = [638.0412, 581.7543, 554.8072, 599.7724, 633.3328]
    close(means(words, "freq", marginal=True, by="rating")[::2], high, atol=5e-5)
    proportional = means(words, "freq", marginal=True, weights=Weights.PROPORTIONAL)
    close(proportional, [592.9386, 682.8911], atol=5e-5)
    close(means(words, "freq", contrasts=Contrasts.PAIRWISE), [79.66442], atol=5e-6)


N = 60
rng = np.random.default_rng(11)
X, A, G, T = rng.normal(2, 1, N), rng.choice(3, N, p=[0.6, 0.3, 0.1]), rng.integers(6, size=N), rng.uniform(1, 5, N)
Y = rng.poisson(2, N).astype(float)


def counts(**further):
    words = {"a": (("lo", "mid", "hi"), A.astype(np.int32)), "g": (tuple("abcdef"), G.astype(np.int32))}
    return table_of("data.csv", {"y": Y, "x": X, "t": T, **further}, words, 2 + np.arange(N))


def at_levels(made, offset, x):
    """Return the linear predictor at each level of a, in alphabetical order, without groups [S, 3]."""
    moved = table_of(
        "other.csv",
        {"x": np.full(3, x), "t": np.exp(np.full(3, offset))},
        {"a": (("hi", "lo", "mid"), np.arange(3, dtype=np.int32)), "g": (("a",), np.zeros(3, dtype=np.int32))},
        np.arange(3),
    )
    design = replace(made.design, groups=())
    return linear_predictor(made.draws, design, design.on(moved), made.every)


def test_offsets_are_at_their_mean_and_rows_that_count_twice_count_twice_in_means() -> None:
    roles = Roles(exposure="t", weights="w")
    weights = rng.integers(0, 3, N).astype(float)
    made = made_up("y ~ x * a + (1 + x | g)", counts(w=weights), "poisson", roles)
    x, offset = np.average(X, weights=weights), np.average(np.log(T), weights=weights)
    (effect,) = ask(made, marginal=True, at={"a": ["mid"]})
    np.testing.assert_allclose(effect.mean, at_levels(made, offset, x)[:, 2].mean(), rtol=1e-9)
    expected = np.exp(at_levels(made, offset, x))
    found = ask(made, "a", marginal=True, scale="response")
    np.testing.assert_allclose([effect.mean for effect in found], expected.mean(axis=0), rtol=1e-9)


def test_averages_over_groups_integrate_the_effects_at_the_means_of_slopes() -> None:
    made = made_up("y ~ x + a + (1 + x || g)", counts(), "poisson")
    is_sd = [parameter.name.startswith("sd(") for parameter in made.draws.parameters]
    narrow = np.where(is_sd, 0.3, 1.0) * made.draws.values  # sds for which 21 nodes are exact
    made = replace(made, draws=replace(made.draws, values=narrow))
    predictor = at_levels(made, 0.0, X.mean())
    variance = made.draws.of("sd(g)").ravel() ** 2 + (X.mean() * made.draws.of("sd(g: x)").ravel()) ** 2
    expected = np.exp(predictor + variance[:, None] / 2)
    found = ask(made, "a", marginal=True, scale="response", groups="average-over")
    np.testing.assert_allclose([effect.mean for effect in found], expected.mean(axis=0), rtol=1e-6)


def test_predictors_of_sigma_are_on_the_grid_too() -> None:
    made = made_up("y ~ x; sigma ~ a", counts())
    own = made.design.predictor("sigma")
    b = np.column_stack([made.draws.of(f"sigma_{name}").ravel() for name in own.coefficients])
    X_sigma = np.column_stack([np.ones(3), np.eye(3)[:, 1:]])
    question = Question(("a",), marginal=True, weights=Weights.EQUAL)
    found = answer(made.draws, made.design, question, EffectScale.RESPONSE, Groups.NONE, "sigma", 0.95)
    np.testing.assert_allclose([effect.mean for effect in found], np.exp(b @ X_sigma.T).mean(axis=0), rtol=1e-9)


def test_a_cell_that_nothing_is_known_of_is_refused() -> None:
    other = np.where(A == 2, 0, rng.integers(2, size=N))
    table = counts()
    words = {**table.levels, "b": ("no", "yes")}
    table = replace(table, labels={**table.labels, "b": other.astype(np.int32)}, levels=words)
    said = r"no row has a = hi and b = yes, and the model has the interaction a:b"
    with pytest.raises(UsageError, match=said):
        ask(made_up("y ~ a * b", table), "a", marginal=True)
    added = made_up("y ~ a + b", table)
    assert len(ask(added, "a", marginal=True)) == 3


def test_what_has_no_meaning_on_a_grid_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = made_up("y ~ x + a + (1 | g)", counts())
    with pytest.raises(UsageError, match="rows of the reference grid are in no group"):
        ask(made, "a", marginal=True, groups="own")
    with pytest.raises(UsageError, match="--by g: with --weights equal there are no rows of the data"):
        ask(made, "x", by="g")
    monkeypatch.setattr("hierfit.design.reference_grid.MOST_ROWS", 2)
    with pytest.raises(UsageError, match="the levels of a have 3 combinations"):
        ask(made, "a", marginal=True)
