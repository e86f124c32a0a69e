"""Programs that hierfit starts and that do not outlive it, whatever ends it.

Beside the first of them a shell is started, the watcher. It reads from a pipe which programs run, and when the pipe
ends, because the last process that could write to it is gone, it kills those that still do. A program writes its own
number to the pipe before it becomes what it is, so that none is missed; those of a group take their children along.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

# "+ 4711" runs, "- 4711" is done; a group has a negative number.
_WATCHER = """
trap "" HUP INT TERM QUIT
running=
while read -r what who; do
  if [ "$what" = + ]; then running="$running $who"; continue; fi
  left=
  for one in $running; do [ "$one" = "$who" ] || left="$left $one"; done
  running=$left
done
[ -z "$running" ] || kill -s KILL -- $running 2>/dev/null
"""
# A terminal that is closed sends SIGHUP to all; the programs wait for what hierfit makes of it.
_CHILD = 'trap "" HUP PIPE; echo "+ $0$$" >&0; trap - PIPE; exec "$@" </dev/null'
_SHELL = "/bin/sh"
NOT_FOUND = 127  # the status of a command that does not exist


@dataclass
class _Watcher:
    """The watcher of one process.

    Attributes:
        owner: whose it is; a forked process needs its own.
        pipe: what is written to it.
    """

    owner: int = 0
    pipe: int = -1
    guard: threading.Lock = field(default_factory=threading.Lock)

    def line(self) -> int:
        """Return the writing end of the pipe, the watcher started where there is none."""
        with self.guard:
            if self.owner != os.getpid():
                reading, self.pipe = os.pipe()
                watcher = subprocess.Popen(
                    [_SHELL, "-c", _WATCHER],
                    stdin=reading,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    cwd="/",
                )
                watcher.returncode = 0  # it ends after this process, which therefore never waits for it
                os.close(reading)
                self.owner = os.getpid()
            return self.pipe


_watcher = _Watcher()


def start_child(command: Sequence[str], *, group: bool = False, **how: Any) -> subprocess.Popen[Any]:
    """Start a program that ends with this process, as a group with its children if so wanted; no stdin.

    A command that does not exist ends with status `NOT_FOUND`, and says so.
    """
    words = [_SHELL, "-c", _CHILD, "-" if group else "", *command]
    return subprocess.Popen(words, stdin=_watcher.line(), start_new_session=group, **how)


def child_done(child: subprocess.Popen[Any], *, group: bool = False) -> None:
    """Say that a child has ended and was waited for: another program may get its number."""
    with suppress(OSError):
        os.write(_watcher.line(), f"- {'-' if group else ''}{child.pid}\n".encode())


def run_child(command: Sequence[str], *, timeout: float | None = None, **how: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, or kill it after `timeout` seconds; return its status and what it said.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    child = start_child(command, **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **how}, text=True)
    try:
        said, _ = child.communicate(timeout=timeout)
    except BaseException:
        child.send_signal(signal.SIGKILL)
        child.wait()
        raise
    finally:
        child_done(child)
    return subprocess.CompletedProcess(list(command), child.returncode, said)
