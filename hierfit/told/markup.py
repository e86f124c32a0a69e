r"""Texts and rows -> Markdown and TeX that show them letter by letter.

A LaTeX table is for \input; its rules need the package booktabs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hierfit.visible import visible

# What Markdown would take for more than a letter; not `_` within a word, and brackets only where they make a link.
_MARKS = re.compile(r"[\\<`*]|(?<!\w)_|_(?!\w)|(?<=\])\(")
_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip
_TEX_MARKS = re.compile("[" + re.escape("".join(_TEX)) + "]")
# What is another sign in text, in old fonts or beside its like: "--" is a dash, "|" another dash, '"' a closing quote.
_TEX_TEXT = {"|": r"\textbar{}", '"': r"\symbol{34}", "`": r"\symbol{96}", "--": "-{}-", "''": "'{}'"}
_TEX_TEXT_MARKS = re.compile("|".join(map(re.escape, _TEX_TEXT)))
_MINUS = re.compile(r"(?<!\S)-(?=[\d.])")


def markdown_words(text: str) -> str:
    """Return a text that Markdown shows letter by letter."""
    return _MARKS.sub(r"\\\g<0>", visible(text))


def markdown_code(text: str) -> str:
    """Return a text as Markdown shows code, backticks within it or not."""
    marks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    room = " " if "`" in text else ""
    return f"{marks}{room}{visible(text)}{room}{marks}"


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows, the header first, as a Markdown table: text left, numbers right."""
    rows = [[markdown_words(cell).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = [":" + "-" * max(1, widths[0] - 1), *("-" * max(1, width - 1) + ":" for width in widths[1:])]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return "| " + " | ".join(padded) + " |"

    return "\n".join([line(rows[0]), line(rule), *(line(row) for row in rows[1:])])


def tex_words(text: str) -> str:
    """Return a text that TeX shows letter by letter."""
    return _TEX_MARKS.sub(lambda mark: _TEX[mark[0]], visible(text))


def latex_words(text: str) -> str:
    """Return a text that LaTeX shows letter by letter outside of formulas."""
    return _TEX_TEXT_MARKS.sub(lambda mark: _TEX_TEXT[mark[0]], tex_words(text))


def latex_table(rows: Sequence[Sequence[str]], comments: Sequence[str] = ()) -> str:
    """Return rows, the header first, as a LaTeX table, text left and numbers right, below lines of comments."""
    words = [[latex_words(cell) for cell in row] for row in rows]
    words = [[_guarded(row[0]), *(_MINUS.sub("$-$", cell) for cell in row[1:])] for row in words]
    widths = [max(len(row[at]) for row in words) for at in range(len(words[0]))]

    def line(row: Sequence[str]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        return " & ".join([row[0].ljust(widths[0]), *numbers]) + r" \\"

    lines = [f"% {visible(comment)}" for comment in comments]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(widths) - 1)}}}", r"\toprule", line(words[0]), r"\midrule"]
    lines += [*map(line, words[1:]), r"\bottomrule", r"\end{tabular}"]
    return "\n".join(lines)


def _guarded(cell: str) -> str:
    """Return the first cell of a row so that it is no argument of the end of the row before."""
    return f"{{}}{cell}" if cell.startswith(("[", "*")) else cell
