# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Dense heads: points, confidence and colour from the tokens of one frame."""

from loc3r_ros.cut3r.heads.common import Heads, Levels, Maps
from loc3r_ros.cut3r.heads.dpt import DptHeads
from loc3r_ros.cut3r.heads.linear import LinearHeads

__all__ = ['DptHeads', 'Heads', 'Levels', 'LinearHeads', 'Maps']
