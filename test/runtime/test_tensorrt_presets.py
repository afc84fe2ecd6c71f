# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The build presets that are shipped, which of them fits a machine, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tensorrt_stand_in import package_in

from loc3r_ros.errors import InputError
from loc3r_ros.runtime.tensorrt.presets import for_board, read

NAMES = {'desktop', 'orin_agx', 'orin_nano', 'orin_nx', 'thor'}


def test_every_file_is_a_preset():
    folder = Path(__file__).parents[2] / 'engines'
    assert {path.stem for path in folder.glob('*.yaml')} == NAMES
    for name in NAMES:
        preset = read(name)
        assert preset.settings.workspace_mb >= 256
        assert preset.sizes
        assert (preset.boards == ()) == (name == 'desktop')


@pytest.mark.parametrize(
    ('board', 'name'),
    [
        ('NVIDIA Jetson Orin Nano Developer Kit', 'orin_nano'),
        ('NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super', 'orin_nano'),
        ('NVIDIA Jetson Orin NX Engineering Reference Developer Kit', 'orin_nx'),
        ('NVIDIA Jetson AGX Orin Developer Kit', 'orin_agx'),
        ('NVIDIA Jetson AGX Thor Developer Kit', 'thor'),
        ('Raspberry Pi 5', 'desktop'),
        ('', 'desktop'),
    ],
)
def test_the_board_decides(board, name):
    assert for_board(board).name == name


def test_the_tensorrt_decides_which_export_is_built(tmp_path):
    package = package_in(tmp_path, precision='fp16')
    operator = replace(package, attention='operator')
    auto = read('orin_agx')
    releases = ((10, 3), (10, 13), (10, 14), (10, 15), (11, 4))
    assert [auto.accepts(package, v) for v in releases] == [True, True, True, False, False]
    assert [auto.accepts(operator, v) for v in releases] == [False, False, False, True, True]
    assert replace(auto, attention='decomposed').accepts(package, (11, 4))
    assert not auto.accepts(replace(package, precision='fp32'), (10, 3))
    assert read('desktop').accepts(replace(package, precision='fp32'), (10, 3))


GOOD = """
title: mine
boards: []
sizes: [224x224]
precision: [fp16]
attention: auto
workspace_mb: 64
optimization_level: 1
tf32: false
"""


def test_a_preset_of_ones_own(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(GOOD)
    assert (read(str(path)).name, read(str(path)).settings.workspace_mb) == ('mine', 64)


@pytest.mark.parametrize(
    ('before', 'after', 'told'),
    [
        ('attention: auto', 'attention: flash', 'attention flash: not one of auto, decomposed'),
        ('[fp16]', '[int8]', 'precision .*int8.*: not of fp32, fp16'),
        ('[fp16]', '[]', 'precision'),
        ('workspace_mb: 64', 'workspace_mb: 0', 'workspace_mb 0: a positive whole number'),
        ('workspace_mb: 64', 'workspace_mb: lots', 'workspace_mb lots'),
        ('optimization_level: 1', 'optimization_level: 6', 'optimization_level 6: 0 to 5'),
        ('tf32: false', 'tf32: 3', 'tf32 3: true or false'),
        ('tf32: false', 'tf32: false\nfp16: true', 'not a build preset'),
        ('title: mine', '', "not a build preset: 'title'"),
        (GOOD, '[', 'not a build preset'),
    ],
)
def test_a_wrong_preset_is_refused(tmp_path, before, after, told):
    path = tmp_path / 'mine.yaml'
    path.write_text(GOOD.replace(before, after))
    with pytest.raises(InputError, match=told):
        read(str(path))


def test_an_unknown_name_is_refused_with_those_that_are_known(tmp_path):
    with pytest.raises(InputError, match='preset nano: not one of desktop, orin_agx, orin_nano'):
        read('nano')
    with pytest.raises(InputError, match='not a build preset'):
        read(str(tmp_path / 'none.yaml'))
