# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The ROS 2 nodes: parameters, conversion, timing, publishing. The only room that knows rclpy."""
