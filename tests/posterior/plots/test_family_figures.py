"""Figures of every family and of several factors: drawn without warnings, on the outcome's scale, true titles."""

import dataclasses
import re
import warnings
from itertools import pairwise

import numpy as np
import pytest

from hierfit.design.terms import evaluate_terms
from hierfit.model.families import FAMILIES
from hierfit.model.priors import Prior
from hierfit.model.spec import Kind, Parameter, threshold_name
from hierfit.posterior.lines import group_at
from hierfit.posterior.plots import draw_all, draw_figures
from hierfit.posterior.plots.categories import categories_along
from hierfit.posterior.plots.course import lines_along, own_curves, shown_points
from hierfit.posterior.plots.course_words import usual_ends
from hierfit.posterior.plots.material import Material, interval_text
from hierfit.posterior.plots.posterior import _prior_density
from hierfit.posterior.plots.ppc_discrete import calibration_bins, label_categories
from hierfit.posterior.plots.ppc_rows import predict_rows

from ..family_draws import CATEGORIES, family_case

CASES = {
    "bernoulli": {"family": "bernoulli", "rows": 20},
    "binomial": {"family": "binomial"},
    "poisson": {"family": "poisson"},
    "gamma, few levels": {"family": "gamma", "levels": (8,)},
    "lognormal": {"family": "lognormal"},
    "student": {"family": "student"},
    "beta": {"family": "beta"},
    "negbinomial, many levels": {"family": "negbinomial", "levels": (400,), "rows": 4},
    "crossed bernoulli": {"family": "bernoulli", "levels": (40, 12), "rows": 15},
    "probit": {"family": "bernoulli", "link": "probit"},
    "a level per row": {"family": "poisson", "levels": (100,), "rows": 1, "slope": False},
    "three factors, interaction": {"family": "gaussian", "levels": (30, 12, 70), "kind": "formula"},
    "curve": {"family": "binomial", "levels": (6,), "rows": 30, "kind": "curve", "slope": False},
    "categories": {"family": "bernoulli", "kind": "categories"},
    "cumulative": {"family": "cumulative"},
    "cumulative, probit, few levels": {"family": "cumulative", "link": "probit", "levels": (5,), "rows": 30},
    "cumulative, many levels": {"family": "cumulative", "levels": (400,), "rows": 4},
    "cumulative, categories": {"family": "cumulative", "kind": "categories"},
    "cumulative, curve": {"family": "cumulative", "kind": "curve", "slope": False},
    "hurdle": {"family": "hurdle_negbinomial"},
    "sigma": {"family": "gaussian", "sigma": True, "levels": (5,)},
    "sigma, many levels": {"family": "student", "sigma": True, "levels": (400,), "rows": 4},
}
# Of traces and checks no more than the names of parameters depends on the outcome.
OF_OUTCOMES = ["posterior", "groups", "lines", "ppc", "ppc_groups", "shrinkage"]
WHOLE = {"bernoulli", "three factors, interaction", "cumulative", "sigma"}


@pytest.fixture(scope="module")
def drawn():
    cache = {}

    def of(name):
        if name not in cache:
            case = family_case(**CASES[name])
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = draw_all(case.draws, case.design, case.spec, stems=None if name in WHOLE else OF_OUTCOMES)
                drawings = {drawing.stem: drawing for drawing in found}
                for drawing in drawings.values():
                    drawing.figure.draw_without_rendering()
            cache[name] = (case, Material(case.draws, case.design, case.spec), drawings)
        return cache[name]

    return of


def headings(drawing):
    """Title and note; before them may stand the common names of the axes."""
    texts = drawing.figure.texts
    start = next(index for index, text in enumerate(texts) if text.get_fontweight() == "bold")
    return [text.get_text().replace("\n", " ") for text in texts[start:]]


def title(drawing):
    return headings(drawing)[0]


def note(drawing):
    return headings(drawing)[1]


