# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Camera tokens of videos: the encoder is frozen, so each video is looked at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loc3r_ros.cut3r.encoder import PoseEncoder
from loc3r_ros.cut3r.tensorfile import read_tensors, write_tensors
from loc3r_ros.geometry import invert
from loc3r_ros.types import Frame
from loc3r_ros.vlm.pose_token import pose_token
from loc3r_ros.vlm.situated import bev_in_map
from loc3r_ros.world.video import Footage

Camera = Literal['either', 'predicted', 'true', 'none']
"""Tokens of the encoder; the true pose, spelled out; now one, now the other; or none at all."""


@dataclass(frozen=True)
class TokenBank:
    """Tokens of the videos of a bank.

    Attributes:
        folder: of the bank; tokens lie beside the pictures, by the fingerprint of the encoder.
        weights: of the encoder.
        camera: which tokens.
        geometry: give the encoder's patch tokens, too.
        width: of a camera token.
    """

    folder: Path = field(repr=False)
    weights: Path | None = field(repr=False)
    camera: Camera
    geometry: bool
    width: int

    def of(
        self,
        footage: Footage,
        shown: Footage,
        seed: int,
        number: int,
        frames: NDArray[np.int64],
        posed: bool = False,
    ) -> dict[str, Tensor]:
        """'camera' (F, width), and 'geometry' (F, N, width), of some of the frames of a video.

        The encoder sees all frames: its state is what it is on a robot. Of `either` token it is
        the pose where `posed`.

        Args:
            footage: all frames.
            shown: those that are shown; poses are told in the frame of the first of them.
            seed, number: of the video.
            frames: numbers of those that are shown.
            posed: the pose may be told.
        """
        found: dict[str, Tensor] = {}
        if self.camera == 'true' or (self.camera == 'either' and posed):
            found['camera'] = spelled_poses(shown, self.width)
        elif self.camera != 'none':
            found['camera'] = self._stored(footage, seed, number)['camera'][frames].float()
        if self.geometry:
            found['geometry'] = self._stored(footage, seed, number)['geometry'][frames].float()
        return found

    def _stored(self, footage: Footage, seed: int, number: int) -> dict[str, Tensor]:
        path = self.folder / f'{seed}_{number}' / f'{self._encoder.fingerprint[:12]}.safetensors'
        if not path.is_file():
            write_tensors(path, _look(self._encoder, footage), {})
        return read_tensors(path)[0]

    @cached_property
    def _encoder(self) -> PoseEncoder:
        assert self.weights is not None, 'tokens of an encoder want its weights'
        return PoseEncoder.load(self.weights, camera_only=True, restart_every=0)


def _look(encoder: PoseEncoder, footage: Footage) -> dict[str, Tensor]:
    encoder.reset()
    seen = [
        encoder.observe(Frame(float(t), rgb, footage.camera))
        for t, rgb in zip(footage.times, footage.rgb, strict=True)
    ]
    return {
        'camera': torch.from_numpy(np.stack([o.camera_token for o in seen])).half(),
        'geometry': torch.from_numpy(np.stack([o.geometry_tokens for o in seen])).half(),
    }


def spelled_poses(footage: Footage, width: int) -> Tensor:
    """(F, width) tokens of the true poses."""
    T_bev_map = invert(bev_in_map(footage.T_map_optical[0]))
    return torch.from_numpy(pose_token(T_bev_map @ footage.T_map_optical, width))
