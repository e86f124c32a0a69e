"""What a finished run holds: its tables as DataFrames, its draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hierfit.api.fitting import FIT
from hierfit.api.keywords import Keywords
from hierfit.api.place import RunPlace
from hierfit.api.spoken import spoken
from hierfit.cli.options.effects import EffectsOptions
from hierfit.cli.options.summarize import checked_quantiles

if TYPE_CHECKING:
    import pandas as pd

    from hierfit.runs.finished import Fit, Stored

EFFECTS = Keywords(EffectsOptions, "effects", without=frozenset({"plot", "overwrite"}))


class Telling:
    """A run in a folder, and what its fit found."""

    def __init__(self, place: RunPlace) -> None:
        self._place = place

    @property
    def folder(self) -> Path:
        """Where it is: the folder that was named, or a temporary one that is removed with this object."""
        return self._place.folder

    @cached_property
    def _stored(self) -> Stored | Fit:
        from hierfit.runs import finished

        return finished.load_summary(self.folder)

    @cached_property
    def draws(self) -> Any:
        """The draws, as ArviZ has them (InferenceData; DataTree from ArviZ 1 on)."""
        import arviz

        from hierfit.runs.files import TRACE
        from hierfit.runs.folder import open_whole

        with spoken(EFFECTS, FIT):
            return arviz.from_netcdf(open_whole(self.folder, TRACE).path / TRACE)  # type: ignore[no-untyped-call]

    @property
    def true(self) -> dict[str, float]:
        """True values of parameters, where the data were simulated and their truth is known; empty otherwise."""
        from hierfit.runs.stored import truth_of

        with spoken(FIT):
            return dict((truth_of(self.folder) or {}).get("parameters", {}))

    def summary(
        self, ci: float | None = None, *, exp: bool = False, median: bool = False, quantiles: Sequence[float] = ()
    ) -> pd.DataFrame:
        """Return the table of the population-level parameters, by their names.

        Columns: mean, sd, lower and upper end of the interval, mcse_mean, rhat, ess_bulk, ess_tail; kind, group, term
        and predictor say what each is.

        Args:
            ci: probability of the intervals; that of the fit where it is None.
            exp: coefficients alone, as odds, rate or hazard ratios, by their medians; `what` says which.
            median: medians and MAD sds in place of means and sds.
            quantiles: these quantiles, q5 for 0.05, in place of the interval.

        Raises:
            UsageError: exp of a coefficient is no ratio under the link, or there is no such quantile.
        """
        from hierfit.api.tables import retold_frame, summary_frame
        from hierfit.posterior.retold import Telling, retell
        from hierfit.runs import finished

        with spoken(EFFECTS, FIT):
            if exp or median or quantiles:
                done = finished.load(self.folder, ci)
                telling = Telling(median, exp, checked_quantiles(quantiles))
                return retold_frame(retell(done.draws, done.summary, done.spec, telling), telling)
            stored = self._stored if ci is None else finished.load_summary(self.folder, ci)
            return summary_frame(stored.summary)

    def variance(self, at: Mapping[str, Sequence[float | str]] | None = None, ci: float | None = None) -> pd.DataFrame:
        """Return how the variance divides between predictors, groups and what is left (ICC), and R2.

        A row for each number: `what` is variance, share (of what predictors leave) or share_of_all, or R2. Sentences on
        what they are stand in `attrs["notes"]`.

        Args:
            at: values of predictors at which it is divided, such as {"ses": [0, 10]}; over the rows' own without.
            ci: probability of the intervals.

        Raises:
            UsageError: a column is none of the predictors, a value none of its own, or there are no groups.
        """
        from hierfit.api.tables import variance_frame
        from hierfit.runs.variance import variance_of

        with spoken(EFFECTS, FIT):
            return variance_frame(variance_of(self.folder, at or {}, ci))

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
