# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Health on /diagnostics, as REP 107 has it."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType


class Level(IntEnum):
    """As in diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Report:
    """The health of one part.

    Attributes:
        part: `input`, `encoder`, `map` or `vlm`.
        level: the worst of what follows.
        message: one line; empty stands for `ok`.
        values: names with units (`latency_p95_ms`) to figures; floats are rounded for display.
    """

    part: str
    level: Level = Level.OK
    message: str = ''
    values: dict[str, Any] = field(default_factory=dict)


class Diagnostics:
    """Publishes the reports of a `Stage`, in every state of its life.

    The timer runs on wall time: a paused recording must not silence it.
    """

    def __init__(self, stage: Any, period_s: float) -> None:
        self._stage = stage
        self._publisher = stage.create_publisher(DiagnosticArray, '/diagnostics', 10)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        stage.create_timer(period_s, self.publish, clock=wall)

    def publish(self) -> None:
        """Publish now."""
        if not self._stage.context.ok():
            return  # the timer may fire once more while the process ends
        message = DiagnosticArray()
        message.header.stamp = self._stage.clock.now().to_msg()
        message.status = [self._status(report) for report in self._reports()]
        self._publisher.publish(message)

    def _reports(self) -> list[Report]:
        stage = self._stage
        if stage.state != 'active':
            level = Level.ERROR if stage.refusal else Level.STALE
            return [Report(stage.part, level, stage.refusal or stage.state)]
        try:
            reports: list[Report] = stage.status()
        except Exception as error:
            text = f'status failed: {type(error).__name__}: {error}'
            stage.get_logger().error(traceback.format_exc(), throttle_duration_sec=10.0)
            return [Report(stage.part, Level.ERROR, text)]
        return reports

    def _status(self, report: Report) -> DiagnosticStatus:
        return DiagnosticStatus(
            level=bytes([report.level]),
            name=f'loc3r: {report.part}',
            message=report.message or 'ok',
            hardware_id=self._stage.get_fully_qualified_name(),
            values=[KeyValue(key=k, value=_text(v)) for k, v in report.values.items()],
        )


def _text(value: Any) -> str:
    return f'{value:.4g}' if isinstance(value, float) else str(value)
