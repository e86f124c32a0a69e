"""ModelSpec: the whole model as one frozen value: formula, family, and a prior for every parameter.

Which priors these are is settled by `design.prior_choice`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf

from hierfit.model.families import FAMILIES, THRESHOLD, Auxiliary
from hierfit.model.formula import Formula
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import EVERYWHERE, HORSESHOE, HORSESHOE_SCALE, Interval, Prior
from hierfit.plain import Later

INTERCEPT_AT_MEAN = "Intercept_at_mean"


class Kind(StrEnum):
    """What a population-level parameter is."""

    COEFFICIENT = "coefficient"
    THRESHOLD = "threshold"
    SD = "sd"
    SD_AT_MEAN = "sd_at_mean"
    CORRELATION = "correlation"
    DISTRIBUTIONAL = "distributional"
    AUXILIARY = "auxiliary"


POSITIVE = (Kind.SD, Kind.SD_AT_MEAN, Kind.AUXILIARY)


@dataclass(frozen=True)
class Parameter:
    """One population-level parameter.

    Attributes:
        name: as the user reads and writes it: `ses`, `sd(school: ses)`, `cor(school: Intercept, ses)`, `sigma`.
        kind: coefficient, threshold, sd, sd_at_mean (of intercepts where their slopes' columns are at their means),
            correlation, distributional (a coefficient of another parameter than the mean) or auxiliary.
        group: the grouping factor it belongs to, or None.
        term: the coefficient it speaks of (`Intercept`, `ses`; "Intercept, ses" for a correlation, "low|medium" for a
            threshold), or None for an auxiliary.
        predictor: the parameter beside the mean that a coefficient, or what varies, is of, `sigma`; None for all
            others, and for correlations.
        prior: the prior that is of it; None where it follows from others, or shares one with others.
        within: the ends of its range.
    """

    name: str
    kind: Kind
    group: str | None = None
    term: str | None = None
    predictor: str | None = None
    prior: Prior | None = None
    within: Interval = EVERYWHERE

    @property
    def is_at_mean(self) -> bool:
        """Whether it follows from others, being of intercepts at the mean of columns and not at 0."""
        return self.kind is Kind.SD_AT_MEAN or self.name == INTERCEPT_AT_MEAN


@dataclass(frozen=True)
class Block:
    """Coefficients of a grouping factor that vary together: how many, and whether correlations are estimated."""

    size: int
    correlated: bool


@dataclass(frozen=True)
class GroupCoefficients:
    """The varying coefficients of one grouping factor.

    Attributes:
        factor: name of the factor, `school` or `school:class`.
        terms: names of the varying coefficients, those of the mean first, and of one parameter `Intercept` first where
            it varies; those of other parameters are `sigma_Intercept`, `sigma_ses`.
        correlated: whether correlations are estimated, between those of the first block.
        parameters: the parameter that each is of, None for the mean; empty where all are of that.
        further: the blocks after the first; the last terms are theirs.
    """

    factor: str
    terms: tuple[str, ...]
    correlated: bool
    parameters: Later[tuple[str | None, ...]] = ()
    further: Later[tuple[Block, ...]] = ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in the order of the terms."""
        return (Block(len(self.terms) - sum(block.size for block in self.further), self.correlated), *self.further)

    @property
    def of_parameters(self) -> tuple[str | None, ...]:
        """The parameter that each coefficient is of, None for the mean."""
        return self.parameters or (None,) * len(self.terms)

    @property
    def is_intercept(self) -> tuple[bool, ...]:
        """Which coefficients are intercepts."""
        pairs = zip(self.terms, self.of_parameters, strict=True)
        return tuple(term == varying_name(parameter, INTERCEPT) for term, parameter in pairs)

    def terms_of(self, parameter: str | None) -> tuple[str, ...]:
        """Return the coefficients of a parameter, None for the mean."""
        return tuple(t for t, other in zip(self.terms, self.of_parameters, strict=True) if other == parameter)

    @property
    def has_mean(self) -> bool:
        """Whether the model is the same with intercepts of the mean at the mean of the slopes' columns."""
        first = self.of_parameters[: self.blocks[0].size]
        return self.correlated and self.terms[0] == INTERCEPT and not any(first)


@dataclass(frozen=True)
class PredictorCoefficients:
    """The coefficients of a parameter beside the mean.

    Attributes:
        parameter: its name, `sigma`.
        terms: names of the coefficients, `Intercept` first where there is one.
    """

    parameter: str
    terms: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters that they are."""
        return tuple(coefficient_name(self.parameter, term) for term in self.terms)

    @property
    def has_two_intercepts(self) -> bool:
        """Whether the intercept at the mean of its columns and the one at 0 are different things."""
        return self.terms[0] == INTERCEPT and len(self.terms) > 1


@dataclass(frozen=True)
class ModelSpec:
    """Formula, family and priors of one model.

    Attributes:
        formula: what predicts what.
        family: name of the outcome's distribution, such as "gaussian".
        link: name of the link between its mean and the predictors.
        coefficients: names of the population-level coefficients, the intercept not counted.
        groups: the varying coefficients, factor by factor.
        priors: prior of every parameter by its name; one `cor(school)` for all correlations of a factor. The prior
            named `Intercept` speaks of the intercept at the mean of X when `centered`, at x = 0 otherwise; so do that
            named `sd(school)`, of intercepts that are correlated with slopes, and that of the correlations.
        centered: whether it is so.
        prior_only: whether the outcome is left out, so that the draws come from the prior.
        thresholds: what the thresholds between ordered categories lie between: "low|medium".
        distributional: the coefficients of other parameters than the mean; those not named are one number each.
    """

    formula: Formula
    family: str
    link: str
    coefficients: tuple[str, ...]
    groups: tuple[GroupCoefficients, ...]
    priors: Mapping[str, Prior]
    centered: bool = True
    prior_only: bool = False
    thresholds: tuple[str, ...] = ()
    distributional: tuple[PredictorCoefficients, ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The population-level parameters, in the order of the tables."""
        coefficients = [Parameter(name, Kind.COEFFICIENT, None, name) for name in self.coefficient_names]
        if self.has_two_intercepts:
            coefficients.insert(1, Parameter(INTERCEPT_AT_MEAN, Kind.COEFFICIENT, None, INTERCEPT))
        sds = [
            Parameter(sd_name(group.factor, term), Kind.SD, group.factor, term, parameter)
            for group in self.groups
            for term, parameter in zip(group.terms, group.of_parameters, strict=True)
        ]
        at_mean = [
            Parameter(sd_name(group.factor, INTERCEPT_AT_MEAN), Kind.SD_AT_MEAN, group.factor, INTERCEPT_AT_MEAN)
            for group in self.groups
            if self.has_two_sds(group)
        ]
        correlations = [
            Parameter(cor_name(group.factor, pair), Kind.CORRELATION, group.factor, pair)
            for group in self.groups
            for pair in pairs(group)
        ]
        thresholds = [Parameter(threshold_name(term), Kind.THRESHOLD, None, term) for term in self.thresholds]
        distributional = [
            Parameter(name, Kind.DISTRIBUTIONAL, None, term, own.parameter)
            for own in self.distributional
            for name, term in zip(own.names, own.terms, strict=True)
        ]
        scalars = [*(aux.name for aux in self.auxiliaries), *([HORSESHOE_SCALE] if self.shrunk else [])]
        auxiliaries = [Parameter(name, Kind.AUXILIARY) for name in scalars]
        found = (*coefficients, *thresholds, *sds, *at_mean, *correlations, *distributional, *auxiliaries)
        priors = {self.speaks_of(name): prior for name, prior in self.priors.items()}
        return tuple(replace(each, prior=priors.get(each.name), within=self._range(each)) for each in found)

    def _range(self, parameter: Parameter) -> Interval:
        """Return the ends of the range of a parameter."""
        own = FAMILIES[self.family].auxiliary(parameter.name) if parameter.kind is Kind.AUXILIARY else None
        if own is not None:
            return own.within
        if parameter.kind is Kind.CORRELATION:
            return -1.0, 1.0
        return (0.0, inf) if parameter.kind in POSITIVE else EVERYWHERE

    @property
    def auxiliaries(self) -> tuple[Auxiliary, ...]:
        """The auxiliary parameters of the family that are one number each."""
        predicted = [own.parameter for own in self.distributional]
        return tuple(aux for aux in FAMILIES[self.family].auxiliaries if aux.name not in predicted)

    def predictor(self, parameter: str) -> PredictorCoefficients | None:
        """Return the coefficients of a parameter beside the mean, None where it is one number."""
        return next((own for own in self.distributional if own.parameter == parameter), None)

    @property
    def shrunk(self) -> tuple[str, ...]:
        """The coefficients whose priors are a horseshoe, and share a scale."""
        return tuple(name for name in self.coefficients if self.priors[name].distribution == HORSESHOE)

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the population-level coefficients, the intercept first where there is one."""
        return ((INTERCEPT,) if self.intercept else ()) + self.coefficients

    @property
    def intercept(self) -> bool:
        """Whether there is a population-level intercept; thresholds take its place."""
        return self.formula.intercept and not FAMILIES[self.family].has_thresholds

    @property
    def has_two_intercepts(self) -> bool:
        """Whether the intercept at the mean of X and the one at x = 0 are different things, both worth naming."""
        return self.centered and self.intercept and bool(self.coefficients)

    def has_two_sds(self, group: GroupCoefficients) -> bool:
        """Whether the sd of a factor's intercepts at the mean of its columns is another than at x = 0."""
        return self.centered and group.has_mean

    def speaks_of(self, name: str) -> str:
        """Return the parameter that the prior of that name is of: of two intercepts or sds, that at the mean."""
        if name == INTERCEPT and self.has_two_intercepts:
            return INTERCEPT_AT_MEAN
        for group in self.groups:
            if name == sd_name(group.factor, INTERCEPT) and self.has_two_sds(group):
                return sd_name(group.factor, INTERCEPT_AT_MEAN)
        return name

    def speaks_of_mean(self, parameter: Parameter) -> bool:
        """Whether it is an intercept beside the mean whose prior is where its columns are at their means."""
        own = self.predictor(parameter.predictor) if parameter.predictor else None
        of_rows = parameter.kind is Kind.DISTRIBUTIONAL
        return of_rows and own is not None and self.centered and own.has_two_intercepts and parameter.term == INTERCEPT

    def range_of(self, name: str) -> Interval:
        """Return the ends of the range of the parameter that the prior of that name is of; any number for others."""
        own = self.speaks_of(name)
        return next((parameter.within for parameter in self.parameters if parameter.name == own), EVERYWHERE)


def threshold_name(between: str) -> str:
    """Return `threshold[low|medium]`."""
    return f"{THRESHOLD}[{between}]"


def coefficient_name(parameter: str, term: str) -> str:
    """Return `sigma_ses`, the name of a coefficient of a parameter beside the mean."""
    return f"{parameter}_{term}"


def varying_name(parameter: str | None, term: str) -> str:
    """Return the name of a varying coefficient: `ses` of the mean, `sigma_ses` of a parameter beside it."""
    return term if parameter is None else coefficient_name(parameter, term)


def sd_name(factor: str, term: str) -> str:
    """Return `sd(school)` for the intercept and `sd(school: ses)` for a slope."""
    return f"sd({factor})" if term == INTERCEPT else f"sd({factor}: {term})"


def effect_name(factor: str, label: str, term: str, *, short: bool = True) -> str:
    """Return `school[12]` for the intercept of a level and `school[12: ses]` for its slope, both deviations.

    Not `short`, the intercept is `school[12: Intercept]`.
    """
    return f"{factor}[{label}]" if short and term == INTERCEPT else f"{factor}[{label}: {term}]"


def cor_name(factor: str, pair: str | None = None) -> str:
    """Return `cor(school: Intercept, ses)`, or `cor(school)` for all correlations of a factor, which share a prior."""
    return f"cor({factor})" if pair is None else f"cor({factor}: {pair})"


def pair_name(first: str, second: str) -> str:
    """Return what a correlation is between: "Intercept, ses"."""
    return f"{first}, {second}"


def pairs(group: GroupCoefficients) -> Iterator[str]:
    """Yield "Intercept, ses" for every correlation of the factor, block by block, row by row below the diagonal."""
    for high, low in below_diagonal(group):
        yield pair_name(group.terms[low], group.terms[high])


def below_diagonal(group: GroupCoefficients) -> Iterator[tuple[int, int]]:
    """Yield the two places of every correlation of the factor, the later one first, in the order of `pairs`."""
    start = 0
    for block in group.blocks:
        if block.correlated:
            yield from ((start + i, start + j) for i in range(block.size) for j in range(i))
        start += block.size
