# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Broken recordings: each ends with a clear message and readable results, as far as they go."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from box_bag import TRUTH, Shot, shots, write_bag

from loc3r_ros.bag.reader import BagReader
from loc3r_ros.bag.trajectory import read_tum
from loc3r_ros.cli import main
from loc3r_ros.geometry import invert


@pytest.fixture
def run(tmp_path, capsys):
    """Runs on a bag; returns the exit code, what was said and the summary (None if none)."""

    def go(bag: Path, *options: str) -> tuple[int, str, dict | None]:
        out = tmp_path / 'out'
        code = main(['run', str(bag), '-o', str(out), *options])
        said = capsys.readouterr()
        summary = out / 'summary.json'
        found = json.loads(summary.read_text()) if summary.exists() else None
        if (out / 'bag').exists():
            with BagReader(out / 'bag') as reader:
                assert reader.problems == []
                assert sum(1 for _ in reader.read(list(reader.topics))) >= 0
        return code, said.out + said.err, found

    return go


def largest_error(out: Path, recorded: list[Shot]) -> float:
    """Distance of the trajectory's motion from the truth, m, at its worst."""
    poses = read_tum(out / 'trajectory.tum')
    true = {s.stamp_ns: s.T for s in recorded}
    first = invert(true[int(poses.stamps_ns[0])]) @ np.eye(4)
    worst = 0.0
    for stamp, T in zip(poses.stamps_ns, poses.T, strict=True):
        D = invert(first @ true[int(stamp)]) @ invert(poses.T[0]) @ T
        worst = max(worst, float(np.linalg.norm(D[:3, 3])))
    return worst


def test_truncated(run, tmp_path):
    bag = write_bag(tmp_path / 'walk', shots(12))
    file = next(bag.glob('*.mcap'))
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 6 // 10])
    code, said, summary = run(bag)
    assert code == 0
    assert 3 <= summary['tracked'] < 12
    assert 'truncated' in said or 'damaged' in said or 'cut' in said
    assert any('walk_0.mcap' in problem for problem in summary['problems'])


def test_without_camera_info(run, tmp_path):
    bag = write_bag(tmp_path / 'walk', [replace(s, camera=None) for s in shots(4)])
    code, said, summary = run(bag)
    assert code == 2
    assert '--intrinsics FX,FY,CX,CY' in said
    assert summary['status'] == 'failed'
    assert summary['frames'] == 4
    assert summary['tracked'] == 0


def test_intrinsics_given_by_hand_replace_it(run, tmp_path):
    bag = write_bag(tmp_path / 'walk', [replace(s, camera=None) for s in shots(6)])
    code, _, summary = run(bag, '--intrinsics', '262.5,262.5,159.5,119.5')
    assert code == 0
    assert summary['tracked'] == 6
    assert largest_error(tmp_path / 'out', shots(6)) < 0.03


@pytest.mark.parametrize('value', [0.0, float('nan')])
def test_zero_intrinsics(run, tmp_path, value):
    def spoil(message):
        message.k[:] = value
        return message

    code, said, summary = run(write_bag(tmp_path / 'walk', shots(4), change_info=spoil))
    assert code == 2
    assert 'calibrat' in said or 'not finite' in said
    assert summary['tracked'] == 0


def test_intrinsics_of_another_size_are_scaled_and_said(run, tmp_path):
    recorded = [replace(s, camera=s.camera.resized(640, 480)) for s in shots(6)]
    code, said, summary = run(write_bag(tmp_path / 'walk', recorded))
    assert code == 0
    assert '640x480' in said
    assert summary['tracked'] == 6
    assert largest_error(tmp_path / 'out', recorded) < 0.03


def test_intrinsics_of_another_shape_are_not_used(run, tmp_path):
    recorded = [replace(s, camera=replace(s.camera, width=400, height=200)) for s in shots(4)]
    code, said, summary = run(write_bag(tmp_path / 'walk', recorded))
    assert code == 2
    assert '400x200' in said
    assert summary['tracked'] == 0


def test_depth_of_another_size(run, tmp_path):
    recorded = [replace(s, depth=np.ascontiguousarray(s.depth[::2, ::2])) for s in shots(6)]
    code, said, summary = run(write_bag(tmp_path / 'walk', recorded))
    assert code == 0
    assert '160x120' in said
    assert summary['tracked'] == 6
    assert largest_error(tmp_path / 'out', recorded) < 0.05


@pytest.mark.parametrize('value', [0.0, float('nan')])
def test_some_images_have_empty_depth(run, tmp_path, value):
    recorded = shots(10)
    for k in (3, 4, 7):
        recorded[k] = replace(recorded[k], depth=np.full_like(recorded[k].depth, value))
    code, _, summary = run(write_bag(tmp_path / 'walk', recorded))
    assert code == 0
    assert summary['tracked'] == 10
    assert any('depth' in problem for problem in summary['problems'])
    assert largest_error(tmp_path / 'out', recorded) < 0.05


