"""Questions to finished runs, one function each: what the command line and the Python API call, and any program may.

    from hierfit import asked

    print(asked.predict(Path("runs/pupils")).frame())

Nothing is fitted but by `compare`, which may fit again; what samples is loaded by that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from hierfit.engines.rounds import Listener
    from hierfit.posterior.hypotheses.answers import Answers
    from hierfit.report.report import Report
    from hierfit.runs.checking import RunChecks
    from hierfit.runs.compared import Compared
    from hierfit.runs.cross_validated import Way
    from hierfit.runs.effects import Effects, EffectsRequest
    from hierfit.runs.prediction import Prediction, PredictionRequest


def compare(
    runs: Sequence[Path],
    by: str | None = None,
    watch: Callable[[float, int], object] = lambda done, total: None,
    way: Way | None = None,
    listener: Listener | None = None,
) -> Compared:
    """Say how well runs predict rows that they have not seen, or levels of the factor `by`; `way` says how that is had.

    `watch` hears of how many of these, or of the fits that it takes, are done, and of how many.

    Raises:
        RunFolderError: a run is missing, has too few draws, or was drawn from the priors alone.
        UsageError: the runs are not of the same outcome and rows, one is given twice, or levels of the factor cannot be
            left out.
        SamplerError, ToolchainError, DiskError: a model could not be fitted again.
        Interrupted: the same, as somebody asked to stop.
    """
    from hierfit.engines.rounds import SILENT
    from hierfit.runs.cross_validated import Way, compare_in

    return compare_in(way or Way(), runs, by, watch, (listener or SILENT).say)


def predict(run: Path, new: Path | pd.DataFrame | None = None, request: PredictionRequest | None = None) -> Prediction:
    """Return what a run says of the rows of a file or a DataFrame, or of its own, in blocks as they are asked for.

    Raises:
        RunFolderError: there is no such run.
        UsageError: the model has not what is asked for.
        DataError, FormulaError: the file cannot be used, lacks a column, or a level or value cannot be had there.
    """
    from hierfit.runs.prediction import PredictionRequest, open_prediction

    return open_prediction(run, new, request or PredictionRequest())


def test(
    run: Path, expressions: Sequence[str], *, ci: float | None = None, rope: tuple[float, float] | None = None
) -> Answers:
    """Say what the posterior of a run holds of expressions over its parameters, such as `ses > 2`.

    Raises:
        UsageError: an expression cannot be read, or names what is no parameter; the ROPE has no inside.
        RunFolderError: the run, or its trace, cannot be read.
    """
    from hierfit.runs import hypotheses

    return hypotheses.test(run, expressions, ci=ci, rope=rope)


def check(run: Path, seed: int = 1) -> RunChecks:
    """Check the model of a run against its data; of a run from the priors alone, say what these imply of outcomes.

    Raises:
        RunFolderError: there is no such run.
    """
    from hierfit.runs.checking import check_run

    return check_run(run, seed)


def picture_checks(found: RunChecks, out: Path | None = None, *, overwrite: bool = False) -> Iterator[tuple[Path, str]]:
    """Draw the pictures of checks, into the folder of the run or into `out`; yield the path and caption of each.

    Raises:
        RunFolderError: another process is writing to the run, or something is in the way.
        UsageError: a picture of that name is in `out`, and is not to be replaced.
        DiskError: they cannot be written.
    """
    from hierfit.runs import checking

    if out is None:
        return checking.picture_checks(found)
    return checking.picture_checks_in(found, out, overwrite=overwrite)


def effects(run: Path, request: EffectsRequest | None = None) -> Effects:
    """Return what changes of predictors do to the outcome, on average over the rows of the data.

    Raises:
        RunFolderError: there is no such run.
        UsageError: the model has not what is asked for.
        DataError, FormulaError: a term has no value at what is asked for.
    """
    from hierfit.runs.effects import EffectsRequest, effects_of

    return effects_of(run, request or EffectsRequest())


def report(
    run: Path,
    *,
    ci: float | None = None,
    pictures: bool = True,
    others: Sequence[Path] = (),
    expressions: Sequence[str] = (),
) -> Report:
    """Return a report of a run: `html()` or `markdown()` of it are what is written.

    It is compared with `others`, and says what the posterior holds of `expressions`.

    Raises:
        RunFolderError: there is no such run, or it cannot be read.
        UsageError: there is no interval of mass `ci`, runs cannot be compared, or an expression cannot be read.
    """
    from hierfit.report import report as whole

    beside = whole.Beside(tuple(others), tuple(expressions))
    return whole.report(run, ci=ci, pictures=pictures, beside=beside)
