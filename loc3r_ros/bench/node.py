# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node around the localizer: what ROS adds to a frame, and the naive way beside it.

Images with depth go to a real `pose_encoder` by way of DDS, one at a time. `node` is the time in
the node's own code: receiving, decoding, publishing. `overhead` is all from the last message of a
frame being handed to rclpy until its pose is out, less what the localizer took: DDS, rclpy and the
change of threads as well. Both ends are in this process, so one clock tells. Beside are conversions
as they are often written: a depth image in metres by arithmetic on every pixel, and a cloud by
sensor_msgs_py. Needs ROS 2, with this package built.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.bench.frames import room_frames
from loc3r_ros.cli.bench import parser_for
from loc3r_ros.errors import Loc3rError
from loc3r_ros.images import decode_depth
from loc3r_ros.types import Frame

SIZES = ((320, 240), (640, 480), (1280, 720))
WARM_UP = 5
CAMERA_FRAME = 'camera_optical'
_WITHIN_S = 20.0


def add_parser(subjects: Any) -> None:
    parser = parser_for(subjects, 'node', __doc__, 'loc3r bench node --json')
    parser.add_argument('--frames', type=int, default=40, help='of each size (default: 40)')
    parser.add_argument('--seed', type=int, default=7, help='which room (default: 7)')
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    try:
        import rclpy
    except ImportError as error:
        raise Loc3rError(
            f'ROS 2 is needed for this benchmark ({error}); source it and this workspace, then run '
            'it again: source /opt/ros/$ROS_DISTRO/setup.bash && source install/setup.bash'
        ) from error
    rclpy.init(domain_id=93)
    try:
        report = {
            f'{width}x{height}': measure(room_frames_of(args.seed, args.frames, width, height))
            for width, height in SIZES
        }
    finally:
        rclpy.try_shutdown()
    print(json.dumps(report, indent=2) if args.json else _table(report))
    return 0


def room_frames_of(seed: int, count: int, width: int, height: int) -> list[Frame]:
    """Frames of the procedural room, with a few to warm up."""
    frames = room_frames(seed, count + WARM_UP, width=width, height=height)
    return [one.frame for one in frames]


def measure(frames: list[Frame]) -> dict[str, Any]:
    """Send frames of one size through the node.

    Returns:
        Milliseconds, p50 and p95, of `node`, `overhead`, `localizer` and the conversions; and the
        ratios of the naive conversions to ours.
    """
    node, overhead, localizer = _through_the_node(frames)
    message = _Camera.messages_of(frames[-1])[0]
    ours = _median(lambda: decode_depth(message))
    naive = _median(lambda: _naive_depth(message))
    points = _points(frames[-1])
    cloud, listed = _median(lambda: _cloud(points)), _median(lambda: _naive_cloud(points))
    return {
        'node_ms': _quantiles(node),
        'overhead_ms': _quantiles(overhead),
        'localizer_ms': _quantiles(localizer),
        'decode_depth_ms': ours,
        'naive_decode_depth_ms': naive,
        'decode_depth_ratio': naive / ours,
        'cloud_ms': cloud,
        'naive_cloud_ms': listed,
        'cloud_ratio': listed / cloud,
    }


class _Camera:
    """Publishes frames as a driver does: rgb8, 16UC1 in millimetres, intrinsics."""

    def __init__(self, node: Any, frame: Frame) -> None:
        from sensor_msgs.msg import CameraInfo, Image

        from loc3r_ros.ros import qos

        self._image = node.create_publisher(Image, '/bench/image', qos.reliable())
        self._depth = node.create_publisher(Image, '/bench/depth', qos.reliable())
        self._info = node.create_publisher(CameraInfo, '/bench/camera_info', qos.reliable())
        self._depth_info = node.create_publisher(
            CameraInfo, '/bench/depth_camera_info', qos.reliable()
        )

    def has_listeners(self) -> bool:
        """Whether the node has subscribed to all that it needs."""
        return all(p.get_subscription_count() for p in (self._image, self._depth, self._info))

    def send(self, frame: Frame) -> float:
        """Publish a frame.

        Returns:
            When the last message was handed over, s.
        """
        depth, rgb, info = self.messages_of(frame)
        self._info.publish(info)
        self._depth_info.publish(info)
        self._image.publish(rgb)
        begun = perf_counter()
        self._depth.publish(depth)
        return begun

    @staticmethod
    def messages_of(frame: Frame) -> tuple[Any, Any, Any]:
        """Depth, image and intrinsics."""
        from loc3r_ros.ros.conversion import messages

        make, stamp = messages(), round(frame.stamp * 1e9) + 10**9
        assert frame.depth is not None and frame.camera is not None
        millimetres = np.nan_to_num(frame.depth * 1e3).round().astype(np.uint16)
        return (
            make.image(stamp, CAMERA_FRAME, millimetres),
            make.image(stamp, CAMERA_FRAME, frame.rgb),
            make.camera_info(stamp, CAMERA_FRAME, frame.camera),
        )


