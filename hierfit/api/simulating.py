"""`hierfit.simulate`: a scenario, a formula or a finished run -> data with a known truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

from hierfit.api.keyword_types import SimulateKeywords
from hierfit.api.simulated import SIMULATE, Simulated
from hierfit.api.spoken import spoken
from hierfit.cli.options.simulated import refuse_beside_run, simulation_of

if TYPE_CHECKING:
    from hierfit.api.run import Run
    from hierfit.simulate.files import Simulated as Drawn
    from hierfit.simulate.outcome import Column


@SIMULATE.documented
def simulate(source: str | Run | None = None, **keywords: Unpack[SimulateKeywords]) -> Simulated:
    """Draw data with a known truth.

    >>> simulated = hierfit.simulate(formula="score ~ ses + (1 | school)", true={"ses": 2}, seed=1)
    >>> simulated.true["ses"]
    2.0

    Args:
        source: the name of a scenario, a formula, or a finished run: its rows, and an outcome of one of its draws.

    Raises:
        UsageError: a keyword makes no sense, or none beside another.
    """
    with spoken(SIMULATE):
        if isinstance(source, str) and "~" in source:
            source, keywords = None, {**keywords, "formula": source}
        given: dict[str, Any] = dict(keywords)
        given |= {name: str(given[name]) for name in ("rows_per_group", "trials") if given.get(name) is not None}
        if source is not None and not isinstance(source, str):
            return _told(_of_run(source, given))
        from hierfit.simulate.simulate import simulate as draw

        return _told(draw(simulation_of(SIMULATE.options(given, scenario=source))))


def _of_run(run: Run, keywords: Mapping[str, Any]) -> Drawn:
    from hierfit.runs import finished

    options = SIMULATE.options(keywords, again=run.folder)
    refuse_beside_run(options)
    return finished.simulate_from(run.folder, options.seed)


def _whole(column: Column) -> Any:
    """Return a column as its file has it: whole numbers as such."""
    import numpy as np

    if isinstance(column, np.ndarray) and bool(np.all(column == np.round(column))) and np.abs(column).max() < 2**53:
        return column.astype(np.int64)
    return column if isinstance(column, np.ndarray) else list(column)


def _told(drawn: Drawn) -> Simulated:
    import pandas as pd

    truth = drawn.truth.content
    data = pd.DataFrame({name: _whole(column) for name, column in drawn.columns.items()})
    return Simulated(data, truth["formula"], truth["parameters"], truth["effects"], drawn)
