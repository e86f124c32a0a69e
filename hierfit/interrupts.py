"""Requests to stop: Ctrl-C, SIGTERM (timeout, batch systems, containers) and SIGHUP (a terminal that was closed).

All are a KeyboardInterrupt in the main thread. What must not be cut in two, such as saving, runs inside `shielded`,
where the first request is noted and the work goes on.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Shield:
    """What `shielded` yields.

    Attributes:
        asked: whether somebody has asked to stop meanwhile.
    """

    asked: bool = False


@dataclass
class _State:
    shields: list[Shield] = field(default_factory=list)
    stopping: bool = False


_state = _State()


@contextmanager
def listening() -> Iterator[None]:
    """Let SIGTERM and SIGHUP act like Ctrl-C within; a signal that was ignored before, as by nohup, still is.

    Only Ctrl-C, which a person presses, is heard again: a terminal and `timeout` send their signals twice.
    """
    _state.stopping = False
    with _handled(_SIGNALS):
        yield


def asked_to_stop() -> bool:
    """Return whether somebody has asked to stop since `listening` began."""
    return _state.stopping


@contextmanager
def shielded() -> Iterator[Shield]:
    """Note the first request to stop and go on; a second Ctrl-C is a KeyboardInterrupt after all."""
    shield = Shield()
    if threading.current_thread() is not threading.main_thread():  # signals are handled in the main thread only
        yield shield
        return
    ours = [] if signal.getsignal(signal.SIGINT) is _heard else [signal.SIGINT]
    with _handled(ours):
        _state.shields.append(shield)
        try:
            yield shield
        finally:
            _state.shields.remove(shield)


@contextmanager
def _handled(signals: Any) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in signals}
    taken = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in taken:
        signal.signal(number, _heard)
    try:
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)


def _heard(number: int, frame: FrameType | None) -> None:
    first = not any(shield.asked for shield in _state.shields)
    again, _state.stopping = _state.stopping, True
    if _state.shields and (first or number != signal.SIGINT):
        for shield in _state.shields:
            shield.asked = True
    elif number == signal.SIGINT or not again:
        raise KeyboardInterrupt
