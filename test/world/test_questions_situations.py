# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Descriptions of poses: true, and enough to know the pose by."""

from __future__ import annotations

import numpy as np
import pytest
from question_scene import block, furnished, room, visit_all

from loc3r_ros.world.floorplan import FloorPlan
from loc3r_ros.world.questions.landmarks import Landmarks
from loc3r_ros.world.questions.relations import Poses, Relation, true_relations
from loc3r_ros.world.questions.situations import WIDTH, describe, situations

SOFA, BED = block('sofa', 1, (2, 0)), block('bed', 2, (0, 2))


@pytest.mark.parametrize(
    ('kind', 'things', 'position', 'yaw', 'true'),
    [
        # The sofa's box begins at x = 1.8.
        ('beside', (SOFA,), (1.01, 0), 0, True),
        ('beside', (SOFA,), (0.99, 0), 0, False),
        ('beside', (SOFA,), (1.9, 0.1), 0, False),
        ('facing', (SOFA,), (0, 0), 14, True),
        ('facing', (SOFA,), (0, 0), -16, False),
        ('left', (BED,), (0, 0), 39, True),
        ('left', (BED,), (0, 0), 41, False),
        ('right', (BED,), (0, 0), 180, True),
        ('right', (BED,), (0, 0), 0, False),
        ('behind', (SOFA,), (0, 0), -145, True),
        ('behind', (SOFA,), (0, 0), -135, False),
        # The middle is at (1, 1).
        ('between', (SOFA, BED), (1.25, 1.25), 0, True),
        ('between', (SOFA, BED), (1.3, 1.3), 0, False),
    ],
)
def test_relations(kind, things, position, yaw, true):
    relation = Relation(kind, things)
    assert bool(relation.holds(np.array(position, float), np.radians(yaw))) == true


def test_a_clear_case_is_asked_for_with_slack():
    def kinds(degrees, slack=0.7):
        true = true_relations((SOFA, BED), np.zeros(2), np.radians(degrees), slack)
        return {(r.kind, *(thing.category for thing in r.things)) for v in true.values() for r in v}

    assert kinds(10.0) == {('facing', 'sofa'), ('left', 'bed')}
    assert kinds(11.0) == {('left', 'bed')}
    assert kinds(11.0, slack=1.0) == {('facing', 'sofa'), ('left', 'bed')}
    assert kinds(180.0) == {('behind', 'sofa'), ('right', 'bed')}


def test_the_distance_to_a_turned_box():
    turned = block('bed', 1, (0, 0), (2.0, 0.4, 0.4), yaw=np.pi / 2)
    places = np.array([[0.5, 0.0], [0.0, 1.5], [0.5, 1.4], [0.1, 0.9]])
    assert Landmarks([turned]).distances(places)[:, 0] == pytest.approx([0.3, 0.5, 0.5, 0.0])


def test_the_spread_of_the_poses_left_open():
    places = np.array([[0.0, 0.0], [0.0, -1.0], [1.5, 0.0]])
    poses = Poses(places, np.radians([-90.0, 0.0, 90.0]))
    # Only next to the sofa: its place is known, its heading is any of the three.
    spread = poses.spread((Relation('beside', (SOFA,)),), np.array([1.5, 0.3]), 0.0)
    assert spread == pytest.approx([0.3, np.radians(90.0) * np.sqrt(2 / 3)])
    # Facing the sofa along x: from (0, 0) and from (1.5, 0); from (0, -1) it is 27 degrees off.
    spread = poses.spread((Relation('facing', (SOFA,)),), np.zeros(2), 0.0)
    assert spread == pytest.approx([np.sqrt(1.5**2 / 2), 0.0])
    # Nowhere are both true.
    both = (Relation('beside', (SOFA,)), Relation('beside', (BED,)))
    assert np.isinf(poses.spread(both, np.zeros(2), 0.0)).all()


def test_words():
    between = Relation('between', (SOFA, BED))
    facing = Relation('facing', (block('door', 3, (3, 3)),))
    left = Relation('left', (block('rug', 4, (0, 3)),))
    assert [describe((between, facing, left), form) for form in range(3)] == [
        'I am standing halfway between the sofa and the bed and facing the door,'
        ' with the rug on my left.',
        'I look at the door. I am halfway between the sofa and the bed; on my left is the rug.',
        'In front of me is the door; the rug is on my left.'
        ' I stand halfway between the sofa and the bed.',
    ]


@pytest.fixture(scope='module')
def visit():
    spots = {'sofa': (-2, -1.8), 'bed': (2, -1.5), 'door': (2.5, 1.5), 'fridge': (-2, 1.5)}
    spots |= {'rug': (0.3, 0), 'box': (0.1, 1.9), 'stool': (0, -2.0), 'lamp': (2.4, 0)}
    return visit_all(room(*((name, at, (0.5, 0.4, 0.02)) for name, at in spots.items())))


def test_situations_are_free_places_told_in_several_ways(visit):
    found = situations(visit, np.random.default_rng(1), 4)
    assert len(found) == 4
    plan = FloorPlan(visit.scene)
    for situation in found:
        assert 2 <= len(set(situation.wordings)) == len(situation.wordings) <= 3
        assert situation.text == situation.wordings[0]
        # Half a cell of jitter lies between the grid's clearance and the place's.
        assert plan.clearance(np.array([situation.position]))[0] >= WIDTH - 0.03
        assert -np.pi <= situation.yaw <= np.pi
    assert situations(visit, np.random.default_rng(1), 4) == found


def test_places_are_told_in_turn_by_one_thing_and_by_two():
    found = situations(visit_all(furnished(0)), np.random.default_rng(1), 8)
    assert [sum(words in s.text for s in found) for words in ('next to', 'halfway')] == [4, 4]


def test_a_situation_that_no_words_make_known_is_dropped(visit, monkeypatch):
    monkeypatch.setattr('loc3r_ros.world.questions.situations.KNOWN', np.array([0.05, 0.05]))
    assert situations(visit, np.random.default_rng(1), 1) == []
