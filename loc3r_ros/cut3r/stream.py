# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What passes from frame to frame, and what a frame gives."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from loc3r_ros.cut3r.heads import Maps
from loc3r_ros.cut3r.postprocess import camera_to_world

Flag = bool | Tensor
"""For the whole batch at once, or one bool tensor (B,)."""


class Stream(NamedTuple):
    """The persistent state, always float32.

    Attributes:
        state: (B, S, D) state tokens.
        memory: (B, M, 2D) pose memory.
    """

    state: Tensor
    memory: Tensor


class FrameOutput(NamedTuple):
    """All that the network says of one frame; names as in the published code where it has one.

    Attributes:
        state, mem: the stream after this frame's update and reset, (B, S, D) and (B, M, 2D).
        camera_token: (B, D) token 0 of the image decoder, normed.
        geometry_tokens: (B, N, D) the patch tokens of the same.
        pose_raw: (B, 7) pose head before its activation.
        camera_pose: (B, 7) camera-to-world translation, quaternion (w, x, y, z).
        maps: points, confidences and colours; None in camera-only mode.
        enc_feat: (B, N, De) features that entered the decoder.
        pose_token_in: (B, D) pose token that entered the decoder.
        dec_h1, dec_h2: (B, 1+N, D) image decoder after half and three quarters of its blocks.
        new_state: (B, S, D) the state decoder's normed output, before gate and masks.
        beta: (B, S) TTT3R's gate in (0, 1), computed on every frame and used from the second on;
            None with the rule `cut3r`.
    """

    state: Tensor
    mem: Tensor
    camera_token: Tensor
    geometry_tokens: Tensor
    pose_raw: Tensor
    camera_pose: Tensor
    maps: Maps | None
    enc_feat: Tensor
    pose_token_in: Tensor
    dec_h1: Tensor
    dec_h2: Tensor
    new_state: Tensor
    beta: Tensor | None

    @property
    def stream(self) -> Stream:
        return Stream(self.state, self.mem)

    def named(self) -> dict[str, Tensor]:
        """Every output by its published name, the maps among them, and `c2w` (B, 4, 4)."""
        values = self._asdict() | (self.maps._asdict() if self.maps else {})
        values['c2w'] = camera_to_world(self.camera_pose)
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def select(flag: Flag, yes: Tensor, no: Tensor) -> Tensor:
    """`yes` where the flag holds, else `no`, without touching what is not chosen (NaN safe)."""
    if isinstance(flag, bool):
        return yes if flag else no
    return torch.where(flag.view(-1, *[1] * (no.dim() - 1)), yes, no)


def both(a: Flag, b: Flag) -> Flag:
    """Where both flags hold."""
    if isinstance(a, bool):
        return b if a else False
    return both(b, a) if isinstance(b, bool) else a & b
