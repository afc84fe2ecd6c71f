# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from loc3r_ros.ros import entry

TEST_FOLDER = Path(__file__).parents[1]

STOPS_WITHIN_S = 3.0
"""What every node promises of SIGINT and SIGTERM, whatever it is doing."""


@dataclass
class Ended:
    code: int
    seconds: float
    output: str


@pytest.fixture
def start(ros, monkeypatch):
    """Starts the toy node in a mode, and waits for its `HERE` unless told otherwise."""
    processes = []
    folders = [TEST_FOLDER, TEST_FOLDER.parent, os.environ.get('PYTHONPATH', '')]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(map(str, folders)))

    def start(mode: str, *arguments: str, waits: bool = True) -> subprocess.Popen[str]:
        monkeypatch.setenv('TOY', mode)
        process = subprocess.Popen(
            ros.command('ros.toy_node', *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        process.before = ''  # type: ignore[attr-defined]
        while waits and 'HERE' not in process.before:  # type: ignore[attr-defined]
            line = process.stdout.readline()
            assert line, process.before  # type: ignore[attr-defined]
            process.before += line  # type: ignore[attr-defined]
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str], *signals: int) -> Ended:
    """Send signals and wait for the end."""
    start = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.01)
    output, _ = process.communicate(timeout=30)
    seconds = time.monotonic() - start
    return Ended(process.returncode, seconds, process.before + output)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ('mode', 'number'),
    [
        ('import', signal.SIGINT),
        ('construct', signal.SIGINT),
        ('configure', signal.SIGINT),
        ('configure', signal.SIGTERM),
        ('active', signal.SIGINT),
        ('active', signal.SIGTERM),
        ('threads', signal.SIGINT),
    ],
)
def test_a_signal_ends_it_with_code_0_wherever_it_is(start, mode, number):
    ended = end(start(mode), number)
    assert ended.code == 0, ended.output
    assert ended.seconds < STOPS_WITHIN_S
    assert 'Traceback' not in ended.output
    assert ended.output.count('DEACTIVATED') == (mode in ('active', 'threads'))


@pytest.mark.parametrize('mode', ['compute', 'callback', 'worker'])
def test_a_signal_ends_it_even_where_python_does_not_come_back(start, mode):
    process = start(mode)
    time.sleep(0.3)  # until it is in there
    ended = end(process, signal.SIGINT)
    assert ended.code == 0, ended.output
    assert ended.seconds < STOPS_WITHIN_S
    assert 'Traceback' not in ended.output


@pytest.mark.parametrize('delay_s', [0.0, 0.2, 0.6])
def test_a_signal_at_any_moment_of_heavy_imports(start, delay_s):
    process = start('heavy import')
    time.sleep(delay_s)
    ended = end(process, signal.SIGINT)
    assert ended.code == 0, ended.output
    assert ended.seconds < STOPS_WITHIN_S
    assert 'Traceback' not in ended.output


def test_the_second_ctrl_c_of_ros2_launch_changes_nothing(start):
    ended = end(start('active'), signal.SIGINT, signal.SIGINT, signal.SIGTERM)
    assert (ended.code, 'Traceback' in ended.output) == (0, False), ended.output


def test_a_callback_that_fails_is_logged_and_the_node_goes_on(start):
    ended = end(start('failing callback'), signal.SIGINT)
    assert ended.code == 0
    assert ended.output.count('RuntimeError: a bug') == 1
    assert 'a callback failed: Traceback' in ended.output
    assert 'DEACTIVATED' in ended.output


def test_a_refused_configure_leaves_the_node_alive_to_be_mended(start):
    ended = end(start('refuse'), signal.SIGINT)
    assert ended.code == 0
    assert ended.output.count('configure refused: there are no weights') == 1
    assert 'Traceback' not in ended.output


def test_it_ends_with_its_context(start):
    ended = end(start('ends itself', waits=False))
    assert ended.code == 0, ended.output
    assert 'Traceback' not in ended.output


def test_a_wrong_parameter_at_start_ends_it_with_code_2_and_one_line(start):
    process = start('active', '--ros-args', '-p', 'period_s:=7.0', waits=False)
    ended = end(process)
    assert ended.code == 2
    assert 'period_s' in ended.output
    assert '7.0' in ended.output
    assert 'Traceback' not in ended.output


def test_a_defect_ends_it_with_its_traceback(start):
    ended = end(start('broken import', waits=False))
    assert ended.code == 1
    assert "No module named 'no_such_module'" in ended.output


def test_the_first_line_says_what_runs(start):
    first = end(start('active'), signal.SIGINT).output.splitlines()[0]
    assert sys.executable in first
    for word in ('loc3r_ros', 'Python', 'ROS', 'numpy', 'cv2', 'torch'):
        assert word in first


@pytest.mark.skipif('ros_stand_in' in sys.modules, reason='the stand-in has no other process')
@pytest.mark.parametrize('mode', ['configure', 'threads'])
def test_it_says_goodbye_so_that_no_ghost_stays_in_the_graph(ros, start, mode):
    process = start(mode)
    ros.wait_for(lambda: 'toy' in ros.node.get_node_names())
    end(process, signal.SIGINT)
    ros.wait_for(lambda: 'toy' not in ros.node.get_node_names(), timeout_s=5.0)


@pytest.mark.parametrize('level', ['info', 'debug'])
def test_what_the_library_logs_is_in_the_log_of_ros_at_its_level(start, level):
    process = start('active', '--ros-args', '--log-level', level)
    lines = end(process, signal.SIGINT).output.splitlines()
    (warning,) = [line for line in lines if 'a warning of the library' in line]
    assert '[WARN]' in warning
    assert '[loc3r_ros.tracking]' in warning
    assert any('a detail of the library' in line for line in lines) == (level == 'debug')


def test_the_signals_are_taken_over_before_anything_heavy_is_imported():
    code = (
        'import sys; from loc3r_ros.ros import entry; '
        "heavy = {'numpy', 'rclpy', 'torch', 'cv2', 'scipy'} & set(sys.modules); "
        'sys.exit(str(heavy) if heavy else 0)'
    )
    subprocess.run([sys.executable, '-c', code], check=True, cwd=TEST_FOLDER.parent)


@pytest.mark.parametrize('name', ['pose_encoder', 'bev_mapper', 'spatial_vlm', 'bringup', 'play'])
def test_every_executable_has_a_module_that_offers_its_nodes(name):
    assert getattr(entry, name).args == (name,)
    assert callable(importlib.import_module(f'loc3r_ros.ros.{name}').nodes)
