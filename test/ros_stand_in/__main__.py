# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Run a module on the stand-in: `python -m ros_stand_in MODULE ARGUMENTS...`."""

import runpy
import sys

import ros_stand_in

if __name__ == '__main__':
    ros_stand_in.install()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)
