"""Files that are not UTF-8: read as Windows-1252, which contains Latin-1, where that makes sense; else refused.

Nothing in such a file says what it is. Every byte from A0 on is a letter or sign of Latin-1, and so text in western
European languages from older programs is read right; where some lines are UTF-8 and others are not, or a byte means
nothing in Windows-1252, the file is refused with the place.
"""

from __future__ import annotations

from pathlib import Path

from hierfit.data.source import open_bytes
from hierfit.errors import DataError

UTF_8, WINDOWS = "utf-8", "cp1252"
NAMES = {WINDOWS: "Latin-1 (Windows-1252)"}
_NEAR = 15


class NotUtf8Error(DataError):
    """A file, or the used columns of one, that cannot be decoded."""


def wrong_encoding(path: Path) -> NotUtf8Error:
    """Return the error that names the first byte that is not UTF-8."""
    hint = f"save it as UTF-8 (in Excel: 'CSV UTF-8'), or: iconv -f latin1 -t utf-8 {path} > {path.stem}-utf8.csv"
    with open_bytes(path) as stream:
        for line, text in enumerate(stream, start=1):
            try:
                text.decode(UTF_8)
            except UnicodeDecodeError as error:
                byte = text[error.start : error.start + 1]
                near = text[max(0, error.start - _NEAR) : error.start + _NEAR].decode("latin-1").strip()
                return NotUtf8Error(
                    f"{path} is not UTF-8: byte {error.start + 1} of line {line} is 0x{byte.hex().upper()}"
                    f" ({byte.decode('latin-1')!r} in Latin-1, near {near!r}).",
                    hint=hint,
                )
    return NotUtf8Error(f"{path} is not UTF-8.", hint=hint)


def other_encoding(path: Path) -> str | None:
    """Return the encoding to read a file in that is not UTF-8; None where none can be told."""
    with open_bytes(path) as stream:
        for text in stream:
            if text.isascii():
                continue
            try:
                text.decode(UTF_8)
            except UnicodeDecodeError:
                pass
            else:
                return None  # some lines are UTF-8
            try:
                text.decode(WINDOWS)
            except UnicodeDecodeError:
                return None
    return WINDOWS
