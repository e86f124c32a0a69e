"""Data, a formula and keywords, or a run and changes -> the folder of a new run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.api.frames import Data, opened, with_categories
from hierfit.api.keyword_types import FitKeywords
from hierfit.api.keywords import Keywords
from hierfit.api.place import RunPlace
from hierfit.api.progress import listening
from hierfit.api.spoken import spoken, warn_if_failed
from hierfit.cli.options.fit import FitOptions
from hierfit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from hierfit.model.request import FitRequest

FIT = Keywords(
    FitOptions,
    "fit",
    without=frozenset({"again", "dry_run"}),
    renamed={"prior": "priors"},
    beside=frozenset({"data", "formula"}),
)


@dataclass(frozen=True)
class Fitted:
    """Where a fit was saved, and the DataFrame that it was of, None for a file."""

    place: RunPlace
    frame: pd.DataFrame | None


def fitted(data: Data, formula: str | None, keywords: FitKeywords, *, progress: bool) -> Fitted:
    """Fit a model; errors are those of `hierfit.fit`."""
    path, frame = opened(data)
    with spoken(FIT):
        from hierfit.cli.options.request import request_from

        if formula is None and keywords.get("y") is None:
            raise UsageError("what is to be fitted is not said.", hint='for example "score ~ ses + (1 | school)"')
        options = FIT.options(keywords, data=path, formula=formula)
        return _fitted(request_from(options), frame, options, progress=progress)


def fitted_again(
    run: Path, kept: pd.DataFrame | None, data: Data, formula: str | None, keywords: FitKeywords, *, progress: bool
) -> Fitted:
    """Fit again what a run was fitted to, with changes; `kept` is its DataFrame where there is one."""
    from hierfit.data.source import FRAME

    path, frame = (None if kept is None else FRAME, kept) if data is None else opened(data)
    with spoken(FIT):
        from hierfit.cli.options.repeat import repeated

        options = FIT.options(keywords, data=path, formula=formula)
        return _fitted(repeated(run, options), frame, options, progress=progress)


def _fitted(request: FitRequest, frame: pd.DataFrame | None, options: FitOptions, *, progress: bool) -> Fitted:
    from threadpoolctl import threadpool_limits

    from hierfit import workflow

    if frame is not None:
        request = with_categories(request, frame)
    place = RunPlace(options.out)
    workflow.check_out(place.folder, request.data, overwrite=options.overwrite)
    # The matrices are small, and threads of BLAS spin while those of hierfit work.
    with threadpool_limits(1, user_api="blas"):
        plan = workflow.prepare(request, frame)
        with listening(progress=progress) as listener:
            done = workflow.fit(plan, place.folder, overwrite=options.overwrite, listener=listener)
    warn_if_failed(done.diagnosis, str(plan.spec.formula))
    return Fitted(place, frame)
