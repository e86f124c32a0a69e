"""The table of kinds is the one that is drawn from, and says of each what it shows."""

from pathlib import Path

import pytest

from hierfit.posterior.pictures import KINDS, FileFormat, Picture, format_of_name
from hierfit.posterior.plots import FIGURES


def test_every_name_has_a_figure_and_words():
    assert list(FIGURES) == list(KINDS) == list(Picture)
    for said in KINDS.values():
        assert said.shows[-1].isalnum() and len(said.shows) <= 70


def test_the_usual_ones_are_nine_at_most():
    assert sum(said.usual for said in KINDS.values()) <= 9  # of which pairs only where draws are divergent


@pytest.mark.parametrize(
    ("name", "wanted"), [("a.png", "png"), ("a.b.SVG", "svg"), ("x/y.pdf", "pdf"), ("png", None), ("a.gif", None)]
)
def test_the_ending_says_the_format(name, wanted):
    assert format_of_name(Path(name)) == (None if wanted is None else FileFormat(wanted))
