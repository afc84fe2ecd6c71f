# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Clients of services."""

from __future__ import annotations

import time
from typing import Any

from ros_stand_in.messages import from_cdr, to_cdr, type_name

from rclpy._entities import Queue
from rclpy.callback_groups import CallbackGroup
from rclpy.task import Future


class Client(Queue):
    """Asks a service; the answer arrives through the executor of the client's node."""

    def __init__(
        self, node: Any, srv_type: Any, srv_name: str, callback_group: CallbackGroup | None
    ) -> None:
        self.srv_type = srv_type
        self.srv_name = srv_name
        self._type_name = type_name(srv_type)
        self._pending: list[Future] = []
        super().__init__(node, callback_group)

    def call_async(self, request: Any) -> Future:
        """Ask; where no one answers the service, the future never ends."""
        if not isinstance(request, self.srv_type.Request):
            raise TypeError(f'Expected {self.srv_type.Request}, got {type(request)}')
        future = Future()
        self._pending.append(future)
        cdr = to_cdr(request)
        service = self._node._network.service(self.srv_name, self._type_name)
        if service is not None:
            service._put((cdr, lambda answer: self._put((future, answer))))
        return future

    def _handle(self, item: tuple[Future, bytes]) -> None:
        future, cdr = item
        if future in self._pending:
            self._pending.remove(future)
            future._set_executor(self._node.executor)
            future.set_result(from_cdr(cdr, self.srv_type.Response))

    def service_is_ready(self) -> bool:
        return self._node._network.service(self.srv_name, self._type_name) is not None

    def wait_for_service(self, timeout_sec: float | None = None) -> bool:
        end = float('inf') if timeout_sec is None else time.monotonic() + timeout_sec
        while self._node.context.ok() and not self.service_is_ready() and time.monotonic() < end:
            time.sleep(0.01)
        return self.service_is_ready()
