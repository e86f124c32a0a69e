"""ModelSpec: the whole model as one frozen value: formula, family, priors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hierfit.model.formula import Formula
from hierfit.model.priors import Prior


class Kind(StrEnum):
    """What a population-level parameter is."""

    COEFFICIENT = "coefficient"
    SD = "sd"
    CORRELATION = "correlation"
    AUXILIARY = "auxiliary"


@dataclass(frozen=True)
class Parameter:
    """One population-level parameter.

    Attributes:
        name: as the user reads and writes it: `ses`, `sd(school: ses)`, `cor(school: Intercept, ses)`, `sigma`.
        kind: coefficient, sd, correlation or auxiliary.
        group: the grouping factor it belongs to, or None.
        term: the coefficient it speaks of (`Intercept`, `ses`; "Intercept, ses" for a correlation),
            or None for an auxiliary.
    """

    name: str
    kind: Kind
    group: str | None = None
    term: str | None = None


@dataclass(frozen=True)
class ModelSpec:
    """Formula, family and priors of one model.

    Attributes:
        formula: what predicts what.
        family: name of the outcome's distribution, such as "gaussian".
        priors: prior of every parameter by its name; one `cor(school)` for all correlations of a
            factor. The prior named
            `Intercept` speaks of the intercept at the mean of X when `centered`, at x = 0 otherwise.
        centered: whether X is centred for the sampler.
        prior_only: whether the outcome is left out, so that the draws come from the prior.
    """

    formula: Formula
    family: str
    priors: Mapping[str, Prior]
    centered: bool = True
    prior_only: bool = False
