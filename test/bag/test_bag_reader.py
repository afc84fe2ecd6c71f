# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Reading bags of every storage, and those of which only a part is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from make_bag import IMAGE, START, STEP, image, rgb, rgbd, stamps, write
from mcap.writer import CompressionType, IndexType
from mcap.writer import Writer as McapWriter
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat

from loc3r_ros.bag.reader import BagReader
from loc3r_ros.bag.typestore import humble, typestore_for
from loc3r_ros.bag.writer import BagWriter
from loc3r_ros.errors import InputError


def numbers(path: Path) -> tuple[list[int], list[str]]:
    """First pixel of each image, and the problems."""
    with BagReader(path) as reader:
        seen = [int(reader.decode(raw).data[0]) for raw in reader.read([IMAGE])]
        return seen, reader.problems


def noise(n: int) -> list:
    """Images that do not compress, so that a bag has many chunks."""
    rng = np.random.default_rng(0)
    rows = []
    for k, t in enumerate(stamps(n)):
        pixels = rng.integers(0, 256, (240, 320, 3), np.uint8)
        pixels[0, 0, 0] = k
        rows.append((IMAGE, t, image(t, pixels)))
    return rows


@pytest.mark.parametrize(
    ('storage', 'compression'),
    [
        ('mcap', 'NONE'),
        ('mcap', 'STORAGE'),
        ('mcap', 'FILE'),
        ('mcap', 'MESSAGE'),
        ('sqlite3', 'NONE'),
        ('sqlite3', 'FILE'),
        ('sqlite3', 'MESSAGE'),
    ],
)
def test_every_storage(tmp_path, storage, compression):
    path = write(tmp_path / 'bag', rgbd(4), storage=storage, compression=compression)
    assert numbers(path) == ([0, 1, 2, 3], [])
    with BagReader(path) as reader:
        assert reader.topics[IMAGE].count == 4
        assert [raw.log_ns for raw in reader.read([IMAGE])] == stamps(4)
        assert list(reader.read(['/absent'])) == []


@pytest.mark.parametrize(('storage', 'name'), [('mcap', 'bag.mcap'), ('sqlite3', 'bag.db3')])
def test_single_file_and_directory_without_metadata(tmp_path, storage, name):
    path = write(tmp_path / 'bag', rgbd(3), storage=storage)
    assert numbers(path / name) == ([0, 1, 2], [])
    (path / 'metadata.yaml').unlink()
    assert numbers(path) == ([0, 1, 2], ['bag: no metadata.yaml; its files are read one by one'])


