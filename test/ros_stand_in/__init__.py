# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A small in-process stand-in for ROS 2, so that the node tests run where ROS is not installed.

What it is: the part of rclpy, tf2_ros, sensor_msgs_py and rosidl_runtime_py that the nodes and
their tests use, written anew from the documented behaviour, and message classes generated from
message definitions (ours are read from msg/, srv/ and action/). Everything that is published,
asked or answered is serialised to CDR and read back on its way, so a field of a wrong type fails
as it does with `ROS_PYTHON_CHECK_FIELDS=1`, and a receiver never shares memory with a sender.

What it is not: a middleware. There is no discovery delay, no loss, no other process, and of the QoS
policies only reliability, durability, history and depth work, as the nodes rely on no others. So
races with discovery, and signals that an idle rclpy misses, show on the real one only. Callbacks
that are coroutines are refused. What is absent from Humble or from the newest rclpy (`Logger.warn`,
BEST_AVAILABLE, ...) is absent here, so that the nodes cannot come to depend on it.

How far it can be trusted: test/ros/test_stand_in_*.py are a table of behaviours that passes on this
and on the real rclpy of Humble and Jazzy alike. `LOC3R_STAND_IN=1` forces the stand-in where the
real one imports too.

    import ros_stand_in

    ros_stand_in.install()
    import rclpy                            # from here on as always
    from loc3r_ros.msg import PoseToken

In a process of its own: `python -m ros_stand_in MODULE ARGUMENTS...`.
"""

import sys
from pathlib import Path

from ros_stand_in.importer import InterfaceFinder

_PACKAGES = Path(__file__).parent / 'packages'


def install() -> None:
    """Let `import rclpy` and the message packages resolve to the stand-in."""
    if not any(isinstance(finder, InterfaceFinder) for finder in sys.meta_path):
        sys.path.insert(0, str(_PACKAGES))
        sys.meta_path.insert(0, InterfaceFinder())
