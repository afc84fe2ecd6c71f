# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How many threads the linear algebra of a process takes."""

from __future__ import annotations

import os


def use_one_blas_thread() -> None:
    """Keep NumPy's OpenBLAS to one thread; call it before NumPy is imported.

    Our products are small. On two busy cores, one of 600x128 by 128x600 takes 10 ms with OpenBLAS's
    threads, which wait for each other by spinning, and 0.8 ms without. What the user has set stays.
    """
    os.environ.setdefault('OPENBLAS_NUM_THREADS', '1')
