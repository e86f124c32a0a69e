"""Figures, and what saves each -> the same figures, saved: by a process of its own each, while the next one is drawn.

Layout, dots and compression take longer than what a figure is made of. A child has the figure as it is at the moment
that it is split off, so that nothing is sent there; it writes its file, or says what went wrong, and ends. Only where
that is safe and there is something to gain: no other thread is at work, there is more than one processor, and the
system is one where a process may be split in two.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


def saved_beside(figures: Iterable[T], save: Callable[[T], None]) -> Iterator[T]:
    """Yield figures in order, each when it is saved.

    Raises:
        Exception: what `save` raises, and MemoryError where the system ended a process.
    """
    most = os.cpu_count() or 1
    waiting: deque[_Saving[T]] = deque()
    try:
        for figure in figures:
            if most == 1 or not _may_split():
                save(figure)
                yield figure
                continue
            waiting.append(_split_off(figure, save))
            while len(waiting) >= most or (waiting and waiting[0].is_done()):
                yield waiting.popleft().finished()
        while waiting:
            yield waiting.popleft().finished()
    finally:
        for left in waiting:
            left.stop()


def _may_split() -> bool:
    """Whether this process may be split in two: other threads would be missing in the child, with what they hold."""
    return sys.platform == "linux" and threading.active_count() == 1


@dataclass(eq=False)
class _Saving(Generic[T]):
    """A child that saves a figure.

    Attributes:
        figure: what it saves.
        process: its number.
        said: where it writes what went wrong; nothing where all is well.
    """

    figure: T
    process: int
    said: int
    status: int | None = None

    def is_done(self) -> bool:
        """Whether it has ended."""
        if self.status is None:
            ended, status = os.waitpid(self.process, os.WNOHANG)
            self.status = status if ended else None
        return self.status is not None

    def finished(self) -> T:
        """Return the figure once it is saved."""
        with os.fdopen(self.said, "rb") as stream:
            error = stream.read()
        self._wait()
        if error:
            raise pickle.loads(error)
        if self.status != 0:
            raise MemoryError("a process that saved a picture was ended")
        return self.figure

    def stop(self) -> None:
        """End it, whatever it has done."""
        if self.status is None:
            os.kill(self.process, signal.SIGKILL)
        os.close(self.said)
        self._wait()

    def _wait(self) -> None:
        if self.status is None:
            _, self.status = os.waitpid(self.process, 0)


def _split_off(figure: T, save: Callable[[T], None]) -> _Saving[T]:
    said, speaks = os.pipe()
    process = os.fork()
    if process:
        os.close(speaks)
        return _Saving(figure, process, said)
    status = 1
    try:  # in the child, which leaves nothing to what comes after it in the parent
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and stops its children
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.close(said)
        try:
            save(figure)
        except Exception as error:
            with os.fdopen(speaks, "wb") as stream:
                pickle.dump(error, stream)
        status = 0
    finally:
        os._exit(status)
