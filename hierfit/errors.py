"""Every error that hierfit raises on purpose.

    HierfitError
    ├── UsageError        options that contradict each other or make no sense       exit 2
    ├── DataError         a file, column, line or value that cannot be used         exit 2
    ├── FormulaError      a formula that does not parse or asks the impossible      exit 2
    ├── PriorError        a prior that does not parse or names no parameter         exit 2
    ├── RunFolderError    a run folder that is missing, broken or in the way        exit 2
    ├── DiskError         a disk that is full, or refuses to write                  exit 2
    ├── ToolchainError    no stanc, compiler or place to build in; a failed build   exit 3
    ├── SamplerError      the executable stopped without usable draws               exit 3
    └── Interrupted       the user or a signal stopped the work                     exit 130

Each carries a message (what was read, where, what was found) and, where there is one, a hint (what to try next). The
command line prints both and leaves with the exit code; the library never prints. Any other exception is a bug of
ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the shell gets to see."""

    OK = 0
    CHECKS_FAILED = 1
    USAGE = 2
    SAMPLER = 3
    BUG = 101
    INTERRUPTED = 130


class HierfitError(Exception):
    """An error whose message is meant for the user."""

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(HierfitError):
    """Options that contradict each other or make no sense."""


class DataError(HierfitError):
    """A file, column, line or value that cannot be used."""


class FormulaError(HierfitError):
    """A formula that does not parse or asks for something impossible."""


class PriorError(HierfitError):
    """A prior that does not parse or names no parameter of the model."""


class RunFolderError(HierfitError):
    """A run folder that is missing, broken or in the way."""


class DiskError(HierfitError):
    """A disk that is full or refuses to write."""


class ToolchainError(HierfitError):
    """No stanc, no compiler, no place to build in, or a build that failed."""

    exit_code = ExitCode.SAMPLER


class SamplerError(HierfitError):
    """The executable stopped without usable draws."""

    exit_code = ExitCode.SAMPLER


class Interrupted(HierfitError):
    """The user, or a signal, stopped the work: before there was anything to keep, or when all was kept."""

    exit_code = ExitCode.INTERRUPTED


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest valid name, or an empty string."""
    near = difflib.get_close_matches(name, list(valid), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
