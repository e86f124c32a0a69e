"""LaTeX tables: whatever stands in a cell is shown letter by letter, and nothing of it is read as a command."""

import re

import numpy as np
import pytest

from hierfit.told.markup import latex_table, latex_words

MEANT = {
    r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<",
    r"\textgreater{}": ">", r"\textbar{}": "|", r"\symbol{34}": '"', r"\symbol{96}": "`", "-{}-": "--", "'{}'": "''",
    **{f"\\{mark}": mark for mark in "&%$#_{}"},
}  # fmt: skip
ESCAPES = re.compile("|".join(map(re.escape, sorted(MEANT, key=len, reverse=True))))
LETTERS = list("\\{}$&%#_~^<>|\"`'-[]*()! abcXY01éß")


def shown(text: str) -> str:
    """What LaTeX prints; what it would take for a command stands out as it is."""
    left = ESCAPES.sub("", text)
    assert not set(left) & set('\\{}$&%#_~^<>|"`'), text
    return ESCAPES.sub(lambda found: MEANT[found.group()], text)


@pytest.mark.parametrize("seed", range(200))
def test_any_text_is_shown_letter_by_letter(seed):
    rng = np.random.default_rng(seed)
    text = "".join(rng.choice(LETTERS, size=12))
    # A third hyphen or quote after a pair is next to the second, which prints the same letters.
    assert shown(re.sub(r"-\{\}-(?=-)", "--", latex_words(text))).replace("-{}", "-") == text


def test_what_is_not_seen_is_spelled():
    assert latex_words("a\nb\x1b") == r"a\textbackslash{}nb\textbackslash{}x1b"


def test_a_table_has_rules_minus_signs_and_rows_that_are_no_arguments():
    lines = latex_table(
        [["", "mean"], ["[a]", "-0.5"], ["*", "-0.1 to -.05"], ["-1", "a-b"]], ["50% of x"]
    ).splitlines()
    assert lines[0] == "% 50% of x"
    assert lines[1:3] == [r"\begin{tabular}{lr}", r"\toprule"]
    assert [" ".join(line.split()) for line in lines[5:8]] == [
        r"{}[a] & $-$0.5 \\", r"{}* & $-$0.1 to $-$.05 \\", r"-1 & a-b \\",
    ]  # fmt: skip
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
