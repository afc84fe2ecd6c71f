# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Our values as ROS messages, with the message classes of any library.

`rosbags` and `rclpy` generate classes of the same names and fields, so the offline writer and the
ROS nodes share one conversion. They differ in one thing, how a primitive sequence is held, and
that is a hook. All values are plain Python types, because rclpy from Jazzy on stores a numpy
scalar or an int in a float field as garbage without a word.

The stamp of every message is an integer of nanoseconds that the caller gives; no clock is read.
"""

from __future__ import annotations

import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import quaternion_from_rotation
from loc3r_ros.types import OccupancyGrid

UNKNOWN_VARIANCE = 1e4
"""Variance of an unknown axis: large, so that a filter gives it no weight, but not so large that
its inverse vanishes (REP 145's "all zeros" means certainty to a pose filter)."""

_FLOAT32 = 7  # sensor_msgs/PointField.FLOAT32


def as_array(values: NDArray) -> array.array:
    """A primitive sequence as rclpy holds it; `bytes` would be 500 times slower on Humble."""
    return array.array(values.dtype.char, values.tobytes())


class Messages:
    """Builds messages with the classes that `lookup` finds.

    Args:
        lookup: class of a type name such as `sensor_msgs/msg/Image`; for rclpy this is
            `rosidl_runtime_py.utilities.get_message`.
        sequence: turns a one-dimensional array into the payload of an unbounded primitive
            sequence: the array itself for rosbags (default), `as_array` for rclpy.
    """

    def __init__(
        self,
        lookup: Callable[[str], Any],
        sequence: Callable[[NDArray], Any] = np.ascontiguousarray,
    ) -> None:
        self._lookup = lookup
        self._sequence = sequence

    def new(self, type_name: str, **fields: Any) -> Any:
        """A message of any type; every field must be given."""
        return self._lookup(type_name)(**fields)

    def time(self, stamp_ns: int) -> Any:
        """builtin_interfaces/Time."""
        sec, nanosec = divmod(int(stamp_ns), 10**9)
        return self.new('builtin_interfaces/msg/Time', sec=sec, nanosec=nanosec)

    def header(self, stamp_ns: int, frame_id: str) -> Any:
        """std_msgs/Header."""
        return self.new('std_msgs/msg/Header', stamp=self.time(stamp_ns), frame_id=str(frame_id))

    def pose(self, T: NDArray) -> Any:
        """geometry_msgs/Pose of a 4x4 pose."""
        return self.new(
            'geometry_msgs/msg/Pose',
            position=self._xyz('geometry_msgs/msg/Point', T[:3, 3]),
            orientation=self._quaternion(T),
        )

    def pose_stamped(self, stamp_ns: int, frame_id: str, T: NDArray) -> Any:
        """geometry_msgs/PoseStamped: T maps points of the posed frame to `frame_id`."""
        return self.new(
            'geometry_msgs/msg/PoseStamped',
            header=self.header(stamp_ns, frame_id),
            pose=self.pose(T),
        )

    def pose_with_covariance_stamped(
        self, stamp_ns: int, frame_id: str, T: NDArray, covariance: NDArray
    ) -> Any:
        """geometry_msgs/PoseWithCovarianceStamped; covariance (6, 6) as in `TrackedPose`."""
        return self.new(
            'geometry_msgs/msg/PoseWithCovarianceStamped',
            header=self.header(stamp_ns, frame_id),
            pose=self._pose_with_covariance(T, covariance),
        )

    def odometry(
        self, stamp_ns: int, frame_id: str, child_frame_id: str, T: NDArray, covariance: NDArray
    ) -> Any:
        """nav_msgs/Odometry; the twist is not measured: zero, with UNKNOWN_VARIANCE."""
        zero = np.zeros(3)
        twist = self.new(
            'geometry_msgs/msg/Twist',
            linear=self._xyz('geometry_msgs/msg/Vector3', zero),
            angular=self._xyz('geometry_msgs/msg/Vector3', zero),
        )
        return self.new(
            'nav_msgs/msg/Odometry',
            header=self.header(stamp_ns, frame_id),
            child_frame_id=str(child_frame_id),
            pose=self._pose_with_covariance(T, covariance),
            twist=self.new(
                'geometry_msgs/msg/TwistWithCovariance',
                twist=twist,
                covariance=(np.eye(6) * UNKNOWN_VARIANCE).reshape(-1),
            ),
        )

    def path(self, stamp_ns: int, frame_id: str, poses: Sequence[Any]) -> Any:
        """nav_msgs/Path of PoseStamped messages, which the caller keeps and extends."""
        return self.new(
            'nav_msgs/msg/Path', header=self.header(stamp_ns, frame_id), poses=list(poses)
        )

    def transform_stamped(self, stamp_ns: int, parent: str, child: str, T: NDArray) -> Any:
        """geometry_msgs/TransformStamped: T maps points in `child` to `parent`."""
        return self.new(
            'geometry_msgs/msg/TransformStamped',
            header=self.header(stamp_ns, parent),
            child_frame_id=str(child),
            transform=self.new(
                'geometry_msgs/msg/Transform',
                translation=self._xyz('geometry_msgs/msg/Vector3', T[:3, 3]),
                rotation=self._quaternion(T),
            ),
        )

    def tf(self, *transforms: Any) -> Any:
        """tf2_msgs/TFMessage of TransformStamped messages."""
        return self.new('tf2_msgs/msg/TFMessage', transforms=list(transforms))

    def occupancy_grid(self, stamp_ns: int, frame_id: str, grid: OccupancyGrid) -> Any:
        """nav_msgs/OccupancyGrid."""
        rows, columns = grid.data.shape
        corner = np.eye(4)
        corner[:2, 3] = grid.origin
        info = self.new(
            'nav_msgs/msg/MapMetaData',
            map_load_time=self.time(stamp_ns),
            resolution=float(grid.resolution),
            width=int(columns),
            height=int(rows),
            origin=self.pose(corner),
        )
        return self.new(
            'nav_msgs/msg/OccupancyGrid',
            header=self.header(stamp_ns, frame_id),
            info=info,
            data=self._sequence(np.ascontiguousarray(grid.data, np.int8).reshape(-1)),
        )

    def point_cloud(
        self, stamp_ns: int, frame_id: str, points: NDArray, rgb: NDArray | None = None
    ) -> Any:
        """sensor_msgs/PointCloud2, unordered: float32 x, y, z and, with colours, `rgb`.

        Args:
            stamp_ns: stamp, ns.
            frame_id: frame of the points.
            points: (N, 3), m.
            rgb: (N, 3) uint8; packed as PCL does, 0x00RRGGBB in the bits of a float32.
        """
        names = ('x', 'y', 'z') if rgb is None else ('x', 'y', 'z', 'rgb')
        table = np.ascontiguousarray(points, np.float32)
        if rgb is not None:
            table = np.empty((len(points), len(names)), np.float32)
            table[:, :3] = points
            r, g, b = np.asarray(rgb, np.uint8).astype(np.uint32).T
            table[:, 3] = (r << 16 | g << 8 | b).view(np.float32)
        return self.new(
            'sensor_msgs/msg/PointCloud2',
            header=self.header(stamp_ns, frame_id),
            height=1,
            width=len(table),
            fields=[self._float_field(name, 4 * k) for k, name in enumerate(names)],
            is_bigendian=False,
            point_step=4 * len(names),
            row_step=4 * table.size,
            data=self._octets(table),
            is_dense=bool(np.isfinite(table[:, :3]).all()),
        )

    def image(self, stamp_ns: int, frame_id: str, pixels: NDArray) -> Any:
        """sensor_msgs/Image; the encoding follows from the array.

        (H, W, 3) uint8 is rgb8, (H, W) uint8 is mono8, (H, W) uint16 is 16UC1 (mm when depth), and
        (H, W) float32 is 32FC1 (m when depth, NaN = none).

        Raises:
            InputError: any other array.
        """
        encodings = {(3, 'u1'): 'rgb8', (2, 'u1'): 'mono8', (2, 'u2'): '16UC1', (2, 'f4'): '32FC1'}
        encoding = encodings.get((pixels.ndim, pixels.dtype.str[1:]))
        if encoding is None or (pixels.ndim == 3 and pixels.shape[2] != 3):
            raise InputError(
                f'no image encoding for an array {pixels.shape} of {pixels.dtype}; give (H, W, 3) '
                'uint8, or (H, W) uint8, uint16 or float32'
            )
        height, width = pixels.shape[:2]
        little = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder('<'))
        return self.new(
            'sensor_msgs/msg/Image',
            header=self.header(stamp_ns, frame_id),
            height=int(height),
            width=int(width),
            encoding=encoding,
            is_bigendian=0,
            step=int(little.nbytes // height) if height else 0,
            data=self._octets(little),
        )

    def camera_info(self, stamp_ns: int, frame_id: str, camera: PinholeCamera) -> Any:
        """sensor_msgs/CameraInfo, unrectified: R is the identity and P holds K."""
        K = camera.matrix
        roi = self.new(
            'sensor_msgs/msg/RegionOfInterest',
            x_offset=0,
            y_offset=0,
            height=0,
            width=0,
            do_rectify=False,
        )
        return self.new(
            'sensor_msgs/msg/CameraInfo',
            header=self.header(stamp_ns, frame_id),
            height=int(camera.height),
            width=int(camera.width),
            distortion_model=str(camera.model),
            d=self._sequence(np.array(camera.distortion, np.float64)),
            k=K.reshape(-1),
            r=np.eye(3).reshape(-1),
            p=np.hstack([K, np.zeros((3, 1))]).reshape(-1),
            binning_x=0,
            binning_y=0,
            roi=roi,
        )

    def _pose_with_covariance(self, T: NDArray, covariance: NDArray) -> Any:
        return self.new(
            'geometry_msgs/msg/PoseWithCovariance',
            pose=self.pose(T),
            covariance=np.array(covariance, np.float64).reshape(36),
        )

    def _xyz(self, type_name: str, v: NDArray) -> Any:
        return self.new(type_name, x=float(v[0]), y=float(v[1]), z=float(v[2]))

    def _quaternion(self, T: NDArray) -> Any:
        x, y, z, w = quaternion_from_rotation(T[:3, :3])
        return self.new(
            'geometry_msgs/msg/Quaternion', x=float(x), y=float(y), z=float(z), w=float(w)
        )

    def _float_field(self, name: str, offset: int) -> Any:
        return self.new(
            'sensor_msgs/msg/PointField', name=name, offset=offset, datatype=_FLOAT32, count=1
        )

    def _octets(self, values: NDArray) -> Any:
        return self._sequence(np.ascontiguousarray(values).reshape(-1).view(np.uint8))
