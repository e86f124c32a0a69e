"""Results -> DataFrames: the columns of the CSV files of the commands, numbers as numbers, NaN where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierfit.data.source import place_word
from hierfit.design.design import Design
from hierfit.errors import UsageError, did_you_mean
from hierfit.model.spec import ModelSpec
from hierfit.posterior.group_summary import GroupSummary
from hierfit.posterior.hypotheses.answers import Answers
from hierfit.posterior.predict.quantities import Quantity
from hierfit.posterior.retold import Retold, Telling
from hierfit.posterior.summary import Summary, interval_bounds
from hierfit.runs.checking import RunChecks
from hierfit.runs.compared import Compared
from hierfit.runs.effects import Effects
from hierfit.runs.prediction import Prediction
from hierfit.runs.variance import Variance
from hierfit.told.priors import prior_rows
from hierfit.told.retold import retold_record
from hierfit.told.variance import variance_rows, variance_sentences

if TYPE_CHECKING:
    import pandas as pd

_OF_K = {"doubtful": "k_above_threshold", "above": "k_above_0.7", "threshold": "k_threshold", "n_draws": "draws"}
_LABELS = ("kind", "group", "term", "predictor")


def frame_of(rows: Iterable[Sequence[object]]) -> pd.DataFrame:
    """Return rows, the header first, as a DataFrame; an empty cell is one without a value."""
    import pandas as pd

    header, *others = rows
    cells = [[None if cell == "" else cell for cell in row] for row in others]
    return pd.DataFrame(cells, columns=[str(name) for name in header]).infer_objects()


def priors_frame(spec: ModelSpec) -> pd.DataFrame:
    """Return every prior and where it comes from, by the names of the parameters."""
    return frame_of(prior_rows(spec)).set_index("parameter")


def summary_frame(summary: Summary) -> pd.DataFrame:
    """Return the main table, by the names of the parameters; what a parameter is stands in its last columns."""
    frame = frame_of(summary.csv_rows()).set_index("name")
    numbers = [name for name in frame.columns if name not in _LABELS]
    for name in _LABELS:
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame.astype(dict.fromkeys(numbers, "float64"))[[*numbers, *_LABELS]]


def retold_frame(rows: Sequence[Retold], telling: Telling) -> pd.DataFrame:
    """Return the rows of the main table told otherwise, by the names of the parameters."""
    import pandas as pd

    frame = pd.DataFrame([retold_record(row, telling, flat=True) for row in rows]).set_index("name")
    words = [name for name in ("what", *_LABELS) if name in frame]
    numbers = [name for name in frame.columns if name not in words]
    return frame.astype(dict.fromkeys(numbers, "float64"))[[*numbers, *words]]


def variance_frame(found: Variance) -> pd.DataFrame:
    """Return a row for each part of the variance, its share, and R2; what the numbers are is said in its attrs."""
    frame = _as_numbers(frame_of(variance_rows(found.answer)), found.run.design, "at ")
    frame.attrs["notes"] = variance_sentences(found.answer, found.run.design)
    return frame


def draws_frame(prediction: Prediction, index: pd.Index[Any] | None) -> pd.DataFrame:
    """Return what every draw predicts [S, quantities x rows]; rows on an index, or on where they stand in the data."""
    import pandas as pd

    draws, quantities = prediction.run.draws, prediction.quantities
    parts = list(prediction.draws())
    lines = np.concatenate([own for own, _ in parts])
    found = {
        quantity.name: _of_rows(quantity, np.concatenate([values[at] for _, values in parts], axis=1), lines)
        for at, quantity in enumerate(quantities)
    }
    if index is not None:
        found = {name: own.reindex(columns=range(len(index))).set_axis(index, axis=1) for name, own in found.items()}
    source = prediction.run.design.source if prediction.table is None else prediction.table.path
    rows = place_word(source) if index is None else index.name
    chains, iterations = np.divmod(np.arange(draws.n_chains * draws.n_draws), draws.n_draws)
    each = pd.MultiIndex.from_arrays([chains, iterations], names=["chain", "draw"])
    return pd.concat(found, axis=1, names=["quantity", rows]).set_axis(each, axis=0)


def _of_rows(quantity: Quantity, values: NDArray[np.float64], lines: NDArray[np.int64]) -> pd.DataFrame:
    """Return the values of one quantity [S, R] as they are told, by the lines of the rows."""
    import pandas as pd

    if quantity.categories:
        return pd.DataFrame(np.asarray(quantity.categories, dtype=object)[values.astype(np.int64)], columns=lines)
    return pd.DataFrame(values.astype(np.int64) if quantity.whole else values, columns=lines)


def groups_frame(summary: GroupSummary, sort: str | None) -> pd.DataFrame:
    """Return a row for each level and varying coefficient, or sorted by one coefficient from the lowest level up.

    Raises:
        UsageError: there are no groups, or no such coefficient varies between them.
    """
    if not summary.tables:
        raise UsageError("this run has no groups.")
    frame = frame_of(summary.csv_rows())
    if sort is None:
        return frame
    terms = list(dict.fromkeys(frame["term"]))
    if sort not in terms:
        raise UsageError(
            f"sort={sort!r}: no coefficient of that name varies between groups.{did_you_mean(sort, terms)}",
            hint=f"choose {' or '.join(terms)}",
        )
    order: list[int] = []
    start = 0
    for table in summary.tables:
        term = table.terms.index(sort) if sort in table.terms else 0
        levels = np.argsort(table.mean[:, term], kind="stable")
        order += [
            start + int(level) * len(table.terms) + index for level in levels for index in range(len(table.terms))
        ]
        start = len(order)
    return frame.iloc[order].reset_index(drop=True)


def answers_frame(answers: Answers) -> pd.DataFrame:
    """Return what the posterior says of expressions, by the expressions."""
    frame = frame_of(answers.csv_rows()).set_index("expression")
    numbers = [name for name in frame.columns if name not in ("about", "draws", "without_value")]
    return frame.astype(dict.fromkeys(numbers, "float64"))  # an infinite ratio is a word in the file


def effects_frame(effects: Effects) -> pd.DataFrame:
    """Return a row for each average or difference: what it is of, where predictors are held, and its numbers."""
    import pandas as pd

    rows = []
    for effect in effects.effects:
        said = {part.name: getattr(effect, part.name) for part in fields(effect)}
        places = {**said.pop("at"), **said.pop("by")}
        rows.append(
            {"of": said.pop("of"), "what": said.pop("what"), **places, "category": said.pop("category"), **said}
        )
    frame = _as_numbers(pd.DataFrame(rows), effects.run.design)
    empty = [name for name in ("of", "what", "category", "above") if frame[name].replace("", None).isna().all()]
    return frame.drop(columns=empty)


def _as_numbers(frame: pd.DataFrame, design: Design, before: str = "") -> pd.DataFrame:
    """Return a frame in which values of columns of numbers are numbers; `before` precedes their names."""
    import pandas as pd

    for name in () if design.inputs is None else design.inputs.numbers:
        if f"{before}{name}" in frame:
            frame[f"{before}{name}"] = pd.to_numeric(frame[f"{before}{name}"])
    return frame


def checks_frame(found: RunChecks) -> pd.DataFrame:
    """Return a row for each check of a model, by its name; `found` itself stands in its attrs."""
    import pandas as pd

    rows = [{part.name: getattr(check, part.name) for part in fields(check)} for check in found.checked.checks]
    frame = pd.DataFrame(rows).set_index("name")
    frame["verdict"] = [verdict.value for verdict in frame["verdict"]]
    frame.attrs["found"] = found
    return frame


def comparison_frame(compared: Compared, ci: float | None = None) -> pd.DataFrame:
    """Return a row for each run, the best first; `compared` itself stands in its attrs.

    Raises:
        UsageError: there is no interval of that probability.
    """
    import pandas as pd

    if ci is not None:
        interval_bounds(ci)
    rows = []
    for standing in compared.comparison.standings:
        said = {part.name: getattr(standing, part.name) for part in fields(standing)}
        ends = {} if ci is None else dict(zip(("lower", "upper"), standing.interval(ci), strict=True))
        run = compared.models[standing.name].run
        rows.append({**said, **ends, "formula": run.record.formula, "family": run.record.model.family})
    frame = pd.DataFrame(rows).set_index("name").rename(columns=_OF_K)
    frame.attrs["compared"] = compared
    return frame
