"""The names of the engines; what each is, `engine` says."""

from __future__ import annotations

from enum import StrEnum


class EngineName(StrEnum):
    """How run.json and the command line call the engines."""

    FULL = "full"
    COLLAPSED = "collapsed"
    MARGINAL = "marginal"
    LATENT = "latent"
