"""Data, a formula and keywords, or a run and changes -> the folder of a new run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from hierfit.api.frames import Data, opened, with_categories
from hierfit.api.keyword_types import FitKeywords
from hierfit.api.keywords import Keywords
from hierfit.api.place import RunPlace
from hierfit.api.progress import listening
from hierfit.api.spoken import spoken, warn_if_failed
from hierfit.cli.options.fit import FitOptions
from hierfit.cli.options.model import ModelOptions
from hierfit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from hierfit.model.request import FitRequest
    from hierfit.workflow import Plan

Asked = TypeVar("Asked", bound=ModelOptions)
# What `simulate` returned, true values of parameters, or what a truth.json holds.
Truth: TypeAlias = Any
FIT = Keywords(
    FitOptions,
    "fit",
    without=frozenset({"again", "dry_run"}),
    renamed={"prior": "priors"},
    beside=frozenset({"data", "formula"}),
)


@dataclass(frozen=True)
class Requested(Generic[Asked]):
    """What is asked for, of which DataFrame, None for a file, and the options that say so."""

    request: FitRequest
    frame: pd.DataFrame | None
    options: Asked


@dataclass(frozen=True)
class Fitted:
    """Where a fit was saved, and the DataFrame that it was of, None for a file."""

    place: RunPlace
    frame: pd.DataFrame | None


def fitted(data: Data, formula: str | None, keywords: FitKeywords, *, truth: Truth, progress: bool) -> Fitted:
    """Fit a model; errors are those of `hierfit.fit`."""
    truth = data if truth is None and _is_simulated(data) else truth
    with spoken(FIT):
        asked = request_of(FIT, data, formula, keywords)
        return _fitted(asked.request, asked.frame, asked.options, truth, progress=progress)


def request_of(
    keywords: Keywords[Asked], data: Data, formula: str | None, given: Mapping[str, Any]
) -> Requested[Asked]:
    """Return what is asked for of data.

    Raises:
        UsageError: no model is said, or a keyword makes no sense.
    """
    from hierfit.cli.options.request import request_from

    path, frame = opened(data)
    if formula is None and given.get("y") is None:
        raise UsageError("what is to be fitted is not said.", hint='for example "score ~ ses + (1 | school)"')
    options = keywords.options(given, data=path, formula=formula)
    request = request_from(options)
    return Requested(request if frame is None else with_categories(request, frame), frame, options)


def fitted_again(
    run: Path, kept: pd.DataFrame | None, data: Data, formula: str | None, keywords: FitKeywords, *, progress: bool
) -> Fitted:
    """Fit again what a run was fitted to, with changes; `kept` is its DataFrame where there is one."""
    from hierfit.data.source import FRAME

    path, frame = (None if kept is None else FRAME, kept) if data is None else opened(data)
    with spoken(FIT):
        from hierfit.cli.options.repeat import repeated
        from hierfit.runs.stored import truth_of

        options = FIT.options(keywords, data=path, formula=formula)
        truth = data if _is_simulated(data) else truth_of(run) if data is None and frame is not None else None
        request = repeated(run, options)
        request = request if frame is None else with_categories(request, frame)
        return _fitted(request, frame, options, truth, progress=progress)


def _fitted(
    request: FitRequest, frame: pd.DataFrame | None, options: FitOptions, truth: Truth, *, progress: bool
) -> Fitted:
    from threadpoolctl import threadpool_limits

    from hierfit import workflow

    place = RunPlace(options.out)
    workflow.check_out(place.folder, request.data, overwrite=options.overwrite)
    # The matrices are small, and threads of BLAS spin while those of hierfit work.
    with threadpool_limits(1, user_api="blas"):
        plan = workflow.prepare(request, frame)
        with listening(progress=progress) as listener:
            known = _truth_of(truth, plan)
            done = workflow.fit(plan, place.folder, overwrite=options.overwrite, listener=listener, truth=known)
    warn_if_failed(done.diagnosis, str(plan.spec.formula))
    return Fitted(place, frame)


def _is_simulated(data: object) -> bool:
    from hierfit.api.simulated import Simulated

    return isinstance(data, Simulated)


def _truth_of(truth: Truth, plan: Plan) -> Mapping[str, Any] | None:
    """Return true values as a truth.json has them, of the rows of this fit; None where there are none.

    Raises:
        UsageError: they are none, or of what is no parameter of the model.
    """
    if truth is None:
        return None
    from hierfit.plain import UnexpectedError
    from hierfit.posterior.truth import read_truth

    content = truth.truth if _is_simulated(truth) else truth
    hint = 'for example truth=simulated, or truth={"Intercept": 2}'
    if not isinstance(content, Mapping):
        raise UsageError(f"truth= is what simulate returned, or true values, not {type(truth).__name__}.", hint=hint)
    if "parameters" not in content:
        known = [parameter.name for parameter in plan.spec.parameters]
        for name in content:
            if name not in known:
                raise UsageError(
                    f"truth=: '{name}' is no parameter of the model.{did_you_mean(str(name), known)}",
                    hint=f"parameters: {', '.join(known)}",
                )
        content = {"parameters": dict(content)}
    try:
        read_truth(content)
    except UnexpectedError as error:
        raise UsageError(f"truth=: {error}.", hint=hint) from error
    return {**content, "data_sha256": plan.table.sha256}
