"""All figures at every size: drawn without warnings, a bounded number of artists, titles with the right numbers."""

import dataclasses
import re
import warnings

import matplotlib
import numpy as np
import pytest

from hierfit.model.priors import Prior
from hierfit.posterior.group_summary import summarize_groups
from hierfit.posterior.plots import FIGURES, Truth, draw_all, save_figure
from hierfit.posterior.plots.course import lines_along
from hierfit.posterior.plots.groups import caterpillars
from hierfit.posterior.plots.material import Material, limits
from hierfit.posterior.plots.ppc_rows import predict_rows
from hierfit.posterior.plots.style import rows_height
from hierfit.posterior.unpooled import unpooled_estimates
from tests.posterior.conftest import make_case

SIZES = {
    "5": {"n_levels": 5, "n_x": 1, "rows": (5, 20)},
    "40": {"n_levels": 40, "n_x": 2, "rows": (4, 25)},
    "160": {"n_levels": 160, "n_x": 1, "rows": 45, "n_draws": 250},
    "5000": {"n_levels": 5_000, "n_x": 1, "rows": 3, "n_draws": 100},
    "one row each": {"n_levels": 100, "n_x": 1, "rows": 1, "intercept": False, "factor": "row"},
    "30 predictors": {"n_levels": 12, "n_x": 30, "rows": 20, "slopes": 0},
}


# Trace, pairs and posterior do not depend on the number of groups.
OF_GROUPS = {"groups", "lines", "ppc", "shrinkage"}
STEMS = {size: OF_GROUPS for size in SIZES} | {"5": set(FIGURES), "30 predictors": {"posterior", "groups", "lines"}}


@pytest.fixture(scope="module")
def drawn(synthetic):
    """Figures by size and stem, each size drawn once, warnings as errors."""
    cache = {}

    def of(size):
        if size not in cache:
            case = synthetic(**SIZES[size])
            truth = Truth.from_json(case.truth, case.design) if size in ("5", "one row each", "5000") else None
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                drawings = {d.stem: d for d in draw_all(case.draws, case.design, case.spec, truth, stems=STEMS[size])}
                for drawing in drawings.values():
                    drawing.figure.draw_without_rendering()
            cache[size] = (case, drawings)
        return cache[size]

    return of


def title(drawing):
    """The sentence at the top, unwrapped."""
    return drawing.figure.texts[0].get_text().replace("\n", " ")


def count_artists(figure):
    return sum(1 for _ in figure.findobj())


@pytest.mark.parametrize("size", SIZES)
def test_every_figure_that_applies_is_drawn(drawn, size):
    _, drawings = drawn(size)
    missing = {"shrinkage"} if size == "one row each" else set()
    assert set(drawings) == STEMS[size] - missing


@pytest.mark.parametrize("size", SIZES)
def test_figures_have_a_title_a_caption_and_a_page_size(drawn, size):
    for drawing in drawn(size)[1].values():
        width, height = drawing.figure.get_size_inches()
        assert (width, drawing.figure.dpi) == (7.0, 160)
        assert 3.0 <= height <= 14.0
        assert title(drawing)[:20] in drawing.caption
        top = max(ax.get_tightbbox().y1 for ax in drawing.figure.axes if ax.get_visible())
        assert top <= drawing.figure.texts[-1].get_window_extent().y0, "titles and panels overlap"


def test_artists_stay_few_with_5000_groups(drawn):
    for drawing in drawn("5000")[1].values():
        assert count_artists(drawing.figure) < 1_500, drawing.stem


def test_group_title_counts_the_levels_that_differ(drawn):
    case, drawings = drawn("40")
    table = summarize_groups(case.draws, case.design, case.spec).table("school")
    n_intercepts, n_slopes = table.n_differing
    shown = (table.lower > table.population) | (table.upper < table.population)
    assert table.n_differing.tolist() == shown.sum(axis=0).tolist()
    assert title(drawings["groups"]) == (
        f"{n_intercepts} of 40 school intercepts differ from the population; "
        f"{n_slopes} of 40 school slopes of ses differ from the population"
    )


def test_the_levels_that_differ_are_those_of_the_table():
    for seed in range(12):  # few draws, so that mean and median are apart
        case = make_case(n_levels=60, n_draws=30, seed=seed)
        found = caterpillars(Material(case.draws, case.design, case.spec), case.design.groups[0])
        table = summarize_groups(case.draws, case.design, case.spec).table("school")
        for index, caterpillar in enumerate(found):
            assert caterpillar.differs.tolist() == table.differs[:, index].tolist(), seed


