# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The engine: keyframes in, words and places in `map` out, and what it says it cannot do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_vlm import BUDGET, PLACE, SMALL, SpeakerFromScratch, held, model, view, words

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.types import View
from loc3r_ros.vlm.engine import NoAnswerError
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.pose_token import pose_token
from loc3r_ros.vlm.situated import agent_in_map, bev_in_map
from loc3r_ros.vlm.spatial_vlm import SpatialVlm, identity_of
from loc3r_ros.vlm.stream import VideoStream
from loc3r_ros.vlm.weights import LoadReport, save

YAW = 0.7
FIRST = pose(exp_so3((0, 0, YAW)), (2.0, -1.0, 0.5)) @ T_BODY_OPTICAL


def keyframe(number, epoch=1, T_map_camera=None):
    image, token = view(number)
    moved = pose(exp_so3((0, 0, 0.1 * number)), (0.3 * number, 0, 0.5)) @ T_BODY_OPTICAL
    T = moved if T_map_camera is None else T_map_camera
    return View(float(number), epoch, image, T, camera_token=token)


@pytest.fixture
def engine():
    made = SpatialVlm(VideoStream(model(), words()), 'small')
    made.observe(keyframe(0, T_map_camera=FIRST))
    made.observe(keyframe(1))
    return made


def test_a_place_is_that_of_the_stream_carried_into_the_map_by_the_first_view(engine):
    told = engine._stream.localize(PLACE)
    agent = engine.localize(PLACE)
    expected = agent_in_map(told, bev_in_map(FIRST))
    np.testing.assert_allclose(agent.T_map_agent, expected.T_map_agent, atol=1e-12)
    np.testing.assert_allclose(agent.covariance, expected.covariance, atol=1e-12)
    c, s = np.cos(YAW), np.sin(YAW)
    by_hand = np.array([[c, -s], [s, c]]) @ told.mean + (2.0, -1.0)
    np.testing.assert_allclose(agent.T_map_agent[:2, 3], by_hand, atol=1e-12)


def test_who_reasons_is_asked_without_options_and_given_the_letter(engine, monkeypatch):
    asked = []

    def ask(question, situation=None):
        asked.append((question, situation))
        return iter(['the ', 'bed'])

    monkeypatch.setattr(engine._stream, 'ask', ask)
    question = 'What is nearest? Options: A. sofa, B. bed.'
    assert ''.join(engine.ask(question, PLACE)) == 'the bed'
    reasons = replace(engine._stream._model.config, reasons=True)
    monkeypatch.setattr(engine._stream._model, 'config', reasons)
    assert list(engine.ask(question, PLACE)) == ['B']
    assert ''.join(engine.ask('What is nearest?')) == 'the bed'
    assert [text for text, _ in asked] == [question, 'What is nearest?', 'What is nearest?']
    assert asked[1][1] == PLACE


def test_the_anchor_stays_when_frames_are_thinned(engine):
    for number in range(2, 3 * BUDGET):
        engine.observe(keyframe(number))
    engine._stream.wait()
    told = engine._stream.localize(PLACE)
    expected = agent_in_map(told, bev_in_map(FIRST))
    np.testing.assert_allclose(engine.localize(PLACE).T_map_agent, expected.T_map_agent, atol=1e-12)


def test_words_come_from_the_model(engine):
    speaker = SpeakerFromScratch(model(), 'Where is the sofa?', PLACE)
    said = engine.ask('Where is the sofa?', PLACE)
    assert [next(said) for _ in range(4)] == [speaker.next([0, 1]) for _ in range(4)]
    said.close()


@pytest.mark.parametrize(
    ('thing', 'asked'),
    [
        ('the red chair', 'the red chair'),
        ('red chair.', 'the red chair'),
        ('My bag', 'My bag'),
    ],
)
def test_a_thing_is_where_who_stands_next_to_it_stands(engine, thing, asked):
    beside = engine.localize(f'I am standing next to {asked}.')
    target = engine.ground(thing)
    assert target.label == thing.rstrip('.')
    assert target.confidence == beside.confidence
    if target.found:
        np.testing.assert_allclose(target.position[:2], beside.T_map_agent[:2, 3])
    else:
        assert 'was not found' in target.reason


def test_no_situation_is_where_the_newest_keyframe_was_taken(engine):
    agent = engine.localize('  ')
    assert agent.found
    np.testing.assert_allclose(agent.T_map_agent[:3, 3], (0.3, 0, 0.5))
    assert np.isnan(agent.covariance).all()


@pytest.mark.parametrize('call', ['localize', 'ground', 'ask'])
def test_before_the_first_keyframe_nothing_is_told(call):
    engine = SpatialVlm(VideoStream(model(), words()), 'small')
    for text in ['the sofa', ''] if call == 'localize' else ['the sofa']:
        with pytest.raises(NoAnswerError, match='no keyframe has been seen yet'):
            getattr(engine, call)(text)


def test_what_is_to_be_found_must_be_named(engine):
    with pytest.raises(InputError, match='the description is empty'):
        engine.ground(' ')


