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

MANY_LEVELS = 1_000


def choose_engine(spec: ModelSpec, design: Design, wanted: str = "auto", *, tuned: bool = False) -> Engine:
    """Return the wanted engine; auto takes collapsed or marginal wherever it is exact and small enough, else latent.

    Of one grouping factor auto takes collapsed, and marginal where there are many levels; with several, collapsed
    stands for marginal. `tuned` says that the user has set what only Stan's sampler knows, such as its warmup.

    Raises:
        UsageError: one is wanted where it cannot be had, or there is no such engine.
    """
    if wanted not in ("auto", *EngineName):
        raise UsageError(f"there is no engine '{wanted}'.", hint=f"choose auto, {', '.join(EngineName)}")
    if wanted == FULL.name:
        return FULL
    several = len(spec.groups) > 1
    exact: tuple[Engine, ...] = (MARGINAL,) if several or _has_many_levels(design) else ()
    exact = exact if several else (*exact, COLLAPSED)
    if wanted == "auto":
        candidates: tuple[Engine, ...] = (*exact, LATENT)
    else:
        candidates = exact if several and wanted == COLLAPSED.name else (ENGINES[EngineName(wanted)],)
    for engine in candidates:
        found = list(engine.obstacles(spec, design, tuned=tuned))
        if not found:
            return engine
    if wanted != "auto":
        raise UsageError(f"the {wanted} engine cannot be had: {'; '.join(found)}.", hint="use --engine auto")
    return FULL


def _has_many_levels(design: Design) -> bool:
    """Whether Stan's gradients over all levels take longer than the points of chains of hierfit's own."""
    return any(group.n_levels >= MANY_LEVELS for group in design.groups)
