"""Commands that run side by side, from one thread or several, and are stopped together.

An interrupt reaches the main thread only, which may be waiting for others: leaving a `with jobs:` block through it
ends every command with the processes that it has started, and no new one begins.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from hierfit.errors import ToolchainError
from hierfit.stan.children import child_done, start_child


class Jobs:
    """The commands of a build, or of several at the same time."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._guard = threading.Lock()
        self._stopped = False

    def __enter__(self) -> Jobs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self.stop()

    def stop(self) -> None:
        """End what runs; whoever waits for it or wants to start more gets a ToolchainError."""
        with self._guard:
            self._stopped = True
            for job in self._running:
                if job.poll() is None:
                    with suppress(ProcessLookupError):  # it has just ended, in the thread that waits for it
                        os.killpg(job.pid, signal.SIGTERM)

    def check(self) -> None:
        """Raise ToolchainError when all has been stopped."""
        if self._stopped:
            raise ToolchainError("Building was stopped.")

    def run(self, commands: Sequence[Sequence[str]], folder: Path, log: Path) -> bool:
        """Run commands side by side and return whether all succeeded; what they say is added to the log."""
        if len(commands) == 1:
            return self._run(commands[0], folder, log)
        with ThreadPoolExecutor(len(commands)) as pool, self:
            return all(list(pool.map(lambda command: self._run(command, folder, log), commands)))

    def _run(self, command: Sequence[str], folder: Path, log: Path) -> bool:
        with self._guard:
            self.check()
            job = start_child(
                command,
                group=True,
                cwd=folder,
                env={**os.environ, "TMPDIR": str(folder)},  # where what a killed compiler leaves is removed
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            self._running.add(job)
        try:
            with self:
                output = job.communicate()[0]
        finally:
            with self._guard:  # `stop` goes through what runs in another thread
                self._running.discard(job)
            child_done(job, group=True)
        with log.open("a") as stream:
            stream.write(f"$ {' '.join(command)}\n{output}")
        self.check()
        return job.returncode == 0
