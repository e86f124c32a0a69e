"""Prediction -> files: all rows as CSV or Parquet, and the predictions of every draw.

    FILE.csv, .csv.gz   the columns of the input, as they are written there, then the predicted ones; commas between
    FILE.parquet        the same; numbers where the model knows that they are, text otherwise; needs pyarrow

The file of draws is long: `line` of the input's file, `chain` and `draw` as in trace.nc, from 0, then a column for each
quantity; a row for each row and draw, rows in the order of the input, those without predictions left out.
"""

from __future__ import annotations

import gzip
import importlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hierfit.disk.new_file import refuse_taken, written_whole
from hierfit.disk.rows import write_rows
from hierfit.disk.writing import create
from hierfit.errors import UsageError
from hierfit.posterior.predict.summaries import told
from hierfit.runs.prediction import Cell, Prediction

ENDINGS = (".csv", ".csv.gz", ".parquet")
_PARQUET = ".parquet"
Count = Callable[[int, int], None]


class Writer(Protocol):
    """Takes rows of a table one after another."""

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write some rows."""


def check_file(path: Path | None, option: str, *, overwrite: bool) -> None:
    """Refuse now a file that could not be written later.

    Raises:
        UsageError: its name has no known ending, there is one already, or pyarrow is missing.
    """
    if path is None:
        return
    if not path.name.lower().endswith(ENDINGS):
        raise UsageError(
            f"{option} {path}: the name does not say what kind of file it is.",
            hint=f"let it end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}",
        )
    refuse_taken(path, option, overwrite=overwrite)
    if _is_parquet(path):
        try:
            _pyarrow()
        except ImportError:
            raise UsageError(
                f"{option} {path}: Parquet files are written by the package pyarrow, which is not installed.",
                hint=f"pip install pyarrow, or {option} {path.with_suffix('.csv')}",
            ) from None


def write_predictions(prediction: Prediction, path: Path, count: Count) -> None:
    """Write all rows with their predictions; `count` hears how many of how many are done.

    Raises:
        DiskError: the file could not be written; what was there before is as it was.
    """
    texts = {*prediction.header} - prediction.numeric
    texts |= {name for name, of_words in zip(prediction.names, prediction.predicting.of_words, strict=True) if of_words}
    numbers = [name in prediction.numeric for name in prediction.header]

    def known(cells: Sequence[Cell]) -> Sequence[Cell]:
        """Return cells as the file has them: as they are written, or numbers as such."""
        if not _is_parquet(path):
            return cells
        return [prediction.number(cell) if number else cell for cell, number in zip(cells, numbers, strict=True)]

    done = 0
    with _table(path, [*prediction.header, *prediction.names], texts) as table:
        for block in prediction.blocks():
            table.write([*known(cells), *own] for cells, own in zip(block.cells, block.predicted, strict=True))
            done += len(block.cells)
            count(done, prediction.n_rows)


def write_draws(prediction: Prediction, path: Path, count: Count) -> None:
    """Write the predictions of every draw; errors as `write_predictions`."""
    names = [quantity.name for quantity in prediction.quantities]
    texts = {quantity.name for quantity in prediction.quantities if quantity.categories}
    draws = prediction.run.draws
    chains, iterations = np.divmod(np.arange(draws.n_chains * draws.n_draws), draws.n_draws)
    done = 0
    with _table(path, ["line", "chain", "draw", *names], texts) as table:
        for lines, values in prediction.draws():
            own = [told(quantity, each.T.ravel()) for quantity, each in zip(prediction.quantities, values, strict=True)]
            places = (np.repeat(lines, len(chains)), np.tile(chains, len(lines)), np.tile(iterations, len(lines)))
            table.write(zip(*(place.tolist() for place in places), *own, strict=True))
            done += len(lines)
            count(done, prediction.n_complete)


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(_PARQUET)


def _pyarrow() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet; ImportError where it is not installed, as it need not be."""
    return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")


@contextmanager
def _table(path: Path, names: Sequence[str], texts: Iterable[str]) -> Iterator[Writer]:
    """Give what writes the rows of a table to a file, which is there when all are."""
    with written_whole(path) as part:
        if _is_parquet(path):
            with _ParquetWriter(part, names, frozenset(texts)) as parquet:
                yield parquet
            return
        with create(part) as stream:
            packed: Any = gzip.GzipFile("", "wb", 6, stream, mtime=0) if path.name.lower().endswith(".gz") else stream
            with io.TextIOWrapper(packed, encoding="utf-8", newline="") as text:
                write_rows(text, [names])
                yield _CsvWriter(text)


class _CsvWriter:
    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write some rows; what is None is an empty cell."""
        write_rows(self._stream, rows)


class _ParquetWriter:
    """Writes rows as Parquet, a row group for each call."""

    def __init__(self, path: Path, names: Sequence[str], texts: frozenset[str]) -> None:
        pa, parquet = _pyarrow()
        whole = {"line", "chain", "draw"}
        types = [pa.string() if name in texts else pa.int64() if name in whole else pa.float64() for name in names]
        self._pa, self._schema = pa, pa.schema(list(zip(names, types, strict=True)))
        self._writer = parquet.ParquetWriter(str(path), self._schema)

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write some rows; what is None is null."""
        columns = [
            self._pa.array(column, type=kind)
            for column, kind in zip(zip(*rows, strict=True), self._schema.types, strict=True)
        ]
        self._writer.write_table(self._pa.Table.from_arrays(columns, schema=self._schema))

    def __enter__(self) -> _ParquetWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