def test_another_epoch_begins_anew(engine):
    engine.observe(keyframe(4, epoch=2))
    assert held(engine._stream) == [4]
    engine.reset()
    assert held(engine._stream) == []
    second = keyframe(5, epoch=3)
    engine.observe(second)
    expected = agent_in_map(engine._stream.localize(PLACE), bev_in_map(second.T_map_camera))
    np.testing.assert_allclose(engine.localize(PLACE).T_map_agent, expected.T_map_agent, atol=1e-12)


def test_closing_frees_all(engine):
    engine.close()
    assert engine._stream.bytes == 0


def test_without_localization_heads_only_words_are_told():
    engine = SpatialVlm(VideoStream(model(), words()), 'plain', can_localize=False)
    engine.observe(keyframe(0))
    for call in (engine.localize, engine.ground):
        with pytest.raises(NoAnswerError, match='plain answers in words and cannot tell places'):
            call('the sofa')
    assert next(engine.ask('Where is the sofa?'))


def test_without_a_camera_projector_tokens_are_left_out():
    stream = VideoStream(model(), words())
    engine = SpatialVlm(stream, 'plain', takes_camera_tokens=False)
    engine.observe(keyframe(0))
    engine.observe(keyframe(1))
    bare = VideoStream(model(), words())
    for number in range(2):
        bare.observe(view(number)[0], None, float(number))
    assert stream.tokens == bare.tokens
    np.testing.assert_array_equal(stream.localize(PLACE).mean, bare.localize(PLACE).mean)


def test_tokens_of_another_encoder_are_left_out_and_it_says_so_once(caplog):
    stream = VideoStream(model(), words())
    engine = SpatialVlm(stream, 'plain')
    for number in range(2):
        engine.observe(replace(keyframe(number), camera_token=np.ones(5, np.float32)))
    assert caplog.text.count('plain takes camera tokens of 12 numbers') == 1
    bare = VideoStream(model(), words())
    for number in range(2):
        bare.observe(view(number)[0], None, float(number))
    np.testing.assert_array_equal(stream.localize(PLACE).mean, bare.localize(PLACE).mean)


@pytest.mark.parametrize('reads_tokens', [True, False])
def test_a_known_pose_stands_in_for_a_camera_token(reads_tokens):
    """Of which there is none, or none that the model learnt to read."""
    reader = model()
    reader.config = replace(SMALL, reads_poses=True, reads_tokens=reads_tokens)
    stream = VideoStream(reader, words())
    engine = SpatialVlm(stream, 'reader')
    T_bev_map = np.linalg.inv(bev_in_map(FIRST))
    told = VideoStream(reader, words())
    for number, T in enumerate((FIRST, keyframe(1).T_map_camera, keyframe(2).T_map_camera)):
        seen = keyframe(number, T_map_camera=T)
        has_token = number == 2
        engine.observe(seen if has_token else replace(seen, camera_token=None))
        posed = pose_token(T_bev_map @ T, SMALL.camera_dim)
        token = seen.camera_token if has_token and reads_tokens else posed
        told.observe(seen.rgb, token, seen.stamp)
    expected = told.localize(PLACE).mean
    np.testing.assert_allclose(stream.localize(PLACE).mean, expected, atol=1e-12)
    bare = VideoStream(reader, words())
    for number in range(3):
        bare.observe(view(number)[0], None, float(number))
    assert not np.array_equal(stream.localize(PLACE).mean, bare.localize(PLACE).mean)


def report(missing=(), precision='bf16', training='as published'):
    fingerprint = '0123456789abcdef'
    return LoadReport(
        Path(), 'llava', {}, missing, (), {}, precision, fingerprint, training=training
    )


def test_the_identity_says_what_it_is():
    assert identity_of(8_030_000_000, report()) == 'Loc3R-VLM 8.0 B, bf16, weights 01234567'
    assert identity_of(5_400_000, report(training='')) == 'Loc3R-VLM 5.4 M, bf16, random weights'
    plain = report(missing=('position_head.0.weight',), precision='int4')
    assert identity_of(8_000_000_000, plain) == (
        'LLaVA-Video without localization 8.0 B, int4, weights 01234567'
    )


def test_saved_networks_are_loaded_and_say_whether_they_were_trained(tmp_path):
    size = sum(p.numel() for p in build(SMALL, 'meta').parameters()) / 1e6
    save(model(torch.float32), words(), tmp_path / 'random')
    engine = SpatialVlm.load(tmp_path / 'random', device='cpu')
    assert engine.identity == f'Loc3R-VLM {size:.1f} M, fp32, random weights'
    save(model(torch.float32), words(), tmp_path / 'trained', training='on ten rooms')
    trained = SpatialVlm.load(tmp_path / 'trained', device='cpu').identity
    assert trained.startswith(f'Loc3R-VLM {size:.1f} M, fp32, weights ')
    engine.observe(keyframe(0))
    assert engine.localize(PLACE).found
