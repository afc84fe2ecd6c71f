# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How the pose encoder fares: the Status message and its part of the diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from loc3r_ros.localizer import Step
from loc3r_ros.msg import Status
from loc3r_ros.ros.camera_input import CameraInput
from loc3r_ros.ros.conversion import STATE_NUMBERS, messages
from loc3r_ros.ros.diagnostics import Level, Report
from loc3r_ros.ros.live_localizer import LiveLocalizer
from loc3r_ros.ros.mailbox import Mailbox
from loc3r_ros.ros.statistics import Latency, memory_bytes

_SILENT_S = 5.0

_HEALTH = {
    Status.INITIALISING: (Level.WARN, 'no pose yet'),
    Status.TRACKING: (Level.OK, 'tracking'),
    Status.DEGRADED: (Level.WARN, 'degraded: the pose is carried by prediction'),
    Status.LOST: (Level.ERROR, 'lost: waiting for a known place'),
    Status.RESETTING: (Level.WARN, 'resetting'),
}


class EncoderHealth:
    """Figures of the input and of the localizer; written by the worker, read by the executor.

    Args:
        engine: gives what computes, in words, and who was refused, with the reasons.
        live: the localizer.
        camera: its input.
        mailbox: what lies between them.

    Attributes:
        state: a value of `Status.state`.
        stamp_ns: of the last processed image; 0 before the first.
    """

    def __init__(
        self,
        engine: Callable[[], tuple[str, tuple[str, ...]]],
        live: LiveLocalizer,
        camera: CameraInput,
        mailbox: Mailbox[Any],
    ) -> None:
        self.state: int = Status.INITIALISING
        self.stamp_ns = 0
        self._engine = engine
        self._live = live
        self._camera = camera
        self._mailbox = mailbox
        self._latency = Latency()
        self._step: Step | None = None
        self._begun_ns = 0
        self._last_s = monotonic()

    def begin(self, state: int) -> None:
        """An epoch begins or is about to."""
        self.state, self._step = state, None

    def take(self, stamp_ns: int, step: Step, received_s: float) -> None:
        """An image was processed and published."""
        if self._step is None or self._step.epoch != step.epoch:
            self._begun_ns = stamp_ns
        self.stamp_ns, self._step, self.state = stamp_ns, step, STATE_NUMBERS[step.pose.state]
        self._last_s = monotonic()
        self._latency.add(self._last_s - received_s)

    def message(self, map_frame: str, problems: list[str]) -> Any:
        """The Status as it is now."""
        step, localizer = self._step, self._live.localizer
        pose = step.pose if step else None
        make = messages()
        return make.new(
            'loc3r_ros/msg/Status',
            header=make.header(self.stamp_ns, map_frame),
            state=self.state,
            epoch=int(self._live.epoch),
            frames=step.index + 1 if step else 0,
            state_age=self._age_s(),
            dropped=int(self._mailbox.dropped),
            late=localizer.late_frames if localizer else 0,
            input_rate=float(self._camera.rate.hz),
            latency_p50=float(self._latency.p50),
            latency_p95=float(self._latency.p95),
            keyframes=len(localizer.tracker.map) if localizer else 0,
            inliers=int(pose.inliers) if pose else 0,
            scale=float(pose.scale) if pose else 1.0,
            scale_source=pose.scale_source if pose else 'none',
            engine=self._engine()[0],
            memory=memory_bytes(),
            problems=problems,
        )

    def reports(self, problems: list[str]) -> list[Report]:
        """For /diagnostics: `input` and `encoder`."""
        localizer = self._live.localizer
        is_silent = monotonic() - self._camera.last_s > _SILENT_S
        level = Level.STALE if is_silent else Level.WARN if problems else Level.OK
        said = '; '.join(problems) or ('no images' if is_silent else '')
        camera = Report(
            'input',
            level,
            said,
            {
                'topic': self._camera.topics.image,
                'rate_hz': self._camera.rate.hz,
                'images': self._camera.rate.count,
                'dropped': self._mailbox.dropped,
                'late': localizer.late_frames if localizer else 0,
                'rounds': self._camera.rounds.number,
            },
        )
        level, said = _HEALTH[self.state]
        engine, refused = self._engine()
        encoder = Report(
            'encoder',
            level,
            said,
            {
                'engine': engine,
                'refused': '; '.join(refused),
                'epoch': self._live.epoch,
                'frames': self._step.index + 1 if self._step else 0,
                'state_age_s': self._age_s(),
                'keyframes': len(localizer.tracker.map) if localizer else 0,
                'latency_p50_ms': 1e3 * self._latency.p50,
                'latency_p95_ms': 1e3 * self._latency.p95,
                'memory_mb': memory_bytes() / 1e6,
            },
        )
        return [camera, encoder]

    def _age_s(self) -> float:
        return (self.stamp_ns - self._begun_ns) * 1e-9 if self._step else 0.0
