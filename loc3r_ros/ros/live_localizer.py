# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The localizer of a node: begun when the mount is known, and anew when that or time changes."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import Array
from loc3r_ros.ingest.mount import Mount
from loc3r_ros.ingest.transforms import StaticTransforms
from loc3r_ros.localizer import Localizer, Step
from loc3r_ros.types import Frame

_log = logging.getLogger(__name__)


class Tree(Protocol):
    """What is asked of `TfTree`."""

    static: StaticTransforms

    def mount(self, camera_frame: str, base_frame: str) -> Mount | None: ...


class Companion(Protocol):
    """What is saved and taken over together with the localizer: the map."""

    def save(self, folder: Path) -> None: ...

    def adopt(self, folder: Path, epoch: int) -> None: ...


class LiveLocalizer:
    """Localizes the frames of a live camera; all calls from one thread.

    Frames are taken once static TF leads from the robot's base to the camera, or has been waited
    for; then, as in `loc3r run`, what is posed is the top of the camera's own static tree. When
    the base appears later, a new epoch begins with it.

    Args:
        make: a localizer for a mount of the camera (T_base_camera, or None).
        tf: where the mount is looked up.
        base_frame: the robot's base.
        wait_s: how long to wait for it.
        epoch: of the first frame.

    Attributes:
        mount: how the camera sits; None before it is decided.
        localizer: None before that, too.
        epoch: of the next frame.
    """

    def __init__(
        self,
        make: Callable[[Array | None], Localizer],
        tf: Tree,
        base_frame: str,
        wait_s: float,
        epoch: int,
    ) -> None:
        self.mount: Mount | None = None
        self.localizer: Localizer | None = None
        self._make = make
        self._tf = tf
        self._base_frame = base_frame
        self._wait_s = wait_s
        self._first_epoch = epoch

    @property
    def epoch(self) -> int:
        """Id of the map's life."""
        return self._first_epoch if self.localizer is None else self.localizer.epoch

    def ready(self, camera_frame: str, waited_s: float) -> bool:
        """Whether it is decided how the camera sits, after images have waited for so long."""
        if self.mount is not None:
            return True
        mount = self._tf.mount(camera_frame, self._base_frame)
        if mount is None and waited_s < self._wait_s:
            return False
        if mount is None:
            mount = Mount.find(self._tf.static, camera_frame, self._base_frame)
            _log.warning(
                'no static TF from %s to %s within %g s: the pose that is published is that of %s, '
                'and up is taken from the first depth image. Publish the static TF of the robot '
                '(robot_state_publisher, static_transform_publisher), or set base_frame',
                self._base_frame,
                camera_frame,
                self._wait_s,
                mount.base_frame,
            )
        self._begin(mount, self._first_epoch)
        return True

    def step(self, frame: Frame, camera_frame: str) -> Step | None:
        """Localize a frame; see `Localizer.step`."""
        mount, localizer = self._ready()
        found = None if mount.on_robot else self._tf.mount(camera_frame, self._base_frame)
        if found is not None:
            _log.warning(
                'static TF now leads from %s to %s: a new epoch begins, in which the pose of %s is '
                'published and no more that of %s',
                self._base_frame,
                camera_frame,
                self._base_frame,
                mount.base_frame,
            )
            localizer = self._begin(found, self.epoch + 1)
        return localizer.step(frame)

    def reset(self) -> None:
        """Begin a new epoch."""
        if self.localizer is None:
            self._first_epoch += 1
        else:
            self.localizer.reset()

    def save(self, folder: Path, companions: Sequence[Companion]) -> None:
        """Write the state, in place of an earlier one, which stays if this fails.

        Raises:
            InputError: there is nothing to save yet.
            OSError: the folder cannot be written.
        """
        _, localizer = self._ready()
        new, old = folder.with_name(folder.name + '.new'), folder.with_name(folder.name + '.old')
        shutil.rmtree(new, ignore_errors=True)
        localizer.save(new)
        for companion in companions:
            companion.save(new)
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)

    def adopt(self, folder: Path, companions: Sequence[Companion]) -> None:
        """Take over a saved state in a new epoch; the camera is LOST until it knows a place.

        Raises:
            InputError: there is no state, or one of other weights or settings; or no image yet.
        """
        _, localizer = self._ready()
        localizer.adopt(folder)
        for companion in companions:
            companion.adopt(folder, localizer.epoch)

    def _ready(self) -> tuple[Mount, Localizer]:
        if self.mount is None or self.localizer is None:
            raise InputError(
                'no image has been processed yet; wait until `status` comes with a stamp'
            )
        return self.mount, self.localizer

    def _begin(self, mount: Mount, epoch: int) -> Localizer:
        localizer = self._make(mount.T_base_camera if mount.on_robot else None)
        if localizer.encoder is not None:
            localizer.encoder.reset()
        localizer.epoch = epoch
        self.mount, self.localizer = mount, localizer
        return localizer
