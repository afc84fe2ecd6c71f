# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which intrinsics an image has."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.images import camera_from_info
from loc3r_ros.ingest.problems import Problems

_KEPT = 60


class Intrinsics:
    """The camera of each image, from the `CameraInfo` nearest in time, or fixed.

    An unchanged calibration gives the same object again, because its rays are computed once.

    Args:
        what: the topic of the images, for messages.
        problems: where to note what is missing or does not fit.
        remedy: what the user can do about it.
        fixed: fx, fy, cx, cy (pixels) of every image; CameraInfo is then ignored.
        rectified: the images are rectified.
    """

    def __init__(
        self,
        what: str,
        problems: Problems,
        remedy: str,
        *,
        fixed: tuple[float, float, float, float] | None = None,
        rectified: bool = False,
    ) -> None:
        self.what = what
        self._problems = problems
        self._remedy = remedy
        self._fixed = fixed
        self._rectified = rectified
        self._parsed: dict[tuple, PinholeCamera | str] = {}
        self._resized: dict[tuple, PinholeCamera] = {}
        self._recent: deque[tuple[int, PinholeCamera | None]] = deque(maxlen=_KEPT)

    def add(self, stamp_ns: int, info: Any) -> None:
        """A CameraInfo message; one that is not calibrated is noted, and serves no image."""
        roi = info.roi
        numbers = np.concatenate([info.k, info.p, info.d]).tobytes()  # a NaN equals itself here
        window = (roi.x_offset, roi.y_offset, roi.width, roi.height)
        key = (info.width, info.height, info.binning_x, info.binning_y, *window, numbers)
        if key not in self._parsed:
            if len(self._parsed) >= _KEPT:  # a lens that zooms or focuses
                self._parsed.clear()
            self._parsed[key] = self._parse(info)
        camera = self._parsed[key]
        if isinstance(camera, str):
            self._problems.note(f'camera_info {self.what}', camera)
        self._recent.append((stamp_ns, None if isinstance(camera, str) else camera))

    def at(self, stamp_ns: int, width: int, height: int) -> PinholeCamera | None:
        """Intrinsics of a width x height image.

        Raises:
            InputError: the fixed intrinsics cannot be those of such an image.
        """
        size = (width, height)
        if self._fixed is not None:
            fixed = self._fixed
            return self._at_size(size, lambda: PinholeCamera(*size, *fixed))
        known = [(abs(stamp_ns - t), c) for t, c in self._recent if c is not None]
        fitting = [pair for pair in known if (pair[1].width, pair[1].height) == size]
        if not known:
            return None
        _, camera = min(fitting or known, key=lambda pair: pair[0])
        return camera if fitting else self._fit(camera, width, height)

    def _at_size(self, key: tuple, make: Callable[[], PinholeCamera]) -> PinholeCamera:
        if key not in self._resized:
            if len(self._resized) >= _KEPT:
                self._resized.clear()
            self._resized[key] = make()
        return self._resized[key]

    def _parse(self, info: Any) -> PinholeCamera | str:
        """The camera, or what is wrong with it."""
        try:
            return camera_from_info(info, rectified=self._rectified)
        except InputError as error:
            return f'camera_info of {self.what}: {error}; {self._remedy}'

    def _fit(self, camera: PinholeCamera, width: int, height: int) -> PinholeCamera | None:
        given = f'camera_info of {self.what} is for {camera.width}x{camera.height}'
        if abs(camera.width * height - camera.height * width) > 0.01 * camera.width * height:
            self._problems.note(
                f'aspect {self.what}',
                f'{given}, the image is {width}x{height}: another shape, not used; {self._remedy}',
            )
            return None
        self._problems.note(
            f'scaled {self.what}', f'{given}, the image is {width}x{height}: scaled to fit'
        )
        return self._at_size((camera, width, height), lambda: camera.resized(width, height))
