"""Kinds beside the usual ones: of every family and size without warnings, what their titles say is what is there."""

import dataclasses
import warnings

import matplotlib
import numpy as np
import pytest

from hierfit.model.families import Support
from hierfit.posterior.check.checked import check_model
from hierfit.posterior.compare.left_out import relative_efficiency
from hierfit.posterior.compare.parts import leave_rows_out
from hierfit.posterior.convergence import screen_effects
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.pictures import Picture
from hierfit.posterior.plots import Truth, draw_all, draw_figures, planned, save_figure
from hierfit.posterior.plots.coefficients import _coefficients
from hierfit.posterior.plots.data import _scatter as scatter_of
from hierfit.posterior.plots.data import true_draw, true_lines
from hierfit.posterior.plots.material import Choices, Material, Per, interval_text
from hierfit.posterior.plots.ppc_groups import REPLICATES, means_of
from hierfit.posterior.predict import linear_predictor
from hierfit.posterior.scale import support_of
from tests.hostile import is_raw

from ..family_draws import family_case

NEW = [
    Picture.COEFFICIENTS,
    Picture.EFFECTS,
    Picture.DATA,
    Picture.PPC_GROUPS,
    Picture.LOO_PIT,
    Picture.KHAT,
    Picture.CHECKS,
]
FAMILIES = {
    "bernoulli": {"family": "bernoulli"},
    "binomial": {"family": "binomial"},
    "poisson": {"family": "poisson"},
    "gamma": {"family": "gamma"},
    "cumulative": {"family": "cumulative"},
    "cumulative, product": {"family": "cumulative", "kind": "formula"},
    "product, two factors": {"family": "gaussian", "kind": "formula", "levels": (30, 12)},
    "levels": {"family": "bernoulli", "kind": "categories"},
    "curve": {"family": "binomial", "kind": "curve", "slope": False},
    "sigma": {"family": "gaussian", "sigma": True, "levels": (5,)},
    "many levels": {"family": "negbinomial", "levels": (400,), "rows": 4},
    "a level per row": {"family": "poisson", "levels": (40,), "rows": 1, "slope": False},
}
SIZES = {"5": 5, "60": 60, "300": 300, "5000": 5_000}


def drawn(material, kinds):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = {drawing.stem: drawing for drawing in draw_figures(material, kinds)}
        for drawing in found.values():
            drawing.figure.draw_without_rendering()
    return found


def title(drawing):
    return next(t.get_text() for t in drawing.figure.texts if t.get_fontweight() == "bold").replace("\n", " ")


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_drawn(name):
    case = family_case(n_draws=60, **FAMILIES[name])
    kinds = NEW if name in ("bernoulli", "sigma") else [kind for kind in NEW if kind is not Picture.CHECKS]
    found = drawn(Material(case.draws, case.design, case.spec), kinds)
    per_factor = (
        {f"ppc_groups_{g.factor}" for g in case.design.groups} if len(case.design.groups) > 1 else {"ppc_groups"}
    )
    places = {"loo_pit"} if support_of(case.design) is not Support.BINARY else set()
    usual = {"coefficients", "effects", "data", "khat"} | ({"checks"} if Picture.CHECKS in kinds else set())
    wanted = usual | places | (per_factor if name != "a level per row" else set())
    assert set(found) == wanted
    assert all(drawing.caption.endswith(".") and "nan" not in drawing.caption for drawing in found.values())


@pytest.mark.parametrize("size", SIZES)
def test_every_size_is_drawn_with_few_artists(size, synthetic):
    case = synthetic(n_levels=SIZES[size], n_x=1, rows=3 if size == "5000" else 12, n_draws=60)
    found = drawn(Material(case.draws, case.design, case.spec), [k for k in NEW if k is not Picture.KHAT])
    for stem, drawing in found.items():
        artists = sum(len(ax.get_children()) for ax in drawing.figure.axes)
        assert artists < 900 and drawing.figure.get_size_inches()[1] <= 14, stem


def test_a_kind_is_drawn_without_the_others(synthetic, monkeypatch):
    case = synthetic(5)
    monkeypatch.setattr(Material, "group_summary", property(lambda self: pytest.fail("not needed")))
    assert set(drawn(Material(case.draws, case.design, case.spec), [Picture.CHECKS])) == {"checks"}


