"""Whether a person watches -> who hears how a fit goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hierfit.engines.rounds import Listener


@contextmanager
def listening(*, progress: bool) -> Iterator[Listener]:
    """Give nobody, or a bar on stderr where that is a terminal or a notebook."""
    from hierfit.cli.show.progress import Reporter
    from hierfit.engines.rounds import SILENT, Listener

    if not progress:
        yield SILENT
        return
    with Reporter(quiet=False) as reporter:
        yield Listener(None, reporter.progress)