@pytest.mark.parametrize(("size", "factor", "term"), [("5", "school", "Intercept"), ("one row each", "row", "ses")])
def test_coverage_sentence_counts_the_intervals_that_contain_the_truth(drawn, size, factor, term):
    case, drawings = drawn(size)
    group = case.design.groups[0]
    index = group.terms.index(term)
    values = case.draws.effects[factor][..., index] + case.draws.of(term)[..., None]
    low, high = np.quantile(values, [0.025, 0.975], axis=(0, 1))
    content = case.truth["effects"][factor]["values"]
    truth = np.array([content[label][index] for label in group.labels]) + case.truth["parameters"][term]
    inside = int(((low <= truth) & (truth <= high)).sum())
    noun = "intercepts" if term == "Intercept" else f"slopes of {term}"
    expected = (
        f"{inside} of {len(truth)} intervals of {factor} {noun} contain the truth (expect {0.95 * len(truth):.4g})"
    )
    assert expected.replace("4.75", "4.8") in title(drawings["groups"])


def test_coverage_at_5000_groups_is_near_95_percent(drawn):
    inside, total = re.match(
        r"([\d,]+) of ([\d,]+) intervals of school intercepts", title(drawn("5000")[1]["groups"])
    ).groups()
    # 5,000 intervals share one population intercept, and 2.5 % quantiles of 400 draws are noisy: 93 to 97 %.
    assert 0.93 < int(inside.replace(",", "")) / int(total.replace(",", "")) < 0.97


def test_caterpillars_are_ordered_by_median_and_share_the_rows(drawn):
    case, drawings = drawn("5")
    first = caterpillars(Material(case.draws, case.design, case.spec), case.design.groups[0])[0]
    assert (np.diff(first.quantiles[first.order, 2]) >= 0).all()
    left, right = drawings["groups"].figure.axes
    labels = [label.get_text() for label in left.get_yticklabels()]
    assert labels == [case.design.groups[0].labels[level] for level in first.order]
    assert [label.get_text() for label in right.get_yticklabels()] == [""] * 5
    assert (left.get_xlabel(), right.get_xlabel()) == ("intercept", "slope of ses")


def test_the_extreme_levels_are_named_beside_where_they_stand(drawn):
    case, drawings = drawn("160")
    medians = np.median(case.draws.effects["school"][..., 0], axis=(0, 1))
    order = [case.design.groups[0].labels[level] for level in np.argsort(medians)]
    low, high = drawings["groups"].figure.axes[0].texts
    assert low.get_text() == f"lowest, from the left: {', '.join(order[:5])}, …"
    assert high.get_text() == f"highest, up to the right: …, {', '.join(order[-5:])}"
    assert low.get_position()[0] < 0.5 < high.get_position()[0], "the lowest stand on the left"


def test_lines_title_has_the_slope_and_its_range(drawn):
    case, drawings = drawn("160")
    slope = case.draws.of("ses")
    means = slope.mean() + case.draws.effects["school"][..., 1].mean(axis=(0, 1))
    text = title(drawings["lines"])
    assert text.startswith(f"mathach rises by {slope.mean():.2f} (")
    assert f"slopes of single schools from {means.min():.2f} to {means.max():.2f}" in text


def test_lines_run_along_the_varying_slope_else_the_strongest_predictor(synthetic):
    case = synthetic(40, 2)
    assert lines_along(Material(case.draws, case.design, case.spec)).column == "ses"
    case = synthetic(**SIZES["30 predictors"])
    sizes = [
        abs(case.draws.of(name).mean()) * case.design.X[:, k].std() for k, name in enumerate(case.design.coefficients)
    ]
    strongest = case.design.coefficients[int(np.argmax(sizes))]
    assert lines_along(Material(case.draws, case.design, case.spec)).column == strongest


def test_one_row_per_group_shows_five_points_and_a_hundred_lines_through_each(drawn):
    case, drawings = drawn("one row each")
    ax = drawings["lines"].figure.axes[0]
    bundles = [c for c in ax.collections if isinstance(c, matplotlib.collections.LineCollection)]
    assert [len(bundle.get_segments()) for bundle in bundles] == [100] * 5
    points = np.array([line.get_xydata()[0] for line in ax.lines])
    rows = [int(np.flatnonzero(case.design.X[:, 0] == x)[0]) for x, _ in points]
    assert case.design.y[rows] == pytest.approx(points[:, 1])
    for bundle, (x, y) in zip(bundles, points, strict=True):
        heights = [np.interp(x, segment[:, 0], segment[:, 1]) for segment in bundle.get_segments()]
        # sigma is 0.3 and the slope is the row's own: the lines pass within a few sigmas of the point.
        assert np.abs(np.mean(heights) - y) < 3 * 0.3


