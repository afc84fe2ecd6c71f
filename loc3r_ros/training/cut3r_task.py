# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R as a task: clips run through its state, all poses and some of the point maps compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from loc3r_ros.cut3r import activations
from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint
from loc3r_ros.cut3r.heads import Levels, Maps
from loc3r_ros.cut3r.model import Cut3r, patch_grid
from loc3r_ros.cut3r.postprocess import camera_to_world, to_world
from loc3r_ros.cut3r.rope import Layout, rope_table
from loc3r_ros.training.cut3r_clips import ClipExamples, points_of
from loc3r_ros.training.cut3r_losses import mean_distance, point_loss, pose_losses, steps
from loc3r_ros.training.task import Batch, Task

WEIGHTS = 'cut3r.safetensors'

SPAN = 16
"""Frames that a gradient flows back through the state."""


@dataclass(frozen=True)
class Weights:
    """Of the losses.

    Attributes:
        view, world: point maps in the camera's and in the first camera's frame.
        pose: place and rotation of the camera in the first camera's frame.
        step: the same from frame to frame.
    """

    view: float = 1.0
    world: float = 1.0
    pose: float = 1.0
    step: float = 1.0


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
            maps = _maps(self.model, seen.at(dense), (image.shape[-2], image.shape[-1]))
            points = points_of(batch['depth'], batch['camera'])
            return self._losses(maps, poses, points, T, dense)

    def _losses(
        self, maps: Maps, poses: Tensor, points: Tensor, T: Tensor, dense: Tensor
    ) -> dict[str, Tensor]:
        w, scale = self.weights, mean_distance(points)
        shape = points.shape[:2]
        there = T.gather(1, dense[..., None, None].expand(-1, -1, 4, 4))
        world = to_world(there.flatten(0, 1), points.flatten(0, 1)).unflatten(0, shape)
        view, conf_view, other, conf = (x.unflatten(0, shape) for x in maps[:4])
        losses = {
            'view': point_loss(view, conf_view, points, scale),
            'world': point_loss(other, conf, world, scale),
        }
        losses['place'], losses['rotation'] = pose_losses(poses, T, scale)
        losses['step place'], losses['step rotation'] = pose_losses(steps(poses), steps(T), scale)
        total = w.view * losses['view'] + w.world * losses['world']
        total = total + w.pose * (losses['place'] + losses['rotation'])
        total = total + w.step * (losses['step place'] + losses['step rotation'])
        depth = (view[..., 2] - points[..., 2]).abs() / points[..., 2]
        return {'total': total, **losses, 'AbsRel': depth.detach().nanmean()}

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
