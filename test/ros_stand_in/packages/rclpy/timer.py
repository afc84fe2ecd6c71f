# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy._entities import Entity, Work, run
from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, JumpThreshold, ROSClock, TimeJump
from rclpy.duration import Duration


class Timer(Entity):
    """Calls back every period of a clock; periods that were missed are not made up for."""

    def __init__(
        self,
        node: Any,
        period_ns: int,
        callback: Callable[[], Any],
        clock: Clock,
        callback_group: CallbackGroup | None,
    ) -> None:
        super().__init__(node, callback_group)
        self.callback = callback
        self.clock = clock
        self.timer_period_ns = period_ns
        self._canceled = False
        self.reset()
        every_jump = JumpThreshold(
            min_forward=Duration(nanoseconds=1), min_backward=Duration(nanoseconds=-1)
        )
        self._jump_handle = clock.create_jump_callback(every_jump, post_callback=self._on_jump)
        node._wake()

    def reset(self) -> None:
        self._last = self.clock.now().nanoseconds
        self._next = self._last + self.timer_period_ns
        self._canceled = False
        self._node._wake()

    def cancel(self) -> None:
        self._canceled = True

    def time_until_next_call(self) -> int:
        return self._next - self.clock.now().nanoseconds

    def _on_jump(self, jump: TimeJump) -> None:
        now = self.clock.now().nanoseconds
        if jump.delta.nanoseconds == 0 or now < self._last:  # another epoch, or back in time
            self._last, self._next = now, now + self.timer_period_ns
        self._node._wake()

    def _due_in(self) -> float | None:
        stands_still = isinstance(self.clock, ROSClock) and self.clock.ros_time_is_active
        if self._canceled or stands_still:
            return None
        return max(0.0, self.time_until_next_call() / 1e9)

    def _take(self) -> Work | None:
        now = self.clock.now().nanoseconds
        if self._destroyed or self._canceled or now < self._next:
            return None
        self._last = now
        missed = (now - self._next) // self.timer_period_ns if self.timer_period_ns else 0
        self._next += (missed + 1) * self.timer_period_ns
        return lambda: run(self.callback)

    def destroy(self) -> None:
        self._jump_handle.unregister()
        super().destroy()
