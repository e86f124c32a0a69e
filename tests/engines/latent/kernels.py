"""Rows and points for the kernel, and their marginal densities worked out another way.

The density of a row is that of `model.families` in numpy; a level's effects are integrated out by the trapezoidal rule
around the mode, in the metric of the curvature there, which is exact to all digits for smooth integrands that are
nothing at the ends (Trefethen & Weideman 2014).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from hierfit.engines.latent.building import build_library
from hierfit.engines.latent.kernel import Kernel, KernelPoints, LatentRows
from hierfit.model.families import FAMILIES, LINKS, THRESHOLD
from tests.family_cases import FAMILY_CASES, FamilyCase

Array = NDArray[np.float64]
CASES = [case for case in FAMILY_CASES if not FAMILIES[case.family].collapsible]
AUX_LINKS = {"log": 0, "logit": 1, "logm1": 2}
NOTHING = 45.0  # log density below that at the mode
SIZES = (4, 0, 1, 7, 2, 12)  # rows of levels


@cache
def library(family: str) -> Path:
    """The library of a family, compiled once for all tests."""
    return build_library(family)


def kernel(rows: LatentRows, n_nodes: int = 31, n_threads: int = 1) -> Kernel:
    return Kernel(library(rows.family), rows, n_nodes, n_threads)


def case_of(family: str, link: str = "") -> FamilyCase:
    return next(case for case in CASES if case.family == family and link in ("", case.link))


@dataclass(frozen=True)
class Layout:
    """What rows are like.

    Attributes:
        n_varying: M.
        ones: whether the last varying column is one of ones.
        weighted, predicted: whether rows have weights, and auxiliaries predictors.
        others: whether there are effects of two other factors.
        sizes: rows of each level.
    """

    n_varying: int = 1
    ones: bool = True
    weighted: bool = False
    predicted: bool = False
    others: bool = False
    sizes: tuple[int, ...] = SIZES
    seed: int = 7

    def __str__(self) -> str:
        told = [
            f"{self.n_varying} varying",
            *(name for name in ("weighted", "predicted", "others") if getattr(self, name)),
        ]
        return ", ".join([*told, *([] if self.ones else ["no ones"])])


def made_rows(case: FamilyCase, layout: Layout = Layout()) -> LatentRows:
    """Rows whose outcome is simulated with effects of sd 0.5."""
    rng, family, n = np.random.default_rng(layout.seed), FAMILIES[case.family], sum(layout.sizes)
    level = np.repeat(np.arange(len(layout.sizes)), layout.sizes)
    Z = rng.normal(size=(layout.n_varying, n))
    if layout.ones:
        Z[-1] = 1
    trials = rng.integers(1, 12, n).astype(float)
    fixed, X = rng.uniform(-0.3, 0.3, n), np.stack([np.ones(n), rng.normal(size=n)])
    effects = rng.normal(0, 0.5, (layout.n_varying, len(layout.sizes)))
    center = 0.0 if family.links == ("identity",) else case.intercept
    eta = fixed + center + 0.4 * X[1] + np.sum(Z * effects[:, level], axis=0)
    y = family.replicate(rng, family.mean(eta, case.link, case.values), case.values, trials)
    auxiliaries = family.auxiliaries
    further = 2 if layout.predicted else 0
    return LatentRows(
        family=case.family,
        link=family.links.index(case.link),
        start=np.concatenate([[0], np.cumsum(layout.sizes)]).astype(np.int64),
        y=np.clip(y, 1e-6, 1 - 1e-6) if case.family == "beta" else y,
        fixed=fixed,
        X=X,
        Z=Z,
        trials=trials if family.has_trials else np.empty(0),
        weights=rng.choice([0.5, 1.0, 2.7], n) if layout.weighted else np.empty(0),
        X_aux=np.concatenate(
            [np.empty((0, n)), *([np.stack([np.ones(n), rng.normal(size=n)])[:further]] * len(auxiliaries))]
        ),
        S_of=np.full(len(auxiliaries), further, np.int32),
        aux_link=np.array([AUX_LINKS[own.link] for own in auxiliaries], np.int32),
        aux_most=np.array([own.most for own in auxiliaries]),
        n_thresholds=3 if family.has_thresholds else 0,
        code=np.stack([np.arange(n) % 3, 3 + np.arange(n) // 2 % 2]) if layout.others else np.empty((0, 0), np.int64),
        V=np.stack([np.ones(n), rng.normal(size=n)]) if layout.others else np.empty((0, 0)),
        n_other=5 if layout.others else 0,
    )


def made_points(case: FamilyCase, rows: LatentRows, n: int = 5, sd: float = 0.7, seed: int = 3) -> KernelPoints:
    """Points not far from what the rows were simulated with."""
    rng, family, m = np.random.default_rng(seed), FAMILIES[case.family], rows.n_varying
    center = 0.0 if family.links == ("identity",) else case.intercept
    aux = np.array([(case.auxiliaries or {})[own.name] for own in family.auxiliaries])
    linked = [
        float(LINKS[own.link].forward(np.array(value))) for own, value in zip(family.auxiliaries, aux, strict=True)
    ]
    spread = rng.uniform(0.8, 1.25, (n, len(aux)))
    T = sd * (np.eye(m) + 0.4 * np.tril(rng.normal(size=(n, m, m))))
    return KernelPoints(
        b=rng.normal([center, 0.4], 0.3, (n, len(rows.X))),
        T=T * np.sign(np.diagonal(T, axis1=1, axis2=2))[:, np.newaxis],
        aux=aux * spread,
        b_aux=np.array([[level, 0.0] for level in linked]).ravel() + rng.normal(0, 0.2, (n, 2 * len(aux)))
        if len(rows.X_aux)
        else np.empty((n, 0)),
        threshold=np.sort(rng.normal([-1.0, 0.2, 0.9], 0.15, (n, 3)), axis=1)
        if rows.n_thresholds
        else np.empty((n, 0)),
        other=rng.normal(0, 0.4, (n, rows.n_other)),
    )


def at(points: KernelPoints, index: int) -> KernelPoints:
    """One of the points."""
    return KernelPoints(**{name: getattr(points, name)[[index]] for name in POINT_PARTS})


POINT_PARTS = ("b", "T", "aux", "b_aux", "threshold", "other")


def only(rows: LatentRows, **points: object) -> KernelPoints:
    """Points of which a part is given; the others are empty."""
    n = len(np.asarray(next(iter(points.values()))))
    empty = {name: np.empty((n, 0)) for name in POINT_PARTS} | {"b": np.empty((n, len(rows.X)))}
    return KernelPoints(**(empty | {name: np.asarray(own, dtype=float) for name, own in points.items()}))


def simple_rows(
    family: str, y: Array, level: Array, *, link: int = 0, Z: Array | None = None, **more: object
) -> LatentRows:
    """Rows of sorted levels with one coefficient, that of ones."""
    n, auxiliaries = len(y), FAMILIES[family].auxiliaries
    given = LatentRows(
        family=family,
        link=link,
        start=np.searchsorted(level, np.arange(level.max() + 2)).astype(np.int64),
        y=np.asarray(y, dtype=float),
        fixed=np.zeros(n),
        X=np.ones((1, n)),
        Z=np.ones((1, n)) if Z is None else Z,
        S_of=np.zeros(len(auxiliaries), np.int32),
        aux_link=np.array([AUX_LINKS[own.link] for own in auxiliaries], np.int32),
        aux_most=np.array([own.most for own in auxiliaries]),
        trials=np.ones(n) if FAMILIES[family].has_trials else np.empty(0),
    )
    return replace(given, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class LevelDensity:
    """g(v) = log density of a level's rows at effects T v, less v'v / 2, of many v side by side."""

    rows: LatentRows
    point: KernelPoints
    level: int
    eta: Array = field(init=False)

    def __post_init__(self) -> None:
        rows, point = self.rows, self.point
        eta = rows.fixed + point.b[0] @ rows.X
        for code, column in zip(rows.code, rows.V, strict=True):
            eta = eta + column * point.other[0][code]
        object.__setattr__(self, "eta", eta[self.place])

    @property
    def place(self) -> slice:
        return slice(int(self.rows.start[self.level]), int(self.rows.start[self.level + 1]))

    def auxiliaries(self) -> dict[str, Array]:
        rows, family, found, start = self.rows, FAMILIES[self.rows.family], {}, 0
        for a, own in enumerate(family.auxiliaries):
            stop = start + int(rows.S_of[a])
            linked = self.point.b_aux[0][start:stop] @ rows.X_aux[start:stop, self.place] if stop > start else None
            value = np.full(1, self.point.aux[0][a]) if linked is None else LINKS[own.link].inverse(linked)
            found[own.name] = np.minimum(value, rows.aux_most[a])
            start = stop
        if rows.n_thresholds:
            found[THRESHOLD] = self.point.threshold[0][:, np.newaxis, np.newaxis]
        return found

    def rows_at(self, u: Array) -> Array:
        """Log densities of rows at effects u [s, M] -> [s]."""
        rows, family = self.rows, FAMILIES[self.rows.family]
        eta = self.eta + u @ rows.Z[:, self.place]
        trials = rows.trials[self.place] if rows.trials.size else np.ones(eta.shape[1])
        own = family.log_density_at(rows.y[self.place], eta, family.links[rows.link], self.auxiliaries(), trials)
        return np.asarray(own @ (rows.weights[self.place] if rows.weights.size else np.ones(eta.shape[1])))

    def __call__(self, v: Array) -> Array:
        """[s, M] -> [s]."""
        return self.rows_at(v @ self.point.T[0].T) - 0.5 * np.sum(v**2, axis=1)

    def mode(self) -> tuple[Array, Array]:
        """The mode [M], and S with S S' the inverse of the curvature there [M, M]."""
        return mode_of(self, self.rows.n_varying)

    def grid(self, step: float = 0.0) -> tuple[Array, Array]:
        """Places v [s, M], and logs of their shares of the integral of exp(g) over (2 pi)^(M / 2) [s]."""
        m = self.rows.n_varying
        step = step or {1: 0.03, 2: 0.2, 3: 0.4}[m]
        mode, S = self.mode()
        axes = [np.arange(-_reach(self, mode, -way), _reach(self, mode, way) + step, step) for way in S.T]
        c = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, m)
        v = mode + c @ S.T
        cell = m * np.log(step) + np.linalg.slogdet(S)[1] - 0.5 * m * np.log(2 * np.pi)
        return v, self(v) + cell

    def integral(self, **how: float) -> float:
        """The log density of the level's rows, effects integrated out."""
        logs = self.grid(**how)[1]  # type: ignore[arg-type]
        return float(logs.max() + np.log(np.sum(np.exp(logs - logs.max()))))


