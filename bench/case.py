"""What a case is: a model and its data, in hierfit's own terms; every comparator writes its own command from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Literal

INTERCEPT = "Intercept"
Family = Literal["gaussian", "lognormal", "bernoulli", "poisson", "negbinomial", "cumulative"]
# The parameter of the outcome's distribution beside its mean, as hierfit reports it.
AUXILIARY: Mapping[Family, str] = {"gaussian": "sigma", "lognormal": "sigma", "negbinomial": "shape"}


@dataclass(frozen=True)
class Grouping:
    """One grouping factor.

    Attributes:
        factor: name of its column.
        levels: how many it has.
        terms: what varies, "Intercept" or predictors; correlated where there are several.
    """

    factor: str
    levels: int
    terms: tuple[str, ...] = (INTERCEPT,)

    def __str__(self) -> str:
        fixed = "1" if INTERCEPT in self.terms else "0"
        return f"({' + '.join([fixed, *(term for term in self.terms if term != INTERCEPT)])} | {self.factor})"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its sds, then of its correlations, as hierfit reports them."""
        sds = [f"sd({self.factor})" if term == INTERCEPT else f"sd({self.factor}: {term})" for term in self.terms]
        return (*sds, *(f"cor({self.factor}: {one}, {other})" for one, other in combinations(self.terms, 2)))


@dataclass(frozen=True)
class Case:
    """One model and its data.

    Attributes:
        name: as in `--case`.
        title: a line for people.
        response: column of the outcome.
        predictors: columns of the population-level coefficients; "a:b" is a product.
        groupings: the grouping factors.
        rows: of the CSV.
        write: writes the CSV.
        family: of the outcome, by hierfit's name.
        categories: of an ordered outcome (cumulative), which are the numbers from 1.
        program: which of the Stan programs of `comparators/programs/` it is; None where there are none.
        priors: of the tutorial, in hierfit's words; the others take each program's defaults.
        centered: whether hierfit may centre the predictors.
        costly: not part of a plain `python -m bench`, only when named.
    """

    name: str
    title: str
    response: str
    predictors: tuple[str, ...]
    groupings: tuple[Grouping, ...]
    rows: int
    write: Callable[[Path], None]
    family: Family = "gaussian"
    categories: int = 0
    program: str | None = None
    priors: Mapping[str, str] = field(default_factory=dict)
    centered: bool = True
    costly: bool = False

    @property
    def formula(self) -> str:
        """The model in lme4's grammar, which all of them read."""
        return self.formula_of(self.response)

    def formula_of(self, response: str) -> str:
        """Return the model with another left side, such as "log(time)"."""
        return f"{response} ~ {' + '.join(['1', *self.predictors, *map(str, self.groupings)])}"

    @property
    def intercepts(self) -> tuple[str, ...]:
        """The intercept, or what stands for it: the thresholds between ordered categories."""
        between = range(1, self.categories)
        return tuple(f"threshold[{low}|{low + 1}]" for low in between) if self.categories else (INTERCEPT,)

    @property
    def auxiliary(self) -> str:
        """Name of the outcome's parameter beside the mean; empty where there is none."""
        return AUXILIARY.get(self.family, "")

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the population-level parameters that are estimated, as hierfit reports them."""
        names = [*self.intercepts, *self.predictors, *(name for factor in self.groupings for name in factor.parameters)]
        names += [self.auxiliary] if self.auxiliary else []
        return tuple(name for name in names if not self.priors.get(name, "").startswith("constant"))

    @property
    def shape(self) -> str:
        """Its size in words, such as "7,185 rows, school 160"."""
        return ", ".join([f"{self.rows:,} rows", *(f"{factor.factor} {factor.levels:,}" for factor in self.groupings)])