@pytest.mark.parametrize("name", CASES)
def test_every_figure_is_drawn_without_warnings(drawn, name):
    case, _, drawings = drawn(name)
    by_factor = ["groups", "shrinkage", "ppc_groups"] if name != "a level per row" else ["groups"]
    expected = {"posterior", "lines", "ppc"} | ({"trace", "checks"} if name in WHOLE else set())
    for stem in by_factor:
        factors = case.spec.groups
        expected |= {f"{stem}_{g.factor.replace(':', '-')}" for g in factors} if len(factors) > 1 else {stem}
    assert set(drawings) - {"pairs"} == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_figures_need_no_more_than_a_record_of_the_family(family):
    case = family_case(family, levels=(15,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = draw_all(case.draws, case.design, case.spec, stems=OF_OUTCOMES)
        assert {"lines", "ppc"} <= {drawing.stem for drawing in found}


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("bernoulli", "The odds of answer = yes multiply by"),
        ("binomial", "The odds of answer multiply by"),
        ("poisson", "Expected answer multiplies by"),
        ("lognormal", "Expected answer multiplies by"),
        ("cumulative", "The odds of higher answer multiply by"),
    ],
)
def test_titles_of_lines_are_ratios(drawn, name, start):
    case, _, drawings = drawn(name)
    ratio = np.exp(case.draws.of("ses").ravel())
    single = np.exp(case.draws.of("ses").mean() + case.draws.effects["school"][..., 1].mean(axis=(0, 1)))
    assert title(drawings["lines"]) == (
        f"{start} {interval_text(ratio)} per unit of ses; in single schools by {single.min():.3f} to {single.max():.3f}"
    )
    assert f"{start[0].lower()}{start[1:]} {interval_text(ratio)} per unit" in title(drawings["posterior"])


def test_a_probit_title_says_the_probabilities_at_both_ends(drawn):
    from scipy.special import ndtr

    case, material, drawings = drawn("probit")
    lines = lines_along(material)
    at = usual_ends(lines.x)
    ends = [ndtr(case.draws.of("Intercept").ravel() + case.draws.of("ses").ravel() * x) for x in at]
    assert title(drawings["lines"]) == (
        f"P(answer = yes) is {interval_text(ends[0])} and {interval_text(ends[1])} "
        f"at ses = {at[0]:.2f} and {at[1]:.2f} (5th and 95th percentile)"
    )


def test_with_an_interaction_every_level_has_a_slope_of_its_own(drawn):
    case, material, drawings = drawn("three factors, interaction")
    public = case.draws.of("ses").ravel()
    private = public + case.draws.of("ses:sector[Private]").ravel()
    assert title(drawings["lines"]) == (
        f"answer changes by {interval_text(public)} per unit of ses for sector = Public; "
        f"{interval_text(private)} for Private"
    )
    lines = lines_along(material)
    for one, sector in zip(lines.courses.each, (0, 1), strict=True):
        np.testing.assert_allclose(one.X, np.stack([lines.grid, 0 * lines.grid + sector, sector * lines.grid], axis=1))
    private = case.design.inputs.labels["sector"] == 1
    shares = [private[lines.group.codes == level].mean() for level in range(lines.group.n_levels)]
    np.testing.assert_allclose(lines.courses.shares[:, 1], shares)


def test_the_curve_of_a_level_is_the_inverse_link_of_its_predictor(drawn):
    case, material, _ = drawn("poisson")
    lines = lines_along(material)
    levels = np.array([3])
    curve = own_curves(material, lines, levels, group_at(case.draws, case.design, lines.courses, levels)[0])[0]
    u = case.draws.effects["school"].mean(axis=(0, 1))[3]
    b = [case.draws.of(name).mean() for name in ("Intercept", "ses")]
    expected = np.exp(b[0] + u[0] + (b[1] + u[1]) * curve[:, 0] + case.design.offset.mean())
    # The curve is read off a grid of 40 points, linear between them.
    np.testing.assert_allclose(curve[:, 1], expected, rtol=0.02)
    x = case.design.X[case.design.groups[0].codes == 3, 0]
    assert curve[[0, -1], 0] == pytest.approx([x.min(), x.max()])


def test_outcomes_of_two_values_lie_beyond_0_and_1_and_proportions_within(drawn):
    case, material, drawings = drawn("bernoulli")
    points = shown_points(material)
    assert ((points < 0) == (case.design.y == 0)).all()
    assert ((points > 1) == (case.design.y == 1)).all()
    ax = drawings["lines"].figure.axes[0]
    circles = next(line for line in ax.lines if line.get_marker() == "o").get_ydata()
    assert ((circles >= 0) & (circles <= 1)).all()
    assert ax.get_ylabel() == "P(answer = yes)"
    assert "typical school" in note(drawings["lines"])


def test_binomial_points_are_proportions(drawn):
    case, _, drawings = drawn("binomial")
    points = drawings["lines"].figure.axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 1], case.design.y / case.design.trials)


