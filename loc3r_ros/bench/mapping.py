# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The bird's-eye-view map against octomap: time a cloud, agreement, memory.

Both get the same clouds, in turn, at the same resolution and range. Octomap runs twice: as it comes
(one ray a point) and at its fastest (`discretize`: one ray a voxel, which is approximate). Its
occupied voxels in our height band are projected to a grid for the agreement. The clouds come from a
synthetic room, or from a recording with a topic of true poses.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.cli.bench import parser_for
from loc3r_ros.errors import InputError
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose, transform
from loc3r_ros.mapping import BevConfig, BevMap
from loc3r_ros.mapping.agreement import compare
from loc3r_ros.types import OccupancyGrid

OCTOMAP_SETTINGS = {'octomap': {}, 'octomap discretize': {'discretize': True}}
_MB = 2**20


def add_parser(subjects: Any) -> None:
    parser = parser_for(subjects, 'mapping', __doc__, 'loc3r bench mapping --json')
    parser.add_argument('--bag', help='take the clouds of this recording')
    parser.add_argument(
        '--ground-truth',
        metavar='TOPIC',
        default='/ground_truth/pose',
        help='true camera poses in the recording (default: %(default)s)',
    )
    parser.add_argument('--clouds', type=int, default=100, help='at most so many (default: 100)')
    parser.add_argument(
        '--memory-clouds', type=int, default=2000, help='clouds of the memory run (default: 2000)'
    )
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    clouds = list(_recorded(args) if args.bag else room_clouds(args.clouds))
    config = BevConfig()
    report = {'clouds': _about(clouds), 'resolution_m': config.resolution}
    report |= against_octomap(clouds, config)
    report['memory'] = _memory(clouds, config, args.memory_clouds)
    print(json.dumps(report, indent=2) if args.json else _table(report))
    return 0


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points (N, 3) float32 and sensor position (3,), both in `map`, m."""

    points: NDArray[np.float32]
    origin: NDArray[np.float64]


def against_octomap(clouds: Sequence[Cloud], config: BevConfig) -> dict[str, Any]:
    """Integrate the clouds into all maps in turn.

    Raises:
        InputError: octomap is not installed.
    """
    try:
        import octomap
    except ImportError as error:
        raise InputError(
            'octomap is not installed, so there is nothing to measure against; '
            "pip install 'octomap-python>=1.8'"
        ) from error
    bev = BevMap(config)
    trees = {name: octomap.OcTree(config.resolution) for name in OCTOMAP_SETTINGS}
    ms: dict[str, list[float]] = {name: [] for name in ('bev', *trees)}
    for cloud in clouds:
        start = perf_counter()
        bev.integrate(cloud.points, cloud.origin)
        ms['bev'].append((perf_counter() - start) * 1e3)
        points = cloud.points.astype(np.float64)  # octomap takes doubles; not counted against it
        for name, tree in trees.items():
            start = perf_counter()
            tree.insertPointCloud(points, cloud.origin, config.max_range, **OCTOMAP_SETTINGS[name])
            ms[name].append((perf_counter() - start) * 1e3)
    medians = {name: float(np.median(v)) for name, v in ms.items()}
    grid, floor = bev.grid(0.0), bev.floor_height or 0.0
    return {
        'ms_per_cloud': {
            name: {'p50': medians[name], 'p95': float(np.percentile(v, 95))}
            for name, v in ms.items()
        },
        'times_faster': {name: medians[name] / medians['bev'] for name in trees},
        'agreement': {
            name: asdict(compare(grid, _project(tree, grid, floor, config)))
            for name, tree in trees.items()
        },
        'map_bytes': {'bev': bev.nbytes} | {n: int(t.memoryUsage()) for n, t in trees.items()},
    }


def _project(tree: Any, grid: OccupancyGrid, floor: float, config: BevConfig) -> OccupancyGrid:
    """Octomap's occupied voxels in the band, on the lattice of our grid."""
    occupied, _ = tree.extractPointCloud()
    height = occupied[:, 2] - floor
    inside = (height >= config.band_low) & (height < config.band_high)
    cells = np.floor((occupied[inside, :2] - grid.origin) / grid.resolution).astype(int)
    rows, columns = grid.data.shape
    cells = cells[((cells >= 0) & (cells < (columns, rows))).all(1)]
    data = np.full(grid.data.shape, -1, np.int8)
    data[cells[:, 1], cells[:, 0]] = 100
    return OccupancyGrid(grid.stamp, data, grid.resolution, grid.origin)


