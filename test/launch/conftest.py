# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Fixtures for the tests of launch files."""

from __future__ import annotations

import os
from pathlib import Path
from shutil import which

import pytest
from prefix import Prefix

if os.environ.get('LOC3R_STAND_IN') == '1':  # then there is no ROS, as far as tests can see
    collect_ignore = ['test_bringup.py', 'test_costmap.py', 'test_launch_files.py']


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    """Where packages stand in for installed ones; skips where there is no `ros2 launch`."""
    pytest.importorskip('ros2launch', reason='no ROS 2: launch files are not run')
    if which('ros2') is None:
        pytest.skip('no `ros2` on PATH: launch files are not run')
    return Prefix(tmp_path / 'prefix')
