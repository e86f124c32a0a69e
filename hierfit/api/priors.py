"""`hierfit.priors`: data, a formula and keywords -> the priors that a fit would have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from hierfit.api.fitting import request_of
from hierfit.api.frames import Data
from hierfit.api.keyword_types import PriorsKeywords
from hierfit.api.keywords import Keywords
from hierfit.api.spoken import spoken
from hierfit.cli.options.model import PriorsOptions

if TYPE_CHECKING:
    import pandas as pd

PRIORS = Keywords(PriorsOptions, "priors", renamed={"prior": "priors"}, beside=frozenset({"data", "formula"}))


@PRIORS.documented
def priors(data: Data, formula: str | None = None, **keywords: Unpack[PriorsKeywords]) -> pd.DataFrame:
    """Return every prior of a model with its numbers and where they come from; nothing is sampled.

    >>> hierfit.priors(frame, "score ~ ses + (1 | school)").loc["ses", "prior"]
    'normal(0, 14.5)'

    The index are the names of the parameters, as `priors=` and the tables have them; columns: prior, source.

    Args:
        data: as of `fit`.
        formula: the model in lme4's grammar; or say it by y, x, group and slope.

    Raises:
        UsageError, FormulaError, PriorError: what is asked for makes no sense.
        DataError: a column or value cannot be used.
    """
    with spoken(PRIORS):
        from hierfit import workflow
        from hierfit.api.tables import priors_frame

        asked = request_of(PRIORS, data, formula, keywords)
        return priors_frame(workflow.prepare(asked.request, asked.frame).spec)
