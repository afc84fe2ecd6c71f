# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r run` as its user runs it: what it writes, going on after a kill, errors one can act on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from box_bag import TRUTH, shots, write_bag

from loc3r_ros.bag.reader import BagReader
from loc3r_ros.bag.trajectory import read_tum
from loc3r_ros.cli import main
from loc3r_ros.geometry import T_BODY_OPTICAL, invert
from loc3r_ros.mapping.map_file import load_map


@pytest.fixture(scope='module')
def bag(tmp_path_factory) -> Path:
    return write_bag(tmp_path_factory.mktemp('box') / 'walk', shots(30))


@pytest.fixture(scope='module')
def done(bag, tmp_path_factory) -> Path:
    """The results of a whole run."""
    out = tmp_path_factory.mktemp('run') / 'out'
    assert main(['run', str(bag), '-o', str(out), '--ground-truth', TRUTH]) == 0
    return out


def summary_of(out: Path) -> dict:
    return json.loads((out / 'summary.json').read_text())


def messages_of(path: Path) -> list[tuple[str, object]]:
    with BagReader(path) as reader:
        return [(raw.topic, reader.decode(raw)) for raw in reader.read(list(reader.topics))]


def test_the_summary_tells_the_run(done):
    summary = summary_of(done)
    assert summary['status'] == 'complete'
    assert summary['frames'] == summary['tracked'] == 30
    assert summary['ate_rmse_m'] < 0.03
    assert summary['rotation_error_mean_deg'] < 3.0
    assert 2 <= summary['keyframes'] <= 30
    assert summary['path_length_m'] == pytest.approx(2.84, abs=0.2)
    assert summary['map']['iou_occupied'] > 0.75
    assert summary['map']['false_free'] <= 0.01
    assert set(summary['latency_ms']) == {'cloud', 'tracking', 'mapping'}
    assert summary['peak_memory_mib'] > 50
    assert summary['problems'] == []


def test_the_trajectory_has_every_frame_with_its_stamp(done):
    poses = read_tum(done / 'trajectory.tum')
    assert poses.stamps_ns.tolist() == [s.stamp_ns for s in shots(30)]


def test_the_map_stands_on_the_floor_of_the_box(done):
    """The camera is 1.4 m above the floor; up is found from the first depth image."""
    first = read_tum(done / 'trajectory.tum').T[0]
    assert first[2, 3] == pytest.approx(1.4, abs=0.05)
    up = first[:3, :3] @ invert(shots(1)[0].T)[:3, :3] @ [0, 0, 1]
    assert np.degrees(np.arccos(np.clip(up[2], -1, 1))) < 1.5
    grid = load_map(done / 'map.yaml')
    assert grid.resolution == 0.05
    assert (grid.data == 100).sum() > 100
    assert (grid.data == 0).sum() > 500


def test_the_bag_speaks_the_ros_interface(done):
    found = messages_of(done / 'bag')
    counts = Counter(topic for topic, _ in found)
    assert counts['/loc3r/pose'] == counts['/loc3r/odometry'] == counts['/tf'] == 30
    assert counts['/loc3r/bev'] == counts['/loc3r/path'] >= 3
    assert counts['/loc3r/points'] >= 3
    by_topic = dict(found)  # the last message of each
    assert by_topic['/loc3r/pose'].__msgtype__.endswith('PoseWithCovarianceStamped')
    assert by_topic['/loc3r/bev'].__msgtype__ == 'nav_msgs/msg/OccupancyGrid'
    assert by_topic['/loc3r/points'].__msgtype__ == 'sensor_msgs/msg/PointCloud2'
    last = read_tum(done / 'trajectory.tum').T[-1]
    position = by_topic['/loc3r/pose'].pose.pose.position
    np.testing.assert_allclose([position.x, position.y, position.z], last[:3, 3], atol=1e-6)
    grid = load_map(done / 'map.yaml')
    data = np.array(by_topic['/loc3r/bev'].data, np.int8).reshape(grid.data.shape)
    np.testing.assert_array_equal(data, grid.data)
    assert len(by_topic['/loc3r/path'].poses) == 30


def test_the_points_lie_on_the_walls(done):
    last = dict(messages_of(done / 'bag'))['/loc3r/points']
    table = np.frombuffer(bytes(last.data), np.float32).reshape(-1, 4)
    assert 1000 < len(table) <= 5000
    stamps = read_tum(done / 'trajectory.tum')
    at = last.header.stamp.sec * 10**9 + last.header.stamp.nanosec
    index = stamps.stamps_ns.tolist().index(at)
    T = shots(30)[index].T
    X = table[:, :3] @ T[:3, :3].T + T[:3, 3]
    off = np.abs(np.abs(X) - (3.0, 2.5, 1.4)).min(1)
    assert np.median(off) < 0.02


def test_a_base_link_takes_the_place_of_levelling(tmp_path):
    from loc3r_ros.bag.typestore import messages
    from loc3r_ros.bag.writer import BagWriter

    recorded = shots(4)
    path = write_bag(tmp_path / 'walk', recorded)
    T_base_camera = T_BODY_OPTICAL.copy()
    T_base_camera[2, 3] = 1.25
    with BagWriter(path, resume=True) as bag:
        mount = messages().transform_stamped(
            recorded[0].stamp_ns, 'base_link', 'camera_optical_frame', T_base_camera
        )
        bag.write('/tf_static', messages().tf(mount), recorded[0].stamp_ns)
    assert main(['run', str(path), '-o', str(tmp_path / 'out')]) == 0
    found = dict(messages_of(tmp_path / 'out' / 'bag'))
    assert found['/tf'].transforms[0].child_frame_id == 'base_link'
    assert read_tum(tmp_path / 'out/trajectory.tum').T[0][2, 3] == pytest.approx(1.25)
    with BagReader(tmp_path / 'out' / 'bag') as reader:
        first = next(iter(reader.read(['/loc3r/pose'])))
        position = reader.decode(first).pose.pose.position
    assert (position.x, position.y, position.z) == pytest.approx((0, 0, 0), abs=1e-9)


