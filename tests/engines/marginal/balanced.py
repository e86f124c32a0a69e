"""Balanced designs of two factors, crossed or nested, whose posterior of sds and sigma is known on a grid.

The covariance of a balanced layout has three eigenvalues and that of the mean (Searle, Casella & McCulloch 1992,
chapter 4), so the marginal density is a sum over four independent sums of squares, for as many points as wanted.
Letters: J levels of g, K of h (in each level of g where nested), n rows in each cell, s points.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec
from tests.model.cases import table

Array = NDArray[np.float64]
NAMES = ("sd(g)", "sd(h)", "sigma")


@dataclass(frozen=True)
class Balanced:
    """A layout and the true sds of its data; sigma is 1."""

    kind: Literal["crossed", "nested"]
    J: int
    K: int
    n: int
    sd_g: float = 0.0
    sd_h: float = 0.0
    seed: int = 0

    def model(self) -> tuple[ModelSpec, Design]:
        """Return simulated data as a model with default priors."""
        rng = np.random.default_rng(self.seed)
        g = np.repeat(np.arange(self.J), self.K * self.n)
        h = np.tile(np.repeat(np.arange(self.K), self.n), self.J) + (g * self.K if self.kind == "nested" else 0)
        effects = rng.normal(0, self.sd_g, self.J)[g] + rng.normal(0, self.sd_h, h.max() + 1)[h]
        codes = {"g": g.astype(np.int32), "h": h.astype(np.int32)}
        labels = {name: tuple(f"{name}{i}" for i in range(column.max() + 1)) for name, column in codes.items()}
        numbers = {"y": 3 + effects + rng.normal(0, 1, len(g))}
        source = replace(table(len(g), 2), numbers=numbers, labels=codes, levels=labels)
        formula = parse_formula("y ~ 1 + (1 | g) + (1 | h)")
        design = build_design(formula, source)
        return build_spec(formula, design), design

    def log_density(self, spec: ModelSpec, design: Design, sds: tuple[Array, Array, Array]) -> Array:
        """Return the marginal log density of sd(g), sd(h) and sigma, in the units of y, with their priors [s]."""
        J, K, n, y = self.J, self.K, self.n, design.y
        of_g, of_h, residual = (np.square(sd) for sd in sds)
        cells = y.reshape(J, K, n).mean(axis=2)
        squares_g = K * n * np.square(cells.mean(axis=1) - y.mean()).sum()
        if self.kind == "crossed":
            squares_h = J * n * np.square(cells.mean(axis=0) - y.mean()).sum()
            roots = (residual + K * n * of_g, residual + J * n * of_h)
            degrees, mean = (J - 1, K - 1), residual + K * n * of_g + J * n * of_h
        else:
            squares_h = n * np.square(cells - cells.mean(axis=1, keepdims=True)).sum()
            roots = (residual + n * of_h + K * n * of_g, residual + n * of_h)
            degrees, mean = (J - 1, J * (K - 1)), roots[0]
        rest = float(np.square(y - y.mean()).sum() - squares_g - squares_h)
        location, scale = spec.priors["Intercept"].arguments
        counts, squares_of = (*degrees, len(y) - 1 - sum(degrees)), (squares_g, squares_h, rest)
        mean = mean + len(y) * scale**2
        found = -np.log(mean) / 2 - len(y) * (y.mean() - location) ** 2 / mean / 2
        for count, squares, root in zip(counts, squares_of, (*roots, residual), strict=True):
            found = found - count / 2 * np.log(root) - squares / root / 2
        return np.asarray(found + sum(spec.priors[name].log_density(sd) for name, sd in zip(NAMES, sds, strict=True)))

    def moments(self, spec: ModelSpec, design: Design) -> dict[str, tuple[float, float]]:
        """Return posterior means and sds by a grid: sds are s u / (1 - u)^2, so that 0 and the far tail are on it."""
        u = (np.arange(240) + 0.5) / 240
        sd, slope = 0.5 * u / (1 - u) ** 2, 0.5 * (1 + u) / (1 - u) ** 3
        half_width = 6 / np.sqrt(2 * max(4, len(design.y) - self.J - self.K * (self.J if self.kind == "nested" else 1)))
        log_sigma = np.linspace(-half_width, half_width, 60) + np.log(design.y_scale) / 2
        axes = np.meshgrid(sd, sd, np.exp(log_sigma), indexing="ij")
        log_density = self.log_density(spec, design, (axes[0], axes[1], axes[2]))
        log_density = log_density + np.log(slope)[:, None, None] + np.log(slope)[None, :, None] + log_sigma
        weights = np.exp(log_density - log_density.max())
        weights /= weights.sum()
        means = [float(np.sum(weights * axis)) for axis in axes]
        spreads = [float(np.sqrt(np.sum(weights * np.square(axis - m)))) for axis, m in zip(axes, means, strict=True)]
        return {name: pair for name, *pair in zip(NAMES, means, spreads, strict=True)}  # type: ignore[misc]
