# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The bag that we write: read back by two foreign readers, after a kill, on a full disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader
from rosbags.interfaces import QosDurability
from rosbags.rosbag2 import Reader

from loc3r_ros.bag import writer
from loc3r_ros.bag.typestore import humble, messages
from loc3r_ros.bag.writer import BagWriter
from loc3r_ros.errors import InputError
from loc3r_ros.types import OccupancyGrid


def pose(k: int):
    T = np.eye(4)
    T[0, 3] = k
    return messages().pose_stamped(k, 'map', T)


def read(path: Path) -> list[tuple[str, int, float]]:
    """(topic, log time, x of the pose) of each message."""
    with Reader(path) as bag:
        return [
            (c.topic, t, humble().deserialize_cdr(data, c.msgtype).pose.position.x)
            for c, t, data in bag.messages()
        ]


def write_poses(bag: BagWriter, *stamps: int) -> None:
    for k in stamps:
        bag.write('/pose', pose(k), k)


def test_read_back_over_splits(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        write_poses(bag, 1, 2)
        assert bag.cut() == 1
        assert bag.cut() == 1, 'an empty split is not cut'
        write_poses(bag, 3)
    assert read(tmp_path / 'bag') == [('/pose', k, float(k)) for k in (1, 2, 3)]
    names = sorted(p.name for p in (tmp_path / 'bag').iterdir())
    assert names == ['bag_0.mcap', 'bag_1.mcap', 'metadata.yaml']
    with Reader(tmp_path / 'bag') as foreign:
        assert (foreign.message_count, foreign.start_time, foreign.end_time) == (3, 1, 4)


def test_each_split_is_a_whole_mcap_file(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        write_poses(bag, 5)
    with (tmp_path / 'bag/bag_0.mcap').open('rb') as file:
        reader = make_reader(file, validate_crcs=True)
        assert reader.get_header().profile == 'ros2'
        ((schema, channel, message),) = reader.iter_messages()
        assert (schema.name, schema.encoding) == ('geometry_msgs/msg/PoseStamped', 'ros2msg')
        assert b'MSG: geometry_msgs/Pose\n' in schema.data
        assert (channel.topic, channel.message_encoding) == ('/pose', 'cdr')
        assert (message.log_time, message.publish_time) == (5, 5)
        assert reader.get_summary().chunk_indexes[0].compression == 'zstd'


def test_maps_and_static_transforms_are_latched(tmp_path):
    make = messages()
    grid = OccupancyGrid(0.0, np.zeros((2, 2), np.int8), 0.05, (0.0, 0.0))
    with BagWriter(tmp_path / 'bag') as bag:
        bag.write('/loc3r/bev', make.occupancy_grid(1, 'map', grid), 1)
        bag.write('/tf_static', make.tf(make.transform_stamped(1, 'a', 'b', np.eye(4))), 1)
        bag.write('/tf', make.tf(make.transform_stamped(1, 'map', 'odom', np.eye(4))), 1)
    with Reader(tmp_path / 'bag') as foreign:
        durability = {
            c.topic: c.ext.offered_qos_profiles[0].durability for c in foreign.connections
        }
        assert len(list(foreign.messages())) == 3
    assert durability == {
        '/loc3r/bev': QosDurability.TRANSIENT_LOCAL,
        '/tf_static': QosDurability.TRANSIENT_LOCAL,
        '/tf': QosDurability.VOLATILE,
    }


def test_splits_by_size(tmp_path):
    with BagWriter(tmp_path / 'bag', split_bytes=300) as bag:
        write_poses(bag, *range(9))
        assert bag.cut() >= 3
    assert [t for _, t, _ in read(tmp_path / 'bag')] == list(range(9))


def test_empty_bag_is_a_bag(tmp_path):
    with BagWriter(tmp_path / 'deep/er/bag') as bag:
        bag.close()
    with Reader(tmp_path / 'deep/er/bag') as foreign:
        assert foreign.message_count == 0


def test_will_not_write_over_anything(tmp_path):
    (tmp_path / 'precious').touch()
    with pytest.raises(InputError, match='not empty; name a new directory, or resume'):
        BagWriter(tmp_path)
    assert (tmp_path / 'precious').exists()


def test_resume_keeps_what_was_cut(tmp_path):
    path = tmp_path / 'bag'
    with BagWriter(path) as bag:
        write_poses(bag, 1)
        kept = bag.cut()
        write_poses(bag, 2)
        bag.cut()
        write_poses(bag, 3)
    with BagWriter(path, resume=True, keep=kept) as bag:
        assert [t for _, t, _ in read(path)] == [1]
        write_poses(bag, 4)
    with BagWriter(path, resume=True) as bag:
        write_poses(bag, 5)
    assert [t for _, t, _ in read(path)] == [1, 4, 5]
    with pytest.raises(InputError, match=r'holds 3 finished split.* 7 are to be resumed'):
        BagWriter(path, resume=True, keep=7)
    assert [t for _, t, _ in read(path)] == [1, 4, 5]


KILLED = """
import sys
from test_bag_writer import BagWriter, write_poses
bag = BagWriter(sys.argv[1])
write_poses(bag, 1, 2)
bag.cut()
write_poses(bag, 3)
print('cut', flush=True)
k = 4
while True:
    write_poses(bag, k)
    k += 1
"""


def test_kill_9_leaves_a_readable_bag_that_can_be_resumed(tmp_path):
    path = tmp_path / 'bag'
    child = subprocess.Popen(
        [sys.executable, '-c', KILLED, path],
        stdout=subprocess.PIPE,
        env={**os.environ, 'PYTHONPATH': str(Path(__file__).parent)},
    )
    assert child.stdout.readline() == b'cut\n'
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()
    assert (path / 'split.mcap.partial').exists(), 'the kill came in the middle of a split'
    assert [t for _, t, _ in read(path)] == [1, 2]
    with BagWriter(path, resume=True) as bag:
        write_poses(bag, 9)
    assert [t for _, t, _ in read(path)] == [1, 2, 9]
    assert not (path / 'split.mcap.partial').exists()


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='no /dev/full here')
def test_full_disk_names_the_path_and_keeps_what_was_cut(tmp_path):
    path = tmp_path / 'bag'
    with BagWriter(path) as bag:
        write_poses(bag, 1)
        bag.cut()
        (path / 'split.mcap.partial').symlink_to('/dev/full')
        with pytest.raises(InputError, match=r'bag: No space left on device .* MB free') as caught:
            for k in range(2, 10**6):
                write_poses(bag, k)
        assert str(path) in str(caught.value)
        assert '1 finished split(s) remain readable' in str(caught.value)
        with pytest.raises(InputError, match='an earlier write failed'):
            write_poses(bag, 2)
    assert read(path) == [('/pose', 1, 1.0)]
    assert sorted(p.name for p in path.iterdir()) == ['bag_0.mcap', 'metadata.yaml']


@pytest.mark.parametrize('at', ['fsync', 'rename', 'metadata', 'close'])
def test_full_disk_while_a_split_is_finished(tmp_path, monkeypatch, at):
    path = tmp_path / 'bag'
    bag = BagWriter(path)
    write_poses(bag, 1)
    bag.cut()
    write_poses(bag, 2)

    def full(*_args, **_kwargs):
        raise OSError(28, 'No space left on device')

    if at == 'fsync':
        monkeypatch.setattr(writer.os, 'fsync', full)
    elif at == 'rename':
        monkeypatch.setattr(writer.Path, 'rename', full)
    elif at == 'metadata':
        monkeypatch.setattr(writer, 'write_metadata', full)
    else:
        monkeypatch.setattr(writer.Writer, 'finish', full)
    with pytest.raises(InputError, match='No space left on device'):
        bag.close()
    bag.close()
    assert [t for _, t, _ in read(path)] == [1]


def test_a_split_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    path = tmp_path / 'bag'
    synced = {}

    def fsync(file):
        synced[os.fstat(file).st_ino] = (path / 'bag_0.mcap').exists()

    bag = BagWriter(path)
    write_poses(bag, 1)
    monkeypatch.setattr(writer.os, 'fsync', fsync)
    bag.cut()
    assert synced[(path / 'bag_0.mcap').stat().st_ino] is False
    assert synced[(path / 'metadata.yaml').stat().st_ino] is True


def test_a_message_that_does_not_fit_is_our_own_error_not_the_disk(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        with pytest.raises(KeyError):
            bag.write('/x', pose(1), 1, type_name='no_such/msg/Type')
        write_poses(bag, 1)
    assert len(read(tmp_path / 'bag')) == 1
