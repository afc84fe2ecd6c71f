# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A textured box to track in: exact depth and colour of the inside of a room of 6 x 5 x 2.8 m."""

from __future__ import annotations

import cv2
import numpy as np

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.types import Frame

CAMERA = PinholeCamera(320, 240, 262.5, 262.5, 159.5, 119.5)
HALF = np.array([3.0, 2.5, 1.4])


def _texture(seed: int) -> np.ndarray:
    """(512, 512, 3) smooth noise with rectangles in it, so that there are corners to find."""
    rng = np.random.default_rng(seed)
    image = np.full((512, 512, 3), 128, np.uint8)
    for _ in range(900):
        corner, size = rng.integers(0, 512, 2), rng.integers(5, 40, 2)
        colour = tuple(int(c) for c in rng.integers(20, 235, 3))
        cv2.rectangle(image, tuple(map(int, corner)), tuple(map(int, corner + size)), colour, -1)
    return cv2.GaussianBlur(image, (3, 3), 0.7)


TEXTURES = [_texture(k) for k in range(6)]


def see(T_map_camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """RGB (240, 320, 3) uint8 and depth (240, 320) float32 from a pose inside the box."""
    rays = np.concatenate([CAMERA.rays, np.ones((240, 320, 1))], -1) @ T_map_camera[:3, :3].T
    with np.errstate(divide='ignore'):
        t = (np.sign(rays) * HALF - T_map_camera[:3, 3]) / rays
    axis = t.argmin(-1)
    depth = t.min(-1)
    hit = T_map_camera[:3, 3] + rays * depth[..., None]
    face = 2 * axis + (np.take_along_axis(rays, axis[..., None], -1)[..., 0] > 0)
    rgb = np.zeros((240, 320, 3), np.uint8)
    for k in range(6):
        a, b = [i for i in range(3) if i != k // 2]
        u, v = (((hit[..., i] + 3.0) * 80) % 512 for i in (a, b))
        sampled = cv2.remap(
            TEXTURES[k], u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
        rgb[face == k] = sampled[face == k]
    return rgb, depth.astype(np.float32)


def pose_at(x: float, y: float, yaw: float, pitch: float = 0.35) -> np.ndarray:
    """T_map_camera of a camera at the middle height that looks along yaw, tilted down."""
    R = exp_so3([0, 0, yaw]) @ exp_so3([0, pitch, 0])
    return pose(R, [x, y, 0.0]) @ T_BODY_OPTICAL


def circle(count: int = 60) -> list[np.ndarray]:
    """A closed walk of 10 Hz around the room, looking outward, back to the start."""
    angles = np.linspace(0, 2 * np.pi, count)
    return [pose_at(np.cos(a), 0.8 * np.sin(a), a) for a in angles]


def frame_at(T: np.ndarray, stamp: float, *, depth: bool = True, rgb: bool = True) -> Frame:
    """The frame of a pose, with the depth noise of a Kinect."""
    image, z = see(T)
    noise = np.random.default_rng(round(stamp * 1e3)).normal(size=z.shape)
    z = (z + noise * 0.0015 * z**2).astype(np.float32)
    return Frame(stamp, image if rgb else np.zeros_like(image), CAMERA, z if depth else None)
