# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Fixtures that every test room shares."""

from __future__ import annotations

import logging
import os
import signal
from importlib.util import find_spec
from pathlib import Path

import pytest

from loc3r_ros.hub import shipped

# With ROS sourced, pytest loads a plugin of launch's, by which every later logger would keep its
# records from `caplog`.
logging.setLoggerClass(logging.Logger)

# A shell's background jobs are deaf to Ctrl-C, and so would be all that is tested by it.
signal.signal(signal.SIGINT, signal.default_int_handler)


ONNX = ('torch', 'onnx', 'onnxruntime')
ROS = ('rclpy', 'launch_testing', 'loc3r_ros.msg')

NEEDED = {
    'cut3r/test_engine_command.py': ONNX,
    'cut3r/test_export.py': ONNX,
    'cut3r/test_serving.py': ONNX,
    'launch/test_bringup.py': ROS,
    'launch/test_costmap.py': (*ROS, 'nav2_costmap_2d'),
    'ros/test_engines.py': ONNX,
    'runtime/test_tensorrt_network.py': ONNX,
}
"""What whole files of tests cannot be read without. They do not skip themselves: with ROS sourced,
launch_testing's plugin reads them while pytest lists their folder, and all of it would be gone."""


def _is_there(needed: str) -> bool:
    try:
        if find_spec(needed):
            return True
        from ament_index_python.packages import get_packages_with_prefixes
    except ImportError:
        return False
    return needed in get_packages_with_prefixes()


LEFT_OUT = {
    file: absent
    for file, needed in NEEDED.items()
    if (absent := [name for name in needed if not _is_there(name)])
}
collect_ignore = list(LEFT_OUT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which files were left out, and why."""
    for file, absent in LEFT_OUT.items():
        terminalreporter.write_line(f'test/{file} left out: no {", ".join(absent)}')


@pytest.fixture(scope='session')
def shared_dir() -> Path:
    """Folder of the development recordings and golden vectors, which are not in the repository."""
    beside = Path(__file__).resolve().parents[2] / 'shared'
    folder = Path(os.environ.get('LOC3R_SHARED', beside))
    if not folder.is_dir():
        pytest.skip(f'no development data: set LOC3R_SHARED (looked in {folder})')
    return folder


@pytest.fixture(autouse=True)
def no_shipped_weights(monkeypatch, tmp_path_factory) -> None:
    """Tests are of a checkout without weights, whether or not it has them."""
    monkeypatch.setattr(shipped, 'FOLDER', tmp_path_factory.getbasetemp() / 'no_weights')


@pytest.fixture(scope='session')
def random_weights(tmp_path_factory) -> Path:
    """Weights as they lie in the package, of small networks that have learnt nothing."""
    from small_shipped import write_shipped

    return write_shipped(tmp_path_factory.mktemp('shipped'))


@pytest.fixture
def shipped_weights(no_shipped_weights, random_weights, monkeypatch) -> Path:
    """The package has weights."""
    monkeypatch.setattr(shipped, 'FOLDER', random_weights)
    return random_weights
