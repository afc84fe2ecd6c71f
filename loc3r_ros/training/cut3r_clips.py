# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Clips for CUT3R: short ones at first, longer ones later, always as many frames a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from loc3r_ros.cut3r.config import Cut3rConfig
from loc3r_ros.cut3r.preprocess import ResizeCrop, resize_crop
from loc3r_ros.geometry import Array, invert
from loc3r_ros.training.task import HELD_OUT_ROOMS, Batch
from loc3r_ros.world.splits import TRAIN, VALIDATION
from loc3r_ros.world.video import Footage

PAUSE = 0.1
"""How often a camera stands still for a frame."""

STRIDES = (1, 2, 3)
"""Frames of a reel from one of a clip to the next; each is as likely."""

WALKS = 24
"""That are drawn, at most, for one that is gentle enough."""

MIRRORED = np.diag([-1.0, 1.0, 1.0, 1.0])


class Source(Protocol):
    """Where footage comes from."""

    def footage(self, seed: int, number: int) -> Footage:
        """Footage of a scene; the same every time."""


@dataclass(frozen=True)
class Stage:
    """A part of the curriculum.

    Attributes:
        until: step at which it ends.
        frames: of a clip.
        turn: how far a camera turns from one frame to the next, at most, rad; where a reel has
            nothing so gentle, the gentlest of some draws is taken.
    """

    until: int
    frames: int
    turn: float = np.pi