def test_five_groups_have_a_panel_each_with_their_own_points(drawn):
    case, drawings = drawn("5")
    panels = [ax for ax in drawings["lines"].figure.axes if ax.get_visible()]
    assert [ax.get_title(loc="left") for ax in panels] == [
        f"{label} ({rows} rows)"
        for label, rows in zip(case.design.groups[0].labels, case.design.groups[0].rows_per_level, strict=True)
    ]


def test_ppc_title_is_the_share_inside(drawn):
    case, drawings = drawn("40")
    places = predict_rows(Material(case.draws, case.design, case.spec), np.arange(case.design.n_rows)).places
    share = 100 * np.mean((places >= 0.025) & (places <= 0.975))
    said = f"{share:.1f} % of the mathach values lie in the 95 % interval predicted without them; no misfit is seen"
    assert title(drawings["ppc"]) == said
    assert 92 < share < 98  # 600 rows of data simulated from the model itself: binomial standard error 0.9 %


def test_ppc_never_uses_more_rows_than_its_limit(drawn):
    case, drawings = drawn("5000")
    assert case.design.n_rows == 15_000
    assert "5,000 of 15,000 rows" in drawings["ppc"].figure.texts[1].get_text().replace("\n", " ")


def test_posterior_title_counts_the_coefficients_clear_of_zero(drawn):
    case, drawings = drawn("30 predictors")
    bounds = np.array([np.quantile(case.draws.of(name), [0.025, 0.975]) for name in case.design.coefficients])
    clear = int(((bounds[:, 0] > 0) | (bounds[:, 1] < 0)).sum())
    assert title(drawings["posterior"]) == f"{clear} of 30 coefficients have a 95 % interval that excludes 0"


def test_comparable_coefficients_share_an_axis_and_others_get_panels(drawn, synthetic):
    _, drawings = drawn("30 predictors")
    assert len([ax for ax in drawings["posterior"].figure.axes if ax.get_visible()]) == 1 + 3
    case = synthetic(**SIZES["30 predictors"])
    values = case.draws.values.copy()
    values[:, :, 1] *= 1e4
    wide = dataclasses.replace(case.draws, values=values)
    (posterior,) = draw_all(wide, case.design, case.spec, stems=["posterior"])
    assert len([ax for ax in posterior.figure.axes if ax.get_visible()]) == 33


def test_posterior_axes_stay_within_the_support(drawn):
    case, drawings = drawn("5")
    names = [parameter.name for parameter in case.draws.parameters]
    for ax, name in zip(drawings["posterior"].figure.axes, names, strict=True):
        low, high = ax.get_xlim()
        assert not name.startswith("sd(") or low >= 0
        assert not name.startswith("cor(") or (low >= -1 and high <= 1)


def test_axes_are_clipped_at_six_posterior_sds(synthetic):
    case = synthetic(5)
    values = np.concatenate([np.random.default_rng(1).normal(size=9_980), np.full(20, 500.0)])
    low, high = limits(values, case.draws.parameters[0])
    assert high == pytest.approx(values.mean() + 6 * values.std())
    assert low > -20


def test_the_lkj_prior_of_a_correlation_integrates_to_one(synthetic):
    from hierfit.posterior.plots.posterior import _lkj_density

    case = synthetic(5)
    grid = np.linspace(-1, 1, 4_001)
    spec = dataclasses.replace(case.spec, priors={"cor(school)": Prior("lkj", (3.0,), "test")})
    cor = next(p for p in case.draws.parameters if p.kind == "correlation")
    heights = _lkj_density(Material(case.draws, case.design, spec), cor, grid)
    assert np.trapezoid(heights, grid) == pytest.approx(1.0, abs=1e-4)
    # LKJ(3) in two dimensions: proportional to (1 - r^2)^2, with 15 / 16 in front.
    assert heights[2_000] == pytest.approx(15 / 16)


def test_trace_title_reports_the_worst_rhat(drawn, synthetic):
    case, drawings = drawn("5")
    worst = np.nanmax(Material(case.draws, case.design, case.spec).convergence.rhat)
    assert title(drawings["trace"]) == f"4 chains of 500 draws agree: R-hat at most {worst:.3f} (want < 1.01)"
    values = case.draws.values.copy()
    values[0, :, 2] += 50
    moved = dataclasses.replace(case.draws, values=values)
    (trace,) = draw_all(moved, case.design, case.spec, stems=["trace"])
    assert title(trace).startswith("The chains disagree most on sd(school): R-hat ")
    drifting = dataclasses.replace(moved, values=values + np.linspace(0, 99, values.shape[1])[:, None]).without(
        [1, 2, 3]
    )
    (trace,) = draw_all(drifting, case.design, case.spec, stems=["trace"])
    assert title(trace).startswith("The halves of the chain disagree most on ")


