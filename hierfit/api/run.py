"""`hierfit.Run`: a finished run, and what can be asked of it; `hierfit.load`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from hierfit.api.fitting import FIT, fitted_again
from hierfit.api.frames import Data, opened
from hierfit.api.keyword_types import EffectsKeywords, FitKeywords, PredictKeywords
from hierfit.api.keywords import Keywords
from hierfit.api.place import RunPlace
from hierfit.api.progress import listening
from hierfit.api.spoken import spoken, warn_if_failed
from hierfit.cli.options.effects import EffectsOptions
from hierfit.cli.options.extend import ExtendOptions, goal_of
from hierfit.cli.options.predict import PredictOptions
from hierfit.data.source import place_word
from hierfit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from hierfit.design.design import Design
    from hierfit.notes.note import Note
    from hierfit.posterior.verdict import Diagnosis
    from hierfit.runs.finished import Fit, Stored

PREDICT = Keywords(PredictOptions, "predict", without=frozenset({"new", "out", "draws", "overwrite"}))
EFFECTS = Keywords(EffectsOptions, "effects")
EXTEND = Keywords(ExtendOptions, "extend")


class Run:
    """A finished run.

    What is shown of it in a notebook, or printed, is its table with the verdict on its draws. Everything is read from
    its folder, as the command line does: `hierfit summarize FOLDER` says the same.
    """

    def __init__(self, place: RunPlace, frame: pd.DataFrame | None = None) -> None:
        self._place = place
        self._frame = frame

    # What it is

    @property
    def folder(self) -> Path:
        """Where it is: the folder that was named, or a temporary one that is removed with this object."""
        return self._place.folder

    @cached_property
    def _stored(self) -> Stored | Fit:
        from hierfit.runs import finished

        return finished.load_summary(self.folder)

    @property
    def formula(self) -> str:
        """The model, in one line."""
        return self._stored.record.formula

    @property
    def family(self) -> str:
        """The distribution of the outcome."""
        return self._stored.record.model.family

    @property
    def seed(self) -> int | None:
        """What its draws follow from."""
        return self._stored.record.request.sampler.seed

    @property
    def ok(self) -> bool:
        """Whether its checks passed, perhaps with warnings."""
        return self.checks.status != "fail"

    @property
    def checks(self) -> Diagnosis:
        """The verdict on its draws: `status`, `findings` (what was found and what it means), `tries` (what to do)."""
        return self._stored.diagnosis

    @property
    def notes(self) -> tuple[Note, ...]:
        """What a reader of the results should know of data and model."""
        return self._stored.record.notes

    @property
    def manifest(self) -> dict[str, Any]:
        """What run.json holds."""
        return dict(self._stored.manifest)

    @cached_property
    def draws(self) -> Any:
        """The draws, as ArviZ has them (InferenceData; DataTree from ArviZ 1 on)."""
        import arviz

        from hierfit.runs.files import TRACE
        from hierfit.runs.folder import open_whole

        with spoken(EFFECTS, FIT):
            return arviz.from_netcdf(open_whole(self.folder, TRACE).path / TRACE)  # type: ignore[no-untyped-call]

    # What is asked of it

    def summary(self, ci: float | None = None) -> pd.DataFrame:
        """Return the table of the population-level parameters, by their names.

        Columns: mean, sd, lower and upper end of the interval, mcse_mean, rhat, ess_bulk, ess_tail; kind, group, term
        and predictor say what each is.

        Args:
            ci: probability of the intervals; that of the fit where it is None.
        """
        from hierfit.api.tables import summary_frame
        from hierfit.runs import finished

        with spoken(EFFECTS, FIT):
            stored = self._stored if ci is None else finished.load_summary(self.folder, ci)
            return summary_frame(stored.summary)

    def groups(self, sort: str | None = None, ci: float | None = None) -> pd.DataFrame:
        """Return a row for each level of each grouping factor and each of its coefficients.

        Args:
            sort: a coefficient by which levels are sorted, the lowest first.
            ci: probability of the intervals.

        Raises:
            UsageError: there are no groups, or no such coefficient varies.
        """
        from hierfit.api.tables import groups_frame
        from hierfit.posterior.group_summary import summarize_groups
        from hierfit.runs import finished

        with spoken(EFFECTS, FIT):
            done = finished.open_fit(self.folder)
            mass = done.record.request.ci if ci is None else ci
            return groups_frame(summarize_groups(done.draws, done.design, done.spec, mass), sort)

    @PREDICT.documented
    def predict(self, data: Data = None, **keywords: Unpack[PredictKeywords]) -> pd.DataFrame:
        """Return what is expected of rows, and where their outcomes will lie.

        Of a DataFrame only what is predicted, on its index, so that `frame.join(run.predict(frame))` has both; rows
        that lack what the model needs have NaN. Of the rows of the fit, and of a file, the columns of the rows too;
        those of the fit on their positions in the data.

        Args:
            data: other rows: a DataFrame or a CSV file, without the outcome.

        Raises:
            UsageError: the model has not what is asked for.
            DataError: a column, level or value cannot be had.
        """
        from hierfit import workflow
        from hierfit.cli.options.predict import prediction_request

        path, frame = (None, None) if data is None else opened(data)
        with spoken(PREDICT, FIT):
            request = prediction_request(PREDICT.options(keywords, run=self.folder))
            prediction = workflow.predict(self.folder, path if frame is None else frame, request)
            found = prediction.frame()
        if frame is not None:
            return found.set_axis(frame.index)
        return found if data is not None else found.set_axis(_places(prediction.run.design))

    @EFFECTS.documented
    def effects(self, of: str | Sequence[str] | None = None, **keywords: Unpack[EffectsKeywords]) -> pd.DataFrame:
        """Return what changes of predictors do to the outcome, on average over the rows of the data.

        Args:
            of: predictors; all of them where it is None.

        Raises:
            UsageError: the model has not what is asked for.
            DataError, FormulaError: a term has no value at what is asked for.
        """
        from hierfit import workflow
        from hierfit.api.tables import effects_frame
        from hierfit.cli.options.effects import effects_request

        with spoken(EFFECTS, FIT):
            request = effects_request(EFFECTS.options({"of": of, **keywords}, run=self.folder))
            return effects_frame(workflow.effects(self.folder, request))

    def test(self, *expressions: str, rope: tuple[float, float] | None = None, ci: float | None = None) -> pd.DataFrame:
        """Return what the posterior says of expressions over the parameters, such as "ses > 2".

        Args:
            expressions: quantities and claims; parameters are named as in the table, levels as "school[12]".
            rope: a region of practical equivalence.
            ci: probability of the intervals.

        Raises:
            UsageError: an expression cannot be read, or names what is no parameter.
        """
        from hierfit import workflow
        from hierfit.api.tables import answers_frame

        with spoken(EFFECTS, FIT):
            if not expressions:
                raise UsageError("there is no expression.", hint='for example run.test("ses > 0")')
            return answers_frame(workflow.test(self.folder, expressions, ci=ci, rope=rope))

    def compare(self, *others: Run, by: str | None = None, ci: float | None = None) -> pd.DataFrame:
        """Return how well this run and others predict rows that they have not seen (leave-one-out), the best first.

        `k_above_threshold` counts the rows that make a number doubtful. The whole comparison, part by part, is in
        `attrs["compared"]` of the result.

        Args:
            others: runs of the same outcome and rows.
            by: a grouping factor: whole groups are left out in place of rows.
            ci: also the interval of that probability of each difference.

        Raises:
            UsageError: the runs are not of the same outcome and rows, or no run has the factor.
        """
        from hierfit import workflow
        from hierfit.api.tables import comparison_frame

        with spoken(EFFECTS, FIT):
            return comparison_frame(workflow.compare([self.folder, *(run.folder for run in others)], by), ci)

    def plot(self, kind: str = "posterior") -> Figure:
        """Return a figure.

        Args:
            kind: posterior, groups, lines, ppc, shrinkage, trace, pairs, ..., or the name of a file that `hierfit plot`
                writes, such as groups_school where there are several grouping factors.

        Raises:
            UsageError: there is no such figure, or the model has not what it shows.
        """
        from hierfit.api.pictures import drawn

        with spoken(EFFECTS, FIT):
            return drawn(self.folder, kind)

    # What becomes of it

    def extend(self, draws: int | None = None, until_ess: int | None = None, *, progress: bool = False) -> Run:
        """Add draws, from where the chains stand; the folder, and this run, have them from then on.

        Args:
            draws: so many of each chain.
            until_ess: until every population-level parameter has so many effective draws: 1000 where nothing is said.
            progress: whether to show a bar on stderr.
        """
        from hierfit import workflow

        with spoken(EXTEND), listening(progress=progress) as listener:
            options = EXTEND.options({"draws": draws, "until_ess": until_ess}, run=self.folder)
            done = workflow.extend(self.folder, options.draws, goal_of(options), listener=listener)
        self._forget()
        warn_if_failed(done.diagnosis, self.formula)
        return self

    @FIT.documented
    def rerun(
        self, data: Data = None, formula: str | None = None, *, progress: bool = False, **keywords: Unpack[FitKeywords]
    ) -> Run:
        """Fit again; what is given changes the fit, and everything else stays, the seed too.

        Priors are changed parameter by parameter, references and levels column by column. A run of a DataFrame has it
        as long as this object lives; to a loaded one it has to be given.

        Args:
            data: other data.
            formula: another model.
            progress: whether to show a bar on stderr.
        """
        done = fitted_again(self.folder, self._frame, data, formula, keywords, progress=progress)
        return Run(done.place, done.frame)

    def save(self, folder: str | PathLike[str], *, overwrite: bool = False) -> Run:
        """Copy the run to a folder, where it is from now on.

        Raises:
            RunFolderError: the folder cannot take the run.
        """
        with spoken(EFFECTS, FIT):
            self._place = self._place.copied(Path(folder), overwrite=overwrite)
        self._forget()
        return self

    def code(self, *, wide: bool = False) -> str:
        """Return the Stan program of the model; `wide`: the one that was sampled, of all models of its kind."""
        from hierfit.runs import finished

        return finished.wide_program_text(self.folder) if wide else finished.program_text(self.folder)

    def _forget(self) -> None:
        for name in ("_stored", "draws"):
            self.__dict__.pop(name, None)

    def __repr__(self) -> str:
        from hierfit.cli.options.shared import OutputFormat
        from hierfit.cli.show.fit import run_text

        stored = self._stored
        return run_text(stored.record, stored.summary, stored.diagnosis, OutputFormat.TABLE, self.folder)

    def _repr_html_(self) -> str:
        from hierfit.api.html import run_html

        stored = self._stored
        return run_html(stored.record, stored.summary, stored.diagnosis)

    def __reduce__(self) -> tuple[Any, ...]:
        return load, (self.folder.absolute(),)


def _places(design: Design) -> pd.Index[Any]:
    """Return where the rows of a fit stand in its data: positions in a DataFrame, lines of a file."""
    import pandas as pd

    return pd.Index(design.lines, name=place_word(design.source))


def load(folder: str | PathLike[str]) -> Run:
    """Return the run that a folder holds; of failed checks it warns.

    Raises:
        RunFolderError: there is no run, or it cannot be read.
    """
    run = Run(RunPlace(Path(folder)))
    with spoken(EFFECTS, FIT):
        warn_if_failed(run.checks, str(folder))
    return run