@dataclass(frozen=True)
class ClipExamples:
    """Clips of training rooms. An example is one long clip or several short ones.

    Half of the frames of a clip, and at least two, have depth to learn from.

    Attributes:
        source: of footage.
        config: of the network that will see it.
        curriculum: stages in turn; the last goes on for ever.
        frames: of an example, which holds as many clips as fit, and at least one.
        rooms: how many seeds are trained on.
        reels: of each room.
        seed: of the run.
    """

    source: Source
    config: Cut3rConfig
    curriculum: tuple[Stage, ...]
    frames: int = 16
    rooms: int = 2000
    reels: int = 2
    seed: int = 0

    def at(self, step: int, slot: int) -> Batch:
        rng = np.random.default_rng((self.seed, step, slot))
        stage = next((s for s in self.curriculum if step < s.until), self.curriculum[-1])
        return self._example(rng, stage, TRAIN.start + rng.integers(self.rooms, size=self.frames))

    def held_out(self, slot: int) -> Batch:
        """Clips of the last stage, so that checks can be compared."""
        rng = np.random.default_rng((0x4E1D, slot))
        return self._example(
            rng,
            self.curriculum[-1],
            VALIDATION.start + (slot + np.arange(self.frames)) % HELD_OUT_ROOMS,
        )

    def _example(self, rng: Generator, stage: Stage, seeds: NDArray[np.int64]) -> Batch:
        clips = []
        for seed in seeds[: max(1, self.frames // stage.frames)]:
            footage = self.source.footage(int(seed), int(rng.integers(self.reels)))
            shown = gentle_walk(rng, footage.T_map_optical, stage.frames, stage.turn)
            dense = min(stage.frames, max(2, stage.frames // 2))
            clips.append(cut_clip(footage, self.config, rng, shown, dense))
        return self.collate(clips)

    def collate(self, examples: list[Batch]) -> Batch:
        """All clips of all examples."""
        return {name: torch.cat([e[name] for e in examples]) for name in examples[0]}


def cut_clip(
    footage: Footage, config: Cut3rConfig, rng: Generator, shown: NDArray[np.int64], dense: int
) -> dict[str, Tensor]:
    """Some frames as the encoder would see them, a batch of one clip.

    Mirrored or not, in other light.

    Returns:
        image (1, F, 3, H, W) uint8; T_first_camera (1, F, 4, 4) float32, poses in the frame of the
        first camera; dense (1, D) which frames have depth; depth (1, D, H, W) float16, m along the
        optical axis, NaN where nothing is; camera (1, 4) float32: fx, fy, cx, cy, pixels.
    """
    height, width = footage.rgb.shape[1:3]
    plan = resize_crop(width, height, config.image_size, config.square_crop)
    told = np.sort(rng.choice(len(shown), dense, replace=False))
    images = np.stack([plan.image(footage.rgb[i]) for i in shown])
    depth = depth_of(footage, plan, shown[told])
    lens = plan.camera(footage.camera)
    cx = lens.cx
    T = invert(footage.T_map_optical[shown[0]]) @ footage.T_map_optical[shown]
    if rng.random() < 0.5:
        images, depth, cx = images[:, :, ::-1], depth[:, :, ::-1], plan.width - 1 - cx
        T = MIRRORED @ T @ MIRRORED
    return {
        'image': torch.from_numpy(_relit(images, rng).transpose(0, 3, 1, 2).copy())[None],
        'T_first_camera': torch.from_numpy(T).float()[None],
        'dense': torch.from_numpy(told)[None],
        'depth': torch.from_numpy(depth.astype(np.float16))[None],
        'camera': torch.tensor([[lens.fx, lens.fy, cx, lens.cy]]),
    }


def gentle_walk(
    rng: Generator, T_map_optical: Array, frames: int, turn: float
) -> NDArray[np.int64]:
    """Of some walks through a reel, the first that never turns further at once, or the gentlest."""
    walks = []
    for _ in range(WALKS):
        shown = walk(rng, len(T_map_optical), frames)
        R = T_map_optical[shown, :3, :3]
        cosine = (np.einsum('nij,nij->n', R[:-1], R[1:]) - 1) / 2
        furthest = float(np.arccos(cosine.clip(-1, 1)).max(initial=0.0))
        if furthest <= turn:
            return shown
        walks.append((furthest, shown))
    return min(walks, key=lambda walk: walk[0])[1]


def walk(rng: Generator, length: int, frames: int) -> NDArray[np.int64]:
    """(frames,) numbers of frames of a reel: on at a stride, with pauses, never back.

    Robots and people mostly go where they look. Whoever learns from films that run either way, and
    cannot see well which way it goes, learns to say that it stands still.
    """
    stride = min(int(rng.choice(STRIDES)), max(1, (length - 1) // max(1, frames - 1)))
    first = rng.integers(max(1, length - stride * (frames - 1)))
    moves = rng.random(frames - 1) >= PAUSE
    shown = first + stride * np.append(0, np.cumsum(moves))
    return np.minimum(shown, length - 1).astype(np.int64)


def depth_of(
    footage: Footage, plan: ResizeCrop, numbers: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.float32]:
    """(D, H, W) depth at the network's pixels, m along the optical axis."""
    rows = slice(plan.top, plan.top + plan.height)
    columns = slice(plan.left, plan.left + plan.width)
    return np.stack(
        [
            # The nearest pixel: a mean of two depths at an edge is a point where nothing is.
            cv2.resize(footage.depth[i], plan.resized, interpolation=cv2.INTER_NEAREST_EXACT)[
                rows, columns
            ]
            for i in numbers
        ]
    ).astype(np.float32)


def points_of(depth: Tensor, camera: Tensor) -> Tensor:
    """(B, D, H, W, 3) float32 points in the optical frame, m, of what `cut_clip` gives."""
    height, width = depth.shape[-2:]
    v, u = torch.meshgrid(
        torch.arange(height, device=depth.device),
        torch.arange(width, device=depth.device),
        indexing='ij',
    )
    fx, fy, cx, cy = (value[:, None, None, None] for value in camera.unbind(-1))
    z = depth.float()
    return torch.stack([(u - cx) / fx * z, (v - cy) / fy * z, z], -1)


def _relit(images: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
    """A clip under another exposure, white balance and gamma."""
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.93, 1.07, 3)
    tone = (np.arange(256) / 255.0) ** rng.uniform(0.8, 1.25)
    tables = np.clip(255 * tone[:, None] * gain, 0, 255).round().astype(np.uint8)
    return np.stack([tables[:, c][images[..., c]] for c in range(3)], -1)
