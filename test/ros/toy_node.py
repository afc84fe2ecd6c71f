# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Runs the toy node as its executable would: `python -m ros.toy_node`, see toys/toy.py."""

from __future__ import annotations

import sys
from pathlib import Path

import loc3r_ros.ros
from loc3r_ros.ros import entry

loc3r_ros.ros.__path__.append(str(Path(__file__).parent / 'toys'))
sys.exit(entry.run('toy'))
