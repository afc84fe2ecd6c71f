# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

import mmap
import os
from typing import Any

import numpy as np
import psutil
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.parameter import Parameter as RosParameter

from loc3r_ros.errors import InputError
from loc3r_ros.ros.diagnostics import Level, Report
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.statistics import Latency, Rate, memory_bytes


class Reporting(Stage):
    part = 'encoder'

    def __init__(self, **values: Any) -> None:
        values = {'diagnostics_period_s': 0.1, **values}
        overrides = [RosParameter(name, value=value) for name, value in values.items()]
        super().__init__('pose_encoder', (), namespace='/loc3r', parameter_overrides=overrides)
        self.error: Exception | None = None

    def configure(self) -> None:
        if self.error:
            raise self.error

    def status(self) -> list[Report]:
        if self.error:
            raise self.error
        return [
            Report('input', Level.WARN, 'slow', {'rate_hz': 4.98765, 'dropped': 3}),
            Report('encoder', values={'engine': 'depth only', 'latency_p95_ms': 12.3456}),
        ]


@pytest.fixture
def statuses(ros):
    """What came on /diagnostics, by name; the last of each."""
    seen: dict[str, Any] = {}

    def note(message: Any) -> None:
        seen.update({status.name: status for status in message.status})
        seen['stamp'] = message.header.stamp

    ros.node.create_subscription(DiagnosticArray, '/diagnostics', note, 10)
    return seen


def test_an_active_node_publishes_its_reports(ros, statuses):
    node = Reporting()
    ros.spin(node)
    node.start()
    ros.wait_for(lambda: 'loc3r: input' in statuses)
    slow, fine = statuses['loc3r: input'], statuses['loc3r: encoder']
    assert (slow.level, slow.message) == (DiagnosticStatus.WARN, 'slow')
    assert slow.hardware_id == '/loc3r/pose_encoder'
    assert {pair.key: pair.value for pair in slow.values} == {'rate_hz': '4.988', 'dropped': '3'}
    assert (fine.level, fine.message) == (DiagnosticStatus.OK, 'ok')
    assert {pair.key: pair.value for pair in fine.values} == {
        'engine': 'depth only',
        'latency_p95_ms': '12.35',
    }


@pytest.mark.parametrize('state', ['unconfigured', 'inactive'])
def test_a_node_that_waits_is_stale_and_says_in_which_state(ros, statuses, state):
    node = Reporting()
    if state == 'inactive':
        node.trigger_configure()
    ros.spin(node)
    status = ros.wait_for(lambda: statuses.get('loc3r: encoder'))
    assert (status.level, status.message) == (DiagnosticStatus.STALE, state)


def test_a_refused_transition_is_an_error_with_its_reason(ros, statuses):
    node = Reporting()
    node.error = InputError('weights /a is missing')
    node.start()
    ros.spin(node)
    status = ros.wait_for(lambda: statuses.get('loc3r: encoder'))
    assert (status.level, status.message) == (DiagnosticStatus.ERROR, 'weights /a is missing')


def test_a_status_that_fails_is_an_error_and_the_node_lives(ros, statuses):
    node = Reporting()
    ros.spin(node)
    node.start()
    ros.wait_for(lambda: 'loc3r: input' in statuses)
    node.error = ValueError('a bug')

    def message() -> str:
        return statuses['loc3r: encoder'].message

    ros.wait_for(lambda: message() == 'status failed: ValueError: a bug')
    assert statuses['loc3r: encoder'].level == DiagnosticStatus.ERROR
    node.error = None
    ros.wait_for(lambda: message() == 'ok')


def test_paused_simulated_time_does_not_silence_it(ros, statuses):
    node = Reporting(use_sim_time=True)
    ros.spin(node)
    node.start()
    ros.wait_for(lambda: 'loc3r: input' in statuses)
    statuses.clear()
    ros.wait_for(lambda: 'loc3r: input' in statuses)
    assert (statuses['stamp'].sec, statuses['stamp'].nanosec) == (0, 0)


def test_the_period_is_the_parameters(ros):
    stamps: list[float] = []

    def note(message: Any) -> None:
        stamps.append(message.header.stamp.sec + message.header.stamp.nanosec * 1e-9)

    ros.node.create_subscription(DiagnosticArray, '/diagnostics', note, 10)
    ros.spin(Reporting(diagnostics_period_s=0.2))
    ros.wait_for(lambda: len(stamps) >= 6)
    assert np.median(np.diff(stamps)) == pytest.approx(0.2, abs=0.1)


class Ticking:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_that_of_the_last_seconds():
    clock = Ticking()
    rate = Rate(window_s=5.0, clock=clock)
    assert (rate.hz, rate.count) == (0.0, 0)
    for _ in range(100):
        rate.tick()
        clock.now += 0.1
    assert rate.hz == pytest.approx(10.0)
    for _ in range(20):
        clock.now += 0.5
        rate.tick()
    assert rate.hz == pytest.approx(2.0)
    assert rate.count == 120
    clock.now += 6.0
    assert rate.hz == 0.0


def test_latency_is_of_the_last_two_hundred():
    latency = Latency()
    assert (latency.p50, latency.p95) == (0.0, 0.0)
    for value in [9.0] * 500 + [i / 1000 for i in range(200)]:
        latency.add(value)
    assert latency.p50 == pytest.approx(0.0995)
    assert latency.p95 == pytest.approx(0.18905)


def test_memory_is_that_of_this_process():
    before = memory_bytes()
    # Pages of its own: an array may be given what the process has freed before.
    ballast = np.frombuffer(mmap.mmap(-1, 50_000_000), np.uint8)
    ballast[:] = 1
    assert memory_bytes() - before == pytest.approx(ballast.nbytes, rel=0.2)
    assert memory_bytes() == pytest.approx(psutil.Process(os.getpid()).memory_info().rss, rel=0.1)
