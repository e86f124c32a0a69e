"""Document: what a report says, in order, whatever it is written as. `html` and `markdown` write it.

All texts are plain: names from the CSV stand in them as they are, and each writer makes them harmless in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hierfit.report.equation import Line

LONG_NAME, SHORT = 44, 22


@dataclass(frozen=True)
class Paragraph:
    """Sentences; `label` stands before them, in bold."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether the numbers may be used.

    Attributes:
        level: ok, warn or fail.
        text: the verdict and the numbers behind it.
    """

    level: str
    text: str


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """What is copied letter by letter: commands, a formula."""

    text: str


@dataclass(frozen=True)
class Equations:
    """The model in symbols.

    Attributes:
        lines: what stands left of the sign, the sign, what stands right.
        spoken: the same for those who cannot see it.
    """

    lines: tuple[Line, ...]
    spoken: str


@dataclass(frozen=True)
class Table:
    """Numbers in rows.

    Attributes:
        caption: what it shows.
        header: titles of the columns; the first is that of the names.
        sections: title ("" for none) -> rows of cells, the first of them a name.
    """

    caption: str
    header: tuple[str, ...]
    sections: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]

    @property
    def words(self) -> tuple[bool, ...]:
        """Which columns hold texts, and so may be broken between words: names, where they are sentences, too."""
        rows = [row for _, section in self.sections for row in section]
        names = any(len(row[0]) > LONG_NAME for row in rows)
        return (names, *(any(_is_text(row[at]) for row in rows) for at in range(1, len(self.header))))


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        stem: its name, which no other has.
        png: the file.
        width, height: in CSS pixels.
        alt: what it is a picture of.
        caption: what it shows.
    """

    stem: str
    png: bytes
    width: int
    height: int
    alt: str
    caption: str


Block: TypeAlias = Paragraph | Verdict | Items | Code | Equations | Table | Picture


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        name: unlike any other, for links to it.
        title: its heading.
        blocks: what it says.
    """

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        title: what it is about.
        lead: a sentence on what this is.
        sections: its parts.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]


def _is_text(cell: str) -> bool:
    """Whether a cell is more than a number or two: "251.3", "184 to 237"."""
    return len(cell) > SHORT and any(letter.isalpha() for letter in cell)
