"""Where a run lives: a folder that the user named, or a temporary one that goes with its Run."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from itertools import count
from pathlib import Path

from hierfit.disk.folder import claimed
from hierfit.disk.scratch import scratch_home
from hierfit.errors import RunFolderError
from hierfit.runs.files import MANIFEST, written
from hierfit.runs.place import check_free

_number = count(1)


class RunPlace:
    """The folder of a run; a temporary one is removed when nothing refers to this any more, or Python ends.

    Attributes:
        folder: where the run is.
        temporary: whether it is a temporary one.
    """

    def __init__(self, folder: Path | None) -> None:
        self.temporary = folder is None
        if folder is None:
            home = Path(tempfile.mkdtemp(prefix="run-", dir=scratch_home()))
            folder = home / f"run{next(_number)}"  # a name of its own, for comparisons
            weakref.finalize(self, _remove, home, os.getpid())
        self.folder = folder

    def copied(self, folder: Path, *, overwrite: bool) -> RunPlace:
        """Return a copy of the run in another folder, its pictures too.

        Raises:
            RunFolderError: it cannot take the run.
            DiskError: it cannot be written.
        """
        if folder.exists() and folder.samefile(self.folder):
            raise RunFolderError(f"the run is in {folder} already.")
        check_free(folder, overwrite=overwrite)
        with claimed(folder) as place:
            check_free(folder, overwrite=overwrite)
            with place.replacing(written(folder), MANIFEST) as new:
                for name in sorted(written(self.folder)):
                    (new / name).parent.mkdir(exist_ok=True)
                    shutil.copyfile(self.folder / name, new / name)
        return RunPlace(folder)


def _remove(home: Path, process: int) -> None:
    if os.getpid() == process:  # not in a process that was forked from it
        shutil.rmtree(home, ignore_errors=True)
