# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The topics of one camera, and what their names say of the images."""

from __future__ import annotations

import re
from dataclasses import dataclass

ALIGNED = re.compile('aligned|registered')


@dataclass(frozen=True)
class CameraTopics:
    """The topics of one camera; None where there is none."""

    image: str
    camera_info: str | None
    depth: str | None
    depth_info: str | None

    def describe(self) -> str:
        """One line for messages."""
        return ', '.join(f'{key}: {topic or "none"}' for key, topic in vars(self).items())

    @property
    def depth_is_aligned(self) -> bool:
        """Whether the name says that depth is registered to colour."""
        return bool(self.depth and ALIGNED.search(self.depth))

    @property
    def image_is_rectified(self) -> bool:
        """Whether the name says that the lens distortion is gone (image_proc's `image_rect*`)."""
        return 'image_rect' in self.image

    @property
    def depth_is_rectified(self) -> bool:
        """The same of the depth image."""
        return bool(self.depth and 'image_rect' in self.depth)