def _reach(g: Callable[[Array], Array], mode: Array, way: Array) -> float:
    """How far from the mode along a way, in its length, a function of v has fallen to nothing."""
    distances = np.geomspace(6, 6e4, 81)
    fallen = g(mode[np.newaxis]) - g(mode + distances[:, np.newaxis] * way) > NOTHING
    return float(1.1 * distances[int(np.argmax(fallen))])


def mode_of(g: Callable[[Array], Array], m: int) -> tuple[Array, Array]:
    """The mode of a function of v [s, M], and S with S S' the inverse of the curvature there; by no derivatives."""
    found = optimize.minimize(
        lambda v: -float(g(v[np.newaxis])[0]), np.zeros(m), method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-9}
    )
    start = found.x
    h, eye = 1e-3, np.eye(m)
    ends = np.array(
        [[start + h * (s * eye[i] + t * eye[j]) for s in (1, -1) for t in (1, -1)] for i in range(m) for j in range(m)]
    )
    values = g(ends.reshape(-1, m)).reshape(m, m, 4)
    curvature = -(values[..., 0] - values[..., 1] - values[..., 2] + values[..., 3]) / (4 * h * h)
    return start, np.linalg.cholesky(np.linalg.inv(curvature))


def by_level(rows: LatentRows, points: KernelPoints, **how: float) -> Array:
    """What `Kernel.by_level` returns, another way [B, J]; levels without rows have a density of 1."""
    return np.array(
        [
            [
                LevelDensity(rows, at(points, b), j).integral(**how) if np.diff(rows.start)[j] else 0.0
                for j in range(rows.n_levels)
            ]
            for b in range(len(points))
        ]
    )
