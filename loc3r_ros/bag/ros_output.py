# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The pipeline's results as the ROS messages that the live nodes publish, written to a bag."""

from __future__ import annotations

from typing import Any

import numpy as np

from loc3r_ros.answers.messages import agent_message, answer_message
from loc3r_ros.answers.reply import Reply
from loc3r_ros.bag.run_log import RunLog
from loc3r_ros.bag.trajectory import StampedPoses
from loc3r_ros.bag.typestore import messages
from loc3r_ros.bag.writer import BagWriter
from loc3r_ros.geometry import Array, invert
from loc3r_ros.ingest.mount import Mount, moved_covariance
from loc3r_ros.localizer import Step
from loc3r_ros.pipeline import Pipeline
from loc3r_ros.types import TrackingState

NAMESPACE = '/loc3r'
MAP_FRAME = 'map'

SLOW_PERIOD_NS = 10**9
"""Path, map and points are written this often: they are large and change slowly."""

MAX_POINTS = 5000
MAX_PATH = 1000
ODOMETRY_SLOP_NS = 10**8


class RosOutput:
    """Writes steps to a bag, with the names and types of the live interface.

    It keeps no history of its own: a run that resumes goes on with the log alone.

    Args:
        writer: the bag.
        mount: where the camera sits.
        camera_frame: frame of the images and of the points.
        odometry: T_odom_base over time, where the robot publishes odometry; TF then corrects it
            (`map -> odom`, REP 105) in place of `map -> base`.
    """

    def __init__(
        self, writer: BagWriter, mount: Mount, camera_frame: str, odometry: StampedPoses | None
    ) -> None:
        self._writer = writer
        self._mount = mount
        self._camera_frame = camera_frame
        self._odometry = odometry

    def write(self, step: Step, pipeline: Pipeline, log: RunLog) -> None:
        """Write what a node would publish after this frame, the last in the log."""
        make, pose, stamp_ns = messages(), step.pose, log.stamps_ns[-1]
        if len(log) == 1 and self._mount.base_frame != self._camera_frame:
            self._write_mount(stamp_ns)
        T_map_base = self._base(pose.T_map_camera)
        covariance = moved_covariance(pose.covariance, pose.T_map_camera, T_map_base)
        self._put(
            'pose',
            stamp_ns,
            make.pose_with_covariance_stamped(stamp_ns, MAP_FRAME, T_map_base, covariance),
        )
        self._put(
            'odometry',
            stamp_ns,
            make.odometry(stamp_ns, MAP_FRAME, self._mount.base_frame, T_map_base, covariance),
        )
        if pose.state in (TrackingState.TRACKING, TrackingState.DEGRADED):
            self._write_tf(stamp_ns, T_map_base)
        before = log.stamps_ns[-2] if len(log) > 1 else -1
        if stamp_ns // SLOW_PERIOD_NS != before // SLOW_PERIOD_NS:
            self.write_map(pipeline, log)
            self._write_points(stamp_ns, step)

    def write_map(self, pipeline: Pipeline, log: RunLog) -> None:
        """Write the map and the path as they are now."""
        make, stamp_ns = messages(), log.stamps_ns[-1]
        frames = log.trusted(pipeline.localizer.epoch)
        frames = frames[:: -(-len(frames) // MAX_PATH) or 1]
        path = [
            make.pose_stamped(log.stamps_ns[i], MAP_FRAME, self._base(log.T_map_camera[i]))
            for i in frames
        ]
        self._put('path', stamp_ns, make.path(stamp_ns, MAP_FRAME, path))
        self._put('bev', stamp_ns, make.occupancy_grid(stamp_ns, MAP_FRAME, pipeline.grid()))

    def write_reply(self, reply: Reply, stamp_ns: int) -> None:
        """Write what `spatial_vlm` publishes of a reply."""
        if reply.question:
            self._put('answer', stamp_ns, answer_message(messages(), reply, MAP_FRAME))
        # What was asked without a situation must not move who listens to where somebody is.
        if reply.agent.found and (reply.situation or not reply.question):
            self._put('agent_pose', stamp_ns, agent_message(messages(), reply, MAP_FRAME))

    def _base(self, T_map_camera: Array) -> Array:
        return T_map_camera @ self._mount.T_camera_base

    def _write_mount(self, stamp_ns: int) -> None:
        mount = messages().transform_stamped(
            stamp_ns, self._mount.base_frame, self._camera_frame, self._mount.T_base_camera
        )
        self._writer.write('/tf_static', messages().tf(mount), stamp_ns)

    def _write_tf(self, stamp_ns: int, T_map_base: Array) -> None:
        parent_of, T = self._mount.base_frame, T_map_base
        if self._odometry is not None:
            nearest = int(np.abs(self._odometry.stamps_ns - stamp_ns).argmin())
            if abs(self._odometry.stamps_ns[nearest] - stamp_ns) > ODOMETRY_SLOP_NS:
                return
            parent_of, T = self._odometry.parent, T_map_base @ invert(self._odometry.T[nearest])
        tf = messages().transform_stamped(stamp_ns, MAP_FRAME, parent_of, T)
        self._writer.write('/tf', messages().tf(tf), stamp_ns)

    def _write_points(self, stamp_ns: int, step: Step) -> None:
        every = -(-len(step.points_camera) // MAX_POINTS)
        if not every:
            return
        colors = step.colors[::every] if len(step.colors) == len(step.points_camera) else None
        cloud = messages().point_cloud(
            stamp_ns, self._camera_frame, step.points_camera[::every], colors
        )
        self._put('points', stamp_ns, cloud)

    def _put(self, name: str, stamp_ns: int, message: Any) -> None:
        self._writer.write(f'{NAMESPACE}/{name}', message, stamp_ns)
