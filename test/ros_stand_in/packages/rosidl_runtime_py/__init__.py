"""The stand-in's rosidl_runtime_py; see ros_stand_in."""
