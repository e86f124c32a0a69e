"""Start: how sampling started, and whether how to start is left to hierfit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from hierfit.plain import Count, Key, Later
from hierfit.sampling import SamplerOptions

SHORT_WARMUP = 300


@dataclass(frozen=True)
class Start:
    """How sampling started.

    Attributes:
        origin: "mode", with the metric of the curvature there; "adaptation", with a warmup that adapts; "proposal",
            of chains that need no warmup (`engines.marginal`).
        warmup: iterations of each chain that were not kept.
        seconds: what the search for the mode took, and an attempt that was given up.
        reason: why the last attempt before was given up; None where it was kept or there was none.
        tried: what that attempt was.
        centered: the sds whose effects the draws hold with their mean (`full.centering`), by name, with how many levels
            where not all are so.
        attempts: all that were given up, and why, in words.
    """

    origin: Annotated[Literal["mode", "adaptation", "proposal"], Key("from")]
    warmup: Count
    seconds: float = 0.0
    reason: str | None = None
    tried: Later[str | None] = "from the mode"
    centered: Later[tuple[str, ...]] = ()
    attempts: Later[tuple[str, ...]] = ()

    @property
    def at_mode(self) -> bool:
        """Whether chains started at the mode."""
        return self.origin == "mode"


def may_try(data: Mapping[str, Any], options: SamplerOptions) -> bool:
    """Whether all is left to hierfit, there are rows, and no horseshoe, whose funnels want the ordinary warmup."""
    return is_untouched(options) and not data["prior_only"] and not data["H"]


def is_untouched(options: SamplerOptions) -> bool:
    """Whether nothing is said of warmup, start, metric and step size."""
    names = ("warmup", "adapt_delta", "inits", "inv_metric", "step_size")
    return all(getattr(options, name) is None for name in names) and options.adapt and options.metric == "diag_e"


def is_tuned(options: SamplerOptions) -> bool:
    """Whether the user has set what only Stan's sampler knows."""
    return not is_untouched(options) or options.max_treedepth != SamplerOptions().max_treedepth
