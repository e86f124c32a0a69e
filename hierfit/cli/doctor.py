"""`hierfit doctor`."""

from __future__ import annotations


def doctor() -> None:
    """Check that this machine can fit: Stan, compiler, cache, and a trial fit."""
