# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Designs of furniture from simple solids.

A design function takes a random generator and a palette and returns a `Design`: front to +x, z up,
sizes varied within what shops sell.
"""

from loc3r_ros.world.furniture.design import Design

__all__ = ['Design']
