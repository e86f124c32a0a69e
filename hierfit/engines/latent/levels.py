"""LogLikelihood x Group -> KernelLevels: densities of whole levels under draws, effects integrated out by the kernel.

What `posterior.compare.quadrature` does in numpy for any family is done here in compiled code, for those that have a
kernel. Rows and points are in the units of the CSV and need no sampler: a run may be from any engine. Effects of
factors that are not integrated out are those of the draws. Letters: S draws, R rows, L levels, M varying columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.engines.latent.building import STRUCTS, build_library, find_library
from hierfit.engines.latent.kernel import Kernel, KernelPoints, LatentRows
from hierfit.engines.latent.roots import lower_roots
from hierfit.engines.latent.rows import AuxiliaryKinds, varying_order
from hierfit.errors import ToolchainError
from hierfit.model.families import FAMILIES
from hierfit.model.spec import coefficient_name, threshold_name
from hierfit.posterior.compare.quadrature import Levels, Nodes, is_of_mean, levels_of
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.predict.draws_of import chosen_effects, every_draw, positions, values_of
from hierfit.posterior.predict.linear import population_part
from hierfit.posterior.predict.values import trials_of
from hierfit.stan.toolchain import find_compiler

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

MOST_COLUMNS = 3
MUCH = 10_000_000  # rows times draws from where on numpy takes longer than it takes to compile a kernel
NUMBERS = 2_000_000  # rows times draws of a batch, which only log densities of levels are held of


@dataclass(frozen=True, eq=False)
class KernelLevels(Levels):
    """Levels of one factor, their effects to be integrated out by the kernel of `library`."""

    library: Path

    def batches(self, wanted: Indices, numbers: int = NUMBERS) -> Iterator[Indices]:
        """Yield the rows of levels, level by level, of as many levels as have about so many numbers."""
        return super().batches(wanted, numbers)

    def density(self, rows: Indices, nodes: Nodes, picks: Indices | None = None, numbers: int = 0) -> Array:
        """Return the log density of all rows of each of their levels [S, L], under chosen draws or all."""
        picks = every_draw(self.likelihood.draws) if picks is None else picks
        rows = rows[np.argsort(self.group.codes[rows], kind="stable")]
        others = [_Other.of(group, rows) for group in self._others]
        kernel = Kernel(self.library, self._rows(rows, others), nodes.count, n_threads=1)
        own = {name: values[picks] for name, values in self._points.items()}
        effects = (chosen_effects(self.likelihood.draws, other.group, picks, other.levels) for other in others)
        own["other"] = np.column_stack([np.empty((len(picks), 0)), *(u.reshape(len(picks), -1) for u in effects)])
        kernel.remember(KernelPoints(**{name: values.mean(axis=0)[np.newaxis] for name, values in own.items()}))
        return kernel.by_level(KernelPoints(**own)) + self._constants(kernel, rows, own, picks[:1])

    def _constants(self, kernel: Kernel, rows: Indices, points: dict[str, Array], first: Indices) -> Array:
        """Return what the kernel leaves out since it is the same for all points, log y! and its like [L].

        That is what it lacks where the sds of effects are 0, under the first of the draws.
        """
        at = {name: values[:1] for name, values in points.items()} | {"T": np.zeros_like(points["T"][:1])}
        design, one = self.likelihood.design, LogLikelihood(self.likelihood.draws, self.likelihood.design, first)
        by_row = FAMILIES[design.family].log_density_at(
            design.y[rows], one.predictor(rows, (self.group.factor,)), design.link, one.auxiliaries(rows),
            trials_of(design, rows),
        ) * one.weights(rows)  # fmt: skip
        return np.asarray(np.add.reduceat(by_row[0], kernel.rows.start[:-1]) - kernel.by_level(KernelPoints(**at))[0])

    @property
    def _others(self) -> list[Group]:
        return [group for group in self.likelihood.design.groups if group.factor != self.group.factor]

    @cached_property
    def _points(self) -> dict[str, Array]:
        """Points of all draws, as the kernel takes them but for the effects of other factors."""
        draws, design = self.likelihood.draws, self.likelihood.design
        picks, known = every_draw(draws), positions(draws)
        population = population_part(draws, design, picks)
        aux = np.ones((len(picks), len(FAMILIES[design.family].auxiliaries)))
        of_aux = [np.empty((len(picks), 0))]
        for a, each in enumerate(FAMILIES[design.family].auxiliaries):
            if (own := design.predictor(each.name)) is not None:
                of_aux.append(values_of(draws, [coefficient_name(each.name, c) for c in own.coefficients], picks))
            elif each.name in known:
                aux[:, a] = values_of(draws, [each.name], picks)[:, 0]
        T = self.scales.copy()
        first = np.flatnonzero(self.group.named.is_intercept)
        T[:, first] += (self.group.mean @ T)[:, np.newaxis]  # of the intercept where the columns are at their means
        return {
            "b": np.column_stack([population.intercept, population.b]),
            "T": lower_roots(T[:, varying_order(self.group)]),
            "aux": aux,
            "b_aux": np.concatenate(of_aux, axis=1),
            "threshold": values_of(draws, [threshold_name(name) for name in design.thresholds], picks),
        }

    def _rows(self, rows: Indices, others: list[_Other]) -> LatentRows:
        """Return what the kernel sees of rows that are sorted by level."""
        design, group, n = self.likelihood.design, self.group, len(rows)
        family = FAMILIES[design.family]
        center = population_part(self.likelihood.draws, design, np.arange(1)).center
        at_mean = group.mean if any(group.named.is_intercept) else 0.0
        kinds = AuxiliaryKinds.of(design, design.family)
        X_aux = [own.X[rows].T for own in kinds.predictors if own is not None]
        starts = np.cumsum([0, *(len(own.levels) * len(own.group.terms) for own in others)])
        codes = [
            start + own.places * len(own.group.terms) + m
            for start, own in zip(starts.tolist(), others, strict=False)
            for m in range(len(own.group.terms))
        ]
        V = [column for own in others for column in own.group.Z[rows].T]
        return LatentRows(
            family=design.family,
            link=family.links.index(design.link),
            start=np.append(np.flatnonzero(np.diff(group.codes[rows], prepend=-1)), n),
            y=np.rint(design.y[rows]) if family.is_discrete else design.y[rows],
            fixed=np.zeros(n) if design.offset is None else design.offset[rows],
            X=np.vstack([np.ones(n), (design.X[rows] - center).T]),
            Z=(group.Z[rows] - at_mean).T[varying_order(group)],
            trials=np.empty(0) if design.trials is None else design.trials[rows],
            weights=np.empty(0) if design.weights is None else design.weights[rows],
            X_aux=np.concatenate([np.empty((0, n)), *X_aux]),
            S_of=kinds.sizes,
            aux_link=kinds.links,
            aux_most=kinds.most,
            n_thresholds=len(design.thresholds),
            code=np.array(codes, np.int64).reshape(len(codes), n),
            V=np.array(V).reshape(len(V), n),
            n_other=int(starts[-1]),
        )


@dataclass(frozen=True, eq=False)
class _Other:
    """A factor whose effects are those of the draws: the levels that some rows have, and each row's among them."""

    group: Group
    levels: Indices
    places: Indices

    @classmethod
    def of(cls, group: Group, rows: Indices) -> _Other:
        """Return what rows have of a factor."""
        levels, places = np.unique(group.codes[rows].astype(np.int64), return_inverse=True)
        return cls(group, levels, places.astype(np.int64))


def kernel_levels(likelihood: LogLikelihood, group: Group) -> KernelLevels | None:
    """Return the levels of a factor of the model for the kernel; None where it is not one for it, or there is none.

    One is compiled where that takes less time than it saves.
    """
    design = likelihood.design
    if not _is_for_kernel(design, group):
        return None
    library = find_library(design.family)
    if library is None and find_compiler() and design.n_rows * likelihood.n_draws > MUCH:
        try:
            library = build_library(design.family)
        except ToolchainError:
            return None
    return None if library is None else KernelLevels(**vars(levels_of(likelihood, group)), library=library)


def _is_for_kernel(design: Design, group: Group) -> bool:
    few = len(group.terms) <= MOST_COLUMNS and sum(group.named.is_intercept) <= 1
    return design.family in STRUCTS and few and design.precision is None and is_of_mean(design.groups)