def _memory(clouds: Sequence[Cloud], config: BevConfig, count: int) -> dict[str, Any]:
    """Growth of the process and the map over many clouds of the same place."""
    import psutil

    process = psutil.Process()
    bev = BevMap(config)
    samples = []
    for i in range(count):
        cloud = clouds[i % len(clouds)]
        bev.integrate(cloud.points, cloud.origin)
        if (i + 1) % max(1, count // 10) == 0:
            rss = process.memory_info().rss
            samples.append(
                {'clouds': i + 1, 'rss_mb': round(rss / _MB, 2), 'map_bytes': bev.nbytes}
            )
    first, last = samples[0]['rss_mb'], samples[-1]['rss_mb']
    return {'samples': samples, 'growth_percent': round((last / first - 1.0) * 100.0, 3)}


def _recorded(args: argparse.Namespace) -> Iterator[Cloud]:
    """The clouds of a recording that have a true pose, evenly thinned to as many as asked for."""
    from loc3r_ros.bag.evaluation import pair, true_camera_poses
    from loc3r_ros.bag.recording import Recording
    from loc3r_ros.localizer import mapped_points

    with Recording(args.bag) as recording:
        truth = recording.poses(args.ground_truth)
        step = max(1, -(-recording.len_hint // args.clouds))
        for sample in recording:
            if sample.index % step:
                continue
            T_of = true_camera_poses(truth, recording.static_transforms, sample.frame_id)
            frames, T = pair(np.array([sample.stamp_ns]), T_of)
            points, _, _ = mapped_points(sample.frame)
            if len(frames) and len(points):
                yield Cloud(transform(T[0], points), T[0, :3, 3])


def room_clouds(count: int, width: int = 320, height: int = 240) -> Iterator[Cloud]:
    """Depth clouds of a robot that turns and drives in a room of boxes, with a camera's noise."""
    boxes = np.array(
        [
            ((-3.0, -2.5, -0.2), (3.0, 2.5, 0.0)),  # floor
            ((3.0, -2.5, 0.0), (3.2, 2.5, 2.5)),  # walls
            ((-3.2, -2.5, 0.0), (-3.0, 2.5, 2.5)),
            ((-3.2, 2.5, 0.0), (3.2, 2.7, 2.5)),
            ((-3.2, -2.7, 0.0), (3.2, -2.5, 2.5)),
            ((1.0, 0.8, 0.70), (2.2, 1.6, 0.74)),  # table top, and two of its legs
            ((1.0, 0.8, 0.0), (1.06, 0.86, 0.7)),
            ((2.14, 1.54, 0.0), (2.2, 1.6, 0.7)),
            ((-2.9, -1.0, 0.0), (-2.4, 0.6, 1.9)),  # cupboard
            ((-0.5, -2.3, 0.0), (0.7, -1.6, 0.45)),  # sofa
        ]
    )
    rng = np.random.default_rng(0)
    camera = PinholeCamera(width, height, width * 0.82, width * 0.82, width / 2, height / 2)
    for i in range(count):
        turn = 2.0 * np.pi * i / count
        place = (0.6 * np.cos(turn), 0.5 * np.sin(turn), 0.9)
        R = exp_so3((0.0, 0.0, 2.0 * turn)) @ exp_so3((0.0, 0.25, 0.0))
        T = pose(R, place) @ T_BODY_OPTICAL
        depth = cast(boxes, camera, T)
        depth += (0.0015 * depth**2 * rng.standard_normal(depth.shape)).astype(np.float32)
        points = camera.backproject(depth).reshape(-1, 3)
        yield Cloud(transform(T, points[np.isfinite(points[:, 2])]), T[:3, 3])


def cast(boxes: NDArray, camera: PinholeCamera, T: NDArray[np.float64]) -> NDArray[np.float32]:
    """Depth image (H, W), m along z, NaN where nothing is hit, of boxes (B, 2, 3) low and high."""
    rays = np.concatenate([camera.rays, np.ones_like(camera.rays[..., :1])], -1)
    direction = rays.reshape(-1, 3) @ T[:3, :3].T
    direction = np.where(np.abs(direction) < 1e-9, 1e-9, direction)
    nearest = np.full(len(direction), np.inf)
    for box in np.asarray(boxes, np.float64):
        t = (box[:, None] - T[:3, 3]) / direction
        enter, leave = t.min(0).max(1), t.max(0).min(1)
        hit = (enter < leave) & (enter > 0.05)
        nearest[hit] = np.minimum(nearest[hit], enter[hit])
    nearest[np.isinf(nearest)] = np.nan
    return nearest.astype(np.float32).reshape(camera.height, camera.width)


def _about(clouds: Sequence[Cloud]) -> dict[str, float]:
    if not clouds:
        raise InputError('there are no clouds: does the recording hold depth and true poses?')
    return {'count': len(clouds), 'points_each': float(np.median([len(c.points) for c in clouds]))}


def _table(report: dict[str, Any]) -> str:
    clouds, memory = report['clouds'], report['memory']
    lines = [
        f'{clouds["count"]} clouds of {clouds["points_each"]:.0f} points, '
        f'cells of {report["resolution_m"]:g} m',
        f'{"":20}{"ms p50":>8}{"ms p95":>8}{"ratio":>8}{"map MB":>8}{"IoU":>8}',
    ]
    for name, ms in report['ms_per_cloud'].items():
        ratio = report['times_faster'].get(name, 1.0)
        agreement = report['agreement'].get(name)
        iou = f'{agreement["iou_occupied"]:8.3f}' if agreement else ''
        size = report['map_bytes'][name] / _MB
        lines.append(f'{name:20}{ms["p50"]:8.2f}{ms["p95"]:8.2f}{ratio:8.1f}{size:8.2f}{iou}')
    last = memory['samples'][-1]
    lines.append(
        f'memory over {last["clouds"]} clouds: process {memory["growth_percent"]:+.2f} %, '
        f'map {last["map_bytes"] / _MB:.2f} MB'
    )
    return '\n'.join(lines)