def test_pairs_are_unasked_only_where_draws_are_divergent(synthetic):
    case = synthetic(5)
    assert "pairs" not in {figure.stem for figure in planned(Material(case.draws, case.design, case.spec))}
    assert len(list(draw_all(case.draws, case.design, case.spec, stems=["pairs"]))) == 1
    stats = {**case.draws.stats, "diverging": np.arange(2000).reshape(4, 500) == 7}
    draws = dataclasses.replace(case.draws, stats=stats)
    assert "pairs" in {figure.stem for figure in planned(Material(draws, case.design, case.spec))}


def test_coefficients_count_those_that_exclude_0(synthetic):
    case = synthetic(12, 30, 20, 0)
    material = Material(case.draws, case.design, case.spec)
    bounds = np.quantile(case.draws.values[:, :, 1:31], (0.025, 0.975), axis=(0, 1))
    clear = int((bounds.prod(axis=0) > 0).sum())
    found = drawn(material, [Picture.COEFFICIENTS])["coefficients"]
    assert title(found) == f"{clear} of 30 coefficients have a 95 % interval that excludes 0"


def test_coefficients_of_an_sd_are_those_of_a_unit_times_it():
    case = family_case("gaussian", kind="formula")
    material = Material(case.draws, case.design, case.spec, choices=Choices(per=Per.SD))
    found = {one.name: one for one in _coefficients(material)[0]}
    assert found["sector[Private]"].scale == 1.0  # of two values
    assert found["ses"].scale == pytest.approx(case.design.X[:, 0].std(ddof=1))
    np.testing.assert_allclose(found["ses"].values, case.draws.of("ses").ravel() * found["ses"].scale)


def test_scales_that_no_axis_shows_are_put_into_sds(synthetic):
    case = synthetic(5, 2)
    values = case.draws.values.copy()
    values[:, :, 1] *= 1e3
    for draws, per in ((case.draws, Per.UNIT), (dataclasses.replace(case.draws, values=values), Per.SD)):
        assert _coefficients(Material(draws, case.design, case.spec))[1] is per


def test_a_true_value_is_marked_and_said(synthetic):
    case = synthetic(5)
    truth = Truth.from_json(case.truth, case.design)
    found = drawn(Material(case.draws, case.design, case.spec, truth), [Picture.COEFFICIENTS])["coefficients"]
    ses = case.draws.of("ses").ravel()
    low, high = np.quantile(ses, (0.025, 0.975))
    verdict = "contains" if low <= 2 <= high else "misses"
    assert title(found) == f"The 95 % interval of ses {verdict} the true value 2: {interval_text(ses)}"


def test_means_of_groups_are_those_of_their_rows(synthetic):
    case = synthetic(40, 2, (4, 25))
    group = case.design.groups[0]
    means = means_of(Material(case.draws, case.design, case.spec), group)
    own = np.array([case.design.y[group.codes == level].mean() for level in range(40)])
    np.testing.assert_allclose(means.observed, own)
    # Replicated means are normal around the mean of the rows' predictors, sd sigma / sqrt(rows): at 400 of them the
    # standard error of their mean is a twentieth of their sd, of the sd itself 4 %.
    eta = linear_predictor(case.draws, case.design, np.arange(case.design.n_rows), np.arange(2000))
    centre = np.stack([eta[:, group.codes == level].mean(axis=1) for level in range(40)], axis=1)
    sd = np.sqrt(centre.var(axis=0) + np.square(case.draws.of("sigma")).mean() / group.rows_per_level)
    z = (means.replicated.mean(axis=0) - centre.mean(axis=0)) / (sd / np.sqrt(REPLICATES))
    assert np.abs(z).max() < 4.5
    assert means.replicated.std(axis=0) / sd == pytest.approx(np.ones(40), abs=0.16)


def test_a_block_of_rows_more_or_less_does_not_matter(synthetic, monkeypatch):
    """All blocks are replicated under the same draws: else means over several would vary too little."""
    case = synthetic(5, 1, 400)
    sigma = np.array([p.name == "sigma" for p in case.draws.parameters])
    draws = dataclasses.replace(case.draws, values=np.where(sigma, 1e-9, case.draws.values))
    material = Material(draws, case.design, case.spec)
    whole = means_of(material, case.design.groups[0]).replicated
    monkeypatch.setattr("hierfit.posterior.plots.ppc_groups.BLOCK", 37)
    np.testing.assert_allclose(means_of(material, case.design.groups[0]).replicated, whole, rtol=1e-7)


