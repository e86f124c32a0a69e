"""Files of pictures: their format, size, description; the same bytes each time."""

import re

import pytest

from hierfit.posterior.pictures import FileFormat
from hierfit.posterior.plots import draw_all, save_figure


@pytest.fixture(scope="module")
def draw(synthetic):
    case = synthetic(5)

    def again():
        (drawing,) = draw_all(case.draws, case.design, case.spec, stems=["groups"])
        return drawing

    return again


CAPTION = 'two <levels> & "more", \u202e\x1b[31m ü'


@pytest.mark.parametrize("file_format", FileFormat)
def test_the_same_picture_is_the_same_file(draw, tmp_path, file_format):
    for name in ("a", "b"):
        save_figure(draw().figure, tmp_path / name, CAPTION, file_format)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_dots_are_those_asked_for(draw, tmp_path):
    from PIL import Image

    drawing = draw()
    save_figure(drawing.figure, tmp_path / "a.png", CAPTION, dpi=60)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == tuple((drawing.figure.get_size_inches() * 60).astype(int))
        assert image.info["Description"] == 'two <levels> & "more", \\u202e\\x1b[31m ü'


def test_an_svg_is_well_formed_and_says_its_caption(draw, tmp_path):
    from xml.etree import ElementTree

    save_figure(draw().figure, tmp_path / "a.svg", CAPTION, FileFormat.SVG)
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    (said,) = root.findall(".//{http://purl.org/dc/elements/1.1/}description")
    assert said.text == 'two <levels> & "more", \\u202e\\x1b[31m ü'


def test_a_pdf_has_letters_of_fonts_that_journals_take(draw, tmp_path):
    save_figure(draw().figure, tmp_path / "a.pdf", "a caption", FileFormat.PDF)
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF") and not re.search(rb"/Type3\b", content) and b"a caption" in content
