"""The ROS 2 nodes: parameters, conversion, timing, publishing. The only room that knows rclpy."""
