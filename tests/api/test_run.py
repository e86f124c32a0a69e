"""What is asked of a Run is what the command line says of its folder."""

import io
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hierfit
from tests.api.conftest import FORMULA
from tests.cli.conftest import Cli


def csv(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text), dtype={"what": "str"})


def test_tables_are_those_of_the_command_line(run: hierfit.Run, cli: Cli) -> None:
    folder = run.folder
    said = csv(cli("summarize", folder, "--format", "csv").out).set_index("name")
    mine = run.summary()
    pd.testing.assert_frame_equal(mine.drop(columns=["kind", "group", "term", "predictor"]), said[mine.columns[:8]])
    assert list(mine["kind"]) == list(said["kind"]) and mine.loc["sigma", "group"] is None
    pd.testing.assert_frame_equal(
        run.groups(), csv(cli("summarize", folder, "--groups", "--format", "csv").out), check_dtype=False
    )
    said = csv(cli("effects", folder, "--of", "ses", "--step", "2", "--format", "csv").out)
    said = said.drop(columns="category")
    pd.testing.assert_frame_equal(run.effects("ses", step=2), said)
    said = csv(cli("effects", folder, "--marginal", "--at", "ses=0,1", "--by", "school", "--format", "csv").out)
    mine = run.effects(marginal=True, at={"ses": [0, 1]}, by="school")
    assert sorted(set(mine["ses"])) == [0, 1] and len(mine) == 8
    pd.testing.assert_frame_equal(mine, said[mine.columns], check_dtype=False)
    for asked, options in (
        ({"median": True}, ["--median"]),
        ({"quantiles": [0.1, 0.5]}, ["--quantiles", "0.1,0.5"]),
    ):
        said = csv(cli("summarize", folder, *options, "--format", "csv").out).set_index("name")
        mine = run.summary(**asked).drop(columns=["kind", "group", "term", "predictor"])
        pd.testing.assert_frame_equal(mine, said[mine.columns], check_dtype=False)
    said = csv(cli("summarize", folder, "--variance", "--at", "ses=0,1", "--format", "csv").out)
    pd.testing.assert_frame_equal(run.variance(at={"ses": [0, 1]}), said, check_dtype=False)
    claims = ["ses > 0", "sd(school) / sigma", "school[a] > school[b]"]
    said = csv(cli("test", folder, *claims, "--rope", "-0.1,0.1", "--format", "csv").out).set_index("expression")
    pd.testing.assert_frame_equal(run.test(*claims, rope=(-0.1, 0.1)), said, check_dtype=False)
    said = csv(cli("predict", folder, "--format", "csv").out)
    mine = run.predict()
    assert list(mine.index) == list(range(32)) and mine.index.name == "row"
    pd.testing.assert_frame_equal(mine.reset_index(drop=True), said, check_dtype=False)
    assert run.code() + "\n" == cli("code", folder).out
    assert repr(run) == cli("summarize", folder).out.rstrip("\n")


def test_other_intervals_are_narrower(run: hierfit.Run) -> None:
    for table in (run.summary, run.groups):
        assert (table(ci=0.5)["lower"] >= table()["lower"]).all()
    with pytest.raises(hierfit.UsageError) as caught:
        run.summary(ci=2)
    assert caught.value.hint == "give ci= between 0 and 1, such as 0.95"


def test_groups_are_sorted_by_a_coefficient(run: hierfit.Run) -> None:
    found = run.groups(sort="ses")
    assert found.loc[found["term"] == "ses", "mean"].is_monotonic_increasing
    assert sorted(map(tuple, found.astype(str).to_numpy())) == sorted(map(tuple, run.groups().astype(str).to_numpy()))
    with pytest.raises(hierfit.UsageError, match=r"sort='sex': .* Did you mean 'ses'\?"):
        run.groups(sort="sex")