def test_pairs_mark_every_divergent_draw(synthetic):
    case = synthetic(5)
    diverging = np.zeros((4, 500), dtype=bool)
    diverging[1, 5:12] = True
    draws = dataclasses.replace(case.draws, stats={"diverging": diverging})
    (pairs,) = draw_all(draws, case.design, case.spec, stems=["pairs"])
    assert title(pairs).startswith("7 of 2,000 draws are divergent")
    lower = [ax for ax in pairs.figure.axes if ax.get_visible() and len(ax.collections) == 2]
    assert len(lower) == 6
    assert all(len(ax.collections[1].get_offsets()) == 7 for ax in lower)


def test_pairs_of_a_sampler_without_divergences_say_what_is_correlated(synthetic):
    case = synthetic(5)
    values = case.draws.values.copy()
    names = [parameter.name for parameter in case.draws.parameters]
    slope, sigma = names.index("sd(school: ses)"), names.index("sigma")
    values[:, :, sigma] = 8 - 0.5 * values[:, :, slope]
    draws = dataclasses.replace(case.draws, values=values, stats={"lp": case.draws.stats["lp"]})
    (pairs,) = draw_all(draws, case.design, case.spec, stems=["pairs"])
    assert title(pairs) == "The largest correlation is -1.00, of sd(school: ses) and sigma"


def test_shrinkage_arrows_start_at_least_squares_and_end_at_the_posterior_mean(drawn):
    case, drawings = drawn("40")
    own = unpooled_estimates(case.draws, case.design, case.design.groups[0])
    known = np.isfinite(own).all(axis=1)
    ax = drawings["shrinkage"].figure.axes[0]
    arrows = next(c for c in ax.collections if isinstance(c, matplotlib.quiver.Quiver))
    mean = summarize_groups(case.draws, case.design, case.spec).table("school").mean
    np.testing.assert_allclose(arrows.get_offsets(), own[known])
    np.testing.assert_allclose(np.column_stack([arrows.U, arrows.V]), (mean - own)[known])


