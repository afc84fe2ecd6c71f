# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Camera tokens of videos: the encoder is frozen, so each video is looked at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from loc3r_ros.cut3r.encoder import PoseEncoder
from loc3r_ros.cut3r.tensorfile import read_tensors, write_tensors
from loc3r_ros.geometry import invert
from loc3r_ros.types import Frame
from loc3r_ros.world.video import Footage

Camera = Literal['predicted', 'true', 'none']
"""Tokens of the encoder; the true pose, spelled out; or none at all."""


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

    def of(self, footage: Footage, seed: int, number: int, stride: int) -> dict[str, Tensor]:
        """'camera' (F, width), and 'geometry' (F, N, width), of every so many frames.

        The encoder sees all frames: its state is what it is on a robot.
        """
        found: dict[str, Tensor] = {}
        if self.camera == 'true':
            found['camera'] = spelled_pose(footage, self.width)[::stride]
        elif self.camera == 'predicted' or self.geometry:
            stored = self._stored(footage, seed, number)
            if self.camera == 'predicted':
                found['camera'] = stored['camera'][::stride].float()
            if self.geometry:
                found['geometry'] = stored['geometry'][::stride].float()
        return found

    def _stored(self, footage: Footage, seed: int, number: int) -> dict[str, Tensor]:
        path = self.folder / f'{seed}_{number}' / f'{self._encoder.fingerprint[:12]}.safetensors'
        if not path.is_file():
            write_tensors(path, _look(self._encoder, footage), {})
        return read_tensors(path)[0]

    @cached_property
    def _encoder(self) -> PoseEncoder:
        assert self.weights is not None, 'tokens of an encoder want its weights'
        return PoseEncoder.load(self.weights, camera_only=True)


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


def spelled_pose(footage: Footage, width: int) -> Tensor:
    """(F, width) the true pose in the first camera's frame: its 12 numbers, and their waves.

    Waves of 8 m down to 0.5 m make near places differ as much as far ones do.
    """
    T = invert(footage.T_map_optical[0]) @ footage.T_map_optical
    numbers = T[:, :3, :].reshape(len(T), 12)
    phases = T[:, :3, 3, None] * (2 * np.pi / np.array([8.0, 4.0, 2.0, 1.0, 0.5]))
    waves = np.concatenate([np.sin(phases), np.cos(phases)], -1).reshape(len(T), -1)
    spelled = np.concatenate([numbers, waves], 1)
    padded = np.zeros((len(T), width))
    padded[:, : spelled.shape[1]] = spelled[:, :width]
    return torch.from_numpy(padded).float()
