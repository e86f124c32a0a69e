"""cmdstanpy, imported so that the folder for temporary files that it makes at once is in ours, and outlives no kill."""

from __future__ import annotations

import tempfile
import threading
from typing import Any

from hierfit.disk.scratch import scratch_home

_importing = threading.Lock()


def load_cmdstanpy() -> Any:
    """Return the package, silent.

    Raises:
        DiskError: there is no room for temporary files.
    """
    home = scratch_home()
    with _importing:
        usual, tempfile.tempdir = tempfile.tempdir, str(home)
        try:
            import cmdstanpy
        finally:
            tempfile.tempdir = usual
    cmdstanpy.disable_logging()
    return cmdstanpy
