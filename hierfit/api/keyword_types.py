"""The keyword arguments of `fit`, `priors`, `predict`, ..., for type checkers and editors.

What they are at run time follows from the options of the commands (`api.keywords`); a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Literal, TypeAlias, TypedDict

Texts: TypeAlias = str | Sequence[str]
Pairs: TypeAlias = Mapping[str, object] | Texts
Place: TypeAlias = str | PathLike[str]


class PriorsKeywords(TypedDict, total=False):
    """Those of `priors`."""

    y: str | None
    x: Texts | None
    group: Texts | None
    slope: Texts | None
    no_varying_intercept: bool | None
    uncorrelated: bool | None
    family: str | None
    link: str | None
    trials: str | None
    offset: str | None
    exposure: str | None
    weights: str | None
    precision_weights: str | None
    reference: Pairs | None
    sigma: str | None
    nu: str | None
    shape: str | None
    phi: str | None
    zi: str | None
    hu: str | None
    levels: Pairs | None
    contrasts: Pairs | None
    na: Texts | None
    priors: Texts | None
    standardize: bool | None
    no_center: bool | None


class FitKeywords(PriorsKeywords, total=False):
    """Those of `fit`, and of `Run.rerun`."""

    prior_only: bool | None
    chains: int | None
    warmup: int | None
    draws: int | None
    until_ess: int | None
    seed: int | None
    adapt_delta: float | None
    max_treedepth: int | None
    parallel_chains: int | None
    engine: Literal["auto", "collapsed", "marginal", "latent", "full"] | None
    toolchain: Literal["auto", "bundled", "cmdstan"] | None
    out: Place | None
    overwrite: bool | None
    ci: float | None


class PlotKeywords(TypedDict, total=False):
    """Those of `Run.plot`."""

    column: str | None
    per: Literal["unit", "sd"] | None


class PredictKeywords(TypedDict, total=False):
    """Those of `Run.predict`."""

    new_groups: Literal["error", "draw", "average"] | None
    groups: Literal["own", "none"] | None
    scale: Literal["response", "link"] | None
    parameter: str | None
    ci: float | None
    seed: int | None


class EffectsKeywords(TypedDict, total=False):
    """Those of `Run.effects`."""

    step: float | None
    contrast: Literal["reference", "pairwise", "sequential"] | None
    at: Pairs | None
    by: str | None
    marginal: bool | None
    weights: Literal["proportional", "equal"] | None
    scale: Literal["response", "link", "ratio"] | None
    groups: Literal["own", "none", "average-over"] | None
    parameter: str | None
    ci: float | None


class SimulateKeywords(TypedDict, total=False):
    """Those of `simulate`."""

    groups: int | None
    rows_per_group: int | str | None
    trials: int | str | None
    missing: float | None
    predictors: Pairs | None
    family: str | None
    link: str | None
    formula: str | None
    true: Pairs | None
    levels: Pairs | None
    rows: int | None
    per: Pairs | None
    offset: str | None
    reference: Pairs | None
    contrasts: Pairs | None
    crossed: str | None
    y: str | None
    group: str | None
    intercept: float | None
    x: Pairs | None
    sd: Pairs | None
    cor: float | None
    sigma: float | None
    aux: Pairs | None
    seed: int | None
