"""The document of summary.json -> Summary and Diagnosis again, as they were when it was written.

JSON keeps every digit, so what is shown of them is what was shown then, and neither draws nor ArviZ are needed. What it
cannot hold, an infinite R-hat, is null there like the NaN of a fixed parameter; a document with such a number of a
parameter that is not fixed is not read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from hierfit.plain import UnexpectedError, from_plain
from hierfit.posterior.diagnostics import Diagnosis
from hierfit.posterior.summary import Summary


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
