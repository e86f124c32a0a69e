"""What results are written on: its width, and whether it has colours; and the one way onto the screen.

All that is written passes `ready`, which shows what others wrote as it is spelled, not as what it would do
(`hierfit.visible`).

Known from when the command line starts. On a terminal tables and sentences fit it, to `WIDEST` columns; where there is
none (a file, a pipe) they are `WIDEST` wide, unless the variable COLUMNS says otherwise. NO_COLOR and FORCE_COLOR are
heeded (no-color.org, force-color.org).
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TextIO

import typer

from hierfit.visible import visible, visible_lines

NARROWEST, WIDEST = 40, 96


@dataclass(frozen=True)
class Page:
    """Where results go.

    Attributes:
        width: columns.
        colour: whether it has colours.
        terminal: whether it is one.
    """

    width: int = WIDEST
    colour: bool = False
    terminal: bool = False


_PAGE: ContextVar[Page] = ContextVar("page")
_FILE = Page()
# Stands for the escape character of our own colours until the text is shown; nobody else can write it.
_OURS = f"\0{secrets.token_hex(8)}"


def page() -> Page:
    """Return the page in use."""
    return _PAGE.get(_FILE)


@contextmanager
def on(page: Page) -> Iterator[None]:
    """Write on this page for a while."""
    before = _PAGE.set(page)
    try:
        yield
    finally:
        _PAGE.reset(before)


def page_of(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Page:
    """Return the page that a stream is."""
    terminal = stream.isatty()
    columns = environment.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns):
        width = int(columns)
    else:
        width = _terminal_width(stream) if terminal else WIDEST
    coloured = terminal and environment.get("TERM") != "dumb"
    colour = not environment.get("NO_COLOR") and (coloured or bool(environment.get("FORCE_COLOR")))
    return Page(min(WIDEST, max(NARROWEST, width)), colour, terminal)


def _terminal_width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDEST
    except OSError:
        return WIDEST


@dataclass
class _Meanwhile:
    shown: bool = False


_MEANWHILE = _Meanwhile()


def meanwhile(text: str) -> None:
    """Write a line on a terminal, beside the results, until there is something else to show."""
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        line = visible(text)
        sys.stderr.write(line[: min(WIDEST, _terminal_width(sys.stderr) - 1)])
        sys.stderr.flush()
        _MEANWHILE.shown = True


def clear() -> None:
    """Remove the line that was shown meanwhile, if there is one."""
    if _MEANWHILE.shown:
        _MEANWHILE.shown = False
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


def show(text: str, *, err: bool = False, exactly: bool = False) -> None:
    """Write a report to stdout, or what belongs beside it to stderr; `exactly` what it is, but to a terminal."""
    clear()
    if exactly and not page().terminal:
        print(text, flush=True)
    else:
        typer.echo(ready(text), err=err, color=page().colour)


def ready(text: str) -> str:
    """Return lines as they are shown: what is not ours has no effect on the screen, and is seen."""
    return "\x1b".join(map(visible_lines, text.split(_OURS)))


def in_lines(lines: Iterable[str]) -> str:
    """Return lines, each of which is one whatever it holds, as a text."""
    return "\n".join(_OURS.join(map(visible, line.split(_OURS))) for line in lines)


def coloured(line: str, word: str, colour: str) -> str:
    """Return the line with the first occurrence of a word in bold and in a colour, where there are colours.

    Lines are laid out first: a colour has no width, but its codes have letters.
    """
    if not page().colour or not word:
        return line
    return line.replace(word, typer.style(word, fg=colour, bold=True).replace("\x1b", _OURS), 1)
