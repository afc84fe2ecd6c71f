# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Clocks, and callbacks for their jumps."""

from __future__ import annotations

import time as system
from collections.abc import Callable
from enum import IntEnum
from typing import Any
from weakref import ref

from rclpy.clock_type import ClockType
from rclpy.duration import Duration
from rclpy.time import Time


class ClockChange(IntEnum):
    """What a jump did to the source of a clock."""

    ROS_TIME_NO_CHANGE = 1
    ROS_TIME_ACTIVATED = 2
    ROS_TIME_DEACTIVATED = 3
    SYSTEM_TIME_NO_CHANGE = 4


class JumpThreshold:
    """Which jumps a callback is for; steps between /clock messages are jumps too."""

    def __init__(
        self,
        *,
        min_forward: Duration | None,
        min_backward: Duration | None,
        on_clock_change: bool = True,
    ) -> None:
        if min_forward is not None and min_forward.nanoseconds <= 0:
            raise ValueError('min_forward must be a positive non-zero duration')
        if min_backward is not None and min_backward.nanoseconds >= 0:
            raise ValueError('min_backward must be a negative non-zero duration')
        if min_forward is None and min_backward is None and not on_clock_change:
            raise ValueError('At least one jump threshold must be enabled')
        self.min_forward = min_forward
        self.min_backward = min_backward
        self.on_clock_change = on_clock_change

    def _reached(self, jump: TimeJump) -> bool:
        if jump.clock_change != ClockChange.ROS_TIME_NO_CHANGE:
            return self.on_clock_change
        if jump.delta.nanoseconds < 0:
            return self.min_backward is not None and jump.delta <= self.min_backward
        return self.min_forward is not None and jump.delta >= self.min_forward


class TimeJump:
    """One jump: `delta` is the new time less the old one."""

    def __init__(self, clock_change: ClockChange, delta: Duration) -> None:
        self.clock_change = clock_change
        self.delta = delta


class JumpHandle:
    """Keeps a jump callback registered; who drops it without `unregister` makes rclpy crash."""

    def __init__(
        self,
        clock: Clock,
        threshold: JumpThreshold,
        pre_callback: Callable[[], Any] | None,
        post_callback: Callable[[TimeJump], Any] | None,
    ) -> None:
        if pre_callback is None and post_callback is None:
            raise ValueError('One of pre_callback or post_callback must be callable')
        self._clock: Clock | None = clock
        self._threshold = threshold
        self._callbacks = pre_callback, post_callback
        clock._jump_handles.append(ref(self))

    def unregister(self) -> None:
        if self._clock is not None:
            self._clock._jump_handles.remove(ref(self))
            self._clock = None


class Clock:
    """A clock that reads the system's time."""

    def __new__(cls, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> Clock:
        if not isinstance(clock_type, ClockType):
            raise TypeError('Clock type must be a ClockType enum')
        return super().__new__(ROSClock if clock_type is ClockType.ROS_TIME else cls)

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> None:
        self._clock_type = clock_type
        self._jump_handles: list[ref[JumpHandle]] = []

    @property
    def clock_type(self) -> ClockType:
        return self._clock_type

    def now(self) -> Time:
        return Time(nanoseconds=self._now_ns(), clock_type=self._clock_type)

    def _now_ns(self) -> int:
        return (
            system.monotonic_ns() if self._clock_type is ClockType.STEADY_TIME else system.time_ns()
        )

    def create_jump_callback(
        self,
        threshold: JumpThreshold,
        *,
        pre_callback: Callable[[], Any] | None = None,
        post_callback: Callable[[TimeJump], Any] | None = None,
    ) -> JumpHandle:
        return JumpHandle(self, threshold, pre_callback, post_callback)


class ROSClock(Clock):
    """A clock that a time source may set: then it stands still between two messages."""

    def __new__(cls) -> Clock:
        return Clock.__new__(cls, clock_type=ClockType.ROS_TIME)

    def __init__(self, *, clock_type: ClockType = ClockType.ROS_TIME) -> None:
        super().__init__(clock_type=clock_type)
        self._override_ns = 0
        self._active = False

    def _now_ns(self) -> int:
        return self._override_ns if self._active else super()._now_ns()

    @property
    def ros_time_is_active(self) -> bool:
        return self._active

    def _set_ros_time_is_active(self, enabled: bool) -> None:
        if enabled == self._active:
            return
        change = ClockChange.ROS_TIME_ACTIVATED if enabled else ClockChange.ROS_TIME_DEACTIVATED
        self._jump(TimeJump(change, Duration()), lambda: setattr(self, '_active', enabled))

    def set_ros_time_override(self, time: Time) -> None:
        delta = Duration(nanoseconds=time.nanoseconds - self._override_ns)
        jump = TimeJump(ClockChange.ROS_TIME_NO_CHANGE, delta)
        change = lambda: setattr(self, '_override_ns', time.nanoseconds)  # noqa: E731
        if self._active:
            self._jump(jump, change)
        else:
            change()

    def _jump(self, jump: TimeJump, change: Callable[[], None]) -> None:
        alive = [handle() for handle in self._jump_handles]
        if None in alive:
            raise AttributeError('a JumpHandle was dropped: rclpy would read freed memory')
        handles = [handle for handle in alive if handle._threshold._reached(jump)]
        for pre, _ in [handle._callbacks for handle in handles]:
            if pre is not None:
                pre()
        change()
        for _, post in [handle._callbacks for handle in handles]:
            if post is not None:
                post(jump)
