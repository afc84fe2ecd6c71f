# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Timers and clocks: passes on the real rclpy and on the stand-in alike."""

import time

import pytest
from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.time import Time


def test_a_timer_calls_back_until_it_is_cancelled(ros):
    node = Node('clockwork')
    calls = []
    timer = node.create_timer(0.02, lambda: calls.append(time.monotonic()))
    ros.spin(node)
    ros.wait_for(lambda: len(calls) >= 6)
    assert 0.015 < (calls[5] - calls[0]) / 5 < 0.1
    timer.cancel()
    time.sleep(0.05)
    count = len(calls)
    time.sleep(0.1)
    assert len(calls) == count
    timer.reset()
    ros.wait_for(lambda: len(calls) > count)
    assert node.destroy_timer(timer)


def test_a_late_timer_does_not_make_up_for_what_it_missed(ros):
    node = Node('clockwork')
    calls = []
    node.create_timer(0.02, lambda: calls.append(time.monotonic()) or time.sleep(0.1))
    ros.spin(node)
    time.sleep(0.55)
    assert 3 <= len(calls) <= 6


def test_simulated_time_stands_still_between_clock_messages(ros):
    node = Node('simulated', parameter_overrides=[Parameter('use_sim_time', value=True)])
    simulated, steady = [], []
    node.create_timer(1.0, lambda: simulated.append(node.get_clock().now().nanoseconds))
    node.create_timer(0.05, lambda: steady.append(1), clock=Clock(clock_type=ClockType.STEADY_TIME))
    ros.spin(node)
    assert node.get_clock().now().nanoseconds == 0 and node.get_clock().ros_time_is_active
    last = Time(seconds=12.05, clock_type=ClockType.ROS_TIME)
    for tenths in range(100, 121):
        ros.set_time(tenths * 10**8 + 5 * 10**7)
        time.sleep(0.01)
    ros.wait_for(lambda: node.get_clock().now() == last)
    ros.wait_for(lambda: len(steady) >= 3)
    assert [round(stamp / 1e9) for stamp in simulated] == [10, 11, 12]


def test_jumps_of_time_call_back(ros):
    node = Node('simulated', parameter_overrides=[Parameter('use_sim_time', value=True)])
    back, change, forward = [], [], []

    def on_jump(jumps, forward_s, back_s, on_change):
        threshold = JumpThreshold(
            min_forward=forward_s and Duration(seconds=forward_s),
            min_backward=back_s and Duration(seconds=back_s),
            on_clock_change=on_change,
        )
        return node.get_clock().create_jump_callback(threshold, post_callback=jumps.append)

    handles = [
        on_jump(back, None, -1.0, False),
        on_jump(forward, 5.0, None, False),
        on_jump(change, None, None, True),
    ]
    ros.spin(node)
    for seconds in (100, 101, 100.5, 98, 99, 104):
        ros.set_time(int(seconds * 1e9))
        ros.wait_for(lambda s=seconds: node.get_clock().now().nanoseconds == int(s * 1e9))
    assert [jump.delta.nanoseconds for jump in back] == [int(-2.5e9)]
    assert [jump.delta.nanoseconds for jump in forward] == [int(100e9), int(5e9)]
    node.set_parameters([Parameter('use_sim_time', value=False)])
    assert [jump.clock_change.name for jump in change] == ['ROS_TIME_DEACTIVATED']
    for handle in handles:
        handle.unregister()
    assert abs(node.get_clock().now().nanoseconds - time.time_ns()) < 1e9


def test_times_of_different_clocks_do_not_mix():
    ros_time = Time(seconds=2, nanoseconds=5, clock_type=ClockType.ROS_TIME)
    assert ros_time.seconds_nanoseconds() == (2, 5)
    assert Time.from_msg(ros_time.to_msg()) == ros_time
    assert (ros_time - Duration(seconds=1)).nanoseconds == 1_000_000_005
    assert ros_time - Time(seconds=1, clock_type=ClockType.ROS_TIME) == Duration(
        seconds=1, nanoseconds=5
    )
    assert Duration(seconds=-1) < Duration()
    with pytest.raises(TypeError):
        _ = ros_time < Time()
    with pytest.raises(ValueError):
        Time(seconds=-1)
