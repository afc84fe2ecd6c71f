# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""GPU and Jetson."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from loc3r_ros.doctor.finding import Finding
from loc3r_ros.doctor.probe import Probe

_GROUP = 'Acceleration'
_TEGRA = Path('/etc/nv_tegra_release')
_JETPACK = {35: 5, 36: 6, 38: 7}
"""JetPack by major release of L4T."""


def look_at_hardware(torch: Probe) -> list[Finding]:
    """The GPU as torch sees it, else as its driver does; the release of a Jetson."""
    jetson = _jetson()
    return [_gpu(torch, _nvidia_smi() or ('the GPU of a Jetson' if jetson else '')), *jetson]


def has_gpu() -> bool:
    """Whether there is a GPU of NVIDIA's, by its driver or by the board."""
    return bool(_nvidia_smi() or _jetson())


def _gpu(torch: Probe, driver: str) -> Finding:
    purpose = 'speed of the encoder'
    if torch.gpus:
        return Finding(_GROUP, 'GPU', 'ok', '; '.join(torch.gpus), purpose)
    if not driver:
        return Finding(_GROUP, 'GPU', 'missing', 'no NVIDIA driver', purpose)
    what = f'{driver}: not usable by torch ({torch.about or torch.state})'
    remedy = 'install a torch that is built for this GPU: docs/install.md'
    return Finding(_GROUP, 'GPU', 'broken', what, purpose, remedy)


def _nvidia_smi() -> str:
    fields = '--query-gpu=name,memory.total,driver_version'
    command = ['nvidia-smi', fields, '--format=csv,noheader']
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ''
    return '; '.join(done.stdout.splitlines())


def _jetson() -> list[Finding]:
    try:
        text = _TEGRA.read_text(errors='replace')
    except OSError:
        return []
    what = text.splitlines()[0] if text else 'unknown release'
    if release := re.search(r'R(\d+).*?REVISION:\s*([\d.]+)', text):
        jetpack = _JETPACK.get(int(release[1]))
        what = f'L4T {release[1]}.{release[2]}' + (f', JetPack {jetpack}' if jetpack else '')
    return [Finding(_GROUP, 'Jetson', 'ok', what, 'which torch and TensorRT fit')]
