"""Rows x the distribution of groups -> the mean of a quantity over all that the groups of a row may be.

What groups add to the predictor of a parameter is normal, and to those of two parameters jointly normal, so the mean is
a sum or an integral over one number a row, or over two: of what is linear in the mean, or in a parameter, `over_normal`
knows it; else it is a Gauss-Hermite sum. Parameters that the quantity does not hear of, as the mean of a normal outcome
does not hear of sigma, are left alone. Letters: S draws, R rows, M varying coefficients, D parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.rows import GroupRows, Rows
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES, SIGMA, THRESHOLD, Expects
from hierfit.model.over_normal import OverNormal, exponent_over_normal, over_normal
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import every_draw
from hierfit.posterior.predict.linear import auxiliary_draws, distribution_of, linear_predictor
from hierfit.posterior.predict.new_levels import level_scales
from hierfit.posterior.predict.quantities import MU, Asked, Scale, told, told_at

Array = NDArray[np.float64]

# By D. Of 21 a probability averaged over effects is exact to 1e-10 at an sd of 1 on the scale of the logit, 4e-6 at 2,
# 2e-4 at 3; of 13 to 3e-8, 2e-5 and 2e-3.
NODES = {1: 21, 2: 13}
_MOVE = 0.37  # any number that nothing is the same after
_ROWS = 3  # that are looked at


@dataclass(frozen=True, eq=False)
class OverGroups:
    """How a quantity is averaged over groups.

    Attributes:
        draws, design: the fit, with its groups.
        asked: the quantity.
        parameters: those whose groups it hears of, None the mean; two at most.
        scales: factor -> factor of the covariance of a level's effects [S, M, M].
        rule: how it is averaged over the predictor of the one parameter; None where it is summed.
    """

    draws: Draws
    design: Design
    asked: Asked
    parameters: tuple[str | None, ...]
    scales: Mapping[str, Array]
    rule: OverNormal | None

    def means(self, points: Sequence[Rows]) -> list[list[Array]]:
        """Return the mean of the quantity of the same rows at each point under every draw, by category [S, R]."""
        if not self.parameters:
            return [_moved(self.draws, self.design, self.asked, replace(rows, groups=()), {}) for rows in points]
        if self.rule is None:
            return [self._summed(rows) for rows in points]
        first, *others = points
        if all(first.same_groups(rows) for rows in others):
            return self._known(self.rule, points)
        return [self._known(self.rule, [rows])[0] for rows in points]

    def _known(self, rule: OverNormal, points: Sequence[Rows]) -> list[list[Array]]:
        """Return the means where there is a rule for them, of rows whose groups add the same at all points."""
        ((spread,),) = self._factor(points[0].groups)
        (parameter,), asked, alone = self.parameters, self.asked, replace(self.design, groups=())
        family, ones = FAMILIES[alone.family], np.ones(len(points[0].lines))
        bare = [distribution_of(self.draws, alone, replace(rows, groups=()), every_draw(self.draws)) for rows in points]
        if parameter is not None or asked.scale is Scale.LINK:
            linear = replace(asked, scale=Scale.LINK)
            return [[mean] for mean in rule([told(alone, *own, ones, linear)[0] for own in bare], spread)]
        if not family.has_thresholds:
            means = rule([predictor for predictor, _ in bare], spread)
        else:
            n_cuts = len(alone.thresholds)
            by_cut = rule([cut - predictor for predictor, own in bare for cut in own[THRESHOLD]], spread)
            means = [np.stack(by_cut[at : at + n_cuts]) for at in range(0, len(by_cut), n_cuts)]
        return [told_at(alone, mean, own, ones, asked) for mean, (_, own) in zip(means, bare, strict=True)]

    def _summed(self, rows: Rows) -> list[Array]:
        without = replace(rows, groups=())
        factor, total = self._factor(rows.groups), list[Array]()
        for places, weight in _nodes(len(self.parameters)):
            moves = {
                parameter: sum((own * place for own, place in zip(line, places, strict=False)), np.zeros(()))
                for parameter, line in zip(self.parameters, factor, strict=True)
            }
            found = _moved(self.draws, self.design, self.asked, without, moves)
            total = [weight * one + (total[at] if total else 0.0) for at, one in enumerate(found)]
        return total

    def _factor(self, groups: Sequence[GroupRows]) -> list[list[Array]]:
        """Return the lower factor of the covariance of what groups add, line by line, each of [S, R]."""
        parts: list[list[Array]] = [[] for _ in self.parameters]
        for group, rows in zip(self.design.groups, groups, strict=True):
            scales = self.scales[group.factor]
            for own, parameter in zip(parts, self.parameters, strict=True):
                columns = group.columns_of(parameter)
                own.append(np.einsum("rm,smk->ksr", rows.Z[:, columns], scales[:, columns]))
        first = np.sqrt(_product(parts[0], parts[0]))
        if len(parts) == 1:
            return [[first]]
        shared = np.asarray(_product(parts[0], parts[1]) / np.where(first > 0, first, 1.0))
        rest = np.sqrt(np.maximum(_product(parts[1], parts[1]) - shared**2, 0.0))
        return [[first], [shared, rest]]


def over_groups(draws: Draws, design: Design, asked: Asked) -> OverGroups:
    """Return how a quantity is averaged over groups.

    Raises:
        UsageError: it hears of the groups of more than two parameters, or has no mean over groups.
    """
    named = [None, *(own.parameter for own in design.distributional)]
    varying = [name for name in named if any(len(group.columns_of(name)) for group in design.groups)]
    heard = tuple(name for name in varying if _hears(draws, design, asked, name))
    if len(heard) > max(NODES):
        raise UsageError(
            f"--groups average-over: the groups differ in {len(heard)} parameters that this depends on; hierfit "
            f"integrates over {max(NODES)}.",
            hint="--groups own averages over the groups of the data",
        )
    if SIGMA in heard and FAMILIES[design.family].linear is np.log and asked.parameter is None:
        raise UsageError(
            f"--groups average-over: {design.response} has no mean over groups that differ in sigma, as the mean of a "
            "lognormal grows with exp(sigma^2 / 2).",
            hint="--groups own, or --parameter mu for the median on the log scale",
        )
    scales = {group.factor: level_scales(draws, group) for group in design.groups}
    return OverGroups(draws, design, asked, heard, scales, _rule(design, asked, heard))


def _rule(design: Design, asked: Asked, parameters: Sequence[str | None]) -> OverNormal | None:
    """Return how what is asked is averaged over the normal predictor of one parameter, None where it is summed."""
    family = FAMILIES[design.family]
    if len(parameters) != 1:
        return None
    if asked.scale is Scale.LINK:
        return over_normal("identity")
    (parameter,) = parameters
    if parameter is not None:
        auxiliary = family.auxiliary(parameter)
        assert auxiliary is not None
        return over_normal(auxiliary.link) if asked.parameter == parameter else None
    if asked.parameter == MU or family.expects is Expects.MULTIPLE:
        return over_normal(design.link)
    return exponent_over_normal if family.expects is Expects.EXPONENTIAL else None


def _hears(draws: Draws, design: Design, asked: Asked, parameter: str | None) -> bool:
    """Whether a quantity changes with the predictor of a parameter."""
    rows = replace(design.at(slice(0, _ROWS)), groups=())
    before, after = (_moved(draws, design, asked, rows, {parameter: np.array(move)}) for move in (0.0, _MOVE))
    return not all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def _moved(draws: Draws, design: Design, asked: Asked, rows: Rows, moves: Mapping[str | None, Array]) -> list[Array]:
    """Return the quantity of rows without groups, where these numbers are added to predictors [S, R]."""
    alone, picks = replace(design, groups=()), every_draw(draws)
    predictor = linear_predictor(draws, alone, rows, picks) + moves.get(None, 0.0)
    further = {name: move for name, move in moves.items() if name is not None}
    auxiliaries = auxiliary_draws(draws, alone, picks, rows, moves=further)
    return told(alone, predictor, auxiliaries, np.ones(len(rows.lines)), asked)


def _product(one: Sequence[Array], other: Sequence[Array]) -> Array:
    """Return sums of products over factors and standard normal numbers [S, R]."""
    return np.asarray(sum(np.sum(a * b, axis=0) for a, b in zip(one, other, strict=True)))


def _nodes(dimensions: int) -> Iterator[tuple[tuple[float, ...], float]]:
    """Yield places in so many dimensions, and weights that sum to 1."""
    places, weights = np.polynomial.hermite_e.hermegauss(NODES[dimensions])
    pairs = list(zip(places.tolist(), (weights / weights.sum()).tolist(), strict=True))
    for chosen in product(pairs, repeat=dimensions):
        yield tuple(place for place, _ in chosen), float(np.prod([weight for _, weight in chosen]))
