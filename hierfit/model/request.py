"""FitRequest: what the user asked for, as one frozen value that is stored in run.json and can be asked for again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from hierfit.data.source import NO_FILES
from hierfit.model.formula import Formula
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.plain import Later, Positive, Within
from hierfit.sampling import SamplerOptions


@dataclass(frozen=True)
class FitRequest:
    """One fit.

    Attributes:
        data: the CSV file.
        formula: what predicts what.
        priors: priors set by the user, as written: `sd(school) ~ normal(0, 5)`.
        family: distribution of the outcome.
        link: link between its mean and the predictors; None takes the family's default.
        roles: columns of trials, offset and weights; reference levels, orders of levels.
        na: how a missing value is spelled, as --na said (`cells.missing_cells`).
        centered: whether X is centred for the sampler.
        standardize: whether `priors` of coefficients are per sd of their column.
        prior_only: whether to draw from the prior, leaving the outcome out.
        ci: probability of the intervals.
        engine: auto, collapsed, marginal or full.
        toolchain: auto, bundled or cmdstan.
        sampler: chains, draws, seed, ...
        until_ess: draw on until every population-level parameter has so many effective draws; None does not.
    """

    data: Path
    formula: Formula
    priors: tuple[str, ...] = ()
    family: str = "gaussian"
    link: str | None = None
    roles: Roles = NO_ROLES
    na: Later[tuple[str, ...]] = ()
    centered: bool = True
    standardize: Later[bool] = False
    prior_only: bool = False
    ci: Annotated[float, Within(0.01, 0.999)] = 0.95
    engine: str = "auto"
    toolchain: str = "auto"
    sampler: SamplerOptions = field(default_factory=SamplerOptions)
    until_ess: Positive | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file that are used, each once."""
        formula = self.formula
        names = (formula.response, *formula.predictors, *formula.label_columns, *self.roles.columns)
        return tuple(dict.fromkeys(names))

    def from_anywhere(self) -> FitRequest:
        """Return the same request with its file by its absolute path, as it is stored."""
        return self if self.data in NO_FILES else replace(self, data=self.data.absolute())

    def with_seed(self, seed: int) -> FitRequest:
        """Return the same request with the seed that was used."""
        return replace(self, sampler=replace(self.sampler, seed=seed))
