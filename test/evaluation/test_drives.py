# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Drives of encoders whose errors are known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation import drives as drives_module
from loc3r_ros.evaluation.bootstrap import Interval
from loc3r_ros.evaluation.cut3r_trajectory import compare_poses
from loc3r_ros.evaluation.drives import Drive, drive_all, drive_tables
from loc3r_ros.evaluation.journal import Journal
from loc3r_ros.geometry import Array, invert
from loc3r_ros.training.cut3r_reels import drive
from loc3r_ros.types import Frame


class Encoder:
    """Knows its poses, too far by a factor."""

    def __init__(self, T_map_optical: Array, factor: float) -> None:
        self._poses = invert(T_map_optical[0]) @ T_map_optical
        self._poses[:, :3, 3] *= factor

    def reset(self) -> None:
        self._next = 0

    def observe(self, frame: Frame) -> Any:
        self._next += 1
        return SimpleNamespace(T_world_camera=self._poses[self._next - 1], points_camera=None)


def straight(seed: int, factor: float) -> Drive:
    """10 m straight on in 101 frames, told too far by a factor; by another rule exactly."""
    T = np.tile(np.eye(4), (101, 1, 1))
    T[:, 2, 3] = np.linspace(0.0, 10.0, 101)
    far = T.copy()
    far[:, 2, 3] *= factor
    rules = {'cut3r': compare_poses(seed, far, T, 0.1), 'ttt3r': compare_poses(seed, T, T, 0.2)}
    return Drive(seed, rules)


def test_tables_by_hand() -> None:
    table, drift = drive_tables([straight(0, 1.1), straight(1, 1.2)])
    for rule, scale, depth in (('cut3r', 0.15, 0.1), ('ttt3r', 0.0, 0.2)):
        row = dict(zip(table.columns, table.rows[rule], strict=True))
        value = {n: c.value for n, c in row.items() if isinstance(c, Interval)}
        # Places are even over 10 m, of variance 10^2 / 12: the error's share is the scale's.
        expected = 100 * scale * np.sqrt(100 / 12) / 10
        assert value['ATE / path, %'] == pytest.approx(expected, rel=0.02, abs=1e-6)
        assert value['scale error'] == pytest.approx(scale)
        assert value['RPE m'] == pytest.approx(0.1 * scale)
        assert value['depth AbsRel'] == pytest.approx(depth)
    after = [cell.value for cell in drift.rows['cut3r'] if isinstance(cell, Interval)]
    assert after == pytest.approx([0.15, 0.3, 0.6, 0.9, 1.2, 1.5])
    assert '2 drives of 101 frames' in table.note
    assert '10.0 m in the mean' in table.note


def test_drives_are_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drives_module, 'FRAMES', 6)
    T = drive(1, 6).T_map_optical
    encoders: Any = {'cut3r': Encoder(T, 1.0), 'ttt3r': Encoder(T, 2.0)}
    journal = Journal(tmp_path / 'drives.jsonl', {}, Drive.from_json)
    (found,) = drive_all(encoders, [1], journal)
    assert found.rules['cut3r'].ate_m == pytest.approx(0, abs=1e-9)
    assert found.rules['ttt3r'].scale == pytest.approx(2)
    monkeypatch.setattr(drives_module, 'drive', None)
    again = Journal(tmp_path / 'drives.jsonl', {}, Drive.from_json)
    (same,) = drive_all(encoders, [1], again)
    assert same.rules['ttt3r'].error_m == found.rules['ttt3r'].error_m
    assert same.rules['ttt3r'].ate_m == found.rules['ttt3r'].ate_m


@pytest.mark.parametrize('line', ['', '[]', '{"seed": 1}', '{"seed": 1, "rules": {"a": {}}}'])
def test_another_line_is_refused(line: str) -> None:
    with pytest.raises(InputError, match='no result of a drive'):
        Drive.from_json(line)
