# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Fixtures for the tests of launch files."""

from __future__ import annotations

from pathlib import Path
from shutil import which

import pytest
from prefix import Prefix


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    """Where packages stand in for installed ones; skips where there is no `ros2 launch`."""
    pytest.importorskip('ros2launch', reason='no ROS 2: launch files are not run')
    if which('ros2') is None:
        pytest.skip('no `ros2` on PATH: launch files are not run')
    return Prefix(tmp_path / 'prefix')
