# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The stand-in's sensor_msgs_py; see ros_stand_in."""
