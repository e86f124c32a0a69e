"""ModelSpec x Design -> LatentRows: the rows as the kernel sees them, sorted by the levels of one factor.

Columns, and the outcome where its family allows it, are centred and over their sds, as for the Stan programs
(`design.scaling`). Rows that the model cannot tell apart are one (`full.repeated`), rows that count 0 times are left
out. Within a level those that count alike lie side by side, since the kernel takes one logarithm for several of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.distributional import PredictorColumns
from hierfit.design.origin import predictor_center, x_center, z_center
from hierfit.design.scaling import row_precision, scaled_columns, scaled_offset, scaled_outcome, scaled_varying
from hierfit.engines.full.repeated import Repeated, repeated_rows, sampled_family
from hierfit.engines.latent.kernel import LatentRows
from hierfit.engines.sizes import n_effects
from hierfit.model.families import FAMILIES, Auxiliary
from hierfit.model.links import MOST
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]
_LINKS = {"log": 0, "logit": 1, "logm1": 2}  # of auxiliary parameters, as the kernel counts them


@dataclass(frozen=True)
class _Outcome:
    """What the likelihood wants of each row, before rows are sorted."""

    y: Array
    fixed: Array
    trials: Array | None
    weights: Array | None


@dataclass(frozen=True)
class AuxiliaryKinds:
    """The auxiliary parameters of a design's family.

    Attributes:
        own: the parameters [A].
        predictors: what predicts each; None where all rows share it [A].
    """

    own: tuple[Auxiliary, ...]
    predictors: tuple[PredictorColumns | None, ...]

    @classmethod
    def of(cls, design: Design, family: str) -> AuxiliaryKinds:
        """Return those of a design, and of the family that its rows are seen as."""
        own = FAMILIES[family].auxiliaries
        return cls(tuple(own), tuple(design.predictor(aux.name) for aux in own))

    @property
    def sizes(self) -> NDArray[np.int32]:
        """How many coefficients each has [A]."""
        return np.array([0 if found is None else len(found.coefficients) for found in self.predictors], np.int32)

    @property
    def links(self) -> NDArray[np.int32]:
        """Their links, as the kernel counts them [A]."""
        return np.array([_LINKS[aux.link] for aux in self.own], np.int32)

    @property
    def most(self) -> Array:
        """Above what the density is that at this value [A]."""
        return np.array([min(aux.most, MOST) if aux.upper == 1 else aux.most for aux in self.own])


def latent_rows(spec: ModelSpec, design: Design, group: Group, others: Sequence[Group] = ()) -> LatentRows:
    """Return what the kernel sees, the effects of `group` being those that are integrated out.

    The effects of the others lie factor by factor and level by level side by side.
    """
    repeated = repeated_rows(design)
    own = _outcome(design, repeated)
    chosen = np.arange(design.n_rows) if repeated is None else repeated.first
    counts = np.flatnonzero(own.weights) if own.weights is not None else np.arange(len(chosen))
    alike = own.trials if own.trials is not None else own.y
    order = counts[np.lexsort((alike[counts], group.codes[chosen][counts]))]
    place = chosen[order]
    family = sampled_family(design, repeated)
    kinds = AuxiliaryKinds.of(design, family)
    starts = np.cumsum([0, *map(n_effects, others)])
    further = [
        (start + other.codes[place].astype(np.int64) * len(other.terms) + m, column)
        for start, other in zip(starts.tolist(), others, strict=False)
        for m, column in enumerate(scaled_varying(other, z_center(spec, other))[place].T)
    ]
    X_aux = [((found.X - predictor_center(spec, found)) / found.scale)[place].T for found in kinds.predictors if found]
    return LatentRows(
        family=family,
        link=FAMILIES[design.family].links.index(design.link),
        start=np.searchsorted(group.codes[place], np.arange(group.n_levels + 1)).astype(np.int64),
        y=own.y[order],
        fixed=own.fixed[order],
        X=np.ascontiguousarray(scaled_columns(design, x_center(spec, design))[place].T),
        Z=np.ascontiguousarray(scaled_varying(group, z_center(spec, group))[place].T[varying_order(group)]),
        trials=np.empty(0) if own.trials is None else own.trials[order],
        weights=np.empty(0) if own.weights is None or (own.weights[order] == 1).all() else own.weights[order],
        X_aux=np.concatenate([np.empty((0, len(place))), *X_aux]),
        S_of=kinds.sizes,
        aux_link=kinds.links,
        aux_most=kinds.most,
        n_thresholds=len(spec.thresholds),
        code=np.array([code for code, _ in further], np.int64).reshape(len(further), len(place)),
        V=np.array([column for _, column in further]).reshape(len(further), len(place)),
        n_other=int(starts[-1]),
    )


def varying_order(group: Group) -> list[int]:
    """Return the order of a factor's varying columns in the kernel: an intercept last [M]."""
    columns = range(len(group.terms))
    return sorted(columns, key=lambda column: group.named.is_intercept[column])


def _outcome(design: Design, repeated: Repeated | None) -> _Outcome:
    family = FAMILIES[design.family]
    y = scaled_outcome(design) if design.is_scaled else np.rint(design.y) if family.is_discrete else design.y
    fixed = scaled_offset(design) + (0.0 if design.is_scaled else design.intercept_origin)
    weights = design.weights if design.precision is None else row_precision(design)
    if repeated is None:
        return _Outcome(y, fixed, design.trials, weights)
    first = repeated.first
    more = np.log(repeated.counts) if repeated.trials is None else 0.0
    return _Outcome(repeated.y, fixed[first] + more, repeated.trials, None if weights is None else weights[first])
