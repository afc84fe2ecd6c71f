# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The streaming pose encoder: one camera frame in, one observation out."""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loc3r_ros.cut3r.checkpoint import load_checkpoint
from loc3r_ros.cut3r.fingerprint import fingerprint
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.cut3r.postprocess import focal_weiszfeld
from loc3r_ros.cut3r.preprocess import ResizeCrop, plan_for, to_input
from loc3r_ros.cut3r.stream import FrameOutput, Stream, UpdateRule
from loc3r_ros.cut3r.tensorfile import read_tensors, write_tensors
from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.geometry import pose, rotation_from_quaternion
from loc3r_ros.types import Frame, Observation

log = logging.getLogger(__name__)

_STATE_FORMAT = 'loc3r_cut3r_state_1'


class PoseEncoder:
    """CUT3R with its persistent state. Memory does not grow with the number of frames.

    Not thread safe: frames of one stream come one after another.

    Args:
        model: the network; it is moved to the device, set to eval mode and to the dtype.
        update_rule: `cut3r`, or `ttt3r`, whose gate forgets less on long sequences.
        camera_only: leave out the dense heads, 37 % of the FLOPs at 512x384; tokens and pose stay
            the same.
        device: where to run, e.g. `cpu` or `cuda`.
        dtype: precision of the products; norms, sums, heads and the state stay float32.

    Attributes:
        model: the network.
        update_rule, camera_only: as given.
        epoch: id of the state's life; rises with every reset.

    Raises:
        InputError: the update rule is unknown or the device is not there.
    """

    def __init__(
        self,
        model: Cut3r,
        *,
        update_rule: UpdateRule = 'cut3r',
        camera_only: bool = False,
        device: str | torch.device = 'cpu',
        dtype: torch.dtype = torch.float32,
    ) -> None:
        if update_rule not in get_args(UpdateRule):
            raise InputError(f'update_rule {update_rule!r} is unknown; use cut3r or ttt3r')
        self.update_rule = update_rule
        self.camera_only = camera_only
        try:
            self.device = torch.device(device)
            self.model = model.eval().to(self.device).set_precision(dtype)
        except (RuntimeError, AssertionError) as error:
            raise InputError(f'cannot run on device {device}: {error}') from error
        self.epoch = 0
        self._last_epoch = 0
        self._begin()

    @classmethod
    def load(cls, path: Path | str, **options: Any) -> PoseEncoder:
        """Make an encoder of a weights file (.pth as published, or .safetensors).

        Args:
            path: the file.
            **options: of the class.

        Raises:
            CheckpointError: the file cannot be used; the message says why.
        """
        return cls(load_checkpoint(path), **options)

    @property
    def trained(self) -> bool:
        """Whether the weights came from a checkpoint; poses of any others mean nothing."""
        return self.model.trained

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the weights and the dimensions."""
        return fingerprint(self.model)

    def reset(self) -> None:
        """Forget everything: the next frame is the first of a new epoch and sets its world."""
        self._last_epoch = max(self._last_epoch, self.epoch) + 1
        self.epoch = self._last_epoch
        self._begin()

    def _begin(self) -> None:
        with torch.inference_mode():
            self._stream = self.model.initial()
        self._index = 0
        self._size: tuple[int, int] | None = None

    def observe(self, frame: Frame) -> Observation:
        """Take in one frame.

        An image of any size is resized and cropped by the published rule. Where that leads to
        another network input size than the frames before had, the state is reset, since it would
        not fit; a warning says so.

        Raises:
            InputError: the image is not RGB uint8 or too narrow; the camera is of another size.
            CheckpointError: the network gave a pose that is not finite; the state is unchanged.
        """
        plan = plan_for(frame.rgb, self.model.config)
        if frame.camera and (frame.camera.height, frame.camera.width) != frame.rgb.shape[:2]:
            raise InputError(
                f'image of {frame.rgb.shape[1]}x{frame.rgb.shape[0]} with a camera of '
                f'{frame.camera.width}x{frame.camera.height}; both must be of one size'
            )
        self._enter((plan.width, plan.height))
        image = to_input(plan.image(frame.rgb)).to(self.device)
        with torch.inference_mode():
            output = self.model.step(
                image,
                self._stream,
                first=self._index == 0,
                rule=self.update_rule,
                camera_only=self.camera_only,
            )
            observation = self._observation(frame, plan, output)
        self._stream = output.stream
        self._index += 1
        return observation

    def _enter(self, size: tuple[int, int]) -> None:
        before = self._size
        if before not in (None, size):
            self.reset()
            log.warning(
                'network input changed from %s to %s: state reset, epoch %d begins',
                *(f'{w}x{h}' for w, h in (before, size)),
                self.epoch,
            )
        self._size = size

    def _observation(self, frame: Frame, plan: ResizeCrop, output: FrameOutput) -> Observation:
        camera_pose = _array(output.camera_pose).astype(np.float64)
        w, x, y, z = camera_pose[3:]
        if not np.isfinite(camera_pose).all() or not np.linalg.norm(camera_pose[3:]) > 0.5:
            raise CheckpointError(
                f'the network gave the pose {camera_pose.tolist()}: the weights are damaged, or '
                f'{self.model.dtype} is too narrow for them; try float32'
            )
        maps = output.maps
        return Observation(
            stamp=frame.stamp,
            epoch=self.epoch,
            index=self._index,
            camera_token=_array(output.camera_token),
            geometry_tokens=_array(output.geometry_tokens),
            T_world_camera=pose(rotation_from_quaternion([x, y, z, w]), camera_pose[:3]),
            camera=plan.camera(frame.camera) if frame.camera else None,
            focal=float(focal_weiszfeld(maps.pts3d_in_self_view)) if maps else None,
            points_camera=_array(maps.pts3d_in_self_view) if maps else None,
            points_world=_array(maps.pts3d_in_other_view) if maps else None,
            confidence_camera=_array(maps.conf_self) if maps else None,
            confidence_world=_array(maps.conf) if maps else None,
            rgb=_array(maps.rgb) if maps else None,
        )

    def save_state(self, path: Path | str) -> None:
        """Write the state, to go on from with `load_state`, bit for bit.

        Raises:
            InputError: the file cannot be written; an earlier one is left as it was.
        """
        width, height = self._size or (0, 0)
        write_tensors(
            Path(path),
            self._stream._asdict(),
            {
                'format': _STATE_FORMAT,
                'model': self.fingerprint,
                'update_rule': self.update_rule,
                'epoch': str(self.epoch),
                'index': str(self._index),
                'width': str(width),
                'height': str(height),
            },
        )

    def load_state(self, path: Path | str) -> None:
        """Go on from a saved state, in its epoch. On an error nothing changes.

        Raises:
            InputError: not a state file, or that of another model or update rule.
        """
        tensors, about = read_tensors(Path(path))
        if about.get('format') != _STATE_FORMAT:
            raise InputError(f'{path}: not a CUT3R state; give a file that save_state wrote')
        if about.get('model') != self.fingerprint:
            raise InputError(
                f'{path}: the state of another model (or of another precision of it): '
                f'fingerprint {about.get("model")}, this model has {self.fingerprint}'
            )
        if about.get('update_rule') != self.update_rule:
            raise InputError(
                f'{path}: made with update_rule={about.get("update_rule")}, '
                f'this encoder has {self.update_rule}; use the same'
            )
        try:
            epoch, index, width, height = (
                int(about[name]) for name in ('epoch', 'index', 'width', 'height')
            )
            stream = Stream(**{name: value.to(self.device) for name, value in tensors.items()})
        except (KeyError, ValueError, TypeError) as error:
            raise InputError(f'{path}: a damaged CUT3R state: {error!r}') from error
        if [(t.shape, t.dtype) for t in stream] != [(t.shape, t.dtype) for t in self._stream]:
            raise InputError(f'{path}: a damaged CUT3R state: its tensors have other shapes')
        self._last_epoch = max(self._last_epoch, self.epoch)
        self.epoch, self._index, self._stream = epoch, index, stream
        self._size = (width, height) if width else None


def _array(x: Tensor) -> NDArray[np.float32]:
    """The only element of a batch, as memory of its own, so that what is kept stays small."""
    return x[0].float().cpu().numpy().copy()