def test_some_levels_stand_for_very_many_rows(synthetic, monkeypatch):
    case = synthetic(160, 1, 45, n_draws=60)
    monkeypatch.setattr("hierfit.posterior.plots.ppc_groups.MOST_ROWS", 1_000)
    means = means_of(Material(case.draws, case.design, case.spec), case.design.groups[0])
    assert len(means.levels) == 22 and means.n_rows == 22 * 45
    group = case.design.groups[0]
    assert means.observed[3] == pytest.approx(case.design.y[group.codes == means.levels[3]].mean())


def test_successes_and_categories_have_means_of_their_own():
    case = family_case("binomial", levels=(6,))
    group = case.design.groups[0]
    means = means_of(Material(case.draws, case.design, case.spec), group)
    own = [case.design.y[group.codes == j].sum() / case.design.trials[group.codes == j].sum() for j in range(6)]
    assert means.observed == pytest.approx(own)
    case = family_case("cumulative", levels=(6,))
    means = means_of(Material(case.draws, case.design, case.spec), case.design.groups[0])
    assert means.observed == pytest.approx([case.design.y[group.codes == j].mean() + 1 for j in range(6)])


def test_checks_count_parameters_of_groups_too(synthetic):
    case = synthetic(160, 1, 45, n_draws=250)
    effects = case.draws.effects["school"].copy()
    effects[0, :, 7] += 30.0  # one chain elsewhere
    draws = dataclasses.replace(case.draws, effects={"school": effects})
    material = Material(draws, case.design, case.spec)
    known, screen = material.convergence, screen_effects(effects)
    rhat = np.concatenate([known.rhat, screen.rhat.ravel()])
    ess = np.concatenate([np.fmin(known.ess_bulk, known.ess_tail), screen.ess.ravel()])
    bad = int(((rhat >= 1.01) | (ess < 400)).sum())
    assert bad >= 2
    said = title(drawn(material, [Picture.CHECKS])["checks"])
    assert said.startswith(f"{bad} of {len(rhat)} parameters have an R-hat of 1.01 or more, or an ESS under 400")


def test_checks_say_which_chains_creep(synthetic):
    case = synthetic(5)
    energy = case.draws.stats["energy"].copy()
    energy[2] = np.cumsum(energy[2])  # of which changes are small
    draws = dataclasses.replace(case.draws, stats={**case.draws.stats, "energy": energy})
    assert title(drawn(Material(draws, case.design, case.spec), [Picture.CHECKS])["checks"]).endswith(
        "; E-BFMI is low in chain 3"
    )
    del draws.stats["energy"]
    assert len(drawn(Material(draws, case.design, case.spec), [Picture.CHECKS])["checks"].figure.axes) == 2


def test_places_are_those_of_check(synthetic):
    case = synthetic(40, 1, 12)
    found = check_model(case.draws, case.design, case.spec)
    drawing = drawn(Material(case.draws, case.design, case.spec), [Picture.LOO_PIT])["loo_pit"]
    left, right = drawing.figure.axes
    np.testing.assert_array_equal(left.lines[1].get_ydata()[1:-1], found.even.below - found.even.grid)
    counts = np.histogram(found.places.pit, len(right.patches), (0, 1))[0]
    assert [bar.get_height() for bar in right.patches] == counts.tolist()
    (check,) = [check for check in found.checks if check.name.startswith("places")]
    assert title(drawing).removeprefix("Places of rows: ") in check.says
    assert not any(sub in check.says for sub in ("narrow", "wide"))


def test_predictions_that_are_too_narrow_are_said_to_be(synthetic):
    case = synthetic(40, 1, 12)
    y = case.design.y.mean() + 2 * (case.design.y - case.design.y.mean())
    material = Material(case.draws, dataclasses.replace(case.design, y=y), case.spec)
    assert "too narrow" in title(drawn(material, [Picture.LOO_PIT])["loo_pit"])


def test_khat_is_that_of_compare_and_names_the_worst(synthetic):
    case = synthetic(5, 1, 12)
    y = case.design.y.copy()
    y[17] += 80.0
    design = dataclasses.replace(case.design, y=y)
    material = Material(case.draws, design, case.spec)
    efficiency = relative_efficiency(material.convergence.ess_bulk, 2000)
    found = leave_rows_out(LogLikelihood(case.draws, design), efficiency)
    assert found.doubtful[0] == 17
    drawing = drawn(material, [Picture.KHAT])["khat"]
    assert title(drawing).endswith("a Pareto k above 0.70: line 19 (school s02)")
    (shown,) = [t.get_text() for t in drawing.figure.axes[0].texts]
    assert shown == "line 19 (school s02)"


