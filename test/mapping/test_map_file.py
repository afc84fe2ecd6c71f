# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Map files, byte by byte, and as Nav2's map_server would read them."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from loc3r_ros.errors import InputError
from loc3r_ros.mapping.map_file import load_map, save_map
from loc3r_ros.types import OccupancyGrid

GRID = OccupancyGrid(3.0, np.array([[0, 100, -1], [100, -1, 0]], np.int8), 0.05, (-6.4, 12.8))


def test_files_byte_by_byte(tmp_path):
    yaml, pgm = save_map(GRID, tmp_path / 'kitchen')
    assert (yaml, pgm) == (tmp_path / 'kitchen.yaml', tmp_path / 'kitchen.pgm')
    # The highest y comes first: 254 free, 0 occupied, 205 unknown.
    assert pgm.read_bytes() == b'P5\n3 2\n255\n' + bytes([0, 205, 254, 254, 0, 205])
    assert yaml.read_text() == (
        'image: kitchen.pgm\nmode: trinary\nresolution: 0.05\norigin: [-6.4, 12.8, 0]\n'
        'negate: 0\noccupied_thresh: 0.65\nfree_thresh: 0.196\n'
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ['kitchen.pgm', 'kitchen.yaml']


def test_map_server_reads_unknown_as_unknown(tmp_path):
    """The rule of nav2_map_server's map_io.cpp, mode trinary, applied to the pixels."""
    _, pgm = save_map(GRID, tmp_path / 'map')
    shade = np.frombuffer(pgm.read_bytes()[-6:], np.uint8).reshape(2, 3)[::-1] / 255.0
    occupancy = 1.0 - shade
    read = np.where(occupancy > 0.65, 100, np.where(occupancy < 0.196, 0, -1))
    assert np.array_equal(read, GRID.data)


@given(
    arrays(
        np.int8,
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.sampled_from([-1, 0, 100]),
    ),
    st.integers(-5000, 5000),
    st.integers(-5000, 5000),
    st.sampled_from([0.02, 0.05, 0.1]),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_round_trip_is_exact(tmp_path, data, column, row, resolution):
    origin = (column * resolution, row * resolution)
    yaml, _ = save_map(OccupancyGrid(1.0, data, resolution, origin), tmp_path / 'map')
    loaded = load_map(yaml)
    assert np.array_equal(loaded.data, data) and loaded.data.dtype == np.int8
    assert loaded.resolution == resolution and loaded.stamp == 0.0
    assert np.allclose(loaded.origin, origin, atol=1e-6)


def test_doubtful_cells_are_written_as_unknown(tmp_path):
    grid = OccupancyGrid(0.0, np.array([[19, 20, 64, 65]], np.int8), 0.05, (0.0, 0.0))
    assert load_map(save_map(grid, tmp_path / 'map')[0]).data.tolist() == [[0, -1, -1, 100]]


def test_maps_of_others_are_read(tmp_path):
    (tmp_path / 'a.pgm').write_bytes(b'P5\n# a comment\n2 1\n255\n' + bytes([255, 0]))
    text = (
        'image: "a.pgm"\nresolution: 0.1  # metres\norigin: [1.0, -2.0, 0.0]\nnegate: true\n'
        'occupied_thresh: 0.65\nfree_thresh: 0.196\n'
    )
    (tmp_path / 'a.yaml').write_text(text)
    loaded = load_map(tmp_path / 'a.yaml')
    assert loaded.data.tolist() == [[100, 0]]
    assert loaded.origin == (1.0, -2.0) and loaded.resolution == 0.1


@pytest.mark.parametrize(
    ('old', 'new', 'named'),
    [
        ('resolution: 0.05', 'resolution: 0', 'resolution 0'),
        ('resolution: 0.05', 'resolution: fine', "resolution is 'fine'"),
        ('origin: [-6.4, 12.8, 0]', 'origin: [1, 2]', 'origin'),
        ('origin: [-6.4, 12.8, 0]', 'origin: [1, 2, 0.3]', 'yaw'),
        ('origin: [-6.4, 12.8, 0]', 'origin: [1, .nan, 0]', 'finite'),
        ('mode: trinary', 'mode: scale', 'trinary'),
        ('image: map.pgm', 'image: gone.pgm', 'gone.pgm'),
        ('free_thresh: 0.196\n', '', 'free_thresh'),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path, old, new, named):
    yaml, _ = save_map(GRID, tmp_path / 'map')
    text = yaml.read_text()
    assert old in text
    yaml.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=named):
        load_map(yaml)


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(InputError, match='cannot read'):
        load_map(tmp_path / 'none.yaml')
    (tmp_path / 'b.yaml').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(InputError, match='cannot read'):
        load_map(tmp_path / 'b.yaml')


def test_empty_map_is_not_written(tmp_path):
    with pytest.raises(InputError, match='nothing was mapped'):
        save_map(OccupancyGrid(0.0, np.zeros((0, 0), np.int8), 0.05, (0.0, 0.0)), tmp_path / 'map')
    assert not list(tmp_path.iterdir())


def test_failed_write_leaves_the_old_map(tmp_path, monkeypatch):
    yaml, pgm = save_map(GRID, tmp_path / 'map')
    before = yaml.read_bytes(), pgm.read_bytes()

    def full(_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    other = OccupancyGrid(0.0, np.zeros((4, 4), np.int8), 0.05, (0.0, 0.0))
    with pytest.raises(OSError, match='No space'):
        save_map(other, tmp_path / 'map')
    assert (yaml.read_bytes(), pgm.read_bytes()) == before
    assert len(list(tmp_path.iterdir())) == 2
