"""Errors of the library as Python hears them: keywords in the place of options, hints as notes; and warnings."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hierfit.api.keywords import Keywords
from hierfit.errors import HierfitError
from hierfit.posterior.verdict import Diagnosis, Level


class ChecksFailedWarning(UserWarning):
    """The checks of a run failed: its numbers are not to be used yet."""


@contextmanager
def spoken(*keywords: Keywords[Any]) -> Iterator[None]:
    """Let errors speak of these keywords, and show their hint below a traceback."""
    try:
        yield
    except HierfitError as error:
        for own in keywords:
            error.message = own.spoken(error.message)
            error.hint = None if error.hint is None else own.spoken(error.hint)
        error.args = (error.message,)
        if error.hint and not getattr(error, "__notes__", ()):
            error.add_note(f"Try: {error.hint}")
        raise


def warn_if_failed(checks: Diagnosis, what: str) -> None:
    """Warn whoever called hierfit where checks failed."""
    if checks.status is Level.FAIL:
        found = "; ".join(f"{each.check} {each.value}" for each in checks.findings if each.level is Level.FAIL)
        warnings.warn(
            f"the checks of {what} FAILED ({found}): do not use these estimates yet. run.checks says what to try.",
            ChecksFailedWarning,
            stacklevel=_outside(),
        )


def _outside() -> int:
    """Return how far up the caller of hierfit is."""
    import sys

    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(("hierfit.", "contextlib")):
        frame, level = frame.f_back, level + 1
    return level
