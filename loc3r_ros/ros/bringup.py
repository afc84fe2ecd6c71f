# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The three nodes in one process: frames, tokens and clouds pass by reference."""

from __future__ import annotations

from loc3r_ros.ros.bev_mapper import BevMapper
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.pose_encoder import PoseEncoder
from loc3r_ros.ros.spatial_vlm import SpatialVlmNode


def nodes() -> list[Stage]:
    """The nodes, wired; who listens starts before who speaks."""
    encoder = PoseEncoder()
    mapper = BevMapper(composed=True, clock=encoder.get_clock())
    vlm = SpatialVlmNode(composed=True, clock=encoder.get_clock())
    encoder.listeners += [mapper.take, vlm.take]
    encoder.companions.append(mapper)
    return [vlm, mapper, encoder]
