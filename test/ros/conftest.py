# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Node tests run on the real rclpy where it imports, and else on the stand-in."""

import os
import random
import warnings
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

# Before any message module is imported: Jazzy and newer check field types only when asked to.
os.environ['ROS_PYTHON_CHECK_FIELDS'] = '1'

if os.environ.get('LOC3R_STAND_IN') == '1' or find_spec('rclpy') is None:
    import ros_stand_in

    ros_stand_in.install()
elif find_spec('loc3r_ros.msg') is None:
    warnings.warn(
        'node tests left out: rclpy imports, but loc3r_ros.msg is not built (colcon build, then '
        'source install/setup.bash; or LOC3R_STAND_IN=1 to run them on the stand-in)',
        stacklevel=1,
    )
    collect_ignore_glob = ['test_*.py']

from ros.harness import Ros


@pytest.fixture
def ros(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ros]:
    """A ROS domain for one test."""
    domain_id = random.randint(1, 101)
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain_id))  # for processes that the test starts
    harness = Ros(domain_id)
    try:
        yield harness
    finally:
        harness.close()