def test_true_lines_are_those_of_the_true_values(synthetic):
    case = synthetic(5)
    truth = Truth.from_json(case.truth, case.design)
    material = Material(case.draws, case.design, case.spec, truth)
    lines = true_lines(material, scatter_of(material))
    np.testing.assert_allclose(lines.population, 12 + 2 * lines.grid)
    u = np.array(list(case.truth["effects"]["school"]["values"].values()))
    np.testing.assert_allclose(lines.levels, (12 + u[:, :1]) + (2 + u[:, 1:]) * lines.grid)
    assert "the true line" in drawn(material, [Picture.DATA])["data"].figure.texts[-1].get_text()


def test_without_all_true_values_there_are_no_true_lines(synthetic):
    case = synthetic(5)
    parameters = {name: value for name, value in case.truth["parameters"].items() if name != "ses"}
    for content in ({**case.truth, "parameters": parameters}, {"parameters": case.truth["parameters"]}):
        truth = Truth.from_json(content, case.design)
        assert true_draw(Material(case.draws, case.design, case.spec, truth)) is None
    assert true_draw(Material(case.draws, case.design, case.spec)) is None


def test_a_chosen_column_is_what_lines_effects_and_data_run_along(synthetic):
    case = synthetic(40, 2, (4, 25))
    for column in ("ses", "hours"):
        material = Material(case.draws, case.design, case.spec, choices=Choices(column=column))
        found = drawn(material, [Picture.LINES, Picture.EFFECTS, Picture.DATA])
        assert {drawing.figure.axes[0].get_xlabel() for drawing in found.values()} == {column}


def test_a_chosen_predictor_of_levels_has_points():
    case = family_case("gaussian", kind="formula")
    material = Material(case.draws, case.design, case.spec, choices=Choices(column="sector"))
    found = drawn(material, [Picture.LINES, Picture.EFFECTS, Picture.DATA])
    for stem, drawing in found.items():
        labels = [text.get_text() for text in drawing.figure.axes[0].get_xticklabels()]
        assert labels == ["Public", "Private"], stem


def test_effects_draw_what_they_say(synthetic):
    case = synthetic(40, 2, (4, 25))
    drawing = drawn(Material(case.draws, case.design, case.spec), [Picture.EFFECTS])["effects"]
    axes = drawing.figure.axes
    assert [ax.get_xlabel() for ax in axes] == ["ses", "hours"]
    assert len({ax.get_ylim() for ax in axes}) == 1
    line = max(axes[0].get_lines(), key=lambda line: len(line.get_xdata()))
    slope = (
        case.draws.of("ses").mean()
        + case.draws.effects["school"][..., 1].mean(axis=(0, 1))[case.design.groups[0].codes].mean()
    )  # the mean of slopes of rows
    assert np.diff(line.get_ydata()) / np.diff(line.get_xdata()) == pytest.approx(slope)
    ends = [float(np.format_float_positional(v, precision=4, fractional=False)) for v in line.get_xdata()[[0, -1]]]
    assert title(drawing).startswith("ses moves average mathach most of 2 predictors: from ")
    assert all(f"ses = {end:.4g}" in title(drawing) for end in ends)


def test_hostile_labels_are_letters(synthetic, tmp_path):
    case = synthetic(n_levels=5, n_x=1, rows=8)
    group = dataclasses.replace(
        case.design.groups[0], labels=("$x^2$", "\\frac_{a}", "a\x1b[31m\nb", "$\\alpha", "_d$$")
    )
    design = dataclasses.replace(case.design, response="s$c_1$o\x9bre", groups=(group,))
    for drawing in draw_figures(Material(case.draws, design, case.spec), NEW):
        save_figure(drawing.figure, tmp_path / drawing.stem, drawing.caption)
        texts = [text for text in drawing.figure.findobj(matplotlib.text.Text) if text.get_text()]
        assert not any(text.get_parse_math() for text in texts)
        assert not any(map(is_raw, "".join(text.get_text() for text in texts)))
