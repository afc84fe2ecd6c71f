# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r world`: procedural rooms and flats."""

from __future__ import annotations

import argparse
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loc3r_ros.errors import InputError

if TYPE_CHECKING:
    from loc3r_ros.bag.writer import BagWriter
    from loc3r_ros.camera import PinholeCamera
    from loc3r_ros.world.drive import Moment
    from loc3r_ros.world.path import Path as CameraPath
    from loc3r_ros.world.questions.visit import Visit
    from loc3r_ros.world.scene import Scene

START_NS = 1_700_000_000 * 10**9
"""Stamp of the first frame: fixed, so that a recording follows from its seed to the byte."""

MAP, ODOM, BASE, CAMERA = 'map', 'odom', 'base_link', 'camera_link'
OPTICAL = 'camera_color_optical_frame'

_ODOMETRY_VARIANCE = np.diag([0.02, 0.02, 1e-6, 1e-6, 1e-6, 0.01])


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'world', help='make procedural rooms and flats', description=__doc__
    )
    jobs = parser.add_subparsers(dest='job', required=True, metavar='JOB')
    record = jobs.add_parser(
        'record',
        help='record a robot that drives through a room or a flat',
        description='Furnish a room, drive a robot with an RGB-D camera through it and write what '
        'it senses as a rosbag2 (mcap), with the true pose on /ground_truth/pose, and questions '
        'about it with their answers in OUT/questions.jsonl (loc3r run --quiz).',
        epilog='Example: loc3r world record flat --apartment 3 --seed 7 --size 320x240',
    )
    record.add_argument('out', type=Path, metavar='OUT', help='folder of the bag')
    record.add_argument('--seed', type=int, default=0, help='which room (default: 0)')
    record.add_argument(
        '--apartment',
        type=int,
        nargs='?',
        const=0,
        metavar='ROOMS',
        help='a flat of 1 to 4 rooms; without ROOMS the seed decides, as it does in training',
    )
    length = record.add_mutually_exclusive_group()
    length.add_argument('--seconds', type=float, help='length (default: once through the room)')
    length.add_argument('--frames', type=int, help='length in frames')
    record.add_argument('--rate', type=float, default=10.0, help='frames a second (default: 10)')
    record.add_argument('--size', default='320x240', help='image size (default: 320x240)')
    record.add_argument(
        '--depth-noise', type=float, default=1.0, metavar='FACTOR', help='0 = exact (default: 1)'
    )
    record.add_argument('--device', default='cpu', help='where to render (default: cpu)')
    record.add_argument('--overwrite', action='store_true', help='replace a bag that is there')
    record.set_defaults(execute=record_room)
    show = jobs.add_parser(
        'show',
        help='draw a contact sheet of a flat',
        description='Draw a flat from above, and what one sees on a walk through it, as a PNG.',
        epilog='Example: loc3r world show 7 -o sheet.png --rooms 3',
    )
    show.add_argument('seed', type=int, metavar='SEED', help='which flat')
    show.add_argument('-o', '--out', type=Path, default=Path('sheet.png'), metavar='PNG')
    show.add_argument('--rooms', type=int, help='1 to 4 (default: the seed decides)')
    show.add_argument('--robot', action='store_true', help="a robot's drive, not a walk")
    show.set_defaults(execute=show_flat)


def show_flat(args: argparse.Namespace) -> int:
    """Write the contact sheet."""
    import cv2

    from loc3r_ros.world.apartment import generate_apartment
    from loc3r_ros.world.handheld import Handheld
    from loc3r_ros.world.sheet import contact_sheet
    from loc3r_ros.world.tour import Tour

    if args.out.suffix.lower() != '.png' or not args.out.parent.is_dir():
        raise InputError(f'{args.out}: name a .png file in a folder that exists')
    scene = generate_apartment(args.seed, args.rooms)
    path: CameraPath = Tour(scene) if args.robot else Handheld(scene, seed=0)
    cv2.imwrite(str(args.out), contact_sheet(scene, path)[..., ::-1])
    rooms = ', '.join(f'{room.name} {room.area:.0f} m^2' for room in scene.rooms)
    print(f'{args.out}: flat {args.seed}: {rooms}; {len(scene.furniture)} things')
    return 0


