"""`hierfit.simulate` draws the data that the command writes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hierfit
from tests.cli.conftest import Cli

MODEL = "score ~ ses + (1 | school)"


def test_it_draws_what_the_command_writes(cli: Cli, folder: Path) -> None:
    cli("simulate", "--formula", MODEL, "--true", "ses=2", "--groups", "5", "--rows-per-group", "2-4", "--seed", "7")
    found = hierfit.simulate(MODEL, true={"ses": 2}, groups=5, rows_per_group="2-4", seed=7)
    pd.testing.assert_frame_equal(found.data, pd.read_csv("sim/data.csv"), check_dtype=False)
    assert found.true["ses"] == 2 and found.formula.startswith("score ~ 1 + ses") and "school" in found.effects
    same = hierfit.simulate(formula=MODEL, true="ses=2", groups=5, rows_per_group="2-4", seed=7)
    pd.testing.assert_frame_equal(found.data, same.data)
    path = found.save("own")
    assert path.read_bytes() == Path("sim/data.csv").read_bytes()
    assert (path.parent / "truth.json").read_bytes() == Path("sim/truth.json").read_bytes()


def test_scenarios_and_counts(folder: Path) -> None:
    found = hierfit.simulate(family="poisson", groups=4, rows_per_group=3)
    assert len(found.data) == 12 and np.issubdtype(found.data.iloc[:, 0].dtype, np.integer)
    assert hierfit.simulate("slopes", missing=0.2, seed=3).data.isna().any(axis=None)


def test_a_fit_to_what_was_simulated_knows_the_truth(sampled: Path) -> None:
    simulated = hierfit.simulate(MODEL, true={"ses": 2}, groups=6, rows_per_group=4, seed=2)
    run = hierfit.fit(simulated, MODEL, seed=1, draws=250)
    assert run.true == simulated.true and run.true["ses"] == 2
    checks = run.check().index
    assert {"true parameters", "true effects of schools"} <= set(checks)
    assert "true value" in run.plot("coefficients").texts[0].get_text()
    assert run.rerun(seed=2).true == simulated.true, "the same rows have the same truth"
    assert run.rerun(simulated.data, seed=2).true == {}, "of other rows nothing is known"
    again = hierfit.load(run.save("kept").folder)
    assert again.true == simulated.true
    also = hierfit.fit(simulated.data, MODEL, truth=simulated, seed=1, draws=250)
    assert also.true == simulated.true
    assert hierfit.fit(simulated.data, MODEL, seed=1, draws=250).true == {}
    assert hierfit.fit(simulated.data, MODEL, truth={"ses": 2.0}, seed=1, draws=250).true == {"ses": 2.0}


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ({"sse": 2}, "'sse' is no parameter of the model. Did you mean 'ses'"),
        (3, "or true values, not int"),
        ({"ses": "much"}, 'parameters.ses is "much"; expected a number'),
        ({"parameters": {"ses": 2}, "effects": 3}, "truth=: effects is 3; expected an object"),
    ],
)
def test_what_is_no_truth_is_refused(sampled: Path, truth: object, said: str) -> None:
    simulated = hierfit.simulate(MODEL, true={"ses": 2}, groups=6, rows_per_group=4, seed=2)
    with pytest.raises(hierfit.UsageError) as caught:
        hierfit.fit(simulated, MODEL, truth=truth)
    assert said in caught.value.message


def test_new_data_from_a_run(run: hierfit.Run) -> None:
    found = hierfit.simulate(run, seed=3)
    assert list(found.data.columns) == ["score", "ses", "school"] and len(found.data) == 32
    with pytest.raises(hierfit.UsageError, match="groups= cannot be given too"):
        hierfit.simulate(run, groups=3)


def test_errors_speak_of_keywords(folder: Path) -> None:
    with pytest.raises(hierfit.UsageError, match=r"there is no scenario 'schols'. Did you mean 'schools'"):
        hierfit.simulate("schols")
    with pytest.raises(hierfit.UsageError, match="true= goes with formula=, which is not given"):
        hierfit.simulate(true={"ses": 2})
    with pytest.raises(TypeError, match=r"simulate\(\) got an unexpected keyword argument 'group_count'"):
        hierfit.simulate(group_count=2)  # type: ignore[call-arg]
