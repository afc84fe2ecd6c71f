# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""FLOPs of CUT3R, counted on shapes, without data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from loc3r_ros.cut3r import Cut3r, Cut3rConfig, Stream


def count_flops(
    config: Cut3rConfig, size: tuple[int, int], work: Callable[[Cut3r, Tensor, Stream], object]
) -> int:
    """FLOPs, 2 a multiply-add, of some work.

    Args:
        config: dimensions of the network.
        size: height and width of the network input, pixels.
        work: what to count, given the network, an image and the state.
    """
    with torch.device('meta'), torch.no_grad():
        model, image = Cut3r(config), torch.empty(1, 3, *size)
        stream = model.initial()
        # The counter knows fused attention on some devices only; the plain products on all.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            work(model, image, stream)
    return int(counter.get_total_flops())


def frame_flops(config: Cut3rConfig, size: tuple[int, int], camera_only: bool) -> int:
    """FLOPs of a frame after the first."""
    return count_flops(
        config,
        size,
        lambda model, image, stream: model.step(
            image, stream, first=False, camera_only=camera_only
        ),
    )


def dummy_flops(config: Cut3rConfig, size: tuple[int, int]) -> int:
    """FLOPs of the ray-map encoder, which the published code runs on zeros beside every image."""
    return count_flops(
        config, size, lambda model, image, _: model.encode_rays(image.new_empty(1, *size, 6))
    )