def test_all_depth_is_empty(run, tmp_path):
    recorded = [replace(s, depth=np.zeros_like(s.depth)) for s in shots(4)]
    code, said, summary = run(write_bag(tmp_path / 'walk', recorded))
    assert code == 2
    assert 'not one frame could be tracked' in said
    assert summary['states']['initialising'] == 4


def test_the_resolution_changes_midway(run, tmp_path):
    recorded = shots(12)
    for k in range(6, 12):
        s = recorded[k]
        recorded[k] = replace(
            s,
            rgb=cv2.resize(s.rgb, (640, 480), interpolation=cv2.INTER_CUBIC),
            depth=np.repeat(np.repeat(s.depth, 2, 0), 2, 1),
            camera=s.camera.resized(640, 480),
        )
    code, said, summary = run(write_bag(tmp_path / 'walk', recorded))
    assert code == 0
    assert summary['tracked'] == 12
    assert '640x480' in said
    assert largest_error(tmp_path / 'out', recorded) < 0.05


def test_time_runs_backwards(run, tmp_path):
    first, second = shots(8), shots(8)
    for s in first:
        s.stamp_ns += 60 * 10**9
    code, said, summary = run(write_bag(tmp_path / 'walk', first + second))
    assert code == 0
    assert summary['epochs'] == 2
    assert summary['frames'] == summary['tracked'] == 16
    assert 'backwards' in said
    out = tmp_path / 'out'
    assert len(read_tum(out / 'trajectory.tum').T) == 8
    assert len(read_tum(out / 'trajectory_epoch0.tum').T) == 8


def test_images_out_of_order_are_late(run, tmp_path):
    recorded = shots(8)
    recorded[3], recorded[4] = recorded[4], recorded[3]
    code, said, summary = run(write_bag(tmp_path / 'walk', recorded))
    assert code == 0
    assert summary['epochs'] == 1
    assert summary['frames'] == 7
    assert '1 images came after later ones: left out' in said


def test_three_in_ten_frames_are_dropped(run, tmp_path):
    kept = np.random.default_rng(3).random(40) > 0.3
    recorded = [s for s, keep in zip(shots(40), kept, strict=True) if keep]
    code, _, summary = run(write_bag(tmp_path / 'walk', recorded), '--ground-truth', TRUTH)
    assert code == 0
    assert summary['tracked'] == summary['frames'] == kept.sum()
    assert summary['ate_rmse_m'] < 0.05


def test_no_image_topic(run, tmp_path):
    bag = write_bag(tmp_path / 'walk', [])
    from loc3r_ros.bag.typestore import messages
    from loc3r_ros.bag.writer import BagWriter

    with BagWriter(bag, resume=True) as writer:
        writer.write('/odom_pose', messages().pose_stamped(10**9, 'map', np.eye(4)), 10**9)
    code, said, summary = run(bag)
    assert code == 2
    assert '/odom_pose' in said
    assert summary is None


def test_a_topic_that_is_not_there(run, tmp_path):
    code, said, _ = run(write_bag(tmp_path / 'walk', shots(2)), '--image', '/front/image')
    assert code == 2
    assert '/front/image' in said
    assert '/camera/image' in said


def test_an_unknown_encoding(run, tmp_path):
    def spoil(message):
        message.encoding = 'x-secret'
        return message

    code, said, _ = run(write_bag(tmp_path / 'walk', shots(3), change_image=spoil))
    assert code == 2
    assert 'x-secret' in said
    assert 'rgb8' in said


def test_no_depth_and_no_weights(run, tmp_path):
    code, said, _ = run(write_bag(tmp_path / 'walk', [replace(s, depth=None) for s in shots(3)]))
    assert code == 2
    assert '--weights' in said
    assert '--depth' in said


def test_the_ground_truth_is_elsewhere(run, tmp_path):
    code, said, _ = run(write_bag(tmp_path / 'walk', shots(2)), '--ground-truth', '/gt')
    assert code == 2
    assert TRUTH in said


def test_the_disk_fills_up(run, tmp_path, monkeypatch):
    """After the first checkpoint no more can be written to the bag."""
    import loc3r_ros.bag.runner as runner

    bag = write_bag(tmp_path / 'walk', shots(12))
    monkeypatch.setattr(runner, 'CHECKPOINT_S', 0.0)
    real, calls = os.fsync, []

    def full(fd: int) -> None:
        calls.append(fd)
        if len(calls) > 6:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(fd)

    monkeypatch.setattr(os, 'fsync', full)
    code, said, _ = run(bag)
    assert code == 2
    assert 'No space left' in said
    assert 'finished split' in said
    with BagReader(tmp_path / 'out' / 'bag') as reader:
        assert '/loc3r/pose' in reader.topics


def test_an_empty_folder_and_a_missing_one(run, tmp_path):
    (tmp_path / 'empty').mkdir()
    for path in (tmp_path / 'empty', tmp_path / 'nowhere'):
        code, said, _ = run(path)
        assert code == 2
        assert path.name in said
