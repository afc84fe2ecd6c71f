# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From a camera image of any size to the network's input, by the published resize and crop rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.cut3r.config import PATCH, Cut3rConfig
from loc3r_ros.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ResizeCrop:
    """Resample an image, keeping its aspect, then cut out the centre. Sizes in pixels.

    Attributes:
        resized: (width, height) after resampling.
        left, top: corner of the window.
        width, height: size of the window: what the network sees, multiples of 16.
        lanczos: resample with Lanczos, for large images; else with bicubic.
    """

    resized: tuple[int, int]
    left: int
    top: int
    width: int
    height: int
    lanczos: bool

    def image(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width, 3) of an RGB image (H, W, 3), through Pillow in 8 bits as published."""
        kernel = Image.Resampling.LANCZOS if self.lanczos else Image.Resampling.BICUBIC
        resized = np.asarray(Image.fromarray(rgb).resize(self.resized, kernel))
        return resized[self.top : self.top + self.height, self.left : self.left + self.width]

    def camera(self, camera: PinholeCamera) -> PinholeCamera:
        """Intrinsics of the window.

        Pixel centres lie at integers, so resampling by s takes u to (u + 0.5) s - 0.5. The
        published code scales the principal point alone, without the half pixels; the two differ by
        0.5 (1 - s) of a pixel, and the image content agrees with this one.
        """
        resized = camera.resized(*self.resized)
        return resized.cropped(self.left, self.top, self.width, self.height)


@lru_cache(maxsize=16)
def resize_crop(width: int, height: int, image_size: int, square: bool) -> ResizeCrop:
    """Plan for an image of a size.

    Args:
        width: of the image.
        height: of the image.
        image_size: of the network: short side with `square`, else long side.
        square: crop to a square; else floor each side to a multiple of 16, and a square image to
            4:3.

    Raises:
        InputError: the image is so narrow that nothing of 16 pixels is left.
    """
    if min(width, height) < 1:
        raise InputError(f'image of {width}x{height}: it has no pixels')
    longest = max(width, height)
    target = round(image_size * longest / min(width, height)) if square else image_size
    resized = round(width * target / longest), round(height * target / longest)
    centre_x, centre_y = resized[0] // 2, resized[1] // 2
    if square:
        half_x = half_y = min(centre_x, centre_y)
    else:
        half_x, half_y = (PATCH // 2 * (2 * centre // PATCH) for centre in (centre_x, centre_y))
        if resized[0] == resized[1]:
            half_y = PATCH // 2 * (3 * half_x // 2 // PATCH)
    if min(half_x, half_y) < PATCH // 2:
        raise InputError(
            f'image of {width}x{height}: too narrow for the network, which would see '
            f'{resized[0]}x{resized[1]} of it; crop it to an aspect below {image_size // PATCH}:1'
        )
    return ResizeCrop(
        resized,
        centre_x - half_x,
        centre_y - half_y,
        2 * half_x,
        2 * half_y,
        lanczos=longest > target,
    )


def plan_for(rgb: NDArray[np.uint8], config: Cut3rConfig) -> ResizeCrop:
    """Plan for an image.

    Raises:
        InputError: not an (H, W, 3) uint8 image, or too narrow.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise InputError(
            f'image of shape {rgb.shape} and type {rgb.dtype}: give RGB as (H, W, 3) uint8'
        )
    return resize_crop(rgb.shape[1], rgb.shape[0], config.image_size, config.square_crop)


def to_input(rgb: NDArray[np.uint8]) -> Tensor:
    """(1, 3, H, W) float32 in [-1, 1] of an image (H, W, 3) uint8."""
    import torch  # here, since an encoder of engines alone runs without it

    unit = rgb.astype(np.float32) / np.float32(255)
    return torch.from_numpy(((unit - 0.5) / 0.5).transpose(2, 0, 1)[None].copy())
