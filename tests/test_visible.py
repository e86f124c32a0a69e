"""What is shown of letters that would not be seen, and what is left alone."""

import json
import os
import subprocess
import unicodedata

import pytest

from hierfit.visible import shell_word, shell_words, visible, visible_json, visible_lines
from tests.hostile import is_raw


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc\rd\0", "a\\nb\\tc\\rd\\x00"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b2J\x7f\x85", "\\x9b2J\\x7f\\x85"),
        ("abc\u202edef\u2066\u061c", "abc\\u202edef\\u2066\\u061c"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("a\u200bb\ufeffc\u2060d\xad", "a\\u200bb\\ufeffc\\u2060d\\xad"),
        ("a\u200db", "a\\u200db"),
        ("\U000e0041\udc80\u3164", "\\U000e0041\\udc80\\u3164"),
    ],
)
def test_what_is_not_seen_is_spelled(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown
    assert json.loads(visible_json(json.dumps([text], ensure_ascii=False))) == [text]


@pytest.mark.parametrize(
    "text", ["Zürich", "漢字", "\u0645\u06cc\u200c\u062e", "👩\u200d🔬", "a\\nb", "[red]x[/red]", "$x^2$", "1\xa0000"]
)
def test_what_is_seen_stays(text: str) -> None:
    assert visible(text) == text
    assert visible_json(text) == text


def test_every_letter_that_does_something_is_spelled() -> None:
    for letter in map(chr, range(0x110000)):
        if is_raw(letter):
            assert visible(letter) != letter and visible(letter).isascii(), hex(ord(letter))
            assert letter == "\n" or not any(map(is_raw, visible_json(letter).replace("\t", ""))) or letter < " "
        elif unicodedata.category(letter)[0] in "LNPS" and unicodedata.name(letter, "").find("FILLER") < 0:
            assert visible(letter) == letter, hex(ord(letter))


def test_lines_stay_lines() -> None:
    assert visible_lines("a\r\n\x1bb\n") == "a\\r\n\\x1bb\n"


@pytest.mark.parametrize("word", ["a b", "it's", "a\\b'c\x1b[2J\n", "r\udcff", "\u202ex$HOME", "'\x07", "--prior=x\t"])
def test_a_word_can_be_copied_into_a_shell(word: str) -> None:
    assert visible(shell_word(word)) == shell_word(word)
    command = ["bash", "-c", f"printf %s {shell_words([word])}"]
    said = subprocess.run(command, capture_output=True, env={"LC_ALL": "C.UTF-8"})
    assert os.fsdecode(said.stdout) == word
