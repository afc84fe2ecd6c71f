"""The stand-in's sensor_msgs_py; see ros_stand_in."""
