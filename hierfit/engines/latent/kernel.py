"""LatentRows x KernelPoints -> log densities and their derivatives, effects integrated out; and draws of the effects.

The work is done in C++ (`cpp/`), one library for each family (`building`); the structures here are those of
`cpp/kernel.hpp`, field by field. Letters: N rows, J levels, K coefficients, M varying columns, A auxiliary
parameters and S coefficients that predict them, Q thresholds, D columns of other effects and U of these, B points.
"""

from __future__ import annotations

import ctypes
import os
from copy import copy
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

EFFECT_STEPS = 4  # of Metropolis, after the first proposal
LITTLE_WORK = 300_000  # rows times nodes times points that are done before a second thread has started


@dataclass(frozen=True)
class LatentRows:
    """What the kernel sees of the data: rows sorted by level, in the units of the sampler.

    Attributes:
        family: name of the outcome's distribution.
        link: which of the family's links, from 0.
        start: where the rows of each level begin, and the end of the last [J + 1].
        y: outcome; codes from 0 of categories [N].
        fixed: what eta has without coefficients and effects [N].
        X: columns of the coefficients [K, N].
        Z: varying columns, ones last where there are any [M, N].
        trials: [N]; empty where the family has none.
        weights: [N]; empty where each row counts once.
        X_aux: columns that predict auxiliary parameters, those of one after those of another [S, N].
        S_of: how many each auxiliary has [A].
        aux_link: 0 log, 1 logit, 2 log of what is above 1 [A].
        aux_most: above it the density is that at this value [A].
        n_thresholds: Q.
        code: which of the other effects each further column multiplies [D, N].
        V: these columns [D, N].
        n_other: U.
    """

    family: str
    link: int
    start: Integers
    y: Array
    fixed: Array
    X: Array
    Z: Array
    trials: Array = field(default_factory=lambda: np.empty(0))
    weights: Array = field(default_factory=lambda: np.empty(0))
    X_aux: Array = field(default_factory=lambda: np.empty((0, 0)))
    S_of: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    aux_link: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    aux_most: Array = field(default_factory=lambda: np.empty(0))
    n_thresholds: int = 0
    code: Integers = field(default_factory=lambda: np.empty((0, 0), np.int64))
    V: Array = field(default_factory=lambda: np.empty((0, 0)))
    n_other: int = 0

    @property
    def n_levels(self) -> int:
        """J."""
        return len(self.start) - 1

    @property
    def n_varying(self) -> int:
        """M."""
        return len(self.Z)


@dataclass(frozen=True)
class KernelPoints:
    """Points in the units of the sampler, or derivatives in them.

    Attributes:
        b: coefficients [B, K].
        T: square roots of the covariance of effects, lower triangles [B, M, M].
        aux: auxiliary parameters that rows share [B, A].
        b_aux: coefficients that predict the others [B, S].
        threshold: [B, Q].
        other: effects of other factors [B, U].
    """

    b: Array
    T: Array
    aux: Array
    b_aux: Array
    threshold: Array
    other: Array

    def __len__(self) -> int:
        return len(self.b)


class _Rows(ctypes.Structure):
    _fields_ = [
        ("n_rows", ctypes.c_int64),
        ("n_levels", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("start", "y", "trials", "weights", "fixed", "X", "Z", "X_aux")),
        *((name, ctypes.c_void_p) for name in ("S_of", "aux_link", "aux_most", "code", "V")),
        *((name, ctypes.c_int32) for name in ("K", "M", "A", "S", "D", "Q")),
        ("U", ctypes.c_int64),
        ("link", ctypes.c_int32),
        ("ones_last", ctypes.c_int32),
        ("n_nodes", ctypes.c_int32),
        *((name, ctypes.c_void_p) for name in ("nodes", "log_weights", "mode", "pull")),
    ]


class _Points(ctypes.Structure):
    _fields_ = [
        ("B", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("b", "T", "aux", "b_aux", "threshold", "other")),
    ]


class _Found(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_void_p)
        for name in ("log_density", "by_level", "b", "T", "aux", "b_aux", "threshold", "other", "curvature")
    ]


