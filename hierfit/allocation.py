"""Memory that is freed is kept for what comes next: blocks of draws come and go by the megabyte, hundreds of times.

glibc gives such blocks back to the system at once, which then clears each of their pages anew: up to half of the time
of arithmetic on them. For programs that end when they have answered; a no-op elsewhere than under glibc.
"""

from __future__ import annotations

import sys

# Of mallopt (malloc.h): blocks below the one come from the heap, whose end is kept up to the other.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
KEPT = 1 << 28
LARGEST = 1 << 25


def keep_freed() -> None:
    """Keep blocks of up to 32 MB, 256 MB of them together."""
    if sys.platform != "linux":
        return
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_MMAP_THRESHOLD, LARGEST)
    mallopt(_TRIM_THRESHOLD, KEPT)
