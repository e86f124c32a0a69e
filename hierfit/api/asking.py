"""What can be asked of a finished run: predictions, effects, checks, comparisons, figures, a report."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from hierfit.api.fitting import FIT
from hierfit.api.frames import Data, opened
from hierfit.api.keyword_types import EffectsKeywords, PlotKeywords, PredictKeywords
from hierfit.api.keywords import Keywords
from hierfit.api.spoken import spoken
from hierfit.api.telling import EFFECTS, Telling
from hierfit.cli.options.plot import PlotOptions
from hierfit.cli.options.predict import PredictOptions
from hierfit.data.source import place_word
from hierfit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from hierfit.design.design import Design
    from hierfit.runs.prediction import Prediction

PREDICT = Keywords(PredictOptions, "predict", without=frozenset({"new", "out", "draws", "overwrite"}))
PLOT = Keywords(
    PlotOptions,
    "plot",
    without=frozenset({"every", "file_format", "dpi", "out", "overwrite"}),
    beside=frozenset({"kind"}),
)


class Asking(Telling):
    """A run in a folder, and the questions to it."""

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
        frame, prediction = self._predicted(data, keywords)
        with spoken(PREDICT, FIT):
            found = prediction.frame()
        if frame is not None:
            return found.set_axis(frame.index)
        return found if data is not None else found.set_axis(_places(prediction.run.design))

    @PREDICT.documented
    def predict_draws(self, data: Data = None, **keywords: Unpack[PredictKeywords]) -> pd.DataFrame:
        """Return what `predict` summarises: a row for each posterior draw, a column for each quantity and row.

        The index is chain and draw; the columns are `expected` and `outcome`, or what else is predicted, and below each
        the rows of the data, on the index that `predict` has. Rows that lack what the model needs have NaN. It takes
        eight bytes for each quantity, row and draw.

        Args:
            data: other rows: a DataFrame or a CSV file, without the outcome.

        Raises:
            UsageError: the model has not what is asked for.
            DataError: a column, level or value cannot be had.
        """
        from hierfit.api.tables import draws_frame

        frame, prediction = self._predicted(data, keywords)
        with spoken(PREDICT, FIT):
            return draws_frame(prediction, None if frame is None else frame.index)

    def _predicted(self, data: Data, keywords: PredictKeywords) -> tuple[pd.DataFrame | None, Prediction]:
        """Return the rows, where these are a DataFrame, and what is predicted of them."""
        from hierfit import asked
        from hierfit.cli.options.predict import prediction_request

        path, frame = (None, None) if data is None else opened(data)
        with spoken(PREDICT, FIT):
            request = prediction_request(PREDICT.options(keywords, run=self.folder))
            return frame, asked.predict(self.folder, path if frame is None else frame, request)

    @EFFECTS.documented
    def effects(self, of: str | Sequence[str] | None = None, **keywords: Unpack[EffectsKeywords]) -> pd.DataFrame:
        """Return what changes of predictors do to the outcome, on average over the rows of the data.

        Args:
            of: predictors; all of them where it is None.

        Raises:
            UsageError: the model has not what is asked for.
            DataError, FormulaError: a term has no value at what is asked for.
        """
        from hierfit import asked
        from hierfit.api.tables import effects_frame
        from hierfit.cli.options.effects import effects_request

        with spoken(EFFECTS, FIT):
            request = effects_request(EFFECTS.options({"of": of, **keywords}, run=self.folder))
            return effects_frame(asked.effects(self.folder, request))

    def test(self, *expressions: str, rope: tuple[float, float] | None = None, ci: float | None = None) -> pd.DataFrame:
        """Return what the posterior says of expressions over the parameters, such as "ses > 2".

        Args:
            expressions: quantities and claims; parameters are named as in the table, levels as "school[12]".
            rope: a region of practical equivalence.
            ci: probability of the intervals.

        Raises:
            UsageError: an expression cannot be read, or names what is no parameter.
        """
        from hierfit import asked
        from hierfit.api.tables import answers_frame

        with spoken(EFFECTS, FIT):
            if not expressions:
                raise UsageError("there is no expression.", hint='for example run.test("ses > 0")')
            return answers_frame(asked.test(self.folder, expressions, ci=ci, rope=rope))

    def check(self, seed: int = 1) -> pd.DataFrame:
        """Return whether the model could have given its data: a verdict on each check, its numbers, and what to try.

        Verdicts are ok, look and differs; `says` is a sentence. What they come from is in `attrs["found"]`. (Whether
        the draws can be used is another question: `ok` and `checks`.)

        Args:
            seed: what replicated outcomes follow from.
        """
        from hierfit import asked
        from hierfit.api.tables import checks_frame

        with spoken(FIT):
            return checks_frame(asked.check(self.folder, seed))

    def compare(
        self,
        *others: Asking,
        by: str | None = None,
        folds: int | None = None,
        refit: bool = False,
        seed: int = 1,
        ci: float | None = None,
    ) -> pd.DataFrame:
        """Return how well this run and others predict rows that they have not seen, the best first.

        Leave-one-out from the draws that there are; `refit` and `folds` fit again without the rows.

        `k_above_threshold` counts the rows that make a number doubtful. The whole comparison, part by part, is in
        `attrs["compared"]` of the result.

        Args:
            others: runs of the same outcome and rows.
            by: a grouping factor: whole groups are left out in place of rows.
            folds: fit again so many times, each time without one fold of the rows or groups.
            refit: fit again without each row whose Pareto k is too high.
            seed: what folds follow from.
            ci: also the interval of that probability of each difference.

        Raises:
            UsageError: the runs are not of the same outcome and rows, or no run has the factor.
            SamplerError, ToolchainError: a model could not be fitted again.
        """
        from hierfit import asked
        from hierfit.api.tables import comparison_frame
        from hierfit.runs.cross_validated import Way

        with spoken(EFFECTS, FIT):
            if refit and folds is not None:
                raise UsageError("refit= leaves out one by one, and folds= many at a time.", hint="give one of them")
            way = Way(folds, seed, refit)
            return comparison_frame(asked.compare([self.folder, *(run.folder for run in others)], by, way=way), ci)

    @PLOT.documented
    def plot(self, kind: str = "posterior", **keywords: Unpack[PlotKeywords]) -> Figure:
        """Return a figure, whose `savefig` takes file, format and dpi.

        Args:
            kind: posterior, groups, lines, ppc, shrinkage, trace, pairs, ..., or the name of a file that `hierfit plot`
                writes, such as groups_school where there are several grouping factors.

        Raises:
            UsageError: there is no such figure, or the model has not what it shows.
        """
        from hierfit.api.pictures import drawn, kind_of
        from hierfit.cli.options.plot import pictures_request

        with spoken(PLOT, FIT):
            options = PLOT.options(keywords, run=self.folder, kind=[kind_of(kind)])
            return drawn(self.folder, kind, pictures_request(options))

    def report(
        self,
        path: str | PathLike[str],
        *,
        compare: Sequence[Asking] = (),
        test: Sequence[str] = (),
        ci: float | None = None,
        pictures: bool = True,
        overwrite: bool = False,
    ) -> Path:
        """Write one page that says all of the run, and return its path.

        Args:
            path: where to: .html, or .md with its pictures in a folder beside it.
            compare: other runs that it is compared with.
            test: expressions of which it says what the posterior holds.
            ci: probability of the intervals.
            pictures: whether with pictures.
            overwrite: whether to replace what is there.

        Raises:
            UsageError: the name says no format, or the file is there already.
        """
        from hierfit import asked
        from hierfit.report.files import write_report
        from hierfit.report.formats import format_of

        file = Path(path)
        with spoken(EFFECTS, FIT):
            output = format_of(file)
            others = [run.folder for run in compare]
            found = asked.report(self.folder, ci=ci, pictures=pictures, others=others, expressions=test)
            write_report(found, file, output, overwrite=overwrite)
        return file


def _places(design: Design) -> pd.Index[Any]:
    """Return where the rows of a fit stand in its data: positions in a DataFrame, lines of a file."""
    import pandas as pd

    return pd.Index(design.lines, name=place_word(design.source))
