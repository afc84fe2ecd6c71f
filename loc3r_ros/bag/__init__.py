# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Recordings in and out, without ROS: rosbag2 reading and writing, the offline runner."""
