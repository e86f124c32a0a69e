"""`hierfit.Run`: a finished run, what it is and what becomes of it; `hierfit.load`."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from hierfit.api.asking import Asking
from hierfit.api.fitting import FIT, fitted_again
from hierfit.api.frames import Data
from hierfit.api.keyword_types import FitKeywords
from hierfit.api.keywords import Keywords
from hierfit.api.place import RunPlace
from hierfit.api.progress import listening
from hierfit.api.spoken import spoken, warn_if_failed
from hierfit.cli.options.extend import ExtendOptions, goal_of

if TYPE_CHECKING:
    import pandas as pd

    from hierfit.notes.note import Note
    from hierfit.posterior.verdict import Diagnosis

EXTEND = Keywords(ExtendOptions, "extend")


class Run(Asking):
    """A finished run.

    What is shown of it in a notebook, or printed, is its table with the verdict on its draws. Everything is read from
    its folder, as the command line does: `hierfit summarize FOLDER` says the same.
    """

    def __init__(self, place: RunPlace, frame: pd.DataFrame | None = None) -> None:
        super().__init__(place)
        self._frame = frame

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
        with spoken(FIT):
            self._place = self._place.copied(Path(folder), overwrite=overwrite)
        self._forget()
        return self

    def code(self, *, wide: bool = False) -> str:
        """Return the Stan program of the model; `wide`: the one that was sampled, of all models of its kind."""
        from hierfit.runs import programs

        return programs.wide_program_text(self.folder) if wide else programs.program_text(self.folder)

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


def load(folder: str | PathLike[str]) -> Run:
    """Return the run that a folder holds; of failed checks it warns.

    Raises:
        RunFolderError: there is no run, or it cannot be read.
    """
    run = Run(RunPlace(Path(folder)))
    with spoken(FIT):
        warn_if_failed(run.checks, str(folder))
    return run
