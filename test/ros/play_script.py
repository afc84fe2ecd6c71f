# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The executable `play`, as its wrapper under lib/loc3r_ros runs it."""

from loc3r_ros.ros.entry import play

if __name__ == '__main__':
    play()
