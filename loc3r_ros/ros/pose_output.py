# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What the pose encoder publishes of each image."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry, Path
from numpy.typing import NDArray
from sensor_msgs.msg import PointCloud2

from loc3r_ros.geometry import Array
from loc3r_ros.ingest.mount import Mount, moved_covariance
from loc3r_ros.localizer import Step
from loc3r_ros.messages import as_array
from loc3r_ros.msg import PoseToken
from loc3r_ros.ros import qos
from loc3r_ros.ros.bus import Posed
from loc3r_ros.ros.conversion import STATE_NUMBERS, SteadyQuaternion, messages
from loc3r_ros.ros.map_transform import MapTransform
from loc3r_ros.ros.path_history import PathHistory
from loc3r_ros.ros.tf import TfTree
from loc3r_ros.types import TrackedPose, TrackingState

PATH_PERIOD_S = 1.0

_TRUSTED = (TrackingState.TRACKING, TrackingState.DEGRADED)


class PoseOutput:
    """Publishes steps; nothing is built that nobody listens to.

    Args:
        stage: whose publishers are made now.
        tf: the tree.
        weights: fingerprint of the encoder's weights; empty where there is none.
    """

    def __init__(self, stage: Any, tf: TfTree, weights: str) -> None:
        settings = stage.settings
        self._settings = settings
        self._map_frame: str = settings['map_frame']
        self._weights = weights
        self._transform = MapTransform(stage, tf)
        self._path = PathHistory(self._map_frame, settings['path_poses'])
        self._path_due = 0.0
        self._steady = SteadyQuaternion()
        self._epoch: int | None = None
        reliable = qos.reliable()
        self._pose = stage.advertise(PoseWithCovarianceStamped, 'pose', reliable)
        self._odometry = stage.advertise(Odometry, 'odometry', reliable)
        self._token = stage.advertise(PoseToken, 'pose_token', qos.reliable(30))
        self._points = stage.advertise(PointCloud2, 'points', reliable)
        self._paths = stage.advertise(Path, 'path', qos.reliable(1))

    def publish(self, posed: Posed, mount: Mount) -> None:
        """Publish what is known of an image."""
        step = posed.step
        if step.epoch != self._epoch:
            self.clear(step.epoch)
        if step.pose.state is not TrackingState.INITIALISING:
            self._publish_base(posed, mount)
        self._put(self._token, lambda: self._token_of(posed))
        self._put(self._points, lambda: self._cloud_of(posed))

    def clear(self, epoch: int) -> None:
        """Begin an epoch: with an empty path, and without transforms of the one before."""
        self._epoch = epoch
        self._path.clear()
        self._path_due = 0.0
        self._transform.clear()

    def publish_path(self, stamp_ns: int) -> None:
        """Publish the path when it is time."""
        if monotonic() >= self._path_due and self._paths.get_subscription_count():
            self._path_due = monotonic() + PATH_PERIOD_S
            self._paths.publish(self._path.message(stamp_ns))

    def _publish_base(self, posed: Posed, mount: Mount) -> None:
        """What is said of the robot's base; what most wait for goes first."""
        pose, stamp = posed.step.pose, posed.stamp_ns
        T_map_base = pose.T_map_camera @ mount.T_camera_base
        is_trusted = pose.state in _TRUSTED
        self._publish_pose(stamp, mount.base_frame, T_map_base, pose)
        if is_trusted or self._settings['publish_tf_when_lost']:
            self._transform.send(stamp, T_map_base, mount.base_frame)
        if is_trusted:
            self._path.add(stamp, T_map_base)
        self.publish_path(stamp)

    def _publish_pose(
        self, stamp_ns: int, base_frame: str, T_map_base: Array, tracked: TrackedPose
    ) -> None:
        listeners = [p.get_subscription_count() for p in (self._pose, self._odometry)]
        if not any(listeners):
            return
        make, frame = messages(), self._map_frame
        covariance = moved_covariance(tracked.covariance, tracked.T_map_camera, T_map_base)
        pose = make.pose_with_covariance_stamped(stamp_ns, frame, T_map_base, covariance)
        self._steady.keep(pose.pose.pose.orientation)
        self._pose.publish(pose)
        if listeners[1]:
            odometry = make.odometry(stamp_ns, frame, base_frame, T_map_base, covariance)
            odometry.pose = pose.pose
            self._odometry.publish(odometry)

    def _token_of(self, posed: Posed) -> Any:
        step, make = posed.step, messages()
        pose, seen = step.pose, step.observation
        token = np.zeros(0, np.float32) if seen is None else seen.camera_token
        confidence = None if seen is None else seen.confidence_camera
        stamped = make.pose_with_covariance_stamped(
            posed.stamp_ns, posed.camera_frame, pose.T_map_camera, pose.covariance
        )
        return make.new(
            'loc3r_ros/msg/PoseToken',
            header=stamped.header,
            map_frame=self._map_frame,
            epoch=int(step.epoch),
            index=int(step.index),
            state=STATE_NUMBERS[pose.state],
            keyframe=pose.keyframe is not None,
            pose=stamped.pose,
            floor_height=float('nan') if step.floor_height is None else float(step.floor_height),
            token=as_array(np.ascontiguousarray(token, np.float32)),
            confidence=float('nan') if confidence is None else float(confidence.mean()),
            scale=float(pose.scale),
            scale_source=pose.scale_source,
            weights=self._weights,
        )

    def _cloud_of(self, posed: Posed) -> Any:
        step = posed.step
        every = max(1, -(-len(step.points_camera) // self._settings['max_points']))
        points = step.points_camera[::every]
        colors = _colors(step)
        return messages().point_cloud(
            posed.stamp_ns, posed.camera_frame, points, None if colors is None else colors[::every]
        )

    @staticmethod
    def _put(publisher: Any, build: Callable[[], Any]) -> None:
        if publisher.get_subscription_count():
            publisher.publish(build())


def _colors(step: Step) -> NDArray[np.uint8] | None:
    """Colours of the points; None for points of the encoder, which have none."""
    colors = step.colors
    return colors if len(colors) == len(step.points_camera) else None
