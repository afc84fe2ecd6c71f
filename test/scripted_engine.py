# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""An engine that says what a test tells it to, and poses and a floor to go with it."""

from __future__ import annotations

from threading import Event
from typing import Any

import numpy as np

from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.localizer import Step
from loc3r_ros.types import AgentPose, Frame, OccupancyGrid, Target, TrackedPose, TrackingState

COVARIANCE = np.diag([4e-4, 9e-4, 1e-4, 1e-5, 1e-5, 2e-5])


class ScriptedEngine:
    """Attributes that end in `_error` are raised instead of an answer.

    Attributes:
        words: what `ask` says.
        gates: before the word of a number, wait for its event.
        reached: set when the word of a number comes next.
        agent, target: what `localize` and `ground` answer.
        calls: all calls, in order.
        views: what was observed since the last reset.
        open_answers: answers that were begun and neither ended nor closed.
    """

    identity = 'scripted'

    def __init__(self) -> None:
        self.words = ['The ', 'red ', 'chair ', 'is ', 'behind ', 'you.']
        self.gates: dict[int, Event] = {}
        self.reached = [Event() for _ in range(10)]
        self.ask_error: Exception | None = None
        self.localize_error: Exception | None = None
        self.ground_error: Exception | None = None
        self.agent = AgentPose(False, np.eye(4), np.zeros((6, 6)), reason='nobody stands there')
        self.target = Target(False, np.zeros(3), reason='there is no such thing')
        self.calls: list[tuple[Any, ...]] = []
        self.views: list[Any] = []
        self.said = 0
        self.open_answers = 0

    def observe(self, view):
        self.calls.append(('observe', view.epoch))
        self.views.append(view)

    def reset(self):
        self.calls.append(('reset',))
        self.views.clear()

    def wait(self):
        self.calls.append(('wait',))

    def close(self):
        self.calls.append(('close',))

    def localize(self, situation):
        self.calls.append(('localize', situation))
        if self.localize_error:
            raise self.localize_error
        return self.agent

    def ground(self, description):
        self.calls.append(('ground', description))
        if self.ground_error:
            raise self.ground_error
        return self.target

    def ask(self, question, situation=''):
        self.calls.append(('ask', question, situation))
        self.open_answers += 1
        try:
            for number, word in enumerate(self.words):
                self.reached[number].set()
                if number in self.gates:
                    assert self.gates[number].wait(10.0), 'the gate stayed shut'
                if self.ask_error:
                    raise self.ask_error
                self.said += 1
                yield word
        finally:
            self.open_answers -= 1

    def asked(self) -> list[str]:
        return [call[1] for call in self.calls if call[0] == 'ask']


def camera_at(x=0.0, y=0.0, yaw=0.0, z=0.6):
    """T_map_camera of a level camera."""
    return pose(exp_so3((0.0, 0.0, yaw)), (x, y, z)) @ T_BODY_OPTICAL


def step_at(
    stamp_ns=5_000_000_000,
    *,
    x=0.0,
    y=0.0,
    yaw=0.0,
    epoch=0,
    keyframe=True,
    state=TrackingState.TRACKING,
    rgb=None,
) -> Step:
    """What is known of one image."""
    stamp = stamp_ns * 1e-9
    frame = Frame(stamp, np.zeros((6, 8, 3), np.uint8) if rgb is None else rgb)
    tracked = TrackedPose(stamp, camera_at(x, y, yaw), COVARIANCE, state, 0 if keyframe else None)
    none = np.zeros((0, 3), np.float32)
    return Step(frame, tracked, epoch, 0, 0.0, None, none, {}, np.zeros((0, 0), bool), 1)


def agent_at(x, y, yaw=0.0, covariance=COVARIANCE, confidence=0.8):
    T = pose(exp_so3((0.0, 0.0, yaw)), (x, y, 0.0))
    return AgentPose(True, T, np.asarray(covariance, np.float64), confidence)


def hall(*boxes) -> OccupancyGrid:
    """A free floor of 8 x 8 m around the origin; boxes ((x, y), (x, y)) in m are occupied."""
    data = np.zeros((160, 160), np.int8)
    for (x0, y0), (x1, y1) in boxes:
        u0, v0, u1, v1 = (round((edge + 4.0) / 0.05) for edge in (x0, y0, x1, y1))
        data[v0:v1, u0:u1] = 100
    return OccupancyGrid(5.0, data, 0.05, (-4.0, -4.0))
