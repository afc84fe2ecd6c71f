# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node around the localizer: what ROS adds to a frame, and the naive way beside it.

A camera in a process of its own sends images with depth to a real `pose_encoder`, one at a time.
`node` is all from the callback of a frame's last message until its pose is out, less what the
localizer took: reading messages, the change of threads, decoding, publishing. `delivery` is the way
there, from the camera handing the message to rclpy: DDS and rclpy at both ends. (Processes of one
machine share the clock, CLOCK_MONOTONIC.) Beside are conversions as they are often written: a depth
image in metres by arithmetic on every pixel, and a cloud by sensor_msgs_py. Needs ROS 2, with this
package built.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic, perf_counter, sleep
from typing import Any
from unittest.mock import patch

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
_DOMAIN = 93
_WITHIN_S = 60.0


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
    rclpy.init(domain_id=_DOMAIN)
    try:
        report = {
            f'{width}x{height}': measure(args.seed, args.frames, width, height)
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


def measure(seed: int, count: int, width: int, height: int) -> dict[str, Any]:
    """Send frames of one size through the node.

    Returns:
        Milliseconds, p50 and p95, of `node`, `delivery`, `localizer` and the conversions; and the
        ratios of the naive conversions to ours.
    """
    room = (seed, count, width, height)
    node, delivery, localizer = _through_the_node(room)
    frames = room_frames_of(*room)
    message = _messages_of(frames[-1])[0]
    ours = _median(lambda: decode_depth(message))
    naive = _median(lambda: _naive_depth(message))
    points = _points(frames[-1])
    cloud, listed = _median(lambda: _cloud(points)), _median(lambda: _naive_cloud(points))
    return {
        'node_ms': _quantiles(node),
        'delivery_ms': _quantiles(delivery),
        'localizer_ms': _quantiles(localizer),
        'decode_depth_ms': ours,
        'naive_decode_depth_ms': naive,
        'decode_depth_ratio': naive / ours,
        'cloud_ms': cloud,
        'naive_cloud_ms': listed,
        'cloud_ratio': listed / cloud,
    }


def _drive(pipe: Connection, room: tuple[int, int, int, int]) -> None:
    """A camera driver: rgb8, 16UC1 in millimetres, intrinsics. Runs in a process of its own.

    Says that it is ready; then, for each number that it gets, publishes that frame and answers when
    its last message was handed over, monotonic s.
    """
    import rclpy
    from sensor_msgs.msg import CameraInfo, Image

    from loc3r_ros.ros import qos

    rclpy.init(domain_id=_DOMAIN)
    node = rclpy.create_node('driver', namespace='/bench')
    reliable = qos.reliable()
    types = {'depth_camera_info': CameraInfo, 'camera_info': CameraInfo, 'image': Image}
    first = [
        node.create_publisher(kind, f'/bench/{name}', reliable) for name, kind in types.items()
    ]
    last = node.create_publisher(Image, '/bench/depth', reliable)
    shots = [_messages_of(frame) for frame in room_frames_of(*room)]
    while not all(publisher.get_subscription_count() for publisher in (*first, last)):
        sleep(0.01)
    pipe.send('ready')
    while (number := pipe.recv()) is not None:
        depth, image, info = shots[number]
        for publisher, message in zip(first, (info, info, image), strict=True):
            publisher.publish(message)
        begun = monotonic()
        last.publish(depth)
        pipe.send(begun)
    rclpy.shutdown()


def _messages_of(frame: Frame) -> tuple[Any, Any, Any]:
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


def _through_the_node(
    room: tuple[int, int, int, int],
) -> tuple[list[float], list[float], list[float]]:
    """(node, delivery, localizer) in ms of each frame after the warm-up."""
    from rclpy.executors import SingleThreadedExecutor

    from loc3r_ros.ros.camera_input import CameraInput
    from loc3r_ros.ros.pose_encoder import PoseEncoder

    taken: list[float] = []
    done: SimpleQueue[tuple[float, float]] = SimpleQueue()

    def noting(take: Callable[..., None]) -> Callable[..., None]:
        def noted(*args: Any) -> None:
            taken.append(monotonic())
            take(*args)

        return noted

    names = ('_take_image', '_take_depth')
    noted: dict[str, Any] = {name: noting(getattr(CameraInput, name)) for name in names}
    spawn = multiprocessing.get_context('spawn')
    pipe, far_end = spawn.Pipe()
    driver = spawn.Process(target=_drive, args=(far_end, room), daemon=True)
    driver.start()
    far_end.close()
    node = PoseEncoder(namespace='/bench')
    node.listeners.append(
        lambda posed: done.put((monotonic(), 1e-3 * sum(posed.step.latency_ms.values())))
    )
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinning = Thread(target=executor.spin, daemon=True)
    spinning.start()
    times = []
    try:
        with patch.multiple(CameraInput, **noted):
            if not node.start():
                raise Loc3rError(f'pose_encoder did not start: {node.refusal}')
        if not pipe.poll(_WITHIN_S):
            raise Loc3rError(f'the camera found no subscriber within {_WITHIN_S:g} s; see the log')
        pipe.recv()
        for number in range(room[1] + WARM_UP):
            pipe.send(number)
            out, own = done.get(timeout=_WITHIN_S)
            times.append((out - taken[-1] - own, taken[-1] - pipe.recv(), own))
        pipe.send(None)
    except (Empty, EOFError) as error:
        raise Loc3rError(f'no pose within {_WITHIN_S:g} s; see the log above') from error
    finally:
        executor.shutdown()
        spinning.join(2.0)
        node.destroy_node()
        driver.join(2.0)
        driver.kill()
    inside, delivery, localizer = (1e3 * np.array(times[WARM_UP:])).T.tolist()
    return inside, delivery, localizer


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
        'size       node p50    p95  delivery p50  localizer  depth: ours naive  cloud: ours naive'
    ]
    for size, r in report.items():
        node, way, own = r['node_ms'], r['delivery_ms'], r['localizer_ms']
        lines.append(
            f'{size:<10}{node["p50"]:>7.2f} ms{node["p95"]:>7.2f}{way["p50"]:>11.2f} ms'
            f'{own["p50"]:>9.1f} ms{r["decode_depth_ms"]:>11.2f} ms{r["decode_depth_ratio"]:>5.1f}x'
            f'{r["cloud_ms"]:>9.2f} ms{r["cloud_ratio"]:>5.1f}x'
        )
    return '\n'.join(lines)
