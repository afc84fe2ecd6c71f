# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Point clouds as structured arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sensor_msgs.msg import PointField

_TYPES = {
    PointField.INT8: 'i1', PointField.UINT8: 'u1', PointField.INT16: 'i2', PointField.UINT16: 'u2',
    PointField.INT32: 'i4', PointField.UINT32: 'u4', PointField.FLOAT32: 'f4',
    PointField.FLOAT64: 'f8',
}  # fmt: skip


def read_points(
    cloud: Any, field_names: Sequence[str] | None = None, skip_nans: bool = False
) -> np.ndarray:
    """Structured array (N,) of a cloud's points, with fields of count 1."""
    order = '>' if cloud.is_bigendian else '<'
    dtype = np.dtype(
        {
            'names': [field.name for field in cloud.fields],
            'formats': [order + _TYPES[field.datatype] for field in cloud.fields],
            'offsets': [field.offset for field in cloud.fields],
            'itemsize': cloud.point_step,
        }
    )
    points = np.ndarray(cloud.width * cloud.height, dtype, buffer=cloud.data)
    if field_names is not None:
        points = points[list(field_names)]
    if skip_nans and not cloud.is_dense:
        points = points[~np.any([np.isnan(points[name]) for name in points.dtype.names], axis=0)]
    return points
