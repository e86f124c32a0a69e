"""`hierfit.fit`: data, a formula and keywords -> a Run."""

from __future__ import annotations

from typing import Unpack

from hierfit.api.fitting import FIT, Truth, fitted
from hierfit.api.frames import Data
from hierfit.api.keyword_types import FitKeywords
from hierfit.api.run import Run


@FIT.documented
def fit(
    data: Data,
    formula: str | None = None,
    *,
    truth: Truth = None,
    progress: bool = False,
    **keywords: Unpack[FitKeywords],
) -> Run:
    """Fit a hierarchical regression, check it, and return it.

    >>> run = hierfit.fit(frame, "score ~ ses + (1 | school)", seed=1)
    >>> run.ok
    True

    Where checks fail there is a ChecksFailedWarning. The run lives in a temporary folder as long as the object, or in
    `out`; `Run.save` keeps it.

    Args:
        data: a DataFrame (of pandas, or what has a method to_pandas), a dict of columns, or the path of a CSV file. A
            DataFrame is read as its CSV would be; categorical columns have their categories as levels, in their order.
            Or what `simulate` returned: its rows, and its truth.
        formula: the model in lme4's grammar; or say it by y, x, group and slope.
        truth: true values, which checks and pictures show: what `simulate` returned, or a dict of parameters.
        progress: whether to show a bar on stderr.

    Raises:
        UsageError, FormulaError, PriorError: what is asked for makes no sense.
        DataError: a column or value cannot be used.
        RunFolderError, DiskError: `out` cannot take the run.
        ToolchainError, SamplerError: the model could not be built or sampled.
    """
    done = fitted(data, formula, keywords, truth=truth, progress=progress)
    return Run(done.place, done.frame)
