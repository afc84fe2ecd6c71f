# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Parts of unknown names are told apart by their shapes, then by words; never by a guess."""

from __future__ import annotations

import pytest

from loc3r_ros.errors import CheckpointError
from loc3r_ros.vlm.weights.roles import assign, find_parts

WIDTH, CAMERA, HIDDEN, BINS = 64, 24, 40, 36


def linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f'{name}.weight': (outputs, inputs), f'{name}.bias': (outputs,)}


def two(first: str, second: str, *widths: int) -> dict[str, tuple[int, ...]]:
    return linear(first, *widths[:2]) | linear(second, *widths[1:])


CAMERA_PART = two('model.a.0', 'model.a.2', CAMERA, WIDTH, WIDTH)
LAYOUT_PART = linear('model.b', WIDTH, 4)
POSITION_PART = two('model.c.fc1', 'model.c.fc2', WIDTH, HIDDEN, 4)
ORIENTATION_PART = two('model.d1', 'model.d2', WIDTH, HIDDEN, BINS)
ALL = CAMERA_PART | LAYOUT_PART | POSITION_PART | ORIENTATION_PART


def names(shapes) -> dict[str, tuple[str, ...]]:
    return {role: part.layers for role, part in assign(shapes, WIDTH, BINS).items()}


def test_shapes_alone_tell_all_four_parts():
    assert names(ALL) == {
        'camera_projector': ('model.a.0', 'model.a.2'),
        'layout_head': ('model.b',),
        'position_head': ('model.c.fc1', 'model.c.fc2'),
        'orientation_head': ('model.d1', 'model.d2'),
    }


def test_layers_are_ordered_by_what_they_take_where_names_do_not():
    shapes = two('m.p_2', 'm.p_1', WIDTH, HIDDEN, 4)
    assert names(shapes) == {'position_head': ('m.p_2', 'm.p_1')}
    square = two('m.p_1', 'm.p_2', WIDTH, WIDTH, 4)
    assert names(square) == {'position_head': ('m.p_1', 'm.p_2')}


@pytest.mark.parametrize('own', ['bev_head', 'layout', 'model.heads.bev'])
def test_words_decide_between_equal_shapes(own):
    assert names(linear(own, WIDTH, 4) | linear('aux', WIDTH, 4))['layout_head'] == (own,)


@pytest.mark.parametrize(
    ('others', 'what'),
    [
        (linear('bev_1x', WIDTH, 4) | linear('bev_2x', WIDTH, 4), r'bev_1x \(64 -> 4\), bev_2x'),
        (linear('e', WIDTH, 4) | linear('f', WIDTH, 4), r'e \(64 -> 4\), f \(64 -> 4\)'),
        (linear('position', WIDTH, 4), r'the layout head: .* position \(64 -> 4\), and their'),
    ],
    ids=['both-named', 'none-named', 'named-for-another'],
)
def test_what_cannot_be_told_lists_the_candidates(others, what):
    with pytest.raises(CheckpointError, match=what):
        assign(others, WIDTH, BINS)


def test_two_camera_projectors_of_different_inputs_are_ambiguous():
    other = two('geo.0', 'geo.2', 2 * CAMERA, WIDTH, WIDTH)
    with pytest.raises(CheckpointError, match=r'a \(24 -> 64 -> 64\), geo \(48 -> 64 -> 64\)'):
        assign(CAMERA_PART | other, WIDTH, BINS)
    renamed = {key.replace('model.a', 'model.camera'): s for key, s in CAMERA_PART.items()}
    assert names(renamed | other) == {'camera_projector': ('model.camera.0', 'model.camera.2')}


def test_what_has_another_form_is_no_part():
    three = two('n.0', 'n.2', WIDTH, HIDDEN, HIDDEN) | linear('n.4', HIDDEN, 4)
    bare = {'q.weight': (4, WIDTH)}
    norm = {'r.weight': (WIDTH,), 'r.bias': (WIDTH,)}
    assert find_parts(three | bare | norm) == []
    assert names(linear('s', WIDTH, 7) | two('t.0', 't.1', WIDTH, HIDDEN, 5)) == {}
