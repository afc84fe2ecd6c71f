# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions about flats of several rooms: what a wall changes, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from question_scene import room, visit_all

from loc3r_ros.world.apartment import generate_apartment
from loc3r_ros.world.floorplan import FloorPlan
from loc3r_ros.world.questions.catalog import catalog
from loc3r_ros.world.questions.goals import goal_queries
from loc3r_ros.world.questions.measures import absolute_distance, counting, room_size
from loc3r_ros.world.questions.question import Situation
from loc3r_ros.world.questions.routes import find_stops
from loc3r_ros.world.questions.situated import how, what
from loc3r_ros.world.questions.situations import situations
from loc3r_ros.world.questions.surroundings import Surroundings
from loc3r_ros.world.questions.visit import nearest_room
from loc3r_ros.world.scene import RoomShape

KITCHEN = {
    'fridge': (-3.6, 1.6),
    'stove': (-3.6, -1.6),
    'table': (-2.0, -1.6),
    'stool': (-0.6, -1.0),
    'plant': (-1.0, 1.7),
}

BEDROOM = {
    'bed': (3.2, 1.2),
    'wardrobe': (0.4, -1.0),
    'desk': (2.0, -1.6),
    'lamp': (3.6, -1.6),
    'mirror': (1.2, 1.7),
}


def flat(names=('kitchen', 'bedroom'), more=()):
    """Two rooms of 3.95 x 4 m, a wall of 0.1 m between, in it a doorway from y = 0 to 1."""
    things = [(name, at) for name, at in {**KITCHEN, **BEDROOM}.items()]
    things += [('chair', (-2.5, 0.5)), ('chair', (-2.5, -0.5)), ('chair', (2.5, 0.0)), *more]
    walls = [('wall', (0, -1), (0.1, 2, 2.5)), ('wall', (0, 1.5), (0.1, 1, 2.5))]
    left = RoomShape(names[0], (-4.0, -2.0), (-0.05, 2.0))
    right = RoomShape(names[1], (0.05, -2.0), (4.0, 2.0))
    return visit_all(room(*things, *walls, size=(8.0, 4.0, 2.5), rooms=(left, right)))


def rng():
    return np.random.default_rng(3)


def test_places_and_their_rooms():
    scene = flat().scene
    places = np.array([[-0.2, 1.0], [0.2, 1.0], [-0.02, 0.5], [3.9, -1.9]])
    assert nearest_room(scene, places).tolist() == [0, 1, 0, 1]


def test_floor_and_numbers_are_of_all_rooms_together():
    (question,) = room_size(flat(), rng(), 9)
    assert question.answer == '31.6'
    assert 'all these rooms together' in question.text
    (question,) = counting(flat(), rng(), 9)
    assert (question.text, question.answer) == (
        'How many chair(s) are in these rooms together?',
        '3',
    )


def test_distances_go_through_walls():
    found = {q.text: q.answer for q in absolute_distance(flat(), rng(), 99)}
    between = {text: a for text, a in found.items() if 'the stool ' in text and 'wardrobe' in text}
    assert list(between.values()) == ['0.6']


def test_what_a_name_says_within_a_room():
    visit = flat(more=[('plant', (3.0, 1.8))])
    rooms = {name: {item.category for item in items} for name, items in visit.rooms}
    # There are plants in both rooms and chairs in the kitchen, one chair in the bedroom.
    assert rooms == {'kitchen': {*KITCHEN}, 'bedroom': {*BEDROOM, 'plant', 'chair'}}
    assert 'plant' not in {item.category for item in visit.unique}
    alike = flat(('bedroom', 'bedroom'), more=[('plant', (3.0, 1.8))]).rooms
    assert [name for name, _ in alike] == ['', '']
    assert {item.category for item in alike[1][1]} == {*BEDROOM}


def test_one_stands_on_the_same_side_of_the_wall():
    stops = find_stops(flat())
    side = np.sign(stops.stand[:, 0])
    assert (side == [-1 if name in KITCHEN else 1 for name in stops.names]).all()
    # Through the wall from stool to wardrobe no way is open; through the doorway one is.
    number = {name: k for k, name in enumerate(stops.names)}
    assert not stops.open[number['stool'], number['wardrobe']]
    assert stops.open[:5, 5:].any()


@pytest.mark.parametrize('names', [('kitchen', 'bedroom'), ('bedroom', 'bedroom')])
def test_nobody_speaks_of_what_is_in_another_room(names):
    found = situations(flat(names), rng(), 6)
    assert len({s.position[0] > 0 for s in found}) == 2
    for situation in found:
        here = int(situation.position[0] > 0)
        for text in situation.wordings:
            assert not any(f'the {name}' in text for name in (BEDROOM, KITCHEN)[here])
            assert (f'in the {names[here]}, ' in text) == (names[0] != names[1])


def test_what_is_behind_a_wall_is_not_near():
    at, ahead = Situation('Here.', ('Here.',), (-0.6, 0.4), 0.5), 'floor in front of me?'
    said = {fact.text: fact.answer for fact in what(Surroundings(flat(), at))}
    assert not any(text.endswith(ahead) for text in said)
    open_plan = replace(flat().scene, rooms=())
    said = {fact.text: fact.answer for fact in what(Surroundings(visit_all(open_plan), at))}
    assert [answer for text, answer in said.items() if text.endswith(ahead)] == ['mirror']
    here = Surroundings(flat(), Situation('Here.', ('Here.',), (-1.0, 0.4), 0.0))
    numbers = {fact.text: fact.answer for fact in how(here)}
    # The bedroom's chair is in front as well.
    assert numbers['How many chairs are in front of me, in that half of the room?'] == '0'
    assert numbers['How many chairs are behind me, in that half of the room?'] == '2'


def test_a_goal_is_told_by_its_room():
    texts = {
        g.text for seed in range(9) for g in goal_queries(flat(), np.random.default_rng(seed), 99)
    }
    assert any(text.endswith('the chair in the bedroom.') for text in texts)
    assert not any('in the kitchen' in text for text in texts)


def test_a_furnished_flat_is_asked_about():
    scene = generate_apartment(1, 3)
    visit = visit_all(scene, first=[k % 18 for k in range(len(scene.items))])
    asked = catalog(visit, 6)
    tasks = {question.task for question in asked}
    assert {'route_planning', 'object_rel_distance', 'situated_how', 'goal'} <= tasks
    plan = FloorPlan(scene)
    told = {q.situation.text: q.situation for q in asked if q.situation}
    for situation in told.values():
        name = scene.rooms[int(nearest_room(scene, np.array(situation.position)))].name
        assert all(f'in the {name}, ' in text for text in situation.wordings)
        assert plan.clearance(np.array([situation.position]))[0] > 0.2
    assert len(told) >= 3
