# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The Python and ROS packages that this one uses: what for, and how each is installed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

from loc3r_ros.doctor.finding import NODES, RECORDINGS, USES, Finding, State, Use
from loc3r_ros.doctor.inside import NEEDS_MODULE, OTHER_PYTHON
from loc3r_ros.doctor.probe import NUMPY_1, Probe
from loc3r_ros.doctor.ros import how_to_source

_OF_ROS = re.compile(r'(rclpy|rosidl|rpyutils|tf2|ament).*|.*_(msgs|interfaces)')


@dataclass(frozen=True)
class Package:
    """One module, and where it comes from.

    Attributes:
        distribution: its name for pip; empty where that is `module`.
        minimum: oldest version that works; empty for any.
        ros: its name in rosdistro; empty for a package of pip.
        encoder: whether the CUT3R encoder needs it.
        used: whether anything here uses it; what is not used need not be installed.
        read_on: where it says how to install it, where no one line does.
        gpu: whether it is of use only where there is a GPU of NVIDIA's.
    """

    module: str
    purpose: str
    required_for: tuple[Use, ...] = ()
    distribution: str = ''
    minimum: str = ''
    ros: str = ''
    encoder: bool = False
    used: bool = True
    read_on: str = ''
    gpu: bool = False

    def finding(self, seen: Probe, distro: str) -> Finding:
        """The row of the table: what the import gave, under the sourced ROS 2 ('' for none)."""
        state: State = seen.state
        what = ', '.join(filter(None, (seen.version, seen.about))) or 'found'
        if state == 'missing':
            what = 'not found'
        elif state == 'ok' and older(seen.version, self.minimum):
            state, what = 'broken', f'{seen.version} is older than {self.minimum}'
        remedy = self._remedy(seen, distro) if state != 'ok' and self.used else ''
        group = 'ROS 2' if self.ros else 'Python packages'
        return Finding(group, self.module, state, what, self.purpose, remedy, self.required_for)

    def _remedy(self, seen: Probe, distro: str) -> str:
        if seen.about == NUMPY_1:
            return "python3 -m pip install 'numpy<2' 'opencv-python-headless<4.12'"
        if seen.about == OTHER_PYTHON:
            return 'make the venv with the Python of ROS 2: docs/install.md'
        if needed := re.fullmatch(NEEDS_MODULE.format(r'(\S+)'), seen.about):
            return _remedy_for_needed(needed[1].split('.')[0], distro)
        if self.read_on:
            return self.read_on
        if not self.ros:
            name = self.distribution or self.module
            return f"python3 -m pip install '{name}{f'>={self.minimum}' if self.minimum else ''}'"
        if not distro:
            return how_to_source()
        if self.ros == 'loc3r_ros':
            again = ' --cmake-clean-cache' if seen.state == 'broken' else ''
            return f'colcon build --packages-select loc3r_ros{again} && . install/setup.bash'
        return f'sudo apt install ros-{distro}-{self.ros.replace("_", "-")}'


def _remedy_for_needed(module: str, distro: str) -> str:
    """For a module that another one needs; it may be of ROS 2 as well."""
    if _OF_ROS.fullmatch(module):
        return f'sudo apt install ros-{distro}-{module.replace("_", "-")}'
    return f"python3 -m pip install '{module}'"


def older(version: str, minimum: str) -> bool:
    """Whether a version is told, and is before `minimum`; release numbers only."""
    have, want = ([int(n) for n in re.findall(r'\d+', v.split('+')[0])] for v in (version, minimum))
    for mine, theirs in zip_longest(have, want, fillvalue=0):
        if mine != theirs:
            return bool(have) and mine < theirs
    return False


PACKAGES = (
    Package('numpy', 'arrays', USES, minimum='1.24'),
    Package('cv2', 'images, features', USES, 'opencv-python-headless', '4.6'),
    Package('scipy', 'rotations, sparse solvers', USES, minimum='1.10'),
    Package('small_gicp', 'registration of depth', USES, minimum='1.0'),
    Package('rosbags', 'recordings; ros2 run loc3r_ros play', USES, minimum='0.11.9'),
    Package('mcap', 'recordings in mcap', USES, minimum='1.2'),
    Package('lz4', 'compressed recordings', USES, minimum='4'),
    Package('zstandard', 'compressed recordings', USES, minimum='0.21'),
    Package('ruamel.yaml', 'metadata of recordings', USES, minimum='0.18'),
    Package('rich', 'tables and progress', (RECORDINGS,), minimum='13'),
    Package('psutil', 'memory in diagnostics', (NODES,), minimum='5.9'),
    Package('PIL', 'pictures for the encoder', (), 'pillow', '10', encoder=True),
    Package('torch', 'the encoder: tracking without depth', minimum='2.6', encoder=True),
    Package('safetensors', 'weights of the encoder', minimum='0.4', encoder=True),
    Package('transformers', 'the language model', minimum='4.51'),
    Package('tokenizers', 'its words', minimum='0.21'),
    Package('huggingface_hub', 'loc3r weights fetch', minimum='0.30'),
    Package('torchao', 'the language model in int8 and int4'),
    Package('onnxruntime', 'the encoder, compiled'),
    Package('tensorrt', 'the encoder, compiled for one GPU', read_on='engines/README.md', gpu=True),
    Package('pycuda.driver', 'memory for TensorRT', read_on='engines/README.md', gpu=True),
    Package('rclpy', 'the nodes', (NODES,), ros='rclpy'),
    Package('loc3r_ros.msg', 'own messages, built by colcon', (NODES,), ros='loc3r_ros'),
    Package('sensor_msgs', 'images', (NODES,), ros='sensor_msgs'),
    Package('nav_msgs', 'odometry, path, map', (NODES,), ros='nav_msgs'),
    Package('tf2_ros', 'TF', (NODES,), ros='tf2_ros_py'),
    Package('sensor_msgs_py', 'point clouds', (NODES,), ros='sensor_msgs_py'),
    Package('tf_transformations', 'rotations at the TF edge', ros='tf_transformations'),
    Package('nav2_msgs', 'save_map; goals sent to Nav2', ros='nav2_msgs'),
    Package('vision_msgs', 'the topic detections', ros='vision_msgs'),
    Package('cv_bridge', 'not used: images are converted without', ros='cv_bridge', used=False),
)
