"""What is said while hierfit works, all on stderr: short lines, and on a terminal one bar over all chains."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console

from hierfit.cli.page import clear, ready, show

if TYPE_CHECKING:
    from hierfit.sampling import Progress


class Reporter:
    """Says things on stderr unless quiet; as a context manager, shows the bar while its block runs."""

    def __init__(self, *, quiet: bool, work: str = "Sampling", barred: bool = True) -> None:
        self._quiet, self._work, self._barred = quiet, work, barred
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bar: Any = None
        self._task: Any = None

    def say(self, text: str) -> None:
        """Write a line, above the bar if there is one."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(ready(text), markup=False, emoji=False)
        else:
            show(text, err=True)

    def progress(self, progress: Progress) -> None:
        """Move the bar."""
        if self._bar is None:
            return
        if self._task is None:
            self._task = self._bar.add_task("", total=progress.total, phase="", divergent="")
        divergent = f"{progress.divergences:,} divergent" if progress.divergences else ""
        self._bar.update(self._task, completed=progress.done, phase=progress.phase, divergent=divergent)

    def count(self, done: float, total: int) -> None:
        """Move the bar of what is done piece by piece."""
        if self._bar is None:
            return
        if self._task is None:
            self._task = self._bar.add_task("", total=total, phase="", divergent="")
        self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Reporter:
        # rich would believe FORCE_COLOR, and draw into a file; it knows a notebook
        if not self._quiet and self._barred and (sys.stderr.isatty() or self._console.is_jupyter):
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn(self._work),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.fields[phase]}"),
                TextColumn("[yellow]{task.fields[divergent]}"),
                TimeRemainingColumn(),
                TextColumn("left"),
                console=self._console,
                transient=True,
            )
            clear()
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
