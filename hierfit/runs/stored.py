"""What else a run holds, as it was saved: table and checks, true values, Stan program.

JSON keeps every digit, so what is shown of a stored table is what was shown then, and neither draws nor ArviZ are
needed. What it cannot hold, an infinite R-hat, is null there like the NaN of a fixed parameter; a document with such a
number of a parameter that is not fixed is not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hierfit import __version__
from hierfit.disk.json_files import as_written, find_object, read_object
from hierfit.errors import RunFolderError
from hierfit.plain import UnexpectedError, from_plain
from hierfit.posterior.diagnostics import Diagnosis
from hierfit.posterior.summary import Summary
from hierfit.posterior.truth import read_truth
from hierfit.runs.files import PROGRAM, SUMMARY_JSON, TRACE, TRUTH
from hierfit.runs.folder import AGAIN, RunFolder, is_whole, open_run, open_whole
from hierfit.stan.programs import StanProgram
from hierfit.visible import shell_word

_NO_TRUTH = "bring back a copy of it, or remove it: it is only needed to show the true values"


def summary_of(path: Path) -> tuple[RunFolder, tuple[Summary, Diagnosis] | None]:
    """Read the manifest of a run, and its table and checks as saved; None where they are gone, or not all are there.

    Raises:
        RunFolderError: summary.json is not as it was saved.
    """
    run = open_run(path)
    file = run.path / SUMMARY_JSON
    if not file.exists():
        return run, None
    hint = f"remove it: the table is made from {TRACE} then"
    content = read_object(file, hint)
    with as_written(file, hint):
        found = read_summary(content)
    if not is_whole(run, SUMMARY_JSON):  # perhaps an `extend` was replacing both
        run = open_whole(path, SUMMARY_JSON)
        found = read_summary(read_object(file, hint))
    return run, found


def read_summary(document: Mapping[str, Any]) -> tuple[Summary, Diagnosis] | None:
    """Return table and verdict of a document, None where it does not hold all that they need.

    Raises:
        UnexpectedError: it holds something else.
    """
    summary = from_plain(Summary, document, extra=True)
    diagnosis = from_plain(Diagnosis, document.get("checks"), "checks")
    if not summary.rows:
        raise UnexpectedError("parameters", "is []; expected a list of at least one parameter")
    whole = all(math.isfinite(row.mean) and (row.fixed or math.isfinite(row.rhat)) for row in summary.rows)
    return (summary, diagnosis) if whole else None


def truth_beside(data: Path, sha256: str) -> Mapping[str, Any] | None:
    """Return what the truth.json beside a CSV file says, if it was written for just this file.

    Raises:
        RunFolderError: it was, and is not as it was written.
    """
    file = data.parent / TRUTH
    content = find_object(file)
    return None if content is None or content.get("data_sha256") != sha256 else _read_truth(file)


def truth_of(folder: Path) -> Mapping[str, Any] | None:
    """Return what the truth.json kept with a run on simulated data holds, or None where there is none.

    Raises:
        RunFolderError: it is not as it was written.
    """
    file = folder / TRUTH
    return _read_truth(file) if file.exists() else None


def _read_truth(file: Path) -> Mapping[str, Any]:
    content = read_object(file, _NO_TRUTH)
    with as_written(file, _NO_TRUTH):
        read_truth(content)
    return content


def require_own_program(path: Path, program: StanProgram) -> None:
    """Refuse a run that was sampled with another Stan program than this version of hierfit has for its model.

    Raises:
        RunFolderError: it was.
    """
    run = open_run(path)
    if run.record.program_sha256 != program.digest:
        own = "" if run.record.hierfit == __version__ else f", or use hierfit {run.record.hierfit}"
        raise RunFolderError(
            f"{run.path} was sampled with another Stan program than hierfit {__version__} has for its model.",
            hint=f"fit again: hierfit fit --from {shell_word(str(run.path))} --out NEW{own}",
        )


def program_of(path: Path) -> str:
    """Return the Stan program of a run.

    Raises:
        RunFolderError: it is missing, or another than was saved.
    """
    run = open_whole(path, PROGRAM)
    try:
        return (run.path / PROGRAM).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{run.path / PROGRAM} could not be read: {error}.", hint=AGAIN) from error
