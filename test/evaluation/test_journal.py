# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What is written down comes back, also after a kill in the middle of a line."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluation.episodes import episode

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.episode import Episode, Place, Reply
from loc3r_ros.evaluation.journal import Journal

PLACES = (
    Place((0.1, -2.0, 3.0), (1 / 3, 0.0, -1.0), (0.5, 0.25, 0.1)),
    Place((1.0, 2.0, 0.0), (1.0, 2.0, 0.0)),
    Place((1.0, 2.0, 0.0), None),
)
REPLIES = (Reply('object_counting', '3', 'three'), Reply('route_planning', 'B', 'B', 4))


def test_an_episode_comes_back_from_its_line() -> None:
    one = episode(7, PLACES, REPLIES, bearing=0.1 + 0.2, rooms=3)
    assert '\n' not in one.to_json()
    assert Episode.from_json(one.to_json()) == one


@pytest.mark.parametrize('line', ['', '{}', '[1]', '{"seed": 1, "box": 3}'])
def test_another_line_is_refused(line: str) -> None:
    with pytest.raises(InputError, match='no result of a video'):
        Episode.from_json(line)


def test_a_journal_goes_on(tmp_path: Path) -> None:
    path = tmp_path / 'new' / 'episodes.jsonl'
    first = Journal(path, {'model': 'm'}, Episode.from_json)
    first.add(episode(3, PLACES))
    first.add(episode(5, (), REPLIES))
    again = Journal(path, {'model': 'm'}, Episode.from_json)
    assert again.records == {3: episode(3, PLACES), 5: episode(5, (), REPLIES)}
    again.add(episode(6))
    assert list(Journal(path, {'model': 'm'}, Episode.from_json).records) == [3, 5, 6]


def test_half_a_line_is_dropped_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / 'episodes.jsonl'
    journal = Journal(path, {}, Episode.from_json)
    journal.add(episode(1))
    whole = path.read_text()
    path.write_text(whole + episode(2).to_json()[:40])
    torn = Journal(path, {}, Episode.from_json)
    assert list(torn.records) == [1]
    assert path.read_text() == whole
    torn.add(episode(2))
    assert list(Journal(path, {}, Episode.from_json).records) == [1, 2]


def test_results_of_another_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'episodes.jsonl'
    Journal(path, {'model': 'this'}, Episode.from_json)
    with pytest.raises(InputError, match=r'this.*that.*another folder'):
        Journal(path, {'model': 'that'}, Episode.from_json)
