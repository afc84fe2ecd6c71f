# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Fixtures that every test room shares."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

import pytest

from loc3r_ros.hub import shipped

# With ROS sourced, pytest loads a plugin of launch's, by which every later logger would keep its
# records from `caplog`.
logging.setLoggerClass(logging.Logger)

# A shell's background jobs are deaf to Ctrl-C, and so would be all that is tested by it.
signal.signal(signal.SIGINT, signal.default_int_handler)


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
