# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From camera messages to frames: pairing, intrinsics, depth registration, where the camera sits.

The offline runner and the ROS nodes take their frames from here, so that both see the same.
"""
