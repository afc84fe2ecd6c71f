# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Footage of rooms with its questions, made when it is first asked for and kept on disk.

A video takes seconds to make and milliseconds to read again. Any number of processes may share a
bank; whoever is first makes a video, and it appears whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.world.cameras import draw_camera
from loc3r_ros.world.handheld import Handheld
from loc3r_ros.world.questions.catalog import catalog
from loc3r_ros.world.questions.question import Question, Situation
from loc3r_ros.world.questions.situations import situations
from loc3r_ros.world.questions.storage import question_from_json, question_to_json
from loc3r_ros.world.splits import scene_of
from loc3r_ros.world.tour import Tour
from loc3r_ros.world.video import Footage, film, visit_of

FRAMES = 64
"""Frames of a video, evenly over its whole path."""

SHOWN = 2
"""Every so many of them a language model is shown; questions are about these."""

WIDTH = 160
"""Of the images, pixels."""

QUESTIONS, SITUATIONS = 8, 24
"""Questions of each task, and situations, that a video has at most."""


@dataclass(frozen=True, eq=False)
class Video:
    """A video of a scene.

    Attributes:
        footage: all its frames.
        names: category by instance number; 0, which is nothing, has none.
        questions: about the frames that are shown.
        situations: poses told in words.
    """

    footage: Footage
    names: tuple[str, ...]
    questions: tuple[Question, ...]
    situations: tuple[Situation, ...]


@dataclass(frozen=True)
class Bank:
    """Videos by the seed of their scene and a number; even numbers are a robot's, odd hand-held.

    Attributes:
        folder: where they are kept.
    """

    # Where it lies changes nothing: a run may go on elsewhere.
    folder: Path = field(repr=False)

    def video(self, seed: int, number: int) -> Video:
        """Read a video, or make it.

        Raises:
            InputError: what lies there cannot be read.
        """
        path = self.folder / f'{seed}_{number}'
        if not path.is_dir():
            _keep(make_video(seed, number), path)
        try:
            return _read(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f'{path}: a damaged video ({error}); remove that folder') from error


def make_video(seed: int, number: int) -> Video:
    """Film a scene and ask about it; the same video every time."""
    scene = scene_of(seed)
    rng = np.random.default_rng((seed, number, 0xF11))
    path = Handheld(scene, number) if number % 2 else Tour(scene)
    camera = draw_camera(rng, WIDTH)
    times = rng.uniform(0.0, path.duration) + np.linspace(0.0, path.duration, FRAMES, False)
    footage = film(scene, path, camera, times)
    visit = visit_of(scene, every(footage, SHOWN))
    told = situations(visit, rng, SITUATIONS)
    return Video(
        footage,
        ('', *(item.category for item in scene.items)),
        tuple(catalog(visit, QUESTIONS, number, told)),
        tuple(told),
    )


def every(footage: Footage, stride: int) -> Footage:
    """Every so many of the frames, from the first on."""
    return some(footage, np.arange(0, len(footage.rgb), stride))


def some(footage: Footage, cut: NDArray[np.int64]) -> Footage:
    """The frames of these numbers."""
    return Footage(
        footage.rgb[cut],
        footage.depth[cut],
        footage.instance[cut],
        footage.T_map_optical[cut],
        footage.times[cut],
        footage.camera,
    )


def _keep(video: Video, path: Path) -> None:
    partial = path.with_name(f'{path.name}.{os.getpid()}.partial')
    partial.mkdir(parents=True, exist_ok=True)
    footage = video.footage
    millimetres = np.round(1000 * np.nan_to_num(footage.depth)).astype(np.uint16)
    # One tall picture each: lossless, small, and anything can show it.
    _write(partial / 'rgb.png', footage.rgb[..., ::-1])
    _write(partial / 'depth.png', millimetres)
    _write(partial / 'instance.png', footage.instance.astype(np.uint16))
    about = {
        'camera': asdict(footage.camera),
        'times': footage.times.tolist(),
        'T_map_optical': footage.T_map_optical.tolist(),
        'names': video.names,
        'questions': [question_to_json(q) for q in video.questions],
        'situations': [asdict(s) for s in video.situations],
    }
    (partial / 'about.json').write_text(json.dumps(about))
    try:
        partial.rename(path)
    except OSError:  # another process was first
        shutil.rmtree(partial)


def _read(path: Path) -> Video:
    about = json.loads((path / 'about.json').read_text())
    values = about['camera']
    camera = PinholeCamera(**values | {'distortion': tuple(values['distortion'])})
    size = (len(about['times']), camera.height, camera.width)
    depth = _picture(path / 'depth.png').reshape(size).astype(np.float32) / 1000
    footage = Footage(
        np.ascontiguousarray(_picture(path / 'rgb.png').reshape(*size, 3)[..., ::-1]),
        np.where(depth > 0, depth, np.float32(np.nan)),
        _picture(path / 'instance.png').reshape(size).astype(np.int32),
        np.array(about['T_map_optical']),
        np.array(about['times']),
        camera,
    )
    return Video(
        footage,
        tuple(about['names']),
        tuple(question_from_json(q) for q in about['questions']),
        tuple(_situation(s) for s in about['situations']),
    )


def _situation(values: dict[str, Any]) -> Situation:
    return Situation(
        values['text'], tuple(values['wordings']), tuple(values['position']), values['yaw']
    )


def _write(path: Path, frames: NDArray[Any]) -> None:
    done, data = cv2.imencode('.png', frames.reshape(-1, *frames.shape[2:]))
    if not done:
        raise InputError(f'{path}: the picture cannot be encoded')
    path.write_bytes(data.tobytes())


def _picture(path: Path) -> NDArray[Any]:
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError(f'{path.name} is no picture')
    return picture
