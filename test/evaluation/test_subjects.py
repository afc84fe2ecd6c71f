# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What a user gets, and a model in training, are asked the same about one video of a room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from evaluation.episodes import FRAMES, short_videos
from vlm.small_vlm import CAMERA_DIM, SMALL, model, words

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation import examine as examine_module
from loc3r_ros.evaluation import trainee as trainee_module
from loc3r_ros.evaluation.episode import Episode
from loc3r_ros.evaluation.examine import examine
from loc3r_ros.evaluation.frequency import learn_frequent
from loc3r_ros.evaluation.journal import Journal
from loc3r_ros.evaluation.report import Report, tables_of
from loc3r_ros.evaluation.subject import Asked, Robot
from loc3r_ros.evaluation.trainee import Trainee, told_in_words
from loc3r_ros.geometry import exp_so3, pose
from loc3r_ros.training.bank import SHOWN, Bank, Video
from loc3r_ros.training.loc3r_examples import Loc3rExamples, asked, coordinates
from loc3r_ros.training.loc3r_task import Loc3rTask, Parts
from loc3r_ros.training.tokens import TokenBank, spelled_poses
from loc3r_ros.types import AgentPose, Frame
from loc3r_ros.vlm import stream as stream_module
from loc3r_ros.vlm.situated import bev_in_map
from loc3r_ros.vlm.spatial_vlm import SpatialVlm
from loc3r_ros.vlm.stream import VideoStream

SEED = 3


@pytest.fixture(scope='module')
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_module, 'ANSWER_TOKENS', 4)
        patch.setattr(trainee_module, 'ANSWER_TOKENS', 4)
        yield short_videos(tmp_path_factory.mktemp('bank'), patch)


class TrueEncoder:
    """A pose encoder that knows, and spells its poses out."""

    def __init__(self, video: Video) -> None:
        T = video.footage.T_map_optical
        self._poses = np.linalg.inv(T[0]) @ T
        self._tokens = spelled_poses(video.footage, CAMERA_DIM).numpy()
        self.reset()

    def reset(self) -> None:
        self._next = 0

    def observe(self, frame: Frame) -> Any:
        k, self._next = self._next, self._next + 1
        return SimpleNamespace(epoch=0, T_world_camera=self._poses[k], camera_token=self._tokens[k])


def trainee(bank: Bank, parts: Parts) -> Trainee:
    tokens = TokenBank(bank.folder, None, parts.camera, parts.geometry, CAMERA_DIM)
    return Trainee(Loc3rTask(model(), Loc3rExamples(bank, tokens, SMALL, rooms=1), parts), tokens)


def robot(bank: Bank, tokens: bool = True) -> Robot:
    encoder: Any = TrueEncoder(bank.video(SEED, SEED % 2)) if tokens else None
    network = model()
    network.config = replace(network.config, reads_poses=True)
    return Robot(encoder, SpatialVlm(VideoStream(network, words()), 'small'))


@pytest.mark.parametrize('tokens', [True, False])
def test_both_say_the_same(bank: Bank, tokens: bool) -> None:
    """With the true poses told by an encoder's tokens, and as poses."""
    parts = ('localization', 'situated')
    (mine,) = examine(robot(bank, tokens), bank, [SEED], parts)
    (theirs,) = examine(trainee(bank, Parts(camera='true')), bank, [SEED], parts)
    assert len(mine.places) > 8
    assert len(mine.replies) > 30
    for a, b in zip(mine.places, theirs.places, strict=True):
        assert a.told == pytest.approx(b.told, abs=1e-6)
        assert a.sigma == pytest.approx(b.sigma, rel=1e-5)
    assert mine.replies == theirs.replies
    assert len({reply.told for reply in mine.replies}) > 10
    assert len({place.told for place in mine.places}) > 8


def test_what_is_left_out_is_left_out(bank: Bank) -> None:
    video = bank.video(SEED, 1)
    said = [situation.text for situation in video.situations[:3]]
    found = {}
    for name, parts in {
        'true': Parts(camera='true'),
        'none': Parts(camera='none'),
        'blind': Parts(camera='none', blind=True),
    }.items():
        subject = trainee(bank, parts)
        subject.watch(video, SEED, 1)
        found[name] = np.array([agent.T_map_agent[:2, 3] for agent in subject.localize(said)])
    assert not np.allclose(found['true'], found['none'])
    assert not np.allclose(found['blind'], found['none'])
    other = replace(video, footage=replace(video.footage, rgb=255 - video.footage.rgb))
    subject = trainee(bank, Parts(camera='none', blind=True))
    subject.watch(other, SEED, 1)
    again = np.array([agent.T_map_agent[:2, 3] for agent in subject.localize(said)])
    assert np.array_equal(again, found['blind'])


