"""Signals and processes of their own: passes on the real rclpy and on the stand-in alike."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SPINNER = """
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

rclpy.init()
node = Node('spinner')
executor = SingleThreadedExecutor()
executor.add_node(node)
publisher = node.create_publisher(String, 'words', 10)
node.declare_parameter('word', 'none')
ready = ['ready', node.get_parameter('word').value, publisher.topic_name]
timer = node.create_timer(0.05, lambda: print(*ready, flush=True) or timer.cancel())
try:
    executor.spin()
except (KeyboardInterrupt, ExternalShutdownException) as end:
    print(type(end).__name__, rclpy.ok(), flush=True)
rclpy.try_shutdown()
"""


@pytest.mark.parametrize(
    ('number', 'name'),
    [(signal.SIGINT, 'KeyboardInterrupt'), (signal.SIGTERM, 'ExternalShutdownException')],
)
def test_signals_end_spin(ros, tmp_path: Path, monkeypatch, number, name):
    (tmp_path / 'spinner_script.py').write_text(_SPINNER)
    path = [str(tmp_path), *(entry for entry in sys.path if entry)]
    monkeypatch.setenv('PYTHONPATH', ':'.join(path))
    arguments = ('--ros-args', '-p', 'word:=hello', '-r', '__ns:=/robot')
    command = ros.command('spinner_script', *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().split() == ['ready', 'hello', '/robot/words']
        time.sleep(0.3)  # until it waits: in a callback, spin would just return
        process.send_signal(number)
        last, _ = process.communicate(timeout=10)
    assert last.split() == [name, 'False']
    assert process.returncode == 0
