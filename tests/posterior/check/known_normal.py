"""Normal outcomes in groups with known sds: designs whose predictive distributions have a closed form."""

from pathlib import Path

import numpy as np

from hierfit.data.table import table_of
from hierfit.design.design import Design, Group
from hierfit.model.spec import Kind, Parameter
from hierfit.posterior.check.sample import Sample, take_sample
from hierfit.posterior.draws import Draws

Array = np.ndarray


def normal_design(y: Array, codes: Array) -> Design:
    """y ~ 1 + (1 | g)."""
    labels = tuple(f"g{level}" for level in range(int(codes.max()) + 1))
    group = Group("g", labels, codes.astype(np.int32), ("Intercept",), np.ones((len(y), 1)), correlated=False)
    lines = np.arange(len(y)) + 2
    table = table_of(Path("known.csv"), {}, {}, lines)
    return Design(Path("known.csv"), "y", y, (), np.empty((len(y), 0)), True, False, (group,), lines, inputs=table)


def normal_draws(y: Array, codes: Array, sd: float, sigma: float, count: int, rng: np.random.Generator) -> Draws:
    """Independent draws of intercept and effects, both sds being known and the prior of the intercept flat."""
    J = int(codes.max()) + 1
    rows = np.bincount(codes, minlength=J)
    level = np.bincount(codes, y, minlength=J) / rows
    precision = 1 / (sd**2 + sigma**2 / rows)
    b = rng.normal(np.sum(precision * level) / precision.sum(), precision.sum() ** -0.5, count)
    shrunk = rows * sd**2 / (rows * sd**2 + sigma**2)
    u = shrunk * (level - b[:, None]) + np.sqrt(sd**2 * (1 - shrunk)) * rng.normal(size=(count, J))
    parameters = (
        Parameter("Intercept", Kind.COEFFICIENT, None, "Intercept"),
        Parameter("sd(g)", Kind.SD, "g", "Intercept"),
        Parameter("sigma", Kind.AUXILIARY),
    )
    values = np.column_stack([b, np.full(count, sd), np.full(count, sigma)])[None]
    return Draws(parameters, values, {"g": u[None, :, :, None]}, {}, 10)


def normal_sample(codes: Array, sd: float, sigma: float, seed: int = 1, count: int = 1000) -> Sample:
    """Data from the model, and 1,000 draws of the posterior."""
    rng = np.random.default_rng(seed)
    y = 1 + sd * rng.normal(size=codes.max() + 1)[codes] + sigma * rng.normal(size=len(codes))
    return take_sample(normal_draws(y, codes, sd, sigma, count, rng), normal_design(y, codes))


def left_out(sample: Sample, sd: float, sigma: float) -> tuple[Array, Array]:
    """Return mean and sd of each outcome given all others, the intercept's prior being flat."""
    codes, y = sample.design.groups[0].codes, sample.design.y
    V = sigma**2 * np.eye(len(y)) + sd**2 * (codes[:, None] == codes) + 1e6
    precision = np.linalg.inv(V)
    variance = 1 / np.diag(precision)
    return y - variance * (precision @ y), np.sqrt(variance)
