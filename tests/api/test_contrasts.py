"""`contrasts=` of Python: a dict, the file by its path, and categories in their order."""

from pathlib import Path

import pandas as pd
import pytest

import hierfit

DOSES = ["low", "mid", "high"]


@pytest.fixture
def doses(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(dose=pd.Categorical([DOSES[row * row % 7 % 3] for row in range(len(frame))], DOSES))


def test_they_are_said_by_column_over_the_order_of_the_categories(doses: pd.DataFrame, tmp_path: Path) -> None:
    names = {
        kind: list(hierfit.priors(doses, "score ~ dose + (1 | school)", contrasts={"dose": kind}).index[1:3])
        for kind in ("poly", "sdif")
    }
    assert names == {"poly": ["dose[.L]", "dose[.Q]"], "sdif": ["dose[mid-low]", "dose[high-mid]"]}
    path = tmp_path / "own.csv"
    path.write_text("dose,a,b\nlow,-1,0\nmid,1,0\nhigh,0,1\n")
    found = hierfit.priors(doses, "score ~ dose + (1 | school)", contrasts={"dose": path})
    assert list(found.index[1:3]) == ["dose[a]", "dose[b]"]


def test_a_run_keeps_them_and_a_rerun_changes_them(sampled: Path, doses: pd.DataFrame) -> None:
    run = hierfit.fit(doses, "score ~ dose + (1 | school)", contrasts={"dose": "helmert"}, seed=1, draws=250)
    assert "dose[H.mid]" in run.summary().index
    assert list(run.effects(of="dose").index) == list(run.rerun(doses, contrasts="dose=poly").effects(of="dose").index)
    with pytest.raises(hierfit.UsageError, match=r"no contrasts 'pol'\. Did you mean 'poly'"):
        hierfit.fit(doses, "score ~ dose + (1 | school)", contrasts={"dose": "pol"})
