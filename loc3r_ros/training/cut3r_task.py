# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R as a task: clips run through its state, all poses and some of the point maps compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from loc3r_ros.cut3r import activations
from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint
from loc3r_ros.cut3r.config import PATCH
from loc3r_ros.cut3r.heads import Levels, Maps
from loc3r_ros.cut3r.model import Cut3r, patch_grid
from loc3r_ros.cut3r.postprocess import camera_to_world, to_world
from loc3r_ros.cut3r.rope import Layout, rope_table
from loc3r_ros.training.cut3r_clips import ClipExamples, points_of
from loc3r_ros.training.cut3r_losses import (
    displacements,
    match_loss,
    mean_distance,
    point_loss,
    pose_losses,
    steps,
)
from loc3r_ros.training.task import Batch, Task

WEIGHTS = 'cut3r.safetensors'

SPAN = 16
"""Frames that a gradient flows back through the state."""


@dataclass(frozen=True)
class Weights:
    """Of the losses.

    Attributes:
        view, world: point maps in the camera's and in the first camera's frame.
        pose: rotation of the camera in the first camera's frame.
        step: the same from frame to frame.
        place: how many times a place off by the mean distance counts, of a rotation off by 1 rad.
        match: where each patch was in the frame before. No part of CUT3R, whose encoder had learnt
            to match before; a layer that is not kept reads it from the geometry tokens.
    """

    view: float = 2.0
    world: float = 1.0
    pose: float = 3.0
    step: float = 3.0
    place: float = 3.3
    match: float = 0.5


class Cut3rTask(Task):
    """Learns poses and point maps in the camera's and in the world's frame; colours are left out.

    Args:
        model: trained whole, but for the parts that no point and no pose depends on.
        examples: of a batch.
        weights: of the losses.
        name: of the run.
    """

    def __init__(
        self,
        model: Cut3r,
        examples: ClipExamples,
        weights: Weights = Weights(),
        name: str = 'cut3r',
    ) -> None:
        super().__init__()
        self.model = model.train()
        self.matcher = nn.Linear(model.config.dec_dim, 2)
        self.examples = examples
        self.weights = weights
        self.label = f'{name} {weights} {examples}'
        for part, parameter in model.named_parameters():
            parameter.requires_grad_(not _unused(part))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        image, T, dense = batch['image'], batch['T_first_camera'], batch['dense']
        seen = _watch(self.model, image.float() / 127.5 - 1)
        # Poses and points need more digits than bfloat16 has: the heads are float32, as published.
        with torch.autocast(image.device.type, enabled=False):
            poses = camera_to_world(
                activations.camera_pose(self.model.downstream_head.pose_head(seen.camera))
            )
            shown = seen.at(dense)
            maps = _maps(self.model, shown, (image.shape[-2], image.shape[-1]))
            points = points_of(batch['depth'], batch['camera'])
            losses = self._losses(maps, poses, points, T, dense)
            losses['match'] = self._match_loss(shown, points, batch)
            return {'total': self._total(losses), **losses}

    def _losses(
        self, maps: Maps, poses: Tensor, points: Tensor, T: Tensor, dense: Tensor
    ) -> dict[str, Tensor]:
        scale = mean_distance(points)
        shape = points.shape[:2]
        there = T.gather(1, dense[..., None, None].expand(-1, -1, 4, 4))
        world = to_world(there.flatten(0, 1), points.flatten(0, 1)).unflatten(0, shape)
        view, conf_view, other, conf = (x.unflatten(0, shape) for x in maps[:4])
        place, rotation = pose_losses(poses, T, scale)
        moved = steps(T)
        step_place, step_rotation = pose_losses(steps(poses), moved, scale)
        still = pose_losses(torch.eye(4, device=T.device).expand_as(moved), moved, scale)
        depth = (view[..., 2] - points[..., 2]).abs() / points[..., 2]
        return {
            'view': point_loss(view, conf_view, points, scale),
            'world': point_loss(other, conf, world, scale),
            'place': place,
            'rotation': rotation,
            'step place': step_place,
            'step rotation': step_rotation,
            # Of who stands still: 1.
            'missed way': (step_place / still[0].clamp(min=1e-6)).detach(),
            'missed turn': (step_rotation / still[1].clamp(min=1e-6)).detach(),
            'AbsRel': depth.detach().nanmean(),
        }

    def _match_loss(self, shown: _Seen, points: Tensor, batch: Batch) -> Tensor:
        T, dense = batch['T_first_camera'], batch['dense']
        now, before = (
            T.gather(1, index[..., None, None].expand(-1, -1, 4, 4))
            for index in (dense, (dense - 1).clamp(min=0))
        )
        T_before_now = steps(torch.stack([before, now], 2).flatten(0, 1))[:, 0]
        lens = batch['camera'].repeat_interleave(dense.shape[1], 0)
        moved, inside = displacements(points.flatten(0, 1), lens, T_before_now, PATCH)
        told = self.matcher(shown.levels[-1].float())
        return match_loss(told, moved, inside & (dense > 0).flatten()[:, None])

    def _total(self, losses: dict[str, Tensor]) -> Tensor:
        w = self.weights
        return (
            w.view * losses['view']
            + w.world * losses['world']
            + w.pose * (w.place * losses['place'] + losses['rotation'])
            + w.step * (w.place * losses['step place'] + losses['step rotation'])
            + w.match * losses['match']
        )

    def export(self, folder: Path, about: Mapping[str, str]) -> None:
        """Write the weights in half precision, which halves the file and changes no figure."""
        tensors = {name: value.half() for name, value in self.model.state_dict().items()}
        write_checkpoint(Checkpoint(self.model.config, tensors), folder / WEIGHTS, about=about)


