"""Shape: what occurs in one model, named for its narrow Stan program (`stan.narrow`); `stan.shaping` makes it.

The narrow program has no part that the model has not, and its priors stand in it with their numbers; so a Shape and
the rows say all. Predictors are a list, that of the mean first. Parameters that stand side by side are one `Vector`,
whatever they are.

Where priors speak of the mean of the columns, so do the parameters; those are called `..._at_mean`, and the program
generates the ones at 0. Without centring, and where that makes no difference, there is one of each.
"""

from __future__ import annotations

from dataclasses import dataclass

from hierfit.model.families import FAMILIES, Family, Support
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import EVERYWHERE, HORSESHOE, Interval, Prior
from hierfit.model.spec import ModelSpec

AT_MEAN = "_at_mean"


@dataclass(frozen=True)
class Scalar:
    """One parameter.

    Attributes:
        name: as it is printed.
        identifier: what it is called where it is declared by itself.
        prior: its prior, in the units of the CSV.
        within: its range.
    """

    name: str
    identifier: str
    prior: Prior
    within: Interval = EVERYWHERE

    @property
    def bounds(self) -> Interval:
        """The interval outside which the density is 0."""
        return self.prior.bounds(within=self.within)

    @property
    def is_shrunk(self) -> bool:
        """Whether its prior is a horseshoe."""
        return self.prior.distribution == HORSESHOE

    @property
    def is_declared(self) -> bool:
        """Whether it is a parameter of the program with a prior of its own."""
        return self.prior.constant is None and not self.is_shrunk


@dataclass(frozen=True)
class Vector:
    """Parameters that stand side by side.

    Attributes:
        identifier: of the vector.
        scalars: its elements.
        single: whether it is one number and no vector.
        ordered: whether each is greater than the one before.
    """

    identifier: str
    scalars: tuple[Scalar, ...]
    single: bool = False
    ordered: bool = False

    @property
    def is_declared(self) -> bool:
        """Whether it is declared as a whole: all are parameters, of the same range."""
        return all(one.is_declared for one in self.scalars) and len({one.bounds for one in self.scalars}) == 1

    @property
    def is_constant(self) -> bool:
        """Whether all are fixed by their priors."""
        return all(one.prior.constant is not None for one in self.scalars)

    @property
    def is_estimated(self) -> bool:
        """Whether at least one of them is a parameter."""
        return any(one.is_declared for one in self.scalars)

    @property
    def is_assembled(self) -> bool:
        """Whether its elements are declared one by one, or are no parameters themselves."""
        return not (self.is_declared or self.is_constant or len(self.shrunk) == len(self.scalars))

    @property
    def shrunk(self) -> tuple[Scalar, ...]:
        """Those whose priors are a horseshoe."""
        return tuple(one for one in self.scalars if one.is_shrunk)

    @property
    def names(self) -> tuple[str, ...]:
        """What its elements are printed as."""
        return tuple(one.name for one in self.scalars)

    @property
    def is_as_printed(self) -> bool:
        """Whether it is called what it is printed as."""
        return self.names == (self.identifier,)


@dataclass(frozen=True)
class Factor:
    """A grouping factor.

    Attributes:
        name: as it is printed.
        identifier: what the levels of the rows are called; `J_` and it, the number of levels.
    """

    name: str
    identifier: str

    @property
    def size(self) -> str:
        """What the number of its levels is called."""
        return f"J_{self.identifier}"


@dataclass(frozen=True)
class Block:
    """Coefficients that vary by one factor together, in one predictor or in several.

    Attributes:
        factor: the factor.
        stem: the factor's identifier and the suffix of the predictors, after which sd, z, L, cor and u are called.
        terms: names of the M coefficients: `Intercept`, `ses`, `sigma_Intercept`.
        printed: what their sds where the columns are 0 are printed as.
        sds: their sds.
        cor: name and prior of the correlations; None where there are none.
        correlations: what these are printed as, row by row below the diagonal, where the columns are 0.
        at_mean: whether sds and correlations are those where the columns are at their means.
    """

    factor: Factor
    stem: str
    terms: tuple[str, ...]
    printed: tuple[str, ...]
    sds: Vector
    cor: tuple[str, Prior] | None
    correlations: tuple[str, ...]
    at_mean: bool

    @property
    def single(self) -> bool:
        """Whether one coefficient varies."""
        return len(self.terms) == 1

    @property
    def effects(self) -> str:
        """What the effects are called."""
        return f"u_{self.stem}{AT_MEAN if self.at_mean else ''}"


