# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The benchmark's inputs and outputs; its times are not asserted."""

import argparse
import json
import sys

import numpy as np
import pytest

from loc3r_ros.bench.mapping import Cloud, add_parser, against_octomap, room_clouds
from loc3r_ros.errors import InputError
from loc3r_ros.mapping import BevConfig


def test_room_clouds_lie_on_the_boxes():
    (cloud,) = room_clouds(1, 80, 60)
    assert cloud.points.dtype == np.float32 and cloud.points.shape == (80 * 60, 3)
    assert cloud.origin[2] == 0.9
    floor = cloud.points[cloud.points[:, 2] < 0.15]
    assert len(floor) > 500
    assert abs(np.median(floor[:, 2])) < 0.01


def test_octomap_agrees_on_the_same_clouds():
    pytest.importorskip('octomap')
    report = against_octomap(list(room_clouds(8, 160, 120)), BevConfig())
    assert set(report['times_faster']) == {'octomap', 'octomap discretize'}
    for found in report['agreement'].values():
        assert found['precision'] > 0.97 and found['recall'] > 0.97


def test_report_is_json(capsys):
    pytest.importorskip('octomap')
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(['mapping', '--json', '--clouds', '3', '--memory-clouds', '20'])
    assert args.execute(args) == 0
    report = json.loads(capsys.readouterr().out)
    assert report['clouds']['count'] == 3
    assert report['ms_per_cloud']['bev']['p50'] > 0
    assert report['memory']['samples'][-1]['clouds'] == 20


def test_missing_octomap_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, 'octomap', None)
    cloud = Cloud(np.zeros((1, 3), np.float32), np.zeros(3))
    with pytest.raises(InputError, match='pip install'):
        against_octomap([cloud], BevConfig())
