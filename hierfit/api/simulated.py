"""What `hierfit.simulate` returns: rows, and what they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hierfit.api.keywords import Keywords
from hierfit.api.spoken import spoken
from hierfit.cli.options.simulate import SimulateOptions

if TYPE_CHECKING:
    import pandas as pd

    from hierfit.simulate.files import Simulated as Drawn

SIMULATE = Keywords(
    SimulateOptions,
    "simulate",
    without=frozenset({"scenario", "show_list", "again", "out", "plots", "overwrite"}),
    renamed={"from": "source"},
    beside=frozenset({"source"}),
)


@dataclass(frozen=True, eq=False)
class Simulated:
    """Simulated data.

    Attributes:
        data: the rows; `hierfit.fit` takes them, or this object, and then knows the truth.
        formula: the model that they come from.
        true: parameter -> true value.
        effects: grouping factor -> its terms, and the effects of its levels, as truth.json has them.
    """

    data: pd.DataFrame
    formula: str
    true: Mapping[str, float]
    effects: Mapping[str, Any]
    _drawn: Drawn

    @property
    def truth(self) -> dict[str, Any]:
        """What truth.json holds: formula, settings, true values, effects."""
        return self._drawn.truth.content

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows, so that this stands wherever data do."""
        return self.data

    def save(self, folder: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write data.csv and truth.json to a folder, and return the path of data.csv: its fits know the truth.

        Raises:
            RunFolderError: the folder holds something already.
            DiskError: it cannot be written to.
        """
        from hierfit.simulate.files import DATA_FILE, write_simulation

        with spoken(SIMULATE):
            write_simulation(self._drawn, Path(folder), overwrite)
        return Path(folder) / DATA_FILE
