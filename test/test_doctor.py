# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r doctor`: what it finds, and that nothing that is broken breaks it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from loc3r_ros.cli import main
from loc3r_ros.doctor import hardware
from loc3r_ros.doctor.environment import look_at_interpreter
from loc3r_ros.doctor.hardware import look_at_hardware
from loc3r_ros.doctor.packages import PACKAGES, older
from loc3r_ros.doctor.probe import NUMPY_1, Probe, probe
from loc3r_ros.doctor.ros import look_at_ros
from loc3r_ros.doctor.weights import look_at_weights

ROOT = Path(__file__).resolve().parents[1]
FAKE_ROS = {
    'torch.py': "__version__ = '2.9'\n"
    'class version: cuda = "12.6"\n'
    'class cuda:\n'
    '    device_count = staticmethod(lambda: 1)\n'
    '    @staticmethod\n'
    '    def get_device_properties(index):\n'
    '        class gpu: name, total_memory, major, minor = "Orin", 15 * 2**30, 8, 7\n'
    '        return gpu\n',
    'rclpy/__init__.py': "__version__ = '7.1'\n",
    'rclpy/utilities.py': 'get_rmw_implementation_identifier = lambda: "rmw_of_test"\n',
    'rclpy/serialization.py': 'serialize_message = bytes\n',
    'loc3r_ros/msg.py': 'PoseToken = Status = Answer = bytes\n',
    'sensor_msgs.py': '',
    'nav_msgs.py': '',
    'tf2_ros.py': '',
    'sensor_msgs_py.py': '',
    'launch_ros.py': '',
    'cv_bridge.py': 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)\n',
    'vision_msgs.py': 'import module_that_is_nowhere\n',
}


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """An environment without ROS, and a folder that is first on the path of probed modules."""
    for name in ('AMENT_PREFIX_PATH', 'ROS_DISTRO', 'ROS_VERSION', 'ROS_DOMAIN_ID'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    monkeypatch.setenv('PATH', f'{tmp_path}/bin:{Path(sys.executable).parent}:/usr/bin:/bin')
    return tmp_path


@pytest.fixture
def fake_ros(bare, monkeypatch):
    """A ROS 2 of a few lines, with a cv_bridge that crashes and a vision_msgs that is not whole."""
    for path, text in FAKE_ROS.items():
        (bare / path).parent.mkdir(exist_ok=True)
        (bare / path).write_text(text)
    _program(bare / 'bin/ros2', f'#!{sys.executable}\n')
    monkeypatch.setenv('ROS_DISTRO', 'jazzy')
    # Real imports take their time; one test has them all.
    some = [p for p in PACKAGES if p.ros or p.module in ('numpy', 'torch')]
    monkeypatch.setattr('loc3r_ros.doctor.PACKAGES', some)
    return bare


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _doctor(capsys, *options: str) -> tuple[int, dict, dict[str, dict]]:
    code = main(['doctor', '--json', *options])
    report = json.loads(capsys.readouterr().out)
    return code, report, {row['name']: row for row in report['findings']}


def test_without_ros_recordings_are_ready_and_nodes_are_not(bare, capsys):
    code, report, rows = _doctor(capsys, '--need', 'nodes')
    assert code == 1
    assert report['ready'] == {'recordings': True, 'nodes': False}
    assert rows['rclpy']['state'] == 'missing'
    assert rows['distribution']['what'] == 'not sourced'


def test_exit_code_is_that_of_what_is_needed(bare, capsys, monkeypatch):
    some = [p for p in PACKAGES if p.module in ('numpy', 'torch')]
    monkeypatch.setattr('loc3r_ros.doctor.PACKAGES', some)
    assert _doctor(capsys, '--need', 'recordings')[0] == 0
    assert _doctor(capsys, '--need', 'nodes')[0] == 1


def test_a_crashing_cv_bridge_is_a_row_and_no_more(fake_ros, capsys):
    code, report, rows = _doctor(capsys)
    assert (code, report['need']) == (0, 'nodes')
    assert rows['cv_bridge']['what'] == 'its import dies of SIGSEGV'
    assert rows['cv_bridge']['remedy'] == ''  # nothing here uses it
    assert rows['vision_msgs']['remedy'] == "python3 -m pip install 'module_that_is_nowhere'"
    assert rows['rclpy']['what'] == '7.1, rmw_of_test'
    assert rows['GPU']['what'] == 'Orin, 15.0 GiB, compute capability 8.7'
    assert rows['ros2 launch']['what'].endswith(f'bin/ros2, run by {sys.executable}')


def test_rclpy_of_another_python_is_no_matter_for_pip(fake_ros, capsys):
    (fake_ros / 'rclpy/__init__.py').write_text('import rclpy._rclpy_pybind11\n')
    code, _, rows = _doctor(capsys)
    assert code == 1
    for name in ('rclpy', 'loc3r_ros.msg'):
        assert rows[name]['what'] == 'ROS 2 was built for another Python than this one'
        assert rows[name]['remedy'] == 'make the venv with the Python of ROS 2: docs/install.md'


@pytest.mark.parametrize(
    ('needed', 'remedy'),
    [
        ('shape_msgs', 'sudo apt install ros-jazzy-shape-msgs'),
        ('rosidl_runtime_py', 'sudo apt install ros-jazzy-rosidl-runtime-py'),
        ('transforms3d', "python3 -m pip install 'transforms3d'"),
    ],
)
def test_a_module_that_another_needs_has_its_own_remedy(fake_ros, capsys, needed, remedy):
    (fake_ros / 'tf_transformations.py').write_text(f'raise ModuleNotFoundError(name={needed!r})\n')
    row = _doctor(capsys)[2]['tf_transformations']
    assert (row['state'], row['remedy']) == ('broken', remedy)


def test_scipy_is_tried_where_it_is_used(bare):
    """`import scipy` succeeds even where NumPy 2 breaks all of its compiled parts."""
    (bare / 'scipy').mkdir()
    (bare / 'scipy/__init__.py').write_text('__version__ = "1.11.4"\n')
    (bare / 'scipy/linalg.py').write_text('raise ImportError("compiled using NumPy 1.x")\n')
    assert probe('scipy', timeout_s=30) == Probe('broken', about=NUMPY_1)


def test_messages_of_another_python_ask_for_a_clean_build(fake_ros, capsys):
    (fake_ros / 'rclpy/serialization.py').write_text(
        'def serialize_message(m): raise RuntimeError("no type support")\n'
    )
    code, _, rows = _doctor(capsys)
    assert code == 1
    row = rows['loc3r_ros.msg']
    assert (row['state'], row['what']) == ('broken', 'RuntimeError: no type support')
    assert '--cmake-clean-cache' in row['remedy']


def test_without_the_ros2_command_nodes_are_not_ready(fake_ros, capsys):
    (fake_ros / 'bin/ros2').unlink()
    code, _, rows = _doctor(capsys)
    assert (code, rows['ros2 launch']['what']) == (1, 'no ros2 on PATH')
    assert rows['ros2 launch']['remedy'] == 'sudo apt install ros-jazzy-ros2launch'


def test_ros_of_another_python_names_the_venv_to_make(bare):
    (bare / 'lib/python3.9/site-packages/rclpy').mkdir(parents=True)
    *_, row = look_at_interpreter({'AMENT_PREFIX_PATH': f'/nowhere:{bare}'})
    ours = f'python{sys.version_info.major}.{sys.version_info.minor}'
    assert (row.state, row.what) == ('broken', f'python3.9, and this is {ours}')
    assert row.remedy.startswith('python3.9 -m venv --system-site-packages .venv')
    assert row.required_for == ('nodes',)


def test_another_python_first_on_path_is_told(bare):
    _program(bare / 'bin/python3', '#!/bin/sh\necho /opt/other\n')
    row = next(r for r in look_at_interpreter({}) if r.name == 'python3 of the nodes')
    assert (row.state, row.what) == ('broken', f'{bare}/bin/python3, not {sys.executable}')
    assert row.remedy == f'. {sys.prefix}/bin/activate'


@pytest.mark.parametrize(
    ('environ', 'state', 'what'),
    [
        ({}, 'missing', 'not sourced'),
        ({'ROS_DISTRO': 'noetic', 'ROS_VERSION': '1'}, 'broken', 'noetic is ROS 1'),
        ({'ROS_DISTRO': 'humble'}, 'ok', 'humble, ROS_DOMAIN_ID 0'),
        (
            {'ROS_DISTRO': 'kilted', 'ROS_DOMAIN_ID': '7'},
            'ok',
            'kilted, ROS_DOMAIN_ID 7; tried are humble and jazzy',
        ),
    ],
)
def test_distribution(bare, environ, state, what):
    row = look_at_ros(environ, 60)[0]
    assert (row.state, row.what) == (state, what)


@pytest.mark.parametrize(
    ('source', 'reason'),
    [
        ('import os; os._exit(3)', 'its import ends Python (3)'),
        ('raise SystemExit("no licence")', 'SystemExit: no licence'),
        ('raise ValueError("two\\nlines")', 'ValueError: two lines'),
        ('import os, signal; os.kill(os.getpid(), signal.SIGABRT)', 'its import dies of SIGABRT'),
        (
            'import sys, os; print("A module that was compiled using NumPy 1.x cannot be run in",'
            ' file=sys.stderr, flush=True); os.abort()',
            NUMPY_1,
        ),
        (
            'raise AttributeError("`np.float_` was removed in the NumPy 2.0 release.")',
            NUMPY_1,
        ),
        (
            'import sys; print("RuntimeError: module compiled against ABI version 0x1000009 but",'
            ' file=sys.stderr); raise ImportError("numpy.core.multiarray failed to import")',
            NUMPY_1,
        ),
        ('import time; time.sleep(60)', 'its import did not end within 0.5 s'),
    ],
)
def test_what_a_broken_import_says(bare, source, reason):
    (bare / 'broken_thing.py').write_text(source)
    timeout_s = 0.5 if 'sleep' in source else 30
    assert probe('broken_thing', timeout_s=timeout_s) == Probe('broken', about=reason)


def test_a_module_that_prints_is_still_read(bare):
    (bare / 'loud.py').write_text("print('hello', end=''); __version__ = '1.2'\n")
    assert probe('loud', timeout_s=30) == Probe('ok', '1.2')


def test_numpy_1_remedy_keeps_what_debian_built(bare):
    package = next(p for p in PACKAGES if p.module == 'tf_transformations')
    row = package.finding(Probe('broken', about=NUMPY_1), 'jazzy')
    assert row.remedy == "python3 -m pip install 'numpy<2' 'opencv-python-headless<4.12'"


def test_old_package_is_not_ready():
    package = next(p for p in PACKAGES if p.module == 'scipy')
    row = package.finding(Probe('ok', '1.8.0'), '')
    assert (row.state, row.what) == ('broken', '1.8.0 is older than 1.10')
    assert row.remedy == "python3 -m pip install 'scipy>=1.10'"


@pytest.mark.parametrize(
    ('version', 'minimum', 'expected'),
    [
        ('1.9.3', '1.10', True),
        ('1.10', '1.10.0', False),
        ('2.13.0+cpu', '2.6', False),
        ('', '1.0', False),
        ('4.5.4', '', False),
    ],
)
def test_older(version, minimum, expected):
    assert older(version, minimum) is expected


def test_packages_are_those_of_setup_py():
    required = (ROOT / 'setup.py').read_text().split('install_requires')[1].split(']')[0]
    theirs = dict(re.findall(r"'([\w.-]+)>=([\d.]+)'", required))
    ours = {p.distribution or p.module: p.minimum for p in PACKAGES if p.minimum}
    assert ours == theirs
    assert len(theirs) >= 14


@pytest.mark.parametrize(
    ('content', 'state', 'what'),
    [
        (b'', 'broken', 'neither safetensors nor .pth'),
        (b'version https://git-lfs', 'broken', 'neither safetensors nor .pth'),
        (b'PK\x03\x04 half a zip file', 'broken', 'a .pth that is cut short'),
        (b'\x0e\0\0\0\0\0\0\0not json at al', 'broken', 'Expecting value'),
        (None, 'broken', 'No such file or directory'),
    ],
)
def test_weights_that_cannot_be_used(tmp_path, content, state, what):
    path = tmp_path / 'weights'
    if content is not None:
        path.write_bytes(content)
    row = look_at_weights(path)
    assert row.state == state
    assert what in row.what


def test_weights_are_counted_and_a_cut_is_found(tmp_path):
    header = json.dumps(
        {
            '__metadata__': {'a': 'b'},
            'x': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]},
            'y': {'dtype': 'F32', 'shape': [1], 'data_offsets': [8, 12]},
        }
    ).encode()
    path = tmp_path / 'tiny.safetensors'
    path.write_bytes(len(header).to_bytes(8, 'little') + header + bytes(12))
    row = look_at_weights(path)
    assert (row.state, row.what) == ('ok', f'{path}: safetensors, 2 tensors, 0.00 GB')
    path.write_bytes(path.read_bytes()[:-1])
    whole = 8 + len(header) + 12
    assert look_at_weights(path).what == f'{path}: cut short: {whole - 1} of {whole} bytes'