@dataclass(frozen=True)
class Part:
    """What varies by one factor in one predictor: a block, or what a block that predictors share has of this one.

    Attributes:
        block: the block.
        stem: the factor's identifier and the predictor's suffix, after which Z is called.
        terms: names of the columns, `Intercept` first where it varies.
        start: how many coefficients of the block stand before these.
    """

    block: Block
    stem: str
    terms: tuple[str, ...]
    start: int

    @property
    def single(self) -> bool:
        """Whether one column varies."""
        return len(self.terms) == 1

    @property
    def has_columns(self) -> bool:
        """Whether there are columns in the data: not where intercepts alone vary."""
        return self.terms != (INTERCEPT,)

    @property
    def effects(self) -> str:
        """The effects of every row, in Stan."""
        first, last = self.start + 1, self.start + len(self.terms)
        place = f", {first}" if self.single else f", {first} : {last}"
        of_rows = self.block.factor.identifier + place * (len(self.terms) < len(self.block.terms))
        return f"{self.block.effects}[{of_rows}]"


@dataclass(frozen=True)
class LinearPredictor:
    """What predicts one parameter of the outcome's distribution.

    Attributes:
        parameter: `mu` or `eta`, the linear predictor of the mean; otherwise `sigma`, `zi`, ...
        suffix: after which X and b are called, nothing for the mean and `_sigma`.
        link: the link of a parameter beside the mean; None for the mean, whose link is the likelihood's.
        intercept: the intercept; None where there is none.
        coefficients: those of the columns of X; None where there are none.
        terms: names of these columns.
        centered: whether the intercept, or thresholds in its place, are where X is at its means.
        parts: what varies by grouping factors.
        offset: whether an offset is added.
    """

    parameter: str
    suffix: str
    link: str | None
    intercept: Vector | None
    coefficients: Vector | None
    terms: tuple[str, ...]
    centered: bool
    parts: tuple[Part, ...] = ()
    offset: bool = False

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks that no predictor before this one has a part of."""
        return tuple(part.block for part in self.parts if part.start == 0)

    @property
    def vectors(self) -> tuple[Vector, ...]:
        """All that is estimated, and not named with a predictor before, in the order of the tables."""
        found = (self.intercept, self.coefficients, *(block.sds for block in self.blocks))
        return tuple(vector for vector in found if vector is not None)


@dataclass(frozen=True)
class Shape:
    """What occurs in one model.

    Attributes:
        spec: formula, family, priors.
        predictors: that of the mean first, then those of other parameters.
        auxiliaries: the parameters of the outcome's distribution that are one number each.
        factors: the grouping factors of all predictors.
        thresholds: those between ordered categories; None for other outcomes.
        categories: labels of an outcome of categories.
        horseshoe: the scale that coefficients under a horseshoe share; None where there are none.
        weights: whether rows count more or less than once.
        precision: whether rows differ in the precision that sigma is divided by.
    """

    spec: ModelSpec
    predictors: tuple[LinearPredictor, ...]
    auxiliaries: tuple[Vector, ...]
    factors: tuple[Factor, ...]
    thresholds: Vector | None
    categories: tuple[str, ...]
    horseshoe: Vector | None
    weights: bool
    precision: bool

    @property
    def family(self) -> Family:
        """The record of the family."""
        return FAMILIES[self.spec.family]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What varies by grouping factors, predictor by predictor."""
        return tuple(part for predictor in self.predictors for part in predictor.parts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What varies together, each once."""
        return tuple(block for predictor in self.predictors for block in predictor.blocks)

    @property
    def vectors(self) -> tuple[Vector, ...]:
        """All parameters that have priors of their own."""
        of_predictors = [vector for predictor in self.predictors for vector in predictor.vectors]
        further = [vector for vector in (self.thresholds, *self.auxiliaries, self.horseshoe) if vector is not None]
        return (*of_predictors, *further)

    @property
    def outcome(self) -> str:
        """What y is, in words."""
        response = self.spec.formula.response
        if self.family.has_thresholds:
            return f"{response}: {', '.join(f'{code} {label}' for code, label in enumerate(self.categories, 1))}"
        if self.categories:
            return f"{response}: 1 is {self.categories[-1]}, 0 {self.categories[0]}"
        return (
            f"the logarithm of {response}"
            if self.family.linear and self.family.support is not Support.REAL
            else response
        )

    @property
    def shrunk_vector(self) -> str:
        """What the coefficients under a horseshoe are called: b where that is all of them."""
        return "b" if self.spec.shrunk == self.spec.coefficients else "b_shrunk"

    @property
    def has_means(self) -> bool:
        """Whether columns are centred."""
        return any(predictor.centered for predictor in self.predictors) or any(block.at_mean for block in self.blocks)

    @property
    def has_transformed_data(self) -> bool:
        """Whether columns are centred or parameters fixed."""
        return self.has_means or any(vector.is_constant for vector in self.vectors)

    @property
    def has_transformed_parameters(self) -> bool:
        """Whether something is computed from parameters before they are used."""
        return bool(self.blocks or self.horseshoe) or any(vector.is_assembled for vector in self.vectors)

    @property
    def has_generated_quantities(self) -> bool:
        """Whether something is reported that is no parameter of the program."""
        return any(predictor.centered for predictor in self.predictors) or any(block.cor for block in self.blocks)

    @property
    def predicted(self) -> tuple[str, ...]:
        """The parameters beside the mean that differ from row to row."""
        return tuple(predictor.parameter for predictor in self.predictors[1:])
