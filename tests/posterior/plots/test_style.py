"""Labels in pictures are letters: none is a formula, none is unseen, none is left out."""

import dataclasses

import pytest
from matplotlib.text import Text

from hierfit.posterior.plots import draw_all, save_figure
from hierfit.posterior.plots.style import legend_label, log_scale, new_figure, wrapped
from tests.hostile import is_raw

LABELS = ("$x^2$", "\\frac_{a}", "a\x1b[31m\nb", "$\\alpha", "_\u202ed$$")


@pytest.fixture(scope="module")
def figures(synthetic, tmp_path_factory):
    case = synthetic(n_levels=5, n_x=1, rows=8)
    group = dataclasses.replace(case.design.groups[0], labels=LABELS)
    design = dataclasses.replace(case.design, response="s$c_1$o\x9bre", groups=(group,))
    folder = tmp_path_factory.mktemp("figures")
    drawings = list(draw_all(case.draws, design, case.spec))
    for drawing in drawings:
        save_figure(drawing.figure, folder / f"{drawing.stem}.png", drawing.caption)
    return drawings


def test_labels_are_letters(figures) -> None:
    texts = [text for drawing in figures for text in drawing.figure.findobj(Text) if text.get_text()]
    assert not any(map(is_raw, "".join(text.get_text() for text in texts)))
    assert not any(text.get_parse_math() for text in texts)
    shown = {text.get_text().strip() for text in texts}
    assert {"$x^2$", "\\frac_{a}", "a\\x1b[31m\\nb", "$\\alpha", "_\\u202ed$$"} <= shown
    assert any("s$c_1$o\\x9bre" in text for text in shown)


def test_a_legend_shows_what_begins_with_an_underscore() -> None:
    axes = new_figure().add_subplot()
    axes.plot([1], [1], label=legend_label("_other"))
    axes.plot([1], [1], label=legend_label("some"))
    assert [text.get_text() for text in axes.legend().get_texts()] == [" _other", "some"]


@pytest.mark.parametrize("which", ["x", "y"])
def test_a_log_scale_has_plain_numbers(which) -> None:
    axes = new_figure().add_subplot()
    axes.set(xlim=(0.02, 300), ylim=(0.02, 300))
    log_scale(axes, which)
    axes.figure.canvas.draw()
    labels = [text.get_text() for text in getattr(axes, f"get_{which}ticklabels")()]
    assert {"0.1", "1", "10", "100"} <= set(labels) and not any("$" in label for label in labels)


@pytest.mark.parametrize(
    ("text", "width", "last", "shown"),
    [
        ("Department of Psychology", 26, "", "Department of Psychology"),
        ("Institute of Linguistics and Literature", 26, "", "Institute of Linguistics\nand Literature"),
        ("Department of Physics", 26, "(14 rows)", "Department of Physics\n(14 rows)"),
        ("Law", 26, "(14 rows)", "Law (14 rows)"),
        ("Faculty of Economics and Business", 26, "(14 rows)", "Faculty of Economics and\nBusiness (14 rows)"),
        ("cor(school: Intercept, ses)", 20, "", "cor(school:\nIntercept, ses)"),
        ("sd(school: sigma_Intercept_at_mean)", 20, "", "sd(school: sigma_\nIntercept_at_mean)"),
    ],
)
def test_names_are_broken_between_words_and_elided_only_where_they_do_not_fit(text, width, last, shown):
    assert wrapped(text, width, last=last) == shown
