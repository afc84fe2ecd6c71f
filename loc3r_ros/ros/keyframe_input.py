# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Keyframes from another process: `pose_token` joined with its `image` by the stamp."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from loc3r_ros.images import decode_color
from loc3r_ros.ingest.transforms import pose_matrix
from loc3r_ros.msg import PoseToken
from loc3r_ros.ros import qos
from loc3r_ros.ros.camera_stream import CameraStream
from loc3r_ros.ros.conversion import STATES, stamp_ns
from loc3r_ros.ros.watchdog import Watchdog
from loc3r_ros.types import TrackedPose, View

_WAITING = 30
"""Messages that wait for their counterpart: an image, for as long as pose_encoder computes."""


class KeyframeInput:
    """Subscribes to `image` and `pose_token` while its node is active.

    Args:
        stage: that subscribes, with the parameters `image_transport` and `image_qos`.
        see: called with stamp (ns), epoch and pose of every image.
        observe: called with what makes the view of a keyframe; the image is not decoded before.
    """

    def __init__(
        self,
        stage: Any,
        see: Callable[[int, int, TrackedPose], None],
        observe: Callable[[Callable[[], View]], None],
    ) -> None:
        self._see = see
        self._observe = observe
        self._images: OrderedDict[int, Any] = OrderedDict()
        self._tokens: OrderedDict[int, Any] = OrderedDict()
        self._watchdog = Watchdog(stage)
        tokens = stage.subscribe(PoseToken, 'pose_token', self._take_token, qos.reliable(_WAITING))
        hint = 'is pose_encoder running, and in this namespace?'
        self._watchdog.watch('pose_token', [tokens], hint=hint)
        transport = stage.settings['image_transport']
        images = CameraStream(
            stage, 'image', '/compressed', transport, 'image_qos', self._take_image
        )
        self._watchdog.watch('image', images.subscriptions, parameter='image_qos')

    def _take_token(self, token: Any) -> None:
        self._watchdog.fed('pose_token')
        self._see(stamp_ns(token), int(token.epoch), pose_of(token))
        if token.keyframe:
            _keep(self._tokens, token)
            self._join(stamp_ns(token))

    def _take_image(self, image: Any) -> None:
        self._watchdog.fed('image')
        _keep(self._images, image)
        self._join(stamp_ns(image))

    def _join(self, stamp: int) -> None:
        if stamp in self._images and stamp in self._tokens:
            image, token = self._images.pop(stamp), self._tokens.pop(stamp)
            self._observe(partial(view_of, image, token))


def pose_of(token: Any) -> TrackedPose:
    """The pose in a PoseToken; a keyframe has the number of its image."""
    return TrackedPose(
        stamp=stamp_ns(token) * 1e-9,
        T_map_camera=pose_matrix(token.pose.pose),
        covariance=np.array(token.pose.covariance, np.float64).reshape(6, 6),
        state=STATES[token.state],
        keyframe=int(token.index) if token.keyframe else None,
        scale=float(token.scale),
        scale_source=str(token.scale_source),
    )


def view_of(image: Any, token: Any) -> View:
    """The view of an image, raw or compressed, and its PoseToken.

    Raises:
        InputError: the image cannot be decoded.
    """
    return View(
        stamp=stamp_ns(token) * 1e-9,
        epoch=int(token.epoch),
        rgb=decode_color(image),
        T_map_camera=pose_matrix(token.pose.pose),
        camera_token=np.array(token.token, np.float32) if len(token.token) else None,
    )


def _keep(waiting: OrderedDict[int, Any], message: Any) -> None:
    waiting[stamp_ns(message)] = message
    while len(waiting) > _WAITING:
        waiting.popitem(last=False)
