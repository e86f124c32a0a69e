"""An outcome that is an offset of up to 1e12 and something small: all that is said of the draws is shifted, no more.

The numbers are rounded to multiples of 1 / 1024, of which an offset takes no digit, so that the draws are the same.
"""

import dataclasses

import numpy as np
import pytest

from hierfit.design import moments
from hierfit.posterior.convergence import assess, screen_effects, split_rhat
from hierfit.posterior.group_summary import level_quantiles, summarize_groups
from hierfit.posterior.lines import alone, course, group_at, population_at
from hierfit.posterior.netcdf import write_netcdf
from hierfit.posterior.netcdf_reading import read_netcdf
from hierfit.posterior.plots.material import limits
from hierfit.posterior.predict import expected_rows
from hierfit.posterior.summary import summarize
from hierfit.posterior.unpooled import unpooled_estimates

SHIFTS = [1.0, 1e6, -1e9, 1e12, -1e12]


def rounded(values):
    return np.round(values * 1024) / 1024


@pytest.fixture(scope="module")
def near(synthetic):
    case = synthetic(5, 1)
    draws = dataclasses.replace(
        case.draws,
        values=rounded(case.draws.values),
        effects={factor: rounded(u) for factor, u in case.draws.effects.items()},
    )
    group = dataclasses.replace(case.design.groups[0], Z=rounded(case.design.groups[0].Z))
    design = dataclasses.replace(case.design, X=group.Z[:, 1:], y=rounded(case.design.y), groups=(group,))
    return dataclasses.replace(case, draws=draws, design=design)


def moved(case, shift):
    """Return the case with another origin of the outcome."""
    draws, design = case.draws, case.design
    values = draws.values.copy()
    values[:, :, 0] += shift
    return dataclasses.replace(
        case,
        draws=dataclasses.replace(draws, values=values),
        design=dataclasses.replace(design, y=design.y + shift),
    )


def assert_shifted(found, expected, shift):
    # Doubles near 1e12 are 1.2e-4 apart, and a few of them are added.
    error = 4 * np.spacing(abs(shift) + 100) + 1e-10
    np.testing.assert_allclose(np.asarray(found) - shift, expected, rtol=0, atol=error)


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_table_is_shifted(near, shift):
    far = moved(near, shift)
    ours, theirs = (summarize(case.draws, case.design, case.spec) for case in (near, far))
    for one, other in zip(ours.rows, theirs.rows, strict=True):
        by = shift if one.name == "Intercept" else 0.0
        assert_shifted([other.mean, other.lower, other.upper], [one.mean, one.lower, one.upper], by)
        for name in ("sd", "mcse_mean", "rhat", "ess_bulk", "ess_tail"):
            assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-6), (one.name, name)
    assert ours.shares == theirs.shares


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_groups_are_shifted(near, shift):
    far = moved(near, shift)
    ours, theirs = (summarize_groups(case.draws, case.design, case.spec).tables[0] for case in (near, far))
    for name in ("deviation_mean", "deviation_sd", "deviation_lower", "deviation_upper", "shrunk_by"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(ours, name), rtol=1e-6, atol=1e-9)
    group = near.design.groups[0]
    quantiles = [level_quantiles(case.draws, group, (0.1, 0.9)) for case in (near, far)]
    for column, by in enumerate((shift, 0.0)):
        for name in ("population", "mean", "lower", "upper"):
            assert_shifted(getattr(theirs, name)[..., column], getattr(ours, name)[..., column], by)
        assert_shifted(quantiles[1][:, column], quantiles[0][:, column], by)


@pytest.mark.parametrize("shift", SHIFTS)
def test_what_is_predicted_is_shifted(near, shift):
    far, group = moved(near, shift), near.design.groups[0]
    column = near.design.coefficients[0]
    along, picks = course(near.design, {column: np.array([-1.0, 0.5, 2.0])}), np.arange(0, 2000, 7)
    found = [
        (
            expected_rows(case.draws, case.design, np.arange(20), picks),
            group_at(case.draws, case.design, alone(group, along), np.arange(group.n_levels)),
            moments.mean(population_at(case.draws, case.design, along, picks), axis=0),
            unpooled_estimates(case.draws, case.design, group)[:, 0],
            limits(case.draws.of("Intercept").ravel(), case.draws.parameters[0]),
        )
        for case in (near, far)
    ]
    for ours, theirs in zip(*found, strict=True):
        assert_shifted(theirs, ours, shift)


@pytest.mark.parametrize("shift", SHIFTS)
def test_screens_see_through_the_offset(near, shift):
    """Without a population intercept the effects themselves are far from 0."""
    effects = near.draws.effects["school"]
    ours, theirs = screen_effects(effects), screen_effects(effects + shift)
    np.testing.assert_allclose(theirs.rhat, ours.rhat, rtol=1e-6)
    np.testing.assert_allclose(theirs.ess, ours.ess, rtol=1e-6)
    many = np.concatenate([effects] * 30, axis=2)  # more than ArviZ is asked about
    ours, theirs = screen_effects(many), screen_effects(many + shift)
    np.testing.assert_allclose(theirs.rhat, ours.rhat, rtol=1e-6)
    np.testing.assert_allclose(theirs.ess, ours.ess, rtol=1e-6)
    assert not ours.exact and split_rhat(many.reshape(4, 500, -1)).max() < 1.1


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_file_keeps_the_digits(near, shift, tmp_path):
    far = moved(near, shift)
    effects = {"school": far.draws.effects["school"] + shift}
    draws = dataclasses.replace(far.draws, effects=effects)
    write_netcdf(tmp_path / "trace.nc", draws, far.design, far.spec)
    again, design = read_netcdf(tmp_path / "trace.nc", far.spec, far.design.source)
    np.testing.assert_array_equal(again.values, draws.values)
    np.testing.assert_array_equal(design.y, far.design.y)
    sd = effects["school"].std(axis=(0, 1))
    assert np.all(np.abs(again.effects["school"] - effects["school"]).max(axis=(0, 1)) < 1e-3 * sd)
    assert assess(again.values).ess_bulk.tolist() == assess(draws.values).ess_bulk.tolist()
