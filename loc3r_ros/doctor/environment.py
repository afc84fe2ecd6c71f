# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The Python that runs this, and the one that ROS 2 starts nodes with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from loc3r_ros.doctor.finding import NODES, USES, Finding, State

_GROUP = 'Interpreter'
_VENV = ' -m venv --system-site-packages .venv && touch .venv/COLCON_IGNORE && . .venv/bin/activate'


def look_at_interpreter(environ: Mapping[str, str]) -> list[Finding]:
    """The Python that runs this, the first one on PATH, and the one that ROS 2 was built for."""
    return [_this_python(), _python_of_nodes(), *_python_of_ros(environ)]


def _this_python() -> Finding:
    version = '.'.join(map(str, sys.version_info[:3]))
    what = f'{version}, {sys.executable}, {_kind()}'
    return Finding(_GROUP, 'Python', 'ok', what, 'everything', '', USES)


def _kind() -> str:
    if Path(sys.prefix, 'conda-meta').is_dir():
        return 'conda, which ROS 2 does not support'
    if sys.prefix == sys.base_prefix:
        return 'no venv'
    config = Path(sys.prefix, 'pyvenv.cfg').read_text()
    seen = re.search(r'include-system-site-packages\s*=\s*true', config)
    return 'venv ' + ('with' if seen else 'without') + " the system's packages"


def _python_of_nodes() -> Finding:
    """Executables begin with `#!/usr/bin/env python3`: the first one on PATH runs them."""
    state: State = 'ok'
    first, remedy = shutil.which('python3'), ''
    if first is None:
        state, what = 'broken', 'no python3 on PATH'
    elif _prefix_of(first) == sys.prefix:
        what = f'{first}, this one'
    else:
        state, what = 'broken', f'{first}, not {sys.executable}'
    if state == 'broken':
        remedy = f'. {Path(sys.prefix, "bin", "activate")}'
    purpose = 'ros2 run, ros2 launch'
    return Finding(_GROUP, 'python3 of the nodes', state, what, purpose, remedy, (NODES,))


def _prefix_of(python: str) -> str:
    """Ask it: by its path alone a link or a wrapper looks like another Python."""
    command = [python, '-c', 'import sys; print(sys.prefix)']
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _python_of_ros(environ: Mapping[str, str]) -> list[Finding]:
    """The compiled half of rclpy loads in no other Python than the one that it was built for."""
    homes = [
        home
        for prefix in filter(None, environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep))
        for lib in ('lib', 'local/lib')
        for home in Path(prefix, lib).glob('python3*/*-packages/rclpy')
    ]
    if not homes:
        return []
    theirs = homes[0].parents[1].name
    ours = f'python{sys.version_info.major}.{sys.version_info.minor}'
    if theirs == ours:
        return [Finding(_GROUP, 'Python of ROS 2', 'ok', theirs, 'rclpy', '', (NODES,))]
    what, remedy = f'{theirs}, and this is {ours}', theirs + _VENV
    return [Finding(_GROUP, 'Python of ROS 2', 'broken', what, 'rclpy', remedy, (NODES,))]
