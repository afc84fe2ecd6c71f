# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Fixtures that every test room shares."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

# With ROS sourced, pytest loads a plugin of launch's, by which every later logger would keep its
# records from `caplog`.
logging.setLoggerClass(logging.Logger)


@pytest.fixture(scope='session')
def shared_dir() -> Path:
    """Folder of the development recordings and golden vectors, which are not in the repository."""
    beside = Path(__file__).resolve().parents[2] / 'shared'
    folder = Path(os.environ.get('LOC3R_SHARED', beside))
    if not folder.is_dir():
        pytest.skip(f'no development data: set LOC3R_SHARED (looked in {folder})')
    return folder