def test_splits_without_metadata_are_read_in_their_order(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        for k, t in enumerate(stamps(12)):
            bag.write(IMAGE, image(t, rgb(k)), t)
            bag.cut()
    (tmp_path / 'bag/metadata.yaml').unlink()
    assert numbers(tmp_path / 'bag')[0] == list(range(12)), '10 comes behind 9'


def test_a_missing_split_is_said(tmp_path):
    with BagWriter(tmp_path / 'bag') as bag:
        for k, t in enumerate(stamps(3)):
            bag.write(IMAGE, image(t, rgb(k)), t)
            bag.cut()
    (tmp_path / 'bag/bag_1.mcap').unlink()
    seen, problems = numbers(tmp_path / 'bag')
    assert seen == [0, 2]
    assert len(problems) == 1
    assert 'bag_1.mcap' in problems[0]


@pytest.mark.parametrize('compression', ['NONE', 'STORAGE'])
@pytest.mark.parametrize('whole_directory', [True, False])
def test_truncated_mcap_is_read_up_to_the_cut(tmp_path, compression, whole_directory, caplog):
    path = write(tmp_path / 'bag', noise(40), compression=compression)
    file = path / 'bag.mcap'
    os.truncate(file, file.stat().st_size * 6 // 10)
    seen, problems = numbers(path if whole_directory else file)
    assert seen == list(range(len(seen)))
    assert 20 <= len(seen) <= 24
    assert 'bag.mcap is damaged' in problems[-1]
    assert sum('bag.mcap is damaged' in r.message for r in caplog.records) == 1


def test_mcap_that_is_damaged_in_the_middle_is_read_up_to_there(tmp_path, caplog):
    path = tmp_path / 'bag'
    with BagWriter(path) as bag:
        for topic, t, message in noise(40):
            bag.write(topic, message, t)
    file = path / 'bag_0.mcap'
    with file.open('r+b') as f:
        f.seek(file.stat().st_size // 2)
        f.write(bytes(1000))
    seen, problems = numbers(path)
    assert seen == list(range(len(seen)))
    assert 15 <= len(seen) <= 20
    assert 'is damaged' in problems[0]
    assert sum('is damaged' in r.message for r in caplog.records) == 1


def test_of_a_single_cut_chunk_its_first_part_is_read(tmp_path):
    path = tmp_path / 'bag'
    with BagWriter(path) as bag:
        for topic, t, message in noise(4):
            bag.write(topic, message, t)
    os.truncate(path / 'bag_0.mcap', (path / 'bag_0.mcap').stat().st_size * 7 // 10)
    assert numbers(path)[0] == [0, 1]


def test_a_wrong_checksum_ends_reading_also_without_an_index(tmp_path):
    path = tmp_path / 'bag'
    with BagWriter(path) as bag:
        for topic, t, message in noise(40):
            bag.write(topic, message, t)
    file = path / 'bag_0.mcap'
    size = file.stat().st_size
    with file.open('r+b') as f:
        f.seek(size // 2)
        f.write(bytes(1000))  # in noise that zstd stores as it is: only the checksum tells
    os.truncate(file, size * 9 // 10)
    seen, problems = numbers(path)
    assert 15 <= len(seen) <= 20
    assert 'does not match its checksum' in problems[-1]


def test_mcap_without_chunks_or_order_is_read_whole(tmp_path):
    file = tmp_path / 'fastwrite.mcap'
    with file.open('wb') as f:
        writer = McapWriter(
            f, compression=CompressionType.NONE, use_chunking=False, index_types=IndexType.NONE
        )
        writer.start(profile='ros2', library='test')
        kind = 'sensor_msgs/msg/Image'
        text = humble().generate_msgdef(kind, ros_version=2)[0].encode()
        channel = writer.register_channel(
            IMAGE, 'cdr', writer.register_schema(kind, 'ros2msg', text)
        )
        for k in (0, 2, 1):
            data = bytes(humble().serialize_cdr(image(START, rgb(k)), kind))
            writer.add_message(channel, START + k * STEP, data, START)
        writer.finish()
    assert numbers(file) == ([0, 2, 1], [])


def test_truncated_sqlite_is_read_up_to_the_cut(tmp_path):
    path = write(tmp_path / 'bag', noise(40), storage='sqlite3')
    file = path / 'bag.db3'
    os.truncate(file, file.stat().st_size * 6 // 10)
    seen, problems = numbers(path)
    assert seen == list(range(len(seen)))
    assert 20 <= len(seen) <= 24
    assert 'bag.db3 is damaged' in problems[-1]


UNFINISHED = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('PRAGMA journal_mode=WAL')
db.execute('PRAGMA wal_autocheckpoint=0')
kept = db.execute('SELECT * FROM messages ORDER BY id').fetchall()
db.execute('DELETE FROM messages WHERE id > 3')
db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
db.executemany('INSERT INTO messages VALUES (?, ?, ?, ?)', kept[3:])
print('written', flush=True)
time.sleep(60)
"""


def test_sqlite_of_a_killed_recorder_is_read_with_its_log(tmp_path):
    path = write(tmp_path / 'bag', rgbd(3), storage='sqlite3')
    (path / 'metadata.yaml').unlink()
    file = path / 'bag.db3'
    child = subprocess.Popen([sys.executable, '-c', UNFINISHED, file], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b'written\n'
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert file.with_name('bag.db3-wal').stat().st_size > 0
    seen, problems = numbers(tmp_path / 'bag')
    assert seen == [0, 1, 2]
    assert problems == ['bag: no metadata.yaml; its files are read one by one']


def test_damaged_metadata(tmp_path):
    path = write(tmp_path / 'bag', rgbd(2))
    (path / 'metadata.yaml').write_text('rosbag2_bagfile_information: {version: [')
    seen, problems = numbers(path)
    assert seen == [0, 1]
    assert 'read one by one' in problems[0]


def test_a_damaged_compressed_bag_says_what_is_wrong(tmp_path):
    path = write(tmp_path / 'bag', rgbd(3), compression='FILE')
    os.truncate(path / 'bag.mcap.zstd', 100)
    with pytest.raises(InputError, match=r'no \.mcap or \.db3 file in .*bag \(bag: .+\); give'):
        BagReader(path)


def test_what_is_no_recording(tmp_path):
    with pytest.raises(InputError, match=r'no recording at .*absent; give a rosbag2 directory'):
        BagReader(tmp_path / 'absent')
    with pytest.raises(InputError, match=r'no \.mcap or \.db3 file in'):
        BagReader(tmp_path)
    (tmp_path / 'old.bag').touch()
    with pytest.raises(InputError, match='ROS 1 bag; convert it: rosbags-convert'):
        BagReader(tmp_path / 'old.bag')
    (tmp_path / 'film.mp4').touch()
    with pytest.raises(InputError, match='no recording that can be read; give a rosbag2'):
        BagReader(tmp_path / 'film.mp4')


@pytest.mark.parametrize('name', ['junk.mcap', 'junk.db3'])
@pytest.mark.parametrize('content', [b'', b'no bag at all' * 100])
def test_junk_is_refused_with_a_reason(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf'nothing can be read from .*{name}: {name} is damaged'):
        BagReader(tmp_path / name)


def test_empty_bag_is_refused(tmp_path):
    BagWriter(tmp_path / 'bag').close()
    with pytest.raises(InputError, match='it holds no messages'):
        BagReader(tmp_path / 'bag')


def test_a_message_that_is_cut_short(tmp_path):
    kind = 'sensor_msgs/msg/Image'
    data = bytes(humble().serialize_cdr(image(START, rgb(7)), kind))
    path = write(tmp_path / 'bag', [(IMAGE, START, (kind, data[:100]))])
    with BagReader(path) as reader:
        (raw,) = reader.read([IMAGE])
        with pytest.raises(InputError, match='is no sensor_msgs/msg/Image'):
            reader.decode(raw)


def test_definitions_of_the_bag_go_before_ours_where_they_differ():
    kind = 'sensor_msgs/msg/CompressedImage'
    text, _ = humble().generate_msgdef(kind, ros_version=2)

    def store(definition):
        return typestore_for({kind: MessageDefinition(MessageDefinitionFormat.MSG, definition)})

    assert store(text) is humble()
    assert store('?! no definition') is humble()
    longer = store(text.replace('string format', 'string format\nuint8 quality', 1))
    assert [name for name, _ in longer.fielddefs[kind][1]] == [
        'header',
        'format',
        'quality',
        'data',
    ]


def test_reading_leaves_the_bag_as_it_was(tmp_path):
    path = write(tmp_path / 'bag', rgbd(2), storage='sqlite3')
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    numbers(path)
    assert {p.name: p.read_bytes() for p in path.iterdir()} == before
