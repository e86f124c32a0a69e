"""Table x functions of its columns -> the table with these too; what they are is said in `model.derived`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from hierfit.errors import DataError
from hierfit.model.derived import Derived, derived_from

if TYPE_CHECKING:
    from hierfit.data.table import Table


def derive(table: Table, wanted: Iterable[Derived]) -> Table:
    """Return the table with these columns.

    Raises:
        DataError: the function has no finite value somewhere.
    """
    import numpy as np  # names are read before the data, and without it

    numbers = dict(table.numbers)
    for derived in wanted:
        source = table.numbers[derived.column]
        with np.errstate(all="ignore"):
            values = getattr(np, derived.function)(source)
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(bad.argmax())
            more = "" if bad.sum() == 1 else f" ({int(bad.sum()):,} such rows)"
            raise DataError(
                f"column '{derived.column}' of {table.path} holds {source[row]:g} on {table.place(row)}{more}, "
                f"of which {derived.name} is no finite number.",
                hint="leave these rows out, or take another function: log1p(x) is log(1 + x)",
            )
        numbers[derived.name] = values
    return replace(table, numbers=numbers)


def with_derived(table: Table, names: Iterable[str]) -> Table:
    """Return the table with these columns of numbers, functions of its own where it has them under no such name.

    Raises:
        DataError: there is no such column, nor what it is a function of; or the function has no finite value somewhere.
    """
    wanted = []
    for name in names:
        if name not in table.numbers:
            derived = derived_from(name)
            if derived is None or derived.column not in table.numbers:
                raise DataError(
                    f"{table.path} has no column '{derived.column if derived else name}' of numbers.",
                    hint=f"the model needs {name}; columns of numbers: {', '.join(table.numbers) or 'none'}",
                )
            wanted.append(derived)
    return derive(table, wanted) if wanted else table