def test_predictions_are_aligned_with_their_rows(run: hierfit.Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    new = frame.drop(columns="score").iloc[[5, 2, 9]].copy()
    new.iloc[1, 0] = np.nan
    found = run.predict(new)
    assert list(found.index) == ["r5", "r2", "r9"]
    assert found.loc["r2"].isna().all() and found.drop("r2").notna().all(axis=None)
    whole = run.predict()
    assert found.loc["r5", "expected"] == pytest.approx(whole["expected"].iloc[5], rel=1e-9)
    joined = new.join(found)
    assert list(joined.columns) == ["ses", "school", *found.columns]
    new.to_csv(tmp_path / "new.csv", index=False)
    of_file = run.predict(tmp_path / "new.csv")
    pd.testing.assert_frame_equal(of_file[found.columns], found.reset_index(drop=True))
    assert list(of_file.columns[:2]) == ["ses", "school"]


def test_predictions_have_the_options_of_the_command_line(run: hierfit.Run, frame: pd.DataFrame) -> None:
    new = frame.assign(school="q").head(2)
    with pytest.raises(hierfit.DataError, match="<DataFrame>, column 'school', row 0: no row of the fit had") as caught:
        run.predict(new)
    assert (caught.value.hint or "").startswith('new_groups="draw" gives new levels effects')
    wide = run.predict(new, new_groups="draw", ci=0.9)
    assert (run.predict(new, new_groups="average", ci=0.5)["expected_lower"] > wide["expected_lower"]).all()
    assert list(run.predict(frame, scale="link").columns) == ["link", "link_lower", "link_upper"]
    assert "sigma" in run.predict(frame, parameter="sigma")
    with pytest.raises(TypeError, match=r"predict\(\) got an unexpected keyword argument 'new_group'. Did you mean"):
        run.predict(frame, new_group="draw")  # type: ignore[call-arg]
    clash = run.predict(frame.assign(expected=1.0))
    assert "expected" in clash  # on its own there is nothing in the way


def test_draws_of_predictions_are_those_that_the_command_line_writes(
    run: hierfit.Run, frame: pd.DataFrame, cli: Cli, tmp_path: Path
) -> None:
    found = run.predict_draws(seed=3)
    cli("predict", run.folder, "--seed", "3", "--draws", tmp_path / "draws.csv", "--out", tmp_path / "rows.csv")
    said = pd.read_csv(tmp_path / "draws.csv").pivot(index=["chain", "draw"], columns="line")
    assert found.columns.names == ["quantity", "row"] and found.shape == (1000, 64)
    for quantity in ("expected", "outcome"):
        np.testing.assert_allclose(found[quantity], said[quantity])
    new = frame.drop(columns="score").iloc[[5, 2, 9]].copy()
    new.iloc[1, 0] = np.nan
    own = run.predict_draws(new)
    assert list(own["expected"].columns) == ["r5", "r2", "r9"] and own.index.names == ["chain", "draw"]
    assert own.xs("r2", axis=1, level=1).isna().all(axis=None)
    told = run.predict(new)
    np.testing.assert_allclose(own["expected"].mean(), told["expected"])
    np.testing.assert_allclose(own["outcome"].quantile(0.025), told["outcome_lower"])
    assert list(run.predict_draws(new, parameter="sigma").columns.levels[0]) == ["sigma"]


def test_predictions_of_a_long_frame_are_those_of_its_parts(run: hierfit.Run, frame: pd.DataFrame) -> None:
    long = pd.concat([frame] * 40)
    long.iloc[::7, long.columns.get_loc("ses")] = np.nan
    found = run.predict(long)
    assert found["expected"].isna().tolist() == long["ses"].isna().tolist()
    np.testing.assert_allclose(found["expected"].dropna(), _expected(run, frame, 40)[~long["ses"].isna().to_numpy()])


def _expected(run: hierfit.Run, frame: pd.DataFrame, times: int) -> np.ndarray:
    return np.tile(run.predict(frame)["expected"].to_numpy(), times)


def test_runs_are_compared(run: hierfit.Run, sampled: Path, frame: pd.DataFrame, cli: Cli) -> None:
    other = hierfit.fit(frame, "score ~ 1 + (1 | school)", seed=2, draws=250)
    found = run.compare(other, ci=0.9)
    said = csv(cli("compare", run.folder, other.folder, "--ci", "0.9", "--format", "csv").out).set_index("run")
    assert list(found.index) == list(said.index)
    for name in (
        "elpd",
        "se",
        "p_loo",
        "difference",
        "difference_se",
        "lower",
        "upper",
        "weight",
        "k_above_threshold",
        "draws",
    ):
        np.testing.assert_allclose(found[name].astype(float), said[name].astype(float))
    assert set(found.attrs["compared"].models) == set(found.index)
    assert len({run.folder.name, other.folder.name} & set(found.index)) == 2
    with pytest.raises(hierfit.UsageError, match='by="class": no run has groups of that name') as caught:
        run.compare(other, by="class")
    assert caught.value.hint == "choose school"
    with pytest.raises(hierfit.UsageError, match="an interval of mass 2"):
        run.compare(other, ci=2)


def test_runs_of_other_rows_are_told_apart_by_row(run: hierfit.Run, sampled: Path, frame: pd.DataFrame) -> None:
    other = hierfit.fit(frame.assign(score=frame["score"] + (np.arange(32) == 4)), FORMULA, seed=2, draws=250)
    with pytest.raises(hierfit.UsageError, match="have different outcomes: on row 4 of <DataFrame> score is"):
        run.compare(other)


def test_the_draws_are_those_of_arviz(run: hierfit.Run) -> None:
    assert run.draws is run.draws
    assert float(run.draws.posterior["sigma"].mean()) == pytest.approx(run.summary().loc["sigma", "mean"], rel=1e-6)


@pytest.mark.parametrize("kind", ["posterior", "groups", "trace"])
def test_a_figure(run: hierfit.Run, kind: str) -> None:
    from matplotlib.figure import Figure

    assert isinstance(run.plot(kind), Figure)


def test_a_figure_that_is_not_there(run: hierfit.Run) -> None:
    with pytest.raises(hierfit.UsageError, match=r"there is no figure 'grops'. Did you mean 'groups'\?"):
        run.plot("grops")
    with pytest.raises(hierfit.UsageError, match="there is no figure 'groups_class'"):
        run.plot("groups_class")


def test_figures_take_the_options_of_the_command_line(run: hierfit.Run) -> None:
    labels = [run.plot("coefficients", per=per).axes[0].get_yticklabels()[0].get_text() for per in ("unit", "sd")]
    assert labels[0] == "ses" and labels[1].startswith("ses  (sd ")
    assert run.plot("effects", column="ses").axes
    with pytest.raises(hierfit.UsageError, match=r'column="sse": the model has no such predictor. Did you mean'):
        run.plot("lines", column="sse")
    with pytest.raises(hierfit.UsageError, match="per= is about coefficients, which are not asked for") as caught:
        run.plot("trace", per="sd")
    assert caught.value.hint == 'add kind="coefficients"'
    with pytest.raises(TypeError, match=r"plot\(\) got an unexpected keyword argument 'colum'. Did you mean 'column'"):
        run.plot("lines", colum="ses")  # type: ignore[call-arg]


def test_figures_of_a_factor_have_the_names_of_their_files(sampled: Path, frame: pd.DataFrame) -> None:
    data = frame.assign(item=[f"i{row % 5}" for row in range(32)])
    crossed = hierfit.fit(data, "score ~ ses + (1 | school) + (1 | item)", seed=1)
    axes = [crossed.plot(name).axes[0].get_ylabel() for name in ("groups_item", "groups_school", "groups")]
    assert axes == ["item", "school", "school"]


def test_a_model_is_checked_as_by_the_command_line(run: hierfit.Run, cli: Cli) -> None:
    found = run.check(seed=3)
    said = csv(cli("check", run.folder, "--seed", "3", "--no-plots", "--format", "csv").out).set_index("check")
    assert list(found.index) == list(said.index) and list(found["verdict"]) == list(said["verdict"])
    for name in ("observed", "expected", "lower", "upper", "p"):
        np.testing.assert_allclose(found[name].astype(float), said[name].astype(float))
    assert found.attrs["found"].seed == 3


def test_a_report_is_that_of_the_command_line(run: hierfit.Run, cli: Cli) -> None:
    path = run.report("one.html", pictures=False)
    cli("report", run.folder, "--no-pictures", "--out", "other.html")
    assert path == Path("one.html") and path.read_text() == Path("other.html").read_text()
    with pytest.raises(hierfit.UsageError, match=r"one.html"):
        run.report("one.html", pictures=False)
    assert run.report("one.html", ci=0.5, pictures=False, overwrite=True).read_text() != Path("other.html").read_text()
    with pytest.raises(hierfit.UsageError, match="its name says no format"):
        run.report("one.pdf")


def test_a_run_is_extended_where_it_is(sampled: Path, frame: pd.DataFrame) -> None:
    run = hierfit.fit(frame, FORMULA, seed=1, draws=250)
    before = run.summary()
    assert run.extend(draws=100) is run
    assert run.manifest["draws_per_chain"] == 350 and not run.summary().equals(before)
    with pytest.raises(hierfit.UsageError, match="until_ess= and draws= ask for different things"):
        run.extend(draws=100, until_ess=100)
    with pytest.raises(hierfit.UsageError, match="draws=2 is not at least 4"):
        run.extend(draws=2)


def test_what_a_run_is(run: hierfit.Run) -> None:
    assert run.formula == "score ~ 1 + ses + (1 + ses | school)"
    assert (run.family, run.seed, run.ok) == ("gaussian", 1, True)
    assert run.checks.n_draws == 1000 and isinstance(run.notes, tuple)


def test_a_run_can_be_sent_to_another_process(run: hierfit.Run) -> None:
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(run)).summary(), run.summary())


def test_there_must_be_something_to_test(run: hierfit.Run) -> None:
    with pytest.raises(hierfit.UsageError, match="there is no expression"):
        run.test()
    with pytest.raises(hierfit.RunFolderError, match="there is no folder 'nowhere'"):
        hierfit.load("nowhere")
