# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r topics`: which topics of a recording are its camera."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from loc3r_ros.cli.recorded import add_topics


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'topics',
        help='say which topics of a recording are its camera',
        description='Print, as YAML, the topics that `loc3r run` and bringup.launch.py take from a '
        'recording: found by type and name where not given.',
        epilog='Example: loc3r topics my_bag --image /front/color/image_raw',
    )
    parser.add_argument('bag', type=Path, help='rosbag2 folder, or a single .mcap or .db3 file')
    add_topics(parser)
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Print the topics that there are."""
    from loc3r_ros.bag.recording import Recording

    with Recording(
        args.bag,
        image=args.image,
        depth=args.depth,
        camera_info=args.camera_info,
        depth_info=args.depth_info,
    ) as recording:
        chosen = vars(recording.topics)
    for key, topic in chosen.items():
        if topic is not None:
            print(f'{key}: {topic}')
    return 0
