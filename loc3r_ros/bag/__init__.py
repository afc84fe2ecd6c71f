"""Recordings in and out, without ROS: rosbag2 reading and writing, the offline runner."""
