# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The keyframes of a run, kept without their images: the recording has these.

With the recording they are all that a language model needs to see again what it saw, so a run can
be resumed, and a finished one be asked about, without tracking it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.bag.recording import Recording
from loc3r_ros.errors import InputError
from loc3r_ros.localizer import Step
from loc3r_ros.types import TrackedPose, TrackingState, View

NAME = 'keyframes.npz'


@dataclass
class Keyframes:
    """One row a keyframe of the present epoch, about 3 KiB with a token; and the newest pose.

    Attributes:
        images: numbers of the images in the recording.
        stamps_ns: their stamps, ns.
        T_map_camera: (4, 4) each, as it was when the keyframe was made.
        tokens: (D,) float32 each, the encoder's camera token; D is 0 where no encoder ran.
        epoch: id of the map's life.
        last: pose of the newest image, and its stamp, ns; None before the first.
    """

    images: list[int] = field(default_factory=list)
    stamps_ns: list[int] = field(default_factory=list)
    T_map_camera: list[NDArray[np.float64]] = field(default_factory=list)
    tokens: list[NDArray[np.float32]] = field(default_factory=list)
    epoch: int = 0
    last: tuple[int, TrackedPose] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def add(self, image: int, stamp_ns: int, step: Step) -> None:
        """Take in a step, which need not be a keyframe."""
        if step.epoch != self.epoch:
            self.epoch = step.epoch
            for rows in (self.images, self.stamps_ns, self.T_map_camera, self.tokens):
                rows.clear()
        self.last = stamp_ns, step.pose
        if step.pose.keyframe is None:
            return
        token = step.view.camera_token
        self.images.append(image)
        self.stamps_ns.append(stamp_ns)
        self.T_map_camera.append(step.pose.T_map_camera)
        self.tokens.append(np.zeros(0, np.float32) if token is None else token)

    def views(self, recording: Recording) -> Iterator[tuple[int, View]]:
        """Each keyframe with its stamp (ns), with the image read again.

        Raises:
            InputError: the recording has no longer these images.
        """
        row = {image: k for k, image in enumerate(self.images)}
        shown = 0
        for sample in recording.samples(only=row.keys()) if row else ():
            k = row[sample.index]
            if sample.stamp_ns != self.stamps_ns[k]:
                break
            shown += 1
            frame, token = sample.frame, self.tokens[k] if len(self.tokens[k]) else None
            stamp, T = frame.stamp, self.T_map_camera[k]
            yield sample.stamp_ns, View(stamp, self.epoch, frame.rgb, T, frame.camera, token)
        if shown < len(self):
            raise InputError(
                f'{len(self) - shown} of {len(self)} keyframes are not in the recording any more: '
                'it has changed since the run; run anew with --overwrite'
            )

    def save(self, path: Path, source: str = '') -> None:
        """Write all, with what it was made from.

        Raises:
            OSError: it cannot be written.
        """
        columns = {
            'images': np.array(self.images, np.int64),
            'stamps_ns': np.array(self.stamps_ns, np.int64),
            'T_map_camera': np.array(self.T_map_camera, np.float64),
            'tokens': np.array(self.tokens, np.float32),
            'epoch': np.array(self.epoch),
            'source': np.array(source),
        }
        if self.last is not None:
            stamp_ns, pose = self.last
            columns |= {
                'last_stamp_ns': np.array(stamp_ns),
                'last_T_map_camera': pose.T_map_camera,
                'last_covariance': pose.covariance,
                'last_state': np.array(pose.state.value),
            }
        np.savez(path, **columns)  # type: ignore[arg-type]

    @staticmethod
    def load(path: Path, source: str | None = None) -> Keyframes:
        """Read what `save` wrote.

        Args:
            path: of the file.
            source: what it must have been made from, where that matters.

        Raises:
            InputError: it was made from something else, or is damaged.
            FileNotFoundError: there is none.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                made_from = str(arrays['source'])
                if source is not None and made_from != source:
                    raise InputError(
                        f'{path.parent} holds a run of\n  {made_from}\nwhich is not\n  {source}\n'
                        'give the same recording and options, --overwrite or another folder'
                    )
                return Keyframes(
                    arrays['images'].tolist(),
                    arrays['stamps_ns'].tolist(),
                    list(arrays['T_map_camera']),
                    list(arrays['tokens']),
                    int(arrays['epoch']),
                    _last(arrays) if 'last_stamp_ns' in arrays else None,
                )
        except (ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError(f'{path} is damaged ({error}); run anew with --overwrite') from error


def _last(arrays: np.lib.npyio.NpzFile) -> tuple[int, TrackedPose]:
    stamp_ns = int(arrays['last_stamp_ns'])
    state = TrackingState(str(arrays['last_state']))
    T, covariance = arrays['last_T_map_camera'], arrays['last_covariance']
    return stamp_ns, TrackedPose(stamp_ns * 1e-9, T, covariance, state)
