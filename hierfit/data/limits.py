"""How much a file may hold, so that one that is no table, or is made to harm, is refused before it fills the memory.

No table that anybody fits comes near these limits; what is beyond them is a file that ends nowhere, an archive that
unpacks to a thousand times its size, or a text in a column of labels.
"""

from __future__ import annotations

import os
from pathlib import Path

from hierfit.errors import DataError

LONGEST_LINE = 100_000_000  # bytes
LONGEST_HEADER = 16_000_000  # characters
LONGEST_NAME, MOST_COLUMNS = 1_000, 100_000
LONGEST_LABEL = 10_000  # characters
# Bytes that a packed file may unpack to whatever its size; and beyond them, how many times its size.
FREE, MOST_RATIO = 100_000_000, 200


class LineWatch:
    """Sees the bytes of a file pass, and refuses a line without end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._length = 0

    def see(self, chunk: bytes) -> None:
        """Look at the next bytes.

        Raises:
            DataError: they belong to a line longer than any.
        """
        last = chunk.rfind(b"\n")
        if last >= 0:
            self._length = len(chunk) - last
        else:
            self._length += len(chunk)
        if self._length > LONGEST_LINE:
            raise too_long(self._path, f"a line longer than {LONGEST_LINE // 1_000_000} million bytes")


def too_long(path: Path, what: str) -> DataError:
    """Return the error for what no table has."""
    return DataError(f"{path} is no table: it has {what}.", hint="check that it is a CSV file, with a row in each line")


def refuse_bomb(path: Path, unpacked: int) -> None:
    """Refuse a packed file that has unpacked to so many bytes and still goes on.

    Raises:
        DataError: it is more than data pack to, or than fits into memory.
    """
    if unpacked <= FREE:
        return
    size = max(1, path.stat().st_size)
    if unpacked > MOST_RATIO * size:
        raise DataError(
            f"{path} unpacks to more than {MOST_RATIO} times its {size:,} bytes, as no data do.",
            hint=f"if it is right, unpack it first: gunzip -k {path}",
        )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if unpacked > memory:
        raise DataError(
            f"{path} unpacks to more than this machine's memory, {memory / 1e9:,.0f} GB.",
            hint="take the rows and columns that the model needs into a file of their own",
        )