def test_weights_make_the_encoder_required(fake_ros, capsys, tmp_path):
    (fake_ros / 'torch.py').write_text('raise OSError("libcudart.so.12: cannot open")\n')
    assert _doctor(capsys)[0] == 0
    code, _, rows = _doctor(capsys, '--weights', str(tmp_path / 'none.safetensors'))
    assert code == 1
    assert rows['torch']['required_for'] == ['recordings', 'nodes']
    assert rows['torch']['what'] == 'OSError: libcudart.so.12: cannot open'


def test_a_gpu_that_torch_cannot_use_is_told(bare):
    _program(bare / 'bin/nvidia-smi', '#!/bin/sh\necho "RTX 9, 24564 MiB, 570.1"\n')
    row = look_at_hardware(Probe('ok', '2.13', 'CPU build'))[0]
    assert (row.state, row.what) == (
        'broken',
        'RTX 9, 24564 MiB, 570.1: not usable by torch (CPU build)',
    )


def test_jetson(bare, monkeypatch):
    release = bare / 'nv_tegra_release'
    release.write_text('# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic\n')
    monkeypatch.setattr(hardware, '_TEGRA', release)
    gpu, jetson = look_at_hardware(Probe('missing'))
    assert jetson.what == 'L4T 36.4.3, JetPack 6'
    assert gpu.what == 'the GPU of a Jetson: not usable by torch (missing)'


