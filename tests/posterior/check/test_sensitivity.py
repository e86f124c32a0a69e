"""Power scaling: the numbers are ArviZ's, and those of a conjugate normal model whose scaled posterior is known."""

import numpy as np
import pytest
from scipy import stats

from hierfit.posterior.check.prior_density import log_prior
from hierfit.posterior.check.sensitivity import log_likelihood, power_scaled, sensitivities
from hierfit.posterior.log_likelihood import LogLikelihood
from tests.posterior.family_draws import family_case

Array = np.ndarray
STEP = 0.01


def conjugate(prior_mean: float, prior_sd: float, mean: float, sd: float) -> tuple[float, float]:
    """Mean and sd of a normal prior times a normal likelihood."""
    precision = prior_sd**-2 + sd**-2
    return (prior_mean / prior_sd**2 + mean / sd**2) / precision, precision**-0.5


def distance(first: tuple[float, float], second: tuple[float, float], low: float, high: float) -> float:
    """Cumulative Jensen-Shannon distance of two normal distributions over a range, on a fine grid; both directions."""
    x = np.linspace(low, high, 200_001)
    found = []
    for sign in (1, -1):
        p, q = (stats.norm.cdf(sign * x, sign * mean, sd) for mean, sd in (first, second))
        m = (p + q) / 2
        areas = np.trapezoid(p, x), np.trapezoid(q, x)
        apart = 0.5 / np.log(2) * (areas[1] - areas[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            from_p = np.trapezoid(np.nan_to_num(p * np.log2(p / m)), x) + apart
            from_q = np.trapezoid(np.nan_to_num(q * np.log2(q / m)), x) - apart
        found.append(np.sqrt(max(0, from_p + from_q) / sum(areas)))
    return max(found)


@pytest.mark.parametrize(
    ("prior", "data"), [((0, 1), (2, 1)), ((0, 10), (2, 1)), ((0, 0.5), (0.2, 3)), ((5, 1), (0, 1))]
)
def test_sensitivities_are_those_of_the_scaled_posterior(prior: tuple, data: tuple) -> None:
    rng = np.random.default_rng(1)
    posterior = conjugate(*prior, *data)
    draws = rng.normal(*posterior, 40_000)
    found = [float(power_scaled(draws[:, None], stats.norm.logpdf(draws, *part))[0]) for part in (prior, data)]
    wanted = []
    for component in (0, 1):
        total = 0.0
        for power in (1 / (1 + STEP), 1 + STEP):
            scaled = [prior, data]
            scaled[component] = (scaled[component][0], scaled[component][1] / np.sqrt(power))
            total += distance(posterior, conjugate(*scaled[0], *scaled[1]), draws.min(), draws.max())
        wanted.append(total / (2 * np.log2(1 + STEP)))
    # 40,000 draws: weights of a hundredth of a power leave a twentieth of Monte Carlo error.
    np.testing.assert_allclose(found, wanted, rtol=0.06, atol=0.002)


def test_sensitivities_are_those_of_arviz() -> None:
    import arviz as az

    case = family_case("gaussian", n_draws=250)
    prior, likelihood = (
        log_prior(case.draws, case.design, case.spec), log_likelihood(case.draws, case.design),
    )  # fmt: skip
    posterior = {parameter.name: case.draws.of(parameter.name) for parameter in case.draws.parameters}
    data = az.from_dict(posterior=posterior, log_likelihood={"y": likelihood.reshape(4, 250)})
    data.add_groups({"log_prior": {"all": prior.reshape(4, 250)}})
    values = case.draws.values.reshape(1000, -1)
    for component, own in (("prior", prior), ("likelihood", likelihood)):
        # Differences of the order of rounding in the weights have their square root taken.
        wanted = az.psens(data, component=component)
        found = power_scaled(values, own)
        np.testing.assert_allclose(found, [float(wanted[name]) for name in posterior], rtol=1e-3, atol=1e-6)


def test_the_likelihood_is_that_of_all_rows() -> None:
    case = family_case("poisson")
    wanted = LogLikelihood(case.draws, case.design).of(np.arange(240)).sum(axis=1)
    np.testing.assert_allclose(log_likelihood(case.draws, case.design), wanted)


def test_every_parameter_that_moves_has_its_sensitivities() -> None:
    case = family_case("cumulative")
    found = sensitivities(case.draws, case.design, case.spec)
    assert [own.name for own in found] == [parameter.name for parameter in case.draws.parameters]
    assert all(np.isfinite([own.prior, own.likelihood]).all() for own in found)