def test_calibration_counts_the_bins_within_their_interval(drawn):
    case, _, drawings = drawn("bernoulli")
    # Of data from the model itself, whose draws lie as close to the truth as those of a posterior.
    assert title(drawings["ppc"]).startswith("All 10 observed proportions of answer = ")
    ax = drawings["ppc"].figure.axes[0]
    points = np.concatenate([collection.get_offsets() for collection in ax.collections[1:]])
    assert len(points) == 10
    # Ten bins of 40 rows: their mean is the mean of the outcome.
    assert points[:, 1].mean() == pytest.approx(case.design.y.mean())


def test_bins_hold_every_row_once_in_order_of_the_prediction():
    predicted = np.random.default_rng(1).random(57)
    bins = calibration_bins(predicted)
    assert sorted(np.concatenate(bins).tolist()) == list(range(57))
    assert len(bins) == 5
    assert all(predicted[a].max() <= predicted[b].min() for a, b in pairwise(bins))


def test_the_bars_of_a_rootogram_count_every_row(drawn):
    case, _, drawings = drawn("poisson")
    bars = drawings["ppc"].figure.axes[0].patches
    assert sum(bar.get_height() for bar in bars) == case.design.n_rows


@pytest.mark.parametrize(
    "name", ["poisson", "binomial", "gamma, few levels", "student", "beta", "cumulative", "hurdle", "sigma"]
)
def test_ranks_of_data_from_the_model_are_uniform(drawn, name):
    case, material, _ = drawn(name)
    ranks = predict_rows(material, np.arange(case.design.n_rows)).places
    assert ((ranks > 0) & (ranks < 1)).all()
    # Mean of n uniform numbers: 1/2 with a standard error of 1 / sqrt(12 n).
    assert abs(ranks.mean() - 0.5) < 4 / np.sqrt(12 * len(ranks))
    low, high = np.mean(ranks < 0.25), np.mean(ranks > 0.75)
    assert max(abs(low - 0.25), abs(high - 0.25)) < 4 * np.sqrt(0.25 * 0.75 / len(ranks))


@pytest.mark.parametrize(("name", "scale"), [("bernoulli", "log odds"), ("poisson", "log scale")])
def test_the_scale_of_the_coefficients_is_said(drawn, name, scale):
    _, _, drawings = drawn(name)
    assert f"({scale})" in drawings["groups"].caption
    assert drawings["groups"].figure.axes[0].get_xlabel() == f"intercept ({scale})"
    assert scale in note(drawings["posterior"])


def test_pooling_of_proportions_is_shown_against_trials(drawn):
    case, material, drawings = drawn("binomial")
    ax = drawings["shrinkage"].figure.axes[0]
    assert ax.get_xlabel() == "trials per school"
    trials = np.bincount(case.design.groups[0].codes, weights=case.design.trials)
    points = ax.collections[0].get_offsets()
    np.testing.assert_allclose(points[:, 0], trials)
    np.testing.assert_allclose(points[:, 1], material.group_summary.table("school").shrunk_by[:, 0])


def test_categories_are_named_and_counted(drawn):
    case, material, drawings = drawn("categories")
    factor = categories_along(material).factor
    assert factor.labels == ("Public", "Church", "Private")
    private = case.design.X[:, 1] == 1
    assert (factor.codes[private] == 2).all()
    logit = case.draws.of("Intercept") + case.draws.of("sector[Private]")
    assert interval_text((1 / (1 + np.exp(-logit))).ravel()) + " for Private" in title(drawings["lines"])


def with_terms(case, *terms, intercept=True, orders=None):
    """The design with other terms, evaluated on its rows."""
    rows = dataclasses.replace(case.design.inputs, orders=orders or {})
    found = evaluate_terms(terms, rows, {"sector": "Public"}, intercept=intercept)
    return dataclasses.replace(
        case.design, X=found.values, coefficients=found.names, terms=found.terms, inputs=rows, intercept=intercept
    )


@pytest.mark.parametrize("written", ["sector", "C(sector)", "S(sector)", "C(sector, Treatment('Church'))"])
def test_categories_stand_in_the_stated_order(written):
    case, stated = family_case("gaussian", kind="categories"), ("Church", "Public", "Private")
    design = with_terms(case, written, orders={"sector": stated})
    categories = categories_along(Material(case.draws, design, case.spec))
    assert categories.factor.labels == stated
    np.testing.assert_allclose(categories.course.X[categories.factor.codes], design.X)