@dataclass(frozen=True)
class _Seen:
    """Tokens of all frames (B, F, ...), before the heads."""

    levels: tuple[Tensor, ...]
    camera: Tensor

    def at(self, frames: Tensor) -> _Seen:
        """Those of some frames (B, D), as a batch of B * D."""
        clip = torch.arange(len(frames), device=frames.device)[:, None]
        return _Seen(
            tuple(x[clip, frames].flatten(0, 1) for x in self.levels),
            self.camera[clip, frames].flatten(0, 1),
        )


def _watch(model: Cut3r, image: Tensor) -> _Seen:
    """Run clips (B, F, 3, H, W) through the state; images are encoded all at once."""
    shape, grid = image.shape[:2], patch_grid(image.shape[-2], image.shape[-1])
    feature = model.encode_image(image.flatten(0, 1)).unflatten(0, shape)
    stream = model.initial(len(image))
    outputs = []
    for i in range(shape[1]):
        if i and i % SPAN == 0:
            stream = type(stream)(*(x.detach() for x in stream))
        output = model.advance(feature[:, i], grid, stream, first=i == 0, camera_only=True)
        stream = output.stream
        outputs.append(output)
    levels = (
        torch.stack([o.enc_feat for o in outputs], 1),
        torch.stack([o.dec_h1[:, 1:] for o in outputs], 1),
        torch.stack([o.dec_h2[:, 1:] for o in outputs], 1),
        torch.stack([o.geometry_tokens for o in outputs], 1),
    )
    return _Seen(levels, torch.stack([o.camera_token for o in outputs], 1))


def _maps(model: Cut3r, seen: _Seen, size: tuple[int, int]) -> Maps:
    c, grid = model.config, patch_grid(*size)
    layout = Layout(grid[0] * grid[1], grid[1])
    rope = rope_table(layout, c.dec_dim // c.dec_heads, c.rope_base, seen.camera.device)
    return model.downstream_head(Levels(*seen.levels), seen.camera[:, None], grid, rope)


def _unused(part: str) -> bool:
    """Whether no loss depends on a parameter; several processes must know, and wait for none."""
    if 'pose_retriever.write_blocks' in part:
        # What is written is one token: a softmax over one key is 1, whatever query and key are.
        return any(name in part for name in ('projq', 'projk', 'norm2'))
    return any(name in part for name in ('ray_map', 'masked_img', 'rgb', 'refinenet4.resConfUnit1'))