def test_geometry_tokens_are_read(bank: Bank) -> None:
    video, parts = bank.video(SEED, 1), Parts(camera='none', geometry=True)
    examples = Loc3rExamples(bank, TokenBank(bank.folder, None, 'none', True, 12), SMALL, rooms=1)
    task = Loc3rTask(model(torch.float32), examples, parts)
    found = []
    for value in (0.0, 1.0):
        tokens: Any = SimpleNamespace(
            of=lambda *_, value=value: {'geometry': torch.full((FRAMES // SHOWN, 16, 12), value)}
        )
        subject = Trainee(task, tokens)
        subject.watch(video, SEED, 1)
        found.append(subject.localize([video.situations[0].text])[0].T_map_agent)
    assert not np.allclose(*found)


def test_a_place_told_in_words_is_where_it_was_meant() -> None:
    T_map_bev = pose(exp_so3((0, 0, 2.0)), (1.0, -3.0, 1.4))
    agent = told_in_words(coordinates((0.4, 2.2), -2.9, T_map_bev), T_map_bev)
    assert agent.found
    assert agent.T_map_agent[:2, 3] == pytest.approx((0.4, 2.2), abs=0.08)
    yaw = np.arctan2(agent.T_map_agent[1, 0], agent.T_map_agent[0, 0])
    assert np.degrees(yaw + 2.9) == pytest.approx(0, abs=0.51)
    assert not told_in_words('by the sofa', T_map_bev).found
    assert not told_in_words('1.0 2.0', T_map_bev).found


def test_who_has_no_heads_is_asked_in_words(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = trainee(bank, Parts(camera='none', situation=0))
    subject.watch(bank.video(SEED, 1), SEED, 1)
    monkeypatch.setattr(subject, 'answer', lambda questions: ['1.0 0.0 90' for _ in questions])
    (agent,) = subject.localize(['I stand here.'])
    T = bev_in_map(bank.video(SEED, 1).footage.T_map_optical[0])
    assert agent.T_map_agent[:2, 3] == pytest.approx((T @ [1, 0, 0, 1])[:2])
    assert np.isnan(agent.covariance).all()


@dataclass
class Knower:
    """Tells the truth, with a sigma that is wide along the BEV frame's x."""

    video: Video | None = None

    def watch(self, video: Video, seed: int, number: int) -> None:
        assert number == seed % 2
        self.video = video

    def localize(self, situations: list[str]) -> list[AgentPose]:
        assert self.video is not None
        # By their order: two poses may be told in the same words.
        R = bev_in_map(self.video.footage.T_map_optical[0])[:2, :2]
        covariance = np.eye(6)
        covariance[:2, :2] = R @ np.diag([4.0, 0.25]) @ R.T
        return [
            AgentPose(True, pose(exp_so3((0, 0, s.yaw)), (*s.position, 0.0)), covariance)
            for s, said in zip(self.video.situations, situations, strict=True)
            if said in s.wordings
        ]

    def answer(self, questions: list[Asked]) -> list[str]:
        assert self.video is not None
        truth = {}
        for q in self.video.questions:
            for said in q.situation.wordings if q.situation else ('',):
                truth[asked(q), said] = q.answer
        return [truth[question] for question in questions]


def test_who_knows_scores_everything(bank: Bank) -> None:
    (episode,) = examine(Knower(), bank, [SEED])
    assert all(place.sigma == pytest.approx((2.0, 0.5, 1.0)) for place in episode.places)
    frequent = learn_frequent(bank, [SEED])
    places, _, vsi, _, situated = tables_of([episode], frequent)
    assert [cell.value for cell in places.rows['model']] == pytest.approx(
        [100, 100, 100, 100, 0, 0], abs=1e-6
    )
    assert all(row[1] is None or row[1].value == 100 for row in list(vsi.rows.values())[:-1])
    assert situated.rows['all'][1].value == 100
    text = Report({'model': 'knower'}, (places, vsi)).markdown()
    assert '- model: knower' in text
    assert '| model ' in text


def test_only_what_is_wanted_is_asked(bank: Bank) -> None:
    (episode,) = examine(Knower(), bank, [SEED], ['situated'])
    assert episode.places == ()
    assert {reply.task for reply in episode.replies} <= set(examine_module.SITUATED_TASKS)
    with pytest.raises(InputError, match='sr3d: no part; use localization'):
        next(examine(Knower(), bank, [SEED], ['sr3d']))


def test_what_is_done_is_not_done_again(bank: Bank, tmp_path: Path) -> None:
    journal = Journal(tmp_path / 'episodes.jsonl', {}, Episode.from_json)
    (first,) = examine(Knower(), bank, [SEED], ['localization'], journal)

    class Nobody(Knower):
        def watch(self, video: Video, seed: int, number: int) -> None:
            raise AssertionError('it was done')

    again = Journal(tmp_path / 'episodes.jsonl', {}, Episode.from_json)
    found: list[Episode] = list(examine(Nobody(), bank, [SEED], ['localization'], again))
    assert found == [first]


def test_the_robot_is_shown_what_training_showed(bank: Bank) -> None:
    video = bank.video(SEED, 1)
    machine = robot(bank)
    machine.watch(video, SEED, 1)
    stamps = machine.vlm._stream.stamps
    assert stamps == pytest.approx(video.footage.times[::SHOWN].tolist())
    machine.watch(video, SEED, 1)
    assert machine.vlm._stream.stamps == stamps