def test_without_an_intercept_there_is_no_reference_category():
    case = family_case("gaussian", kind="categories")
    design = with_terms(case, "sector", intercept=False)
    categories = categories_along(Material(case.draws, design, case.spec))
    assert categories.factor.labels == ("Public", "Church", "Private")
    np.testing.assert_array_equal(categories.course.X, np.eye(3))
    np.testing.assert_array_equal(design.X[np.arange(design.n_rows), categories.factor.codes], 1)


def test_levels_that_are_single_rows_are_left_for_a_factor_with_more():
    case = family_case("poisson", levels=(60, 12), rows=1, slope=False)
    assert lines_along(Material(case.draws, case.design, case.spec)).group.factor == "item"


# ordered categories, hurdles, predictors of sigma


@pytest.mark.parametrize("name", ["cumulative", "cumulative, many levels", "cumulative, probit, few levels"])
def test_every_category_has_a_panel_of_probabilities(drawn, name):
    case, _, drawings = drawn(name)
    axes = [ax for ax in drawings["lines"].figure.axes if ax.get_visible()]
    assert [re.split(r"\s\(", ax.get_title(loc="left"))[0] for ax in axes] == list(CATEGORIES)
    assert sum(int(ax.get_title(loc="left").split("(")[1].split()[0]) for ax in axes) == case.design.n_rows
    medians = np.stack([ax.lines[0].get_ydata() for ax in axes])
    # medians of probabilities need not add up to 1, but of draws this close to each other all but do
    np.testing.assert_allclose(medians.sum(axis=0), 1, atol=0.02)
    for code, ax in enumerate(axes):
        circles = next(line for line in ax.lines if line.get_marker() == "o")
        assert ax.get_ylim()[1] >= circles.get_ydata().max()
        # bins of about equal size: their mean is about the share of the category
        assert circles.get_ydata().mean() == pytest.approx(np.mean(case.design.y == code), abs=0.02)
        levels = min(100, case.design.groups[0].n_levels)
        assert max(len(collection.get_paths()) for collection in ax.collections) == levels


def test_of_a_text_predictor_the_categories_are_counted_in_each_of_its_own(drawn):
    case, material, drawings = drawn("cumulative, categories")
    axes = [ax for ax in drawings["lines"].figure.axes if ax.get_visible()]
    codes = categories_along(material).factor.codes
    for code, ax in enumerate(axes):
        assert [label.get_text() for label in ax.get_xticklabels()] == ["Public", "Church", "Private"]
        circles = [line for line in ax.lines if line.get_marker() == "o"][-1].get_ydata()
        np.testing.assert_allclose(circles, [np.mean(case.design.y[codes == c] == code) for c in range(3)])
    assert title(drawings["lines"]).startswith("P(answer = always) by sector: from ")


def test_where_no_ratio_says_it_the_probability_of_the_highest_category_does(drawn):
    from scipy.special import ndtr

    case, material, drawings = drawn("cumulative, probit, few levels")
    at = usual_ends(lines_along(material).x)
    cut, b = case.draws.of("threshold[often|always]").ravel(), case.draws.of("ses").ravel()
    first, last = (interval_text(1 - ndtr(cut - b * x)) for x in at)
    where = f"at ses = {at[0]:.2f} and {at[1]:.2f} (5th and 95th percentile)"
    assert title(drawings["lines"]) == f"P(answer = always) is {first} and {last} {where}"
    assert title(drawn("cumulative, curve")[2]["lines"]).startswith("P(answer = always) is ")