class _Clocked:
    """Adds up the time in some methods, ms, by standing in for them."""

    def __init__(self, *methods: tuple[type, str]) -> None:
        self.spent_ms = 0.0
        self._originals = [(kind, name, getattr(kind, name)) for kind, name in methods]
        for kind, name, method in self._originals:
            setattr(kind, name, self._around(method))

    def restore(self) -> None:
        """Put the methods back."""
        for kind, name, method in self._originals:
            setattr(kind, name, method)

    def _around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            begun = perf_counter()
            try:
                return method(*args, **options)
            finally:
                self.spent_ms += 1e3 * (perf_counter() - begun)

        return timed


def _through_the_node(frames: list[Frame]) -> tuple[list[float], list[float], list[float]]:
    """(node, overhead, localizer) in ms of each frame after the warm-up."""
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node

    from loc3r_ros.ros.camera_input import CameraInput
    from loc3r_ros.ros.pose_encoder import PoseEncoder
    from loc3r_ros.ros.pose_output import PoseOutput

    done: SimpleQueue[tuple[float, float]] = SimpleQueue()
    receiving = [(CameraInput, '_take_image'), (CameraInput, '_take_depth')]
    clocked = _Clocked(*receiving, (CameraInput, 'decode'), (PoseOutput, 'publish'))
    node = PoseEncoder(namespace='/bench')
    node.listeners.append(
        lambda posed: done.put((perf_counter(), sum(posed.step.latency_ms.values())))
    )
    driver = Node('driver', namespace='/bench')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinning = Thread(target=executor.spin, daemon=True)
    spinning.start()
    try:
        if not node.start():
            raise Loc3rError(f'pose_encoder did not start: {node.refusal}')
        camera = _Camera(driver, frames[0])
        _wait_for(camera.has_listeners)
        inside, overhead, localizer = [], [], []
        for frame in frames:
            clocked.spent_ms = 0.0
            begun = camera.send(frame)
            try:
                out, own = done.get(timeout=_WITHIN_S)
            except Empty as error:
                raise Loc3rError(f'no pose within {_WITHIN_S:g} s; see the log above') from error
            inside.append(clocked.spent_ms)
            overhead.append(1e3 * (out - begun) - own)
            localizer.append(own)
    finally:
        clocked.restore()
        executor.shutdown()
        spinning.join(2.0)
        node.destroy_node()
        driver.destroy_node()
    return inside[WARM_UP:], overhead[WARM_UP:], localizer[WARM_UP:]


def _wait_for(condition: Callable[[], bool]) -> None:
    end = perf_counter() + _WITHIN_S
    while not condition():
        if perf_counter() > end:
            raise Loc3rError('pose_encoder has not subscribed to the images; see the log above')


def _points(frame: Frame) -> NDArray[np.float32]:
    from loc3r_ros.localizer import mapped_points

    return mapped_points(frame)[0]


def _naive_depth(message: Any) -> NDArray[np.float32]:
    """Metres of a 16UC1 image by arithmetic."""
    values = np.array(message.data, np.uint8).view(np.uint16)
    depth = values.reshape(message.height, message.width) / 1000.0
    depth[depth == 0] = np.nan
    return depth.astype(np.float32)


def _cloud(points: NDArray[np.float32]) -> Any:
    from loc3r_ros.ros.conversion import messages

    return messages().point_cloud(0, CAMERA_FRAME, points)


def _naive_cloud(points: NDArray[np.float32]) -> Any:
    from sensor_msgs_py.point_cloud2 import create_cloud_xyz32
    from std_msgs.msg import Header

    return create_cloud_xyz32(Header(frame_id=CAMERA_FRAME), points)


def _median(work: Callable[[], Any], repeats: int = 15) -> float:
    """Median time, ms."""
    times = []
    for _ in range(repeats):
        begun = perf_counter()
        work()
        times.append(1e3 * (perf_counter() - begun))
    return float(np.median(times))


def _quantiles(values: list[float]) -> dict[str, float]:
    return {'p50': float(np.quantile(values, 0.5)), 'p95': float(np.quantile(values, 0.95))}


def _table(report: dict[str, Any]) -> str:
    lines = [
        'size       node p50  overhead p50    p95  localizer  depth: ours naive  cloud: ours naive'
    ]
    for size, r in report.items():
        node, over, own = r['node_ms'], r['overhead_ms'], r['localizer_ms']
        lines.append(
            f'{size:<10}{node["p50"]:>7.2f} ms{over["p50"]:>12.2f} ms{over["p95"]:>7.2f}'
            f'{own["p50"]:>9.1f} ms{r["decode_depth_ms"]:>11.2f} ms{r["decode_depth_ratio"]:>5.1f}x'
            f'{r["cloud_ms"]:>9.2f} ms{r["cloud_ratio"]:>5.1f}x'
        )
    return '\n'.join(lines)
