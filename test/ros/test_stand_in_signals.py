# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Signals and processes of their own: passes on the real rclpy and on the stand-in alike."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

# The timer goes on, because an idle executor of rclpy may miss the signal: seen on Jazzy with
# CycloneDDS in one of four runs, where it waited on without an end.
_SPINNER = """
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

rclpy.init()
node = Node('spinner')
executor = SingleThreadedExecutor()
executor.add_node(node)
publisher = node.create_publisher(String, 'words', 10)
node.declare_parameter('word', 'none')
ready = ['ready', node.get_parameter('word').value, publisher.topic_name]
node.create_timer(0.05, lambda: ready and print(ready.pop(0), flush=True))
end = 'returned'
try:
    executor.spin()
except (KeyboardInterrupt, Exception) as error:
    end = type(error).__name__
rclpy.try_shutdown()
print(end, rclpy.ok(), flush=True)
"""


@pytest.mark.parametrize(
    ('number', 'ends'),
    [
        (signal.SIGINT, {'KeyboardInterrupt'}),
        # As it waited, was in a callback, or in between.
        (signal.SIGTERM, {'ExternalShutdownException', 'returned', 'RCLError'}),
    ],
)
def test_signals_end_spin(ros, tmp_path: Path, monkeypatch, number, ends):
    (tmp_path / 'spinner_script.py').write_text(_SPINNER)
    path = [str(tmp_path), *(entry for entry in sys.path if entry)]
    monkeypatch.setenv('PYTHONPATH', ':'.join(path))
    arguments = ('--ros-args', '-p', 'word:=hello', '-r', '__ns:=/robot')
    command = ros.command('spinner_script', *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        words = [process.stdout.readline().strip() for _ in range(3)]
        assert words == ['ready', 'hello', '/robot/words']
        process.send_signal(number)
        end, is_ok = process.communicate(timeout=10)[0].split()
    assert end in ends and is_ok == 'False'
    assert process.returncode == 0