KILL = """
import os, signal, sys
import loc3r_ros.bag.runner as runner
from loc3r_ros.bag.run_log import RunLog
from loc3r_ros.cli import main
runner.CHECKPOINT_S = 0.0
add = RunLog.add
def add_and_die(self, *args):
    add(self, *args)
    if len(self) == 17:
        os.kill(os.getpid(), signal.{signal})
RunLog.add = add_and_die
sys.exit(main(['run', {bag!r}, '-o', {out!r}]))
"""


@pytest.mark.parametrize('name', ['SIGKILL', 'SIGTERM', 'SIGINT'])
def test_a_killed_run_leaves_a_readable_bag_and_goes_on(bag, done, tmp_path, name):
    out = tmp_path / 'out'
    script = KILL.format(signal=name, bag=str(bag), out=str(out))
    killed = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)
    if name == 'SIGKILL':
        assert killed.returncode == -signal.SIGKILL
    else:
        assert killed.returncode == 130, killed.stderr
        assert 'interrupted' in summary_of(out)['failure']
        assert (out / 'report.html').exists()
    topics = Counter(topic for topic, _ in messages_of(out / 'bag'))
    assert 5 <= topics['/loc3r/pose'] <= 17
    assert main(['run', str(bag), '-o', str(out), '--resume']) == 0
    assert (out / 'trajectory.tum').read_text() == (done / 'trajectory.tum').read_text()
    assert (out / 'map.pgm').read_bytes() == (done / 'map.pgm').read_bytes()
    again = [m.header.stamp for t, m in messages_of(out / 'bag') if t == '/loc3r/pose']
    assert len(again) == 30
    assert not (out / 'checkpoint').exists()


def test_resuming_with_other_settings_is_refused(bag, tmp_path, capsys):
    out = tmp_path / 'out'
    script = KILL.format(signal='SIGKILL', bag=str(bag), out=str(out))
    subprocess.run([sys.executable, '-c', script], capture_output=True)
    assert main(['run', str(bag), '-o', str(out), '--resume', '--resolution', '0.1']) == 2
    assert 'same recording and options' in capsys.readouterr().err


def test_an_earlier_run_is_not_overwritten_unasked(bag, done, capsys):
    before = (done / 'summary.json').read_text()
    assert main(['run', str(bag), '-o', str(done)]) == 2
    assert '--overwrite' in capsys.readouterr().err
    assert (done / 'summary.json').read_text() == before


def test_overwriting_spares_what_is_not_ours(bag, tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    few = write_bag(tmp_path / 'few', shots(3))
    assert main(['run', str(few), '-o', str(tmp_path / 'out')]) == 0
    (tmp_path / 'out' / 'notes.txt').write_text('mine')
    assert main(['run', str(few), '-o', str(tmp_path / 'out'), '--overwrite']) == 0
    assert (tmp_path / 'out' / 'notes.txt').read_text() == 'mine'


def test_a_pipe_closed_or_a_folder_without_permission_is_said(bag, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    assert main(['run', str(bag), '-o', str(tmp_path / 'file')]) == 2
    assert 'is a file' in capsys.readouterr().err
    if os.geteuid() == 0:
        pytest.skip('root may write everywhere')
    (tmp_path / 'locked').mkdir(mode=0o500)
    assert main(['run', str(bag), '-o', str(tmp_path / 'locked' / 'out')]) == 2


@pytest.mark.shared
def test_the_real_kitchen(shared_dir, tmp_path):
    bag = shared_dir / 'data/real_rgbd/sevenscenes_redkitchen/bag'
    out = tmp_path / 'out'
    assert main(['run', str(bag), '-o', str(out), '--ground-truth', '/ground_truth/pose']) == 0
    summary = summary_of(out)
    assert summary['tracked'] == summary['frames'] == 143
    assert summary['ate_rmse_m'] <= 0.05
    assert summary['rotation_error_mean_deg'] <= 1.5
    assert summary['map']['iou_occupied'] >= 0.75
    assert summary['map']['false_free'] <= 0.01


def test_without_depth_the_encoder_carries_the_run(tmp_path):
    """With weights that mean nothing: what is checked is that every stage runs and says so."""
    import torch

    from loc3r_ros.cut3r import Cut3r, tiny
    from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint

    torch.manual_seed(0)
    model = Cut3r(tiny('linear'))
    write_checkpoint(Checkpoint(tiny('linear'), model.state_dict()), tmp_path / 'tiny.safetensors')
    recorded = shots(6)
    for shot in recorded:
        shot.depth = None
    bag = write_bag(tmp_path / 'walk', recorded)
    out = tmp_path / 'out'
    weights = str(tmp_path / 'tiny.safetensors')
    assert main(['run', str(bag), '-o', str(out), '--weights', weights]) == 0
    summary = summary_of(out)
    assert summary['weights'] == 'tiny.safetensors'
    assert summary['scale_source'] == 'metric_model'
    assert len(read_tum(out / 'trajectory.tum').T) == 6
    assert 'encoder' in summary['latency_ms']