def test_broken_draws_are_still_drawn(synthetic):
    case = synthetic(5)
    values = case.draws.values.copy()
    values[:, :, 1] = 1.0
    values[0, 3, 2] = np.nan
    values[2, :, 3] = 0.5
    draws = dataclasses.replace(case.draws, values=values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawings = {drawing.stem: drawing for drawing in draw_all(draws, case.design, case.spec)}
        for stem in ("posterior", "groups"):
            drawings[stem].figure.draw_without_rendering()
    panels = [ax.get_title(loc="left") for ax in drawings["posterior"].figure.axes]
    assert "ses\nfixed at 1" in panels
    assert "sd(school)\nnot finite" in panels


def test_several_factors_have_a_figure_each(synthetic):
    case = synthetic(5)
    other = dataclasses.replace(case.design.groups[0], factor="the district")
    design = dataclasses.replace(case.design, groups=(*case.design.groups, other))
    renamed = [
        dataclasses.replace(p, name=p.name.replace("(school", "(the district"), group="the district")
        for p in case.draws.parameters
        if p.group
    ]
    draws = dataclasses.replace(
        case.draws,
        parameters=(*case.draws.parameters, *renamed),
        values=np.concatenate([case.draws.values, case.draws.values[:, :, 2:5]], axis=2),
        effects={name: case.draws.effects["school"] for name in ("school", "the district")},
    )
    stems = [drawing.stem for drawing in draw_all(draws, design, case.spec, stems=["groups", "ppc"])]
    assert stems == ["groups_school", "groups_the-district", "ppc"]


def test_a_model_without_groups_or_predictors_has_the_figures_that_remain(synthetic):
    case = synthetic(5, 1, slopes=0)
    keep = [0, 3]
    draws = dataclasses.replace(
        case.draws,
        parameters=tuple(case.draws.parameters[i] for i in keep),
        values=case.draws.values[:, :, keep],
        effects={},
    )
    design = dataclasses.replace(case.design, groups=(), coefficients=(), X=np.empty((60, 0)))
    stems = [drawing.stem for drawing in draw_all(draws, design, case.spec)]
    assert stems == ["posterior", "ppc", "trace", "checks"]


def test_png_carries_its_caption(tmp_path, synthetic):
    from PIL import Image

    case = synthetic(5)
    (drawing,) = draw_all(case.draws, case.design, case.spec, stems=["groups"])
    save_figure(drawing.figure, tmp_path / "groups.png", drawing.caption)
    with Image.open(tmp_path / "groups.png") as image:
        assert image.size == tuple((drawing.figure.get_size_inches() * 160).astype(int))
        assert image.info["Description"] == drawing.caption


def test_drawing_leaves_matplotlibs_settings_and_pyplot_alone(synthetic):
    case = synthetic(5)
    before = dict(matplotlib.rcParams)
    list(draw_all(case.draws, case.design, case.spec, stems=["posterior"]))
    assert dict(matplotlib.rcParams) == before
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []


@pytest.mark.parametrize(("rows", "height"), [(1, 3.0), (20, 5.6), (58, 13.96), (500, 14.0)])
def test_heights_grow_with_the_rows_within_limits(rows, height):
    assert rows_height(rows) == pytest.approx(height)


def test_pictures_of_failed_runs_and_of_priors_alone_say_so(synthetic):
    case = synthetic(n_levels=5, n_x=1, rows=8)
    prior_only = dataclasses.replace(case.spec, prior_only=True)
    plain = {d.stem: d for d in draw_all(case.draws, case.design, case.spec)}
    failed = {d.stem: d for d in draw_all(case.draws, case.design, case.spec, failed=True)}
    priors = {d.stem: d for d in draw_all(case.draws, case.design, prior_only)}
    assert set(failed) == set(plain)
    assert set(plain) - set(priors) == {"ppc", "ppc_groups", "shrinkage"}, "these compare with the data"
    for drawings, said in ((failed, "checks of this run FAILED"), (priors, "Drawn from the priors alone")):
        for stem, drawing in drawings.items():
            stamp = drawing.figure.texts[-1].get_text()
            assert said in stamp and drawing.caption.startswith(stamp), stem
            assert not any(said in text.get_text() for text in plain[stem].figure.texts)
    for stem in ("posterior", "groups", "lines"):
        assert any(text.get_text().startswith("Under the priors alone: ") for text in priors[stem].figure.texts), stem


def test_ranks_of_chains_fill_their_panels_and_have_an_axis(drawn):
    _, drawings = drawn("5")
    for ax in drawings["trace"].figure.axes[1::2]:
        low, high = ax.get_ylim()
        shares = np.concatenate([patch.get_data().values for patch in ax.patches])
        assert low <= shares.min() and shares.max() <= high
        assert max(1 - shares.min(), shares.max() - 1) > (high - low) / 2 / 1.15 or high - low < 0.81
        assert len(ax.get_yticks()) > 1


def test_no_prior_line_lies_on_the_interval_bars(drawn):
    _, drawings = drawn("5")
    dashed = 0
    for ax in drawings["posterior"].figure.axes:
        bars = [line.get_ydata()[0] for line in ax.lines if line.get_linestyle() == "-" and len(line.get_ydata()) == 2]
        priors = [line.get_ydata() for line in ax.lines if line.get_linestyle() == "--"]
        dashed += len(priors)
        for prior in priors:
            assert max(bars) < -0.05 * ax.get_ylim()[1] < np.nanmin(prior)
    assert dashed


def test_pairs_speak_of_divergences_only_where_there_are_some(synthetic):
    case = synthetic(5)
    shape = case.draws.values.shape[:2]
    said = {}
    for divergent in (0, 3):
        diverging = np.arange(shape[0] * shape[1]).reshape(shape) < divergent
        draws = dataclasses.replace(case.draws, stats={**case.draws.stats, "diverging": diverging})
        (drawing,) = draw_all(draws, case.design, case.spec, stems=["pairs"])
        said[divergent] = title(drawing)
    assert said[0].startswith("The largest correlation is ") and said[0].endswith("; no draw is divergent")
    assert re.match(r"3 of [\d,]+ draws are divergent", said[3])


def test_arrows_of_shrinkage_have_heads_above_all_dots(drawn):
    from matplotlib.quiver import Quiver

    ax = drawn("40")[1]["shrinkage"].figure.axes[0]
    (arrows,) = [artist for artist in ax.collections if isinstance(artist, Quiver)]
    assert arrows.width * arrows.headwidth * 160 > 8, "heads of a few pixels are none"
    dots = [artist for artist in ax.collections if artist is not arrows and len(artist.get_offsets()) > 30]
    assert all(artist.get_zorder() <= arrows.get_zorder() for artist in dots)
