import numpy as np
import pytest

from hierfit.errors import PriorError
from hierfit.model.priors import DISTRIBUTIONS, Prior, parse_prior

# One prior of each kind that has a density.
EXAMPLES = {
    "normal": (1.0, 2.0),
    "student_t": (3.0, 0.5, 2.0),
    "cauchy": (0.0, 5.0),
    "laplace": (1.0, 2.0),
    "logistic": (1.0, 2.0),
    "lognormal": (0.3, 0.8),
    "exponential": (0.5,),
    "gamma": (2.0, 0.5),
    "inv_gamma": (3.0, 2.0),
    "uniform": (-1.0, 4.0),
    "beta": (2.0, 3.0),
}


@pytest.mark.parametrize(
    ("text", "name", "shown"),
    [
        ("ses ~ normal(0, 2.5)", "ses", "normal(0, 2.5)"),
        ("  sd(school: ses)~student_t( 3,0 , 1e1 ) ", "sd(school: ses)", "student_t(3, 0, 10)"),
        ("cor(school) ~ lkj(2)", "cor(school)", "lkj(2)"),
        ("sd(school) ~ constant(1)", "sd(school)", "constant(1)"),
        ("hours per week ~ flat()", "hours per week", "flat()"),
        ("x ~ uniform(-.5, +2.)", "x", "uniform(-0.5, 2)"),
    ],
)
def test_text_is_read(text: str, name: str, shown: str) -> None:
    read_name, prior = parse_prior(text)
    assert (read_name, str(prior)) == (name, shown)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ses normal(0, 1)", "expected NAME ~ distribution"),
        ("ses ~ normal", "expected NAME ~ distribution"),
        ("ses ~ nromal(0, 1)", "Did you mean 'normal'"),
        ("ses ~ normal(0)", "takes 2 numbers, 1 given"),
        ("ses ~ normal(0, one)", "'one' is not a number"),
        ("ses ~ normal(0, inf)", "'inf' is not a number"),
        ("ses ~ normal(0, 1e999)", "not a number"),
        ("ses ~ normal(0, -1)", "sigma must be greater than 0"),
        ("ses ~ uniform(3, 3)", "not below"),
        ("ses ~ normal(0,, 1)", "'' is not a number"),
    ],
)
def test_what_cannot_be_read_says_why_and_shows_the_form(text: str, words: str) -> None:
    with pytest.raises(PriorError) as caught:
        parse_prior(text)
    assert words in caught.value.message and text in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("within", [(-np.inf, np.inf), (0.0, np.inf), (0.0, 1.0), (1.0, np.inf)], ids=str)
@pytest.mark.parametrize("name", EXAMPLES)
def test_densities_integrate_to_one(name: str, within: tuple[float, float]) -> None:
    from scipy.integrate import quad

    prior = Prior(name, EXAMPLES[name], "")
    lower, upper = prior.bounds(within=within)
    if lower >= upper:
        pytest.skip("the prior leaves no room there")
    total, _ = quad(lambda x: float(prior.density(np.array(x), within=within)), lower, upper, limit=200)
    assert total == pytest.approx(1.0, abs=1e-6)
    outside = np.array([lower - 0.01, upper + 0.01])
    np.testing.assert_array_equal(prior.density(outside[np.isfinite(outside)], within=within), 0)


@pytest.mark.parametrize("name", EXAMPLES)
def test_positive_is_short_for_the_range_from_zero(name: str) -> None:
    prior, x = Prior(name, EXAMPLES[name], ""), np.linspace(-2, 2, 9)
    assert prior.bounds(positive=True) == prior.bounds(within=(0, np.inf))
    np.testing.assert_array_equal(prior.density(x, positive=True), prior.density(x, within=(0, np.inf)))


def test_every_distribution_with_a_density_is_tried() -> None:
    assert set(EXAMPLES) == {name for name, kind in DISTRIBUTIONS.items() if kind.make is not None}


@pytest.mark.parametrize("factor", [0.02, 1.0, 3.5])
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "beta"])
def test_rescaled_is_a_change_of_variables(name: str, factor: float) -> None:
    """The density of c X at c x is that of X at x over c."""
    prior = Prior(name, EXAMPLES[name], "given")
    x = np.array([-2.0, -0.3, 0.1, 0.4, 1.0, 2.7, 3.9, 8.0])
    for within in ((-np.inf, np.inf), (0.0, np.inf)):
        moved = prior.rescaled(factor).density(factor * x, within=within)
        np.testing.assert_allclose(moved, prior.density(x, within=within) / factor, rtol=1e-10)
    assert prior.rescaled(factor).source == "given"


def test_rescaled_without_a_density() -> None:
    assert Prior("constant", (3.0,), "").rescaled(0.5).constant == 1.5
    assert Prior("flat", (), "").rescaled(0.5) == Prior("flat", (), "")


@pytest.mark.parametrize("name", ["beta", "lkj"])
def test_what_has_no_other_scale_is_not_rescaled(name: str) -> None:
    arguments = tuple(1.0 for _ in DISTRIBUTIONS[name].arguments)
    with pytest.raises(PriorError, match=f"{name}.* cannot be carried to another scale"):
        Prior(name, arguments, "").rescaled(2.0)


def test_without_a_density_it_is_nan() -> None:
    assert np.isnan(Prior("flat", (), "").density(np.zeros(3))).all()


def test_bounds_follow_support_and_positivity() -> None:
    inf = np.inf
    assert Prior("normal", (0, 1), "").bounds(positive=False) == (-inf, inf)
    assert Prior("normal", (0, 1), "").bounds(positive=True) == (0, inf)
    assert Prior("gamma", (1, 1), "").bounds(positive=False) == (0, inf)
    assert Prior("uniform", (-1, 2), "").bounds(positive=False) == (-1, 2)
    assert Prior("uniform", (-1, 2), "").bounds(positive=True) == (0, 2)
    assert Prior("beta", (1, 1), "").bounds() == (0, 1)
    assert Prior("normal", (0, 1), "").bounds(within=(0, 1)) == (0, 1)
    assert Prior("uniform", (-1, 9), "").bounds(within=(1, inf)) == (1, 9)
