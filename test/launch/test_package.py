# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""One package, told twice: to ROS in package.xml and CMakeLists.txt, to pip in setup.py."""

from __future__ import annotations

import ast
import re
from configparser import ConfigParser
from importlib import import_module
from xml.etree import ElementTree

from prefix import ROOT

import loc3r_ros

KEYS = {'tf2_ros': 'tf2_ros_py', 'yaml': 'python3-yaml'}
"""What rosdep calls the package of a module, where that differs."""


def entry_points() -> dict[str, dict[str, str]]:
    parser = ConfigParser()
    parser.optionxform = str
    parser.read(ROOT / 'setup.cfg')
    groups = parser['options.entry_points']
    return {
        group: dict(line.split(' = ') for line in text.strip().splitlines())
        for group, text in groups.items()
    }


def manifest() -> ElementTree.Element:
    return ElementTree.parse(ROOT / 'package.xml').getroot()


def test_one_version():
    assert manifest().findtext('version') == loc3r_ros.__version__


def test_every_entry_point_can_be_called():
    points = entry_points()
    assert points.keys() == {'console_scripts', 'loc3r_ros.nodes'}
    for name, target in {**points['console_scripts'], **points['loc3r_ros.nodes']}.items():
        module, _, function = target.partition(':')
        assert callable(getattr(import_module(module), function)), name


def test_cmake_finds_every_entry_point():
    cmake = (ROOT / 'cmake/entry_points.cmake').read_text()
    pattern = re.search(r'set\(pattern "(.*)"\)', cmake)[1]
    lines = (ROOT / 'setup.cfg').read_text().splitlines()
    found = {match[1] for line in lines if (match := re.match(pattern, line))}
    assert found == {name for group in entry_points().values() for name in group}


def test_cmake_generates_every_interface():
    listed = set(re.findall(r'(?:msg|srv|action)/\w+\.\w+', (ROOT / 'CMakeLists.txt').read_text()))
    files = (file for kind in ('msg', 'srv', 'action') for file in ROOT.glob(f'{kind}/*.{kind}'))
    assert listed == {file.relative_to(ROOT).as_posix() for file in files}


def test_every_ros_package_that_is_imported_is_a_dependency():
    kinds = ('depend', 'exec_depend')
    depended = {tag.text for kind in kinds for tag in manifest().findall(kind)}
    imported = set()
    for file in [*ROOT.glob('loc3r_ros/ros/*.py'), *ROOT.glob('launch/*.py')]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module).partition('.')[0])
    named = r'_msgs$|_srvs$|^rcl|^tf2?_|^ros|^launch|^ament|^yaml$'
    ros = {KEYS.get(name, name) for name in imported if re.search(named, name)}
    assert len(ros) > 10
    assert ros <= depended
