# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Launch files run in earnest, with stand-ins for the executables that they start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from shutil import copytree

ROOT = Path(__file__).resolve().parents[2]

_RECORDER = """\
#!{python}
import json, pathlib, shutil, sys
file, arguments = pathlib.Path(__file__), sys.argv[1:]
for i, argument in enumerate(arguments):
    if argument == '--params-file':  # launch deletes some when it ends
        arguments[i + 1] = shutil.copy(arguments[i + 1], file.parent / f'{{file.name}}_{{i}}.yaml')
file.with_suffix('.json').write_text(json.dumps(arguments, default=str))
"""

_LOC3R = """\
#!{python}
import sys
sys.path.insert(0, {root!r})
from loc3r_ros.cli import main
sys.exit(main())
"""


@dataclass
class Launched:
    """What came of a launch: exit code, output, and the arguments of what was started."""

    code: int
    output: str
    started: dict[str, list[str]] = field(default_factory=dict)

    def remappings(self, executable: str) -> dict[str, str]:
        """Of an executable, by name of the topic in the node."""
        arguments = self.started[executable]
        rules = [value for flag, value in pairwise(arguments) if flag == '-r']
        return dict(rule.split(':=') for rule in rules)


class Prefix:
    """An ament prefix with our share folder as it is in the source tree, and recorders to start."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.add_package(
            'loc3r_ros', 'bringup', 'pose_encoder', 'bev_mapper', 'spatial_vlm', 'play'
        )
        self._write(path / 'lib/loc3r_ros/loc3r', _LOC3R)
        for folder in ('config', 'launch'):
            copytree(ROOT / folder, path / 'share/loc3r_ros' / folder)

    def add_package(self, name: str, *executables: str) -> Path:
        """Install a package; gives its share folder."""
        marker = self.path / 'share/ament_index/resource_index/packages' / name
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        share = self.path / 'share' / name
        share.mkdir(parents=True)
        for executable in executables:
            self._write(self.path / 'lib' / name / executable, _RECORDER)
        return share

    def launch(self, name: str, *arguments: str, show_args: bool = False) -> Launched:
        """`ros2 launch` one of our launch files until all that it started has ended."""
        environment = dict(
            os.environ,
            AMENT_PREFIX_PATH=f'{self.path}{os.pathsep}{os.environ["AMENT_PREFIX_PATH"]}',
            PYTHONPATH=f'{ROOT}{os.pathsep}{os.environ["PYTHONPATH"]}',
            ROS_LOG_DIR=str(self.path / 'log'),
        )
        command = ['ros2', 'launch', 'loc3r_ros', f'{name}.launch.py', *arguments]
        done = subprocess.run(
            command + ['--show-args'] * show_args,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        records = self.path.glob('lib/*/*.json')
        started = {record.stem: json.loads(record.read_text()) for record in records}
        return Launched(done.returncode, done.stdout, started)

    def _write(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.format(python=sys.executable, root=str(ROOT)))
        file.chmod(0o755)
