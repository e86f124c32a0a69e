"""Notes about single values: on data that trip them, and on data that are near."""

from pathlib import Path

import numpy as np
import pytest

from hierfit.notes.note import NoteKind
from tests.notes.cases import notes_of, only


def columns(odd: list[float], rows: int = 80, low: float = 18, high: float = 70) -> dict[str, list[object]]:
    rng = np.random.default_rng(2)
    x = [*odd, *np.round(rng.uniform(low, high, rows - len(odd))).tolist()]
    return {"y": np.round(rng.normal(size=rows), 3).tolist(), "x": x}


@pytest.mark.parametrize(
    ("odd", "low", "high", "said"),
    [
        ([-99.0], 18, 70, "x (predictor) is -99 in 1 row (line 2) and between 19 and 69 in all others."),
        ([-99.0, -98.0, -98.0], 0, 70, "x (predictor) is -99 and -98 in 3 rows (lines 2, 3 and 4) and between"),
        ([999.0] * 5, 18, 70, "x (predictor) is 999 in 5 rows (lines 2, 3, 4 and 2 more) and between"),
        ([99.0] * 2, 18, 70, "x (predictor) is 99 in 2 rows (lines 2 and 3) and between"),
        ([-9999.0] * 2, -20, 40, "x (predictor) is -9999 in 2 rows"),
        ([9.0] * 3, 1, 5, "x (predictor) is 9 in 3 rows"),
        ([-9.0] * 2, 0, 5, "x (predictor) is -9 in 2 rows"),
        ([32767.0] * 2, -20, 40, "x (predictor) is 32767 in 2 rows"),
    ],
)
def test_codes_for_missing_values(tmp_path: Path, odd: list[float], low: float, high: float, said: str) -> None:
    note = only([n for n in notes_of(tmp_path, "y ~ x", columns(odd, low=low, high=high)) if n.kind == "sentinels"])
    assert note.text.startswith(said) and note.columns == ("x",)


@pytest.mark.parametrize(
    ("odd", "low", "high"),
    [
        ([99.0], 18, 70),  # a man of 99 years
        ([99.0, 99.0], 18, 95),
        ([999.0] * 3, 0, 990),
        ([-99.0] * 3, -99, 99),
        ([-50.0] * 3, 0, 5),  # no code
        ([9.0] * 5, 0, 7),
        ([9.0] * 2, 1, 5),
        ([-9.0], -8, 8),
    ],
)
def test_values_that_may_be_so(tmp_path: Path, odd: list[float], low: float, high: float) -> None:
    assert [n for n in notes_of(tmp_path, "y ~ x", columns(odd, low=low, high=high)) if n.kind == "sentinels"] == []


def test_an_outcome_with_codes_and_a_factor_of_numbers(tmp_path: Path) -> None:
    data = columns([999.0] * 3)
    note = only([n for n in notes_of(tmp_path, "x ~ y", data) if n.kind is NoteKind.SENTINELS])
    assert note.text.startswith("x (outcome) is 999 in 3 rows")
    assert [n for n in notes_of(tmp_path, "y ~ C(x)", data) if n.kind is NoteKind.SENTINELS] == []


@pytest.mark.parametrize("month", [False, True])
def test_dates_as_numbers(tmp_path: Path, month: bool) -> None:
    data = columns([])
    dates = [20230000 + 100 * (1 + row % 12) + 1 + row % 28 for row in range(80)]
    data["x"] = [date // 100 for date in dates] if month else dates
    note = only(notes_of(tmp_path, "y ~ x", data))
    assert note.kind is NoteKind.DATES and f"({'202301' if month else '20230101'})" in note.text
    data["x"][7] = 202313 if month else 20230132
    assert notes_of(tmp_path, "y ~ x", data) == []


def test_years_and_prices_are_no_dates(tmp_path: Path) -> None:
    data = columns([])
    for x in ([2000.0 + row % 20 for row in range(80)], [190001.5 + row % 12 for row in range(80)]):
        assert notes_of(tmp_path, "y ~ x", {**data, "x": x}) == []