class Kernel:
    """The density of one set of rows. Modes that it remembers are where searches for others begin."""

    def __init__(self, library: Path, rows: LatentRows, n_nodes: int, n_threads: int | None = None) -> None:
        self.rows, self.library, self.n_nodes = rows, library, n_nodes
        self.n_threads = n_threads or len(os.sched_getaffinity(0))
        self._code = ctypes.CDLL(str(library))
        self._code.latent_evaluate.argtypes = [*[ctypes.c_void_p] * 3, *[ctypes.c_int] * 2]
        self._code.latent_effects.argtypes = [
            *[ctypes.c_void_p] * 2,
            ctypes.c_int,
            ctypes.c_uint64,
            ctypes.c_int64,
            *[ctypes.c_void_p] * 2,
            ctypes.c_int,
        ]
        # What C++ sees is kept here, so that it stays where it is.
        kinds = {"start": np.int64, "code": np.int64, "S_of": np.int32, "aux_link": np.int32}
        self._arrays = {
            each.name: np.ascontiguousarray(getattr(rows, each.name), dtype=kinds.get(each.name, np.float64))
            for each in fields(rows)
            if isinstance(getattr(rows, each.name), np.ndarray)
        }
        self._arrays |= {name: np.zeros((rows.n_levels, rows.n_varying)) for name in ("mode", "pull")}
        self._nodes = dict(zip(("nodes", "log_weights"), hermite(n_nodes), strict=True))

    def with_nodes(self, n_nodes: int) -> Kernel:
        """Return the same with another number of nodes for each effect."""
        other = copy(self)
        other.n_nodes, other._nodes = n_nodes, dict(zip(("nodes", "log_weights"), hermite(n_nodes), strict=True))
        return other

    @property
    def work(self) -> int:
        """How many rows are looked at for a point, at every node."""
        return int(len(self.rows.y) * self.n_nodes**self.rows.n_varying)

    def log_density(self, points: KernelPoints) -> Array:
        """Return the log densities of the outcome at points [B]."""
        return self._evaluate(points, {})["log_density"]

    def by_level(self, points: KernelPoints) -> Array:
        """Return the part of each level [B, J]."""
        return self._evaluate(points, {"by_level": np.empty((len(points), self.rows.n_levels))})["by_level"]

    def gradient(self, points: KernelPoints) -> tuple[Array, KernelPoints]:
        """Return log densities [B], and their derivatives shaped like the points."""
        wanted = {each.name: np.zeros(np.shape(getattr(points, each.name))) for each in fields(points)}
        found = self._evaluate(points, dict(wanted))
        return found["log_density"], KernelPoints(**{name: found[name] for name in wanted})

    def remember(self, points: KernelPoints) -> float:
        """Begin later searches for modes at those of the first point; return the mean curvature of rows there."""
        return float(self._evaluate(points, {"curvature": np.empty(1)}, remember=True)["curvature"][0])

    def effects(
        self, points: KernelPoints, seed: int, first: int = 0, steps: int = EFFECT_STEPS
    ) -> tuple[Array, float]:
        """Return a draw of the effects given each point [B, J, M], and the share of Metropolis steps that moved.

        `first` is the number of the first point: draws depend on it and on the seed.
        """
        u, accepted = np.empty((len(points), self.rows.n_levels, self.rows.n_varying)), np.empty(1)
        given, held = _points(points)
        self._code.latent_effects(
            ctypes.byref(self._rows()),
            ctypes.byref(given),
            steps,
            seed,
            first,
            _address(u),
            _address(accepted),
            self.n_threads,
        )
        del held
        return u, float(accepted[0])

    def _evaluate(self, points: KernelPoints, wanted: dict[str, Array], *, remember: bool = False) -> dict[str, Array]:
        wanted["log_density"] = np.empty(len(points))
        given, held = _points(points)
        threads = self.n_threads if self.work * len(points) > LITTLE_WORK else 1
        found = _Found(**{name: _address(array) for name, array in wanted.items()})
        self._code.latent_evaluate(
            ctypes.byref(self._rows()), ctypes.byref(given), ctypes.byref(found), threads, int(remember)
        )
        del held
        return wanted

    def _rows(self) -> _Rows:
        rows = self.rows
        return _Rows(
            n_rows=len(rows.y),
            n_levels=rows.n_levels,
            K=len(rows.X),
            M=rows.n_varying,
            A=len(rows.S_of),
            S=len(rows.X_aux),
            D=len(rows.V),
            Q=rows.n_thresholds,
            U=rows.n_other,
            link=rows.link,
            ones_last=int((rows.Z[-1] == 1).all()),
            n_nodes=self.n_nodes,
            **{name: _address(array) for name, array in (self._arrays | self._nodes).items()},
        )


def hermite(n_nodes: int) -> tuple[Array, Array]:
    """Return nodes x and log w: the sum of exp(log w + g(x)) is the integral of exp(g) over sqrt(2 pi)."""
    x, w = np.polynomial.hermite_e.hermegauss(n_nodes)
    return np.asarray(x), np.asarray(np.log(w) + x**2 / 2 - 0.5 * np.log(2 * np.pi))


def _points(points: KernelPoints) -> tuple[_Points, list[Array]]:
    """Return points as C++ takes them, and what must be kept as long as it does."""
    held = {each.name: np.ascontiguousarray(getattr(points, each.name), dtype=np.float64) for each in fields(points)}
    given = _Points(B=len(points), **{name: _address(array) for name, array in held.items()})
    return given, list(held.values())


def _address(array: NDArray[Any]) -> int | None:
    return int(array.ctypes.data) if array.size else None
