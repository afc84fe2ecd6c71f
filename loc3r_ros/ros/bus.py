# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What passes by reference between the nodes that share a process."""

from __future__ import annotations

from dataclasses import dataclass

from loc3r_ros.localizer import Step


@dataclass(frozen=True, eq=False)
class Posed:
    """One processed image.

    Attributes:
        stamp_ns: stamp of the image, ns.
        camera_frame: frame of the camera, optical.
        step: what the localizer says of it.
    """

    stamp_ns: int
    camera_frame: str
    step: Step
