# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Whole sequences at once, as the published code runs them: images, ray maps, masks, resets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from loc3r_ros.cut3r.model import Cut3r, patch_grid
from loc3r_ros.cut3r.stream import Flag, FrameOutput, both, select
from loc3r_ros.cut3r.variant import UpdateRule
from loc3r_ros.errors import InputError


@dataclass(frozen=True, eq=False)
class View:
    """One time step of a batch of sequences. An image, a ray map, or both.

    Attributes:
        image: (B, 3, H, W) float32 in [-1, 1].
        ray_map: (B, H, W, 6) float32, origins and directions in the first camera's frame.
        image_mask, ray_mask: which of the batch have one; what is masked out may hold NaN.
        update: which of the batch change their stream; a view without an image never does.
        reset: which of the batch start anew after this view's outputs.
    """

    image: Tensor | None = None
    ray_map: Tensor | None = None
    image_mask: Flag = True
    ray_mask: Flag = True
    update: Flag = True
    reset: Flag = False

    def __post_init__(self) -> None:
        if self.image is None and self.ray_map is None:
            raise InputError('a view has neither image nor ray map; give one of them')

    @property
    def size(self) -> tuple[int, int]:
        """Height and width, pixels."""
        if self.image is not None:
            return self.image.shape[-2], self.image.shape[-1]
        assert self.ray_map is not None
        return self.ray_map.shape[1], self.ray_map.shape[2]

    @property
    def batch(self) -> int:
        return len(self.image if self.image is not None else self.ray_map)  # type: ignore[arg-type]

    def has_image(self) -> Flag:
        return False if self.image is None else self.image_mask

    def has_rays(self) -> Flag:
        return False if self.ray_map is None else self.ray_mask


def forward_views(
    model: Cut3r,
    views: Sequence[View],
    *,
    recurrent: bool = False,
    rule: UpdateRule = 'cut3r',
    camera_only: bool = False,
) -> Iterator[FrameOutput]:
    """Run a batch of sequences, one output a view; memory does not grow with their length.

    The published code has two paths. For images alone they agree; they differ in two points:

    * Features. Batch path: once any view has a ray map, a missing image or ray map is replaced by
      its learned mask token. Recurrent path: the sum of what there is.
    * The view after a reset, with the rule `ttt3r` on the recurrent path, counts as the first of
      a stream: learned pose token, no gate. Elsewhere only the first view does.

    Args:
        model: in eval mode; wrap the call in `torch.inference_mode()` where no gradient is wanted.
        views: all of one batch size and image size.
        recurrent: take the recurrent path in place of the batch path.
        rule: how the state takes up a frame.
        camera_only: leave out the dense heads.

    Raises:
        InputError: sizes differ, or a side is not a multiple of 16.
    """
    if len({(view.batch, view.size) for view in views}) > 1:
        raise InputError('views of one call differ in batch or image size; run them apart')
    fill = not recurrent and any(_any(view.has_rays()) for view in views)
    stream = model.initial(views[0].batch if views else 1)
    first: Flag = True
    for view in views:
        output = model.advance(
            _feature(model, view, fill),
            patch_grid(*view.size),
            stream,
            first=first,
            update=both(view.has_image(), view.update),
            reset=view.reset,
            rule=rule,
            camera_only=camera_only,
        )
        yield output
        stream = output.stream
        first = view.reset if recurrent and rule == 'ttt3r' else False


def _any(flag: Flag) -> bool:
    return flag if isinstance(flag, bool) else bool(flag.any())


def _feature(model: Cut3r, view: View, fill: bool) -> Tensor:
    """Image features plus ray features; what is missing is zero, or its mask token with `fill`."""
    rows, columns = patch_grid(*view.size)
    shape = (view.batch, rows * columns, model.config.enc_dim)
    parts = []
    for flag, source, encode, token in (
        (view.has_image(), view.image, model.encode_image, model.masked_img_token),
        (view.has_rays(), view.ray_map, model.encode_rays, model.masked_ray_map_token),
    ):
        missing = (token if fill else torch.zeros_like(token)).expand(shape)
        parts.append(
            select(flag, encode(source), missing) if source is not None and _any(flag) else missing
        )
    return parts[0] + parts[1]
