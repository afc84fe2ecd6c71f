# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r topics` says which topics are the camera, as YAML that launch reads."""

from __future__ import annotations

import yaml
from box_bag import DEPTH, IMAGE, INFO, shots, write_bag

from loc3r_ros.cli import main


def test_the_camera_of_a_recording_is_printed_as_yaml(tmp_path, capsys):
    bag = write_bag(tmp_path / 'bag', shots(2))
    assert main(['topics', str(bag)]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == {
        'image': IMAGE,
        'camera_info': INFO,
        'depth': DEPTH,
    }


def test_a_topic_that_is_not_there_is_refused_and_the_others_are_told(tmp_path, capsys):
    bag = write_bag(tmp_path / 'bag', shots(2))
    assert main(['topics', str(bag), '--image', '/front/image']) == 2
    told = capsys.readouterr()
    assert told.out == ''
    assert '/front/image is not in the recording' in told.err
    assert IMAGE in told.err
