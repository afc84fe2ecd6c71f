# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ros_stand_in.messages import from_cdr, to_cdr, type_name

from rclpy._entities import Queue, run
from rclpy.callback_groups import CallbackGroup

Answer = Callable[[bytes], None]


class Service(Queue):
    """Answers requests, one callback each."""

    def __init__(
        self,
        node: Any,
        srv_type: Any,
        srv_name: str,
        callback: Callable[[Any, Any], Any],
        callback_group: CallbackGroup | None,
    ) -> None:
        self.srv_type = srv_type
        self.srv_name = srv_name
        self.callback = callback
        self._type_name = type_name(srv_type)
        super().__init__(node, callback_group)
        node._network.services.append(self)

    def _handle(self, item: tuple[bytes, Answer]) -> None:
        cdr, answer = item
        request = from_cdr(cdr, self.srv_type.Request)
        self._send_response(run(self.callback, request, self.srv_type.Response()), answer)

    def _send_response(self, response: Any, answer: Answer) -> None:
        if not isinstance(response, self.srv_type.Response):
            raise TypeError(f'Expected {self.srv_type.Response}, got {type(response)}')
        answer(to_cdr(response))
