"""ModelSpec x Design -> Engine: the fastest that is exact, or the one that is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from hierfit.design.design import Design
from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.engines.engine import Engine
from hierfit.engines.full.engine import FULL
from hierfit.engines.latent.engine import LATENT
from hierfit.engines.marginal.engine import MARGINAL
from hierfit.engines.names import EngineName
from hierfit.errors import UsageError
from hierfit.model.spec import ModelSpec

ENGINES: Mapping[EngineName, Engine] = {engine.name: engine for engine in (FULL, COLLAPSED, MARGINAL, LATENT)}


def choose_engine(spec: ModelSpec, design: Design, wanted: str = "auto", *, tuned: bool = False) -> Engine:
    """Return the wanted engine; auto takes collapsed or marginal wherever it is exact and small enough, else latent.

    Collapsed and marginal both stand for the one of the two that the number of grouping factors leaves. `tuned` says
    that the user has set what only Stan's sampler knows, such as its warmup.

    Raises:
        UsageError: one is wanted where it cannot be had, or there is no such engine.
    """
    if wanted not in ("auto", *EngineName):
        raise UsageError(f"there is no engine '{wanted}'.", hint=f"choose auto, {', '.join(EngineName)}")
    if wanted == FULL.name:
        return FULL
    exact = MARGINAL if len(spec.groups) > 1 else COLLAPSED
    candidates = {"auto": (exact, LATENT), LATENT.name: (LATENT,)}.get(wanted, (exact,))
    for engine in candidates:
        found = list(engine.obstacles(spec, design, tuned=tuned))
        if not found:
            return engine
    if wanted != "auto":
        raise UsageError(f"the {wanted} engine cannot be had: {'; '.join(found)}.", hint="use --engine auto")
    return FULL
