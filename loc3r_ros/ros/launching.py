# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the launch files work out before they start anything.

Imports nothing of this package that needs more than the standard library: launch may run in
another interpreter than the nodes, one that has none of their dependencies.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchContext, SomeSubstitutionsType, Substitution
from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions
from launch_ros.substitutions import ExecutableInPackage

CAMERA_TOPICS = {
    'image': 'image_topic',
    'camera_info': 'camera_info_topic',
    'depth': 'depth_topic',
    'depth_info': 'depth_info_topic',
}
"""What `loc3r topics` and the camera presets call a topic, and the launch argument for it."""

OWN_TOPICS = {
    'image': 'image',
    'camera_info': 'camera_info',
    'depth': 'depth',
    'depth_info': 'depth_camera_info',
}
"""Names of the same topics in the nodes, relative to their namespace."""


class IsGiven(Substitution):
    """`true` where a launch argument is not empty; NotEqualsSubstitution, which Humble lacks."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def perform(self, context: LaunchContext) -> str:
        """The text of a boolean."""
        return str(bool(context.launch_configurations[self._name])).lower()


class ExistingFile(Substitution):
    """A path; launch stops where there is no such file, and not only warns.

    Args:
        path: of the file.
        what: the launch argument that it comes from.
    """

    def __init__(self, path: SomeSubstitutionsType, what: str) -> None:
        super().__init__()
        self._path = normalize_to_list_of_substitutions(path)
        self._what = what

    def perform(self, context: LaunchContext) -> str:
        """The absolute path."""
        path = Path(perform_substitutions(context, self._path)).expanduser().resolve()
        if not path.is_file():
            raise RuntimeError(f'{self._what}: there is no file {path}')
        return str(path)


class ShareOf(Substitution):
    """The share folder of a package that is not a dependency of ours."""

    def __init__(self, package: str) -> None:
        super().__init__()
        self._package = package

    def perform(self, context: LaunchContext) -> str:
        """The folder."""
        try:
            return get_package_share_directory(self._package)
        except PackageNotFoundError:
            distro = os.environ.get('ROS_DISTRO', '$ROS_DISTRO')
            deb = f'ros-{distro}-{self._package.replace("_", "-")}'
            raise RuntimeError(
                f'{self._package} is not installed; install it with: sudo apt install {deb}'
            ) from None


class GivenParameters(Substitution):
    """Path of a parameter file with the launch arguments that were given, for our nodes.

    A section for each node, and not parameters of one launch_ros node: in one process there are
    three, and the more specific section of a params_file would win over a general one. Each section
    holds what its node declares, as `config/loc3r.yaml` tells: a node warns of anything else.

    Args:
        names: of launch arguments that are also parameters; those left empty are not given.
    """

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def perform(self, context: LaunchContext) -> str:
        """The path."""
        texts = {name: context.launch_configurations[name] for name in self._names}
        values = {name: _BOOLEANS.get(text, text) for name, text in texts.items() if text}
        config = Path(get_package_share_directory('loc3r_ros'), 'config', 'loc3r.yaml')
        sections = {}
        for node, section in yaml.safe_load(config.read_text()).items():
            declared = {*section['ros__parameters'], 'use_sim_time'}  # every node has that
            own = {name: value for name, value in values.items() if name in declared}
            sections[node] = {'ros__parameters': own}
        return _written(sections)


class MergedParameters(Substitution):
    """Path of a parameter file in which later files go before earlier ones, key by key.

    Args:
        files: paths; an empty one is left out.
    """

    def __init__(self, *files: SomeSubstitutionsType) -> None:
        super().__init__()
        self._files = [normalize_to_list_of_substitutions(file) for file in files]

    def perform(self, context: LaunchContext) -> str:
        """The path."""
        merged: dict[str, Any] = {}
        for file in self._files:
            if path := perform_substitutions(context, file):
                merged = _merged(merged, yaml.safe_load(Path(path).read_text()) or {})
        return _written(merged)


def choose_camera_topics(context: LaunchContext) -> None:
    """Fill the topic arguments that were not given: from the bag, or else the camera's preset.

    Sets `use_depth` to false where the camera is known and has no depth. The topics are those of
    raw images, as image_transport names them; the nodes find the compressed ones beside them.
    """
    arguments = context.launch_configurations
    given = {key: arguments[name] for key, name in CAMERA_TOPICS.items() if arguments[name]}
    if arguments['bag']:
        # No shell has expanded a ~ that stands behind `bag:=`.
        arguments['bag'] = str(Path(arguments['bag']).expanduser())
        known = _topics_of_bag(context, arguments['bag'], given)
    else:
        known = _topics_of_preset(arguments['camera'])
    arguments['use_depth'] = 'false' if known and 'depth' not in {*known, *given} else ''
    for key, name in CAMERA_TOPICS.items():
        topic = given.get(key) or known.get(key) or OWN_TOPICS[key]
        arguments[name] = _TRANSPORT.sub('', topic)


_BOOLEANS = {'true': True, 'false': False}
_TRANSPORT = re.compile('/compressed(Depth)?$')


def _topics_of_preset(camera: str) -> Mapping[str, str]:
    if camera == 'none':
        return {}
    share = Path(get_package_share_directory('loc3r_ros'))
    return yaml.safe_load((share / f'config/cameras/{camera}.yaml').read_text())


def _topics_of_bag(context: LaunchContext, bag: str, given: Mapping[str, str]) -> Mapping[str, str]:
    """Ask `loc3r topics`, which runs in the interpreter of the nodes."""
    command = [ExecutableInPackage('loc3r', 'loc3r_ros').perform(context), 'topics', bag]
    for key, topic in given.items():
        command += [f'--{key.replace("_", "-")}', topic]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().rpartition('\n')[2]
        raise RuntimeError(f'bag: {last.removeprefix("loc3r: error: ")}')
    return yaml.safe_load(done.stdout)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _written(tree: Mapping[str, Any]) -> str:
    with NamedTemporaryFile('w', prefix='loc3r_', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(tree, file, sort_keys=False)
    return file.name
