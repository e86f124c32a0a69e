"""A command -> how long it took from start to end, and the most memory it held.

The clock runs from before the process is started until it has ended and been waited for. Memory is that of the
command and everything it starts, at the same time: chains are processes of their own, and their memory adds up. Linux
tells it as proportional set size (what processes share is counted once), looked at ten times a second, less often
where looking is slow, so that it never takes more than 1/40 of one core. The high-water mark of every single process,
which remembers short peaks, is a lower bound, and so is what `os.wait4` says of the largest process in the end, unless
that is the memory of the harness itself, from which the process was forked. Elsewhere than on Linux it is all there is.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FIRST_PAUSE_SECONDS, LOOK_SECONDS = 0.01, 0.1
LOOKING_SHARE = 1 / 40
PROC = Path("/proc/self/smaps_rollup").exists()
PATIENCE_SECONDS = 10.0
Ending = Literal["finished", "capped", "out of memory"]


@dataclass(frozen=True)
class Limits:
    """When a command is stopped.

    Attributes:
        seconds: by the clock.
        bytes: of memory.
    """

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Timing:
    """How a command went.

    Attributes:
        seconds: from start to end.
        peak_bytes: the most memory, of all its processes together.
        status: exit status, negative where a signal ended it.
        ending: whether it finished by itself, or what it ran into.
    """

    seconds: float
    peak_bytes: int
    status: int
    ending: Ending


def run_timed(
    command: Sequence[str], log: Path, limits: Limits, environment: Mapping[str, str] | None = None
) -> Timing:
    """Run a command to its end or its limits, what it says going to a log."""
    with log.open("w") as stream:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    watch = _Watch(process.pid, limits, started)
    try:
        _, wait_status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(wait_status)
    finally:
        watch.end()
        if PROC or process.returncode is None:
            _end_session(process.pid)
    largest, own = _largest_bytes(usage), _largest_bytes(resource.getrusage(resource.RUSAGE_SELF))
    peak = largest if largest > own or not PROC else 0
    return Timing(seconds, max(watch.peak_bytes, peak), process.returncode, watch.ending)


def _largest_bytes(usage: resource.struct_rusage) -> int:
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class _Watch:
    """A thread that looks at the memory of a session and kills it at its limits."""

    def __init__(self, session: int, limits: Limits, started: float) -> None:
        self.peak_bytes = 0
        self.ending: Ending = "finished"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, args=(session, limits, started), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join()

    def _look_on(self, session: int, limits: Limits, started: float) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = time.thread_time()  # a busy machine makes looking slow, not costly
            memory = [_memory_of(process) for process in _processes_of(session)]
            marks = [mark for _, mark in memory]
            self.peak_bytes = max(self.peak_bytes, sum(held for held, _ in memory), *marks)
            if self._over.is_set():
                return
            if time.perf_counter() - started > limits.seconds:
                self.ending = "capped"
            elif self.peak_bytes > limits.bytes:
                self.ending = "out of memory"
            if self.ending != "finished":
                _kill_session(session)
                return
            if self._over.wait(pause):
                return
            pause = max(min(2 * pause, LOOK_SECONDS), (time.thread_time() - began) / LOOKING_SHARE)


def _processes_of(session: int) -> Iterator[int]:
    """Ids of the live processes of a session; /proc/*/stat has state, parent, group, session after the name."""
    if not PROC:
        yield session
        return
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                words = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            if int(words[3]) == session and words[0] != "Z":
                yield int(entry)


def _memory_of(process: int) -> tuple[int, int]:
    """Proportional set size and high-water mark of the resident set, in bytes; 0 where it has ended."""
    return _proc_bytes(process, "smaps_rollup", "Pss:"), _proc_bytes(process, "status", "VmHWM:")


def _proc_bytes(process: int, file: str, label: str) -> int:
    try:
        lines = Path("/proc", str(process), file).read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(label)), 0)


def _end_session(session: int) -> None:
    """Kill what is left of a session and wait until it is gone, for some seconds at most."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    _kill_session(session)
    while PROC and any(_processes_of(session)) and time.perf_counter() < deadline:
        time.sleep(FIRST_PAUSE_SECONDS)


def _kill_session(session: int) -> None:
    """Kill what is left of a session that `run_timed` has started."""
    for process in list(_processes_of(session)):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
