# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What this package finds on a machine, what is missing, and the line that installs it.

Only the standard library is imported here. Every other module is imported in a process of its own:
one that crashes, hangs or was built for another NumPy is a row of the table, never the end of it.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from loc3r_ros.doctor.engines import look_at_engines
from loc3r_ros.doctor.environment import look_at_interpreter
from loc3r_ros.doctor.finding import NODES, RECORDINGS, USES, Finding, Use, ready
from loc3r_ros.doctor.hardware import has_gpu, look_at_hardware
from loc3r_ros.doctor.packages import PACKAGES
from loc3r_ros.doctor.probe import Probe, probe
from loc3r_ros.doctor.ros import installed, is_sourced, look_at_ros
from loc3r_ros.doctor.weights import look_at_weights

__all__ = ['NODES', 'RECORDINGS', 'USES', 'Finding', 'Use', 'default_use', 'examine', 'ready']


def default_use() -> Use:
    """What a machine is for: the nodes where there is a ROS 2, else recordings."""
    return NODES if is_sourced(os.environ) or installed() else RECORDINGS


def examine(
    weights: Path | None = None, engines: Path | None = None, *, timeout_s: float = 120.0
) -> list[Finding]:
    """Look at interpreter, packages, ROS 2, and what accelerates.

    Args:
        weights: CUT3R weights to check; what they need becomes required.
        engines: folder of exported packages, whose engines take their self-test.
        timeout_s: for the import of one module.
    """
    packages = [replace(p, required_for=USES) if weights and p.encoder else p for p in PACKAGES]
    if not has_gpu():
        packages = [replace(p, used=p.used and not p.gpu) for p in packages]

    def look(name: str, distribution: str) -> Probe:
        return probe(name, distribution, timeout_s=timeout_s)

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        probes = list(
            pool.map(look, [p.module for p in packages], [p.distribution for p in packages])
        )
    distro = os.environ.get('ROS_DISTRO', '')
    rows = [p.finding(seen, distro) for p, seen in zip(packages, probes, strict=True)]
    torch = probes[[p.module for p in packages].index('torch')]
    return [
        *look_at_interpreter(os.environ),
        *(row for row, package in zip(rows, packages, strict=True) if not package.ros),
        *look_at_ros(os.environ, timeout_s),
        *(row for row, package in zip(rows, packages, strict=True) if package.ros),
        *look_at_hardware(torch),
        look_at_weights(weights),
        *(look_at_engines(engines) if engines else ()),
    ]
