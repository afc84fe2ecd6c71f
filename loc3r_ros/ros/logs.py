# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Log lines of the library in the log of ROS, and the line that says what runs."""

from __future__ import annotations

import logging
import os
import sys
from importlib import metadata

from rclpy.logging import LoggingSeverity, get_logger

from loc3r_ros import __version__

_PACKAGES = (('numpy', ('numpy',)), ('cv2', ('opencv-python-headless', 'opencv-python')))


class _Forward(logging.Handler):
    """Hands records to rclpy, whose console, file and --log-level then apply."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = get_logger(record.name)
        text = self.format(record)
        # One call site a severity: rclpy refuses a second severity from the same line.
        if record.levelno >= logging.ERROR:
            logger.error(text)
        elif record.levelno >= logging.WARNING:
            logger.warning(text)
        elif record.levelno >= logging.INFO:
            logger.info(text)
        else:
            logger.debug(text)


def forward_logging() -> None:
    """Have what `loc3r_ros` logs appear in the log of ROS."""
    ours = logging.getLogger('loc3r_ros')
    ours.handlers = [_Forward()]
    is_verbose = get_logger('loc3r_ros').is_enabled_for(LoggingSeverity.DEBUG)
    ours.setLevel(logging.DEBUG if is_verbose else logging.INFO)
    ours.propagate = False


def log_versions(name: str) -> None:
    """The first line of every log: which interpreter runs, and with what."""
    versions = [f'{module} {_version(module, names)}' for module, names in _PACKAGES]
    versions.append(f'torch {_version("torch", ("torch",))}')
    distro = os.environ.get('ROS_DISTRO', 'of unknown name')
    get_logger(name).info(
        f'loc3r_ros {__version__} on {sys.executable} (Python {sys.version.split()[0]}), '
        f'ROS {distro}, {", ".join(versions)}'
    )


def _version(module: str, distributions: tuple[str, ...]) -> str:
    """Of an imported module, or of what is installed; nothing is imported for it."""
    if module in sys.modules:
        return str(sys.modules[module].__version__)
    for distribution in distributions:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return 'not found'
