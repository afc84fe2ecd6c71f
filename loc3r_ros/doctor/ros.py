# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The ROS 2 that is sourced, and its command line."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from loc3r_ros.doctor.finding import NODES, Finding
from loc3r_ros.doctor.probe import probe

TRIED = ('humble', 'jazzy')
_GROUP = 'ROS 2'
_OPT = Path('/opt/ros')


def is_sourced(environ: Mapping[str, str]) -> bool:
    return bool(environ.get('ROS_DISTRO') or environ.get('AMENT_PREFIX_PATH'))


def installed() -> list[str]:
    """Distributions that stand where Debian packages put them."""
    return sorted(setup.parent.name for setup in _OPT.glob('*/setup.bash'))


def how_to_source() -> str:
    """The way from no ROS 2 environment to one."""
    if distros := installed():
        return f'. {_OPT / distros[-1]}/setup.bash'
    return 'install ROS 2 Humble or Jazzy: docs/install.md'


def look_at_ros(environ: Mapping[str, str], timeout_s: float) -> list[Finding]:
    """Which distribution it is, and whether `ros2 launch` can run."""
    if not is_sourced(environ):
        args = 'not sourced', 'the nodes', how_to_source(), (NODES,)
        return [Finding(_GROUP, 'distribution', 'missing', *args)]
    return [_distribution(environ), _launch(environ, timeout_s)]


def _distribution(environ: Mapping[str, str]) -> Finding:
    distro = environ.get('ROS_DISTRO', 'unnamed')
    if environ.get('ROS_VERSION') == '1':
        args = f'{distro} is ROS 1', 'the nodes', how_to_source(), (NODES,)
        return Finding(_GROUP, 'distribution', 'broken', *args)
    what = f'{distro}, ROS_DOMAIN_ID {environ.get("ROS_DOMAIN_ID", "0")}'
    if distro not in TRIED:
        what += f'; tried are {" and ".join(TRIED)}'
    return Finding(_GROUP, 'distribution', 'ok', what, 'the nodes', '', (NODES,))


def _launch(environ: Mapping[str, str], timeout_s: float) -> Finding:
    """`ros2` runs with the Python in its first line, which no venv changes: look with that one."""
    command = shutil.which('ros2')
    python = _first_line(Path(command)) if command else ''
    seen = probe('launch_ros', timeout_s=timeout_s, python=python or sys.executable)
    purpose, distro = 'starting nodes', environ.get('ROS_DISTRO', 'DISTRO')
    if command and seen.state == 'ok':
        what = f'{command}, run by {python or sys.executable}'
        return Finding(_GROUP, 'ros2 launch', 'ok', what, purpose, '', (NODES,))
    what = seen.about or ('launch_ros not found' if command else 'no ros2 on PATH')
    remedy = f'sudo apt install ros-{distro}-ros2launch'
    return Finding(_GROUP, 'ros2 launch', 'broken', what, purpose, remedy, (NODES,))


def _first_line(script: Path) -> str:
    """The interpreter that a script names, where it names one by its path."""
    with script.open('rb') as file:
        line = file.readline(500).decode(errors='replace').strip()
    program = line.removeprefix('#!').strip()
    return program if line.startswith('#!') and os.access(program, os.X_OK) else ''