def test_of_many_categories_some_are_drawn_and_the_number_is_said():
    case = family_case("cumulative")
    many = tuple(f"{code}" for code in range(20))
    between = tuple(f"{a}|{b}" for a, b in pairwise(many))
    cut = np.linspace(-2, 2, 19) + 0.01 * np.random.default_rng(1).normal(size=(*case.draws.values.shape[:2], 19))
    names = [threshold_name(term) for term in between]
    draws = dataclasses.replace(
        case.draws,
        parameters=(
            *(p for p in case.draws.parameters if p.kind is not Kind.THRESHOLD),
            *(Parameter(name, Kind.THRESHOLD, None, term) for name, term in zip(names, between, strict=True)),
        ),
        values=np.concatenate(
            [case.draws.values[..., [p.kind is not Kind.THRESHOLD for p in case.draws.parameters]], cut], axis=2
        ),
    )
    design = dataclasses.replace(case.design, categories=many, y=np.arange(case.design.n_rows) % 20.0)
    spec = dataclasses.replace(
        case.spec, thresholds=between, priors=case.spec.priors | dict.fromkeys(names, case.spec.priors["ses"])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = draw_all(draws, design, spec, stems=["posterior", "groups", "lines", "ppc"])
        drawings = {drawing.stem: drawing for drawing in found}
        for drawing in drawings.values():
            drawing.figure.draw_without_rendering()
    assert sum(ax.get_visible() for ax in drawings["lines"].figure.axes) == 12
    assert note(drawings["lines"]).endswith("12 of 20 categories")
    # more parameters than panels: the thresholds share an axis
    labels = [[label.get_text() for label in ax.get_yticklabels()] for ax in drawings["posterior"].figure.axes]
    assert names in labels


def test_bars_of_categories_count_every_row_in_order(drawn):
    case, _, drawings = drawn("cumulative")
    ax = drawings["ppc"].figure.axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == list(CATEGORIES)
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == [np.sum(case.design.y == code) for code in range(4)]
    assert "Misfit" not in title(drawings["ppc"])


def test_long_names_of_categories_are_slanted():
    from hierfit.posterior.plots.style import new_figure

    ax = new_figure().subplots()
    label_categories(ax, ["low", "high"])
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {0}
    label_categories(ax, ["disagree strongly", "neither of the two", "agree strongly", "agree"])
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {35}


def test_a_threshold_prior_is_that_of_its_rank():
    """The density of the q-th of Q sorted draws of the prior, against sorted draws."""
    case = family_case("cumulative")
    priors = case.spec.priors | {
        threshold_name(term): Prior("student_t", (3.0, 0.0, 2.5), "test") for term in case.spec.thresholds
    }
    spec = dataclasses.replace(case.spec, priors=priors)
    drawn_prior = np.sort(2.5 * np.random.default_rng(1).standard_t(3, (200_000, 3)), axis=1)
    edges = np.linspace(-6, 6, 25)
    material = Material(case.draws, case.design, spec)
    for rank, term in enumerate(spec.thresholds):
        parameter = next(p for p in case.draws.parameters if p.name == threshold_name(term))
        fine = np.linspace(-6, 6, 24 * 40 + 1)
        mass = _prior_density(material, parameter, fine)
        expected = np.add.reduceat(((mass[1:] + mass[:-1]) / 2) * np.diff(fine), np.arange(0, 960, 40))
        share = np.histogram(drawn_prior[:, rank], edges)[0] / len(drawn_prior)
        # 24 bins x 3: five binomial standard errors
        assert np.all(np.abs(share - expected) < 5 * np.sqrt(expected / len(drawn_prior)) + 1e-4)


def test_a_threshold_prior_is_not_drawn_where_it_speaks_of_another_place():
    case = family_case("cumulative")
    parameter = next(p for p in case.draws.parameters if p.kind is Kind.THRESHOLD)
    grid = np.linspace(-3, 3, 50)
    centred = dataclasses.replace(case.design, centered=True)
    assert _prior_density(Material(case.draws, case.design, case.spec), parameter, grid) is not None
    assert _prior_density(Material(case.draws, centred, case.spec), parameter, grid) is None
    case = family_case("gaussian", sigma=True)
    of_sigma = [parameter for parameter in case.draws.parameters if parameter.kind is Kind.DISTRIBUTIONAL]
    for spec, at_zero in ((case.spec, True), (dataclasses.replace(case.spec, centered=True), False)):
        material = Material(case.draws, case.design, spec)
        drawn_for = {parameter.name: _prior_density(material, parameter, grid) is not None for parameter in of_sigma}
        assert drawn_for == {"sigma_Intercept": at_zero, "sigma_ses": True}


def test_hurdles_have_a_rootogram_and_no_ratio(drawn):
    case, _, drawings = drawn("hurdle")
    bars = drawings["ppc"].figure.axes[0].patches
    assert sum(bar.get_height() for bar in bars) == case.design.n_rows
    assert re.match(r"Expected answer is .* and .* at ses = .* and .* \(5th", title(drawings["lines"]))


def test_where_sigma_has_predictors_its_coefficients_are_shown_with_the_sds(drawn):
    _, material, drawings = drawn("sigma")
    (pairs,) = draw_figures(material, ["pairs"])
    labels = {ax.get_xlabel() for ax in pairs.figure.axes}
    assert {"sd(school)", "sigma_Intercept", "sigma_ses"} <= labels
    # no theory of pooling with one sigma
    ax = drawings["shrinkage"].figure.axes[0]
    assert not [line for line in ax.lines if len(line.get_xdata()) == 200]
