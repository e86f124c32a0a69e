import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hierfit.errors import RunFolderError
from hierfit.model.spec import Kind
from hierfit.plain import UnexpectedError, to_plain
from hierfit.posterior.advice import Try
from hierfit.posterior.convergence import Weights
from hierfit.posterior.diagnostics import Diagnosis, Finding, Level
from hierfit.posterior.summary import Summary, SummaryRow, VarianceShare
from hierfit.runs.stored import read_summary, truth_beside, truth_of

NAN = math.nan
ROW = SummaryRow("ses", Kind.COEFFICIENT, None, "ses", None, 1 / 3, 0.1, -0.2, 0.7, 0.004, 1.0012, 1234.5678, 987.6)
FIXED = SummaryRow("sd(school)", Kind.SD, "school", "Intercept", None, 1.0, 0.0, 1.0, 1.0, NAN, NAN, NAN, NAN)
SUMMARY = Summary((ROW, FIXED), 0.9, (VarianceShare("school", 0.3, 0.1, 0.5, ("ses",), "latent"),))
DIAGNOSIS = Diagnosis(
    Level.FAIL,
    (Finding("rhat", Level.FAIL, "1.17", "< 1.01", ("ses", "sigma"), "the chains disagree"),),
    "school has 3 levels.",
    (Try("--draws 4000", "longer chains"),),
    1.17,
    50.5,
    60.0,
    3,
    4000,
    NAN,
    Weights(0.3, 8.5, 0.004, 0.81),
)


def written(summary: Summary = SUMMARY) -> Any:
    document = {**to_plain(summary), "checks": to_plain(DIAGNOSIS)}
    return json.loads(json.dumps(document, allow_nan=False))


def test_what_was_written_comes_back_to_the_last_digit() -> None:
    read = read_summary(written())
    assert read is not None
    assert repr(read) == repr((SUMMARY, DIAGNOSIS))  # NaN differs from NaN, its repr does not


def test_an_infinite_number_is_not_taken_for_none() -> None:
    infinite = replace(SUMMARY, rows=(replace(ROW, rhat=math.inf), FIXED))
    assert read_summary(written(infinite)) is None


@pytest.mark.parametrize("cut", ["parameters", "ci", "variance_shares", "checks"])
def test_a_document_that_lacks_something_is_refused(cut: str) -> None:
    document = written()
    del document[cut]
    with pytest.raises(UnexpectedError, match=f"^{cut} is (missing|null); expected"):
        read_summary(document)


@pytest.mark.parametrize("value", [None, [], "text", [1], [{"name": "ses"}], [{**to_plain(ROW), "kind": "news"}]])
def test_so_is_one_that_holds_something_else(value: object) -> None:
    with pytest.raises(UnexpectedError, match=r"^parameters.* expected"):
        read_summary({**written(), "parameters": value})


def test_truth_belongs_to_one_file(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    assert truth_beside(data, "abc") is None
    (tmp_path / "truth.json").write_text(json.dumps({"data_sha256": "abc", "parameters": {}}))
    assert truth_beside(data, "abc") == {"data_sha256": "abc", "parameters": {}}
    assert truth_beside(data, "abd") is None
    assert truth_of(tmp_path) is not None
    for broken in ("", "[]", "{", '{"data_sha256": "abc", "parameters": []}'):
        (tmp_path / "truth.json").write_text(broken)
        with pytest.raises(RunFolderError, match=r"truth\.json"):
            truth_of(tmp_path)
        if "sha256" in broken:
            with pytest.raises(RunFolderError, match=r"truth\.json is not as hierfit wrote it: parameters is \[\]"):
                truth_beside(data, "abc")
        else:
            assert truth_beside(data, "abc") is None