def test_table_tells_each_remedy_once_and_unwrapped(fake_ros, capsys):
    (fake_ros / 'sensor_msgs.py').write_text('import nothing_there\n')
    assert main(['doctor']) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines.count("    python3 -m pip install 'nothing_there'") == 1
    assert any(re.match(r'BROKEN +sensor_msgs', line) for line in lines)
    assert any(re.match(r'broken +cv_bridge', line) for line in lines)
    assert lines[-2:] == ['recordings: ready', 'nodes: not ready (needed)']


def test_without_rich_the_rows_are_lines(fake_ros, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'rich.console', None)
    assert main(['doctor']) == 0
    assert 'ok       tf2_ros: found (for TF)' in capsys.readouterr().out.splitlines()


def test_needs_nothing_but_the_standard_library(bare):
    """-S: no site-packages, as on a machine where nothing of pip is installed."""
    code = 'import sys; from loc3r_ros.cli import main; sys.exit(main(sys.argv[1:]))'
    done = subprocess.run(
        [sys.executable, '-S', '-c', code, 'doctor', '--json', '--need', 'nodes'],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (1, '')
    assert len(json.loads(done.stdout)['findings']) >= len(PACKAGES)


@pytest.mark.parametrize(('gpu', 'remedy'), [('NVIDIA H200', 'engines/README.md'), ('', '')])
def test_tensorrt_is_asked_for_only_where_there_is_a_gpu(bare, capsys, monkeypatch, gpu, remedy):
    some = [p for p in PACKAGES if p.module in ('torch', 'tensorrt', 'pycuda.driver')]
    monkeypatch.setattr('loc3r_ros.doctor.PACKAGES', some)
    monkeypatch.setattr('loc3r_ros.doctor.hardware._nvidia_smi', lambda: gpu)
    (bare / 'torch.py').write_text('class version: cuda = None\n')
    rows = _doctor(capsys)[2]
    assert (rows['tensorrt']['state'], rows['tensorrt']['remedy']) == ('missing', remedy)
    assert rows['pycuda.driver']['remedy'] == remedy
