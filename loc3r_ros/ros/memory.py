# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Memory of a network that is no longer used."""

from __future__ import annotations

import gc
import sys


def free_memory() -> None:
    """Give back what no variable holds any more, on the host and on a GPU."""
    gc.collect()
    if 'torch' in sys.modules:
        sys.modules['torch'].cuda.empty_cache()
