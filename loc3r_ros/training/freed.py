# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the C library does with memory that was freed."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""Of `mallopt`, in malloc.h of glibc."""


def keep_freed_memory() -> None:
    """Keep what is freed for the next allocation; only glibc is known to listen.

    It gives blocks above 32 MB back to the system at once, and their pages are cleared anew at the
    next step: a fifth of the time of one of the language stage on a CPU.
    """
    if sys.platform != 'linux':
        return
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)