def record_room(args: argparse.Namespace) -> int:
    """Write the bag, with a progress bar; Ctrl-C leaves what is done as a whole bag."""
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from loc3r_ros.bag.writer import BagWriter
    from loc3r_ros.world.depth_noise import DepthNoise
    from loc3r_ros.world.drive import drive
    from loc3r_ros.world.questions.visit import Visit, count_pixels
    from loc3r_ros.world.robot import camera_of
    from loc3r_ros.world.tour import Tour

    width, height = _size(args.size)
    _check(args)
    scene = _scene(args)
    frames = _frames(args, Tour(scene).duration)
    period_ns = round(1e9 / args.rate)
    camera = camera_of(width, height)
    noise = DepthNoise().scaled(args.depth_noise)
    _make_way(args.out, args.overwrite)
    # A service manager stops a process with SIGTERM: then, too, the bag is finished.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    times = 1e-9 * period_ns * np.arange(frames)
    moments = drive(scene, camera, times, noise=noise, device=args.device)
    pixels, poses = [], []
    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    with BagWriter(args.out) as bag, Progress(*columns) as bar:
        write_static_transforms(bag)
        for k, moment in enumerate(bar.track(moments, total=frames, description='recording')):
            write_moment(bag, moment, START_NS + k * period_ns, camera)
            pixels.append(count_pixels(moment.instance[None], len(scene.items)))
            poses.append(moment.T_map_optical)
    _write_quiz(args.out, Visit(scene, times, np.concatenate(pixels), np.array(poses)))
    kind = 'room' if args.apartment is None else 'flat'
    print(f'{args.out}: {frames} frames of {kind} {args.seed}')
    return 0


def _write_quiz(out: Path, visit: Visit) -> None:
    from loc3r_ros.world.quiz import NAME, make_quiz, write_quiz

    questions = make_quiz(visit)
    write_quiz(questions, out / NAME)
    print(f'{out / NAME}: {len(questions)} questions about it, with their answers')


def _check(args: argparse.Namespace) -> None:
    import torch

    if not 0.1 <= args.rate <= 1000:
        raise InputError(f'--rate {args.rate:g}: give 0.1 to 1000 frames a second')
    if args.depth_noise < 0:
        raise InputError(f'--depth-noise {args.depth_noise:g}: give 0 (exact) or more')
    if args.device.partition(':')[0] == 'cuda' and not torch.cuda.is_available():
        raise InputError(f'--device {args.device}: no CUDA device is usable here; use cpu')


def _scene(args: argparse.Namespace) -> Scene:
    from loc3r_ros.world.apartment import generate_apartment
    from loc3r_ros.world.room import generate_room

    if args.apartment is None:
        return generate_room(args.seed)
    return generate_apartment(args.seed, args.apartment or None)


def write_static_transforms(bag: BagWriter) -> None:
    """The robot's rigid frames, on /tf_static."""
    from loc3r_ros.bag.typestore import messages
    from loc3r_ros.world.robot import T_BASE_CAMERA, T_CAMERA_OPTICAL

    make = messages()
    transforms = (
        make.transform_stamped(START_NS, BASE, CAMERA, T_BASE_CAMERA),
        make.transform_stamped(START_NS, CAMERA, OPTICAL, T_CAMERA_OPTICAL),
    )
    bag.write('/tf_static', make.tf(*transforms), START_NS)


def write_moment(bag: BagWriter, moment: Moment, stamp_ns: int, camera: PinholeCamera) -> None:
    """One moment, in the topics that an RGB-D camera and a robot base have in ROS."""
    from loc3r_ros.bag.typestore import messages

    make = messages()
    millimetres = np.round(np.nan_to_num(1000.0 * moment.depth)).astype(np.uint16)
    T = moment.T_odom_base
    for topic, message in (
        ('/tf', make.tf(make.transform_stamped(stamp_ns, ODOM, BASE, T))),
        ('/odom', make.odometry(stamp_ns, ODOM, BASE, T, _ODOMETRY_VARIANCE)),
        ('/camera/color/camera_info', make.camera_info(stamp_ns, OPTICAL, camera)),
        ('/camera/color/image_raw', make.image(stamp_ns, OPTICAL, moment.rgb)),
        ('/camera/depth/camera_info', make.camera_info(stamp_ns, OPTICAL, camera)),
        ('/camera/depth/image_raw', make.image(stamp_ns, OPTICAL, millimetres)),
        ('/ground_truth/pose', make.pose_stamped(stamp_ns, MAP, moment.T_map_optical)),
    ):
        bag.write(topic, message, stamp_ns)


def _frames(args: argparse.Namespace, once: float) -> int:
    if args.frames is not None:
        if args.frames < 1:
            raise InputError(f'--frames {args.frames}: give at least one')
        return int(args.frames)
    seconds = once if args.seconds is None else args.seconds
    if not 0 <= seconds <= 86400:
        raise InputError(f'--seconds {seconds:g}: give 0 to 86400')
    return int(seconds * args.rate) + 1


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r'(\d{2,4})x(\d{2,4})', text)
    if not match:
        raise InputError(f'--size {text!r}: give WIDTHxHEIGHT in pixels, such as 320x240')
    return int(match[1]), int(match[2])


def _make_way(out: Path, overwrite: bool) -> None:
    """Remove a bag that may be replaced; anything else that is there is left alone."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not overwrite:
        raise InputError(f'{out} is there already; name another folder, or add --overwrite')
    if not (out / 'metadata.yaml').is_file():
        raise InputError(f'{out} is not a bag and will not be replaced; name another folder')
    shutil.rmtree(out)
