"""`hierfit.priors` says what `hierfit priors` prints."""

import io
from pathlib import Path

import pandas as pd
import pytest

import hierfit
from tests.api.conftest import FORMULA
from tests.cli.conftest import CSV, Cli


def test_it_says_what_the_command_prints(cli: Cli, folder: Path, frame: pd.DataFrame) -> None:
    Path("data.csv").write_text(CSV)
    changed = "ses ~ normal(0, 3)"
    said = cli("priors", "data.csv", "--formula", FORMULA, "--prior", changed, "--format", "csv").out
    found = hierfit.priors(frame, FORMULA, priors=[changed])
    pd.testing.assert_frame_equal(found.reset_index(), pd.read_csv(io.StringIO(said)))
    assert found.loc["ses", "prior"] == "normal(0, 3)" and found.index.name == "parameter"
    pd.testing.assert_frame_equal(
        hierfit.priors("data.csv", y="score", slope="ses", group="school", priors=changed), found
    )


def test_categories_are_levels_as_in_a_fit(frame: pd.DataFrame) -> None:
    of_category = frame.assign(dose=pd.Categorical(["low", "high"] * 16, ["low", "high"]))
    assert "dose[high]" in hierfit.priors(of_category, "score ~ dose + (1 | school)").index


def test_errors_speak_of_keywords(frame: pd.DataFrame) -> None:
    with pytest.raises(hierfit.UsageError, match="what is to be fitted is not said"):
        hierfit.priors(frame)
    with pytest.raises(
        TypeError, match=r"priors\(\) got an unexpected keyword argument 'prior'. Did you mean 'priors'"
    ):
        hierfit.priors(frame, FORMULA, prior="ses ~ normal(0, 1)")  # type: ignore[call-arg]
    with pytest.raises(hierfit.PriorError):
        hierfit.priors(frame, FORMULA, priors="sse ~ normal(0, 1)")
