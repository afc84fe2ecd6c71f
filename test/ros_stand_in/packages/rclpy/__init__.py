"""The stand-in's rclpy; see ros_stand_in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.context import Context
from rclpy.signals import (
    SignalHandlerOptions,
    install_signal_handlers,
    uninstall_signal_handlers,
)
from rclpy.task import Future
from rclpy.utilities import get_default_context, ok

__all__ = ['get_default_context', 'ok']

_executors: list[Any] = []


def init(
    *,
    args: Sequence[str] | None = None,
    context: Context | None = None,
    domain_id: int | None = None,
    signal_handler_options: SignalHandlerOptions | None = None,
) -> None:
    """Begin; the default context takes over SIGINT and SIGTERM unless told otherwise."""
    default = context is None or context is get_default_context()
    context = get_default_context() if context is None else context
    if signal_handler_options is None:
        signal_handler_options = SignalHandlerOptions.ALL if default else SignalHandlerOptions.NO
    context.init(args, domain_id=domain_id)
    install_signal_handlers(context, signal_handler_options)


def shutdown(*, context: Context | None = None, uninstall_handlers: bool | None = None) -> None:
    """End; an error when it is ended already."""
    _leave(context, uninstall_handlers).shutdown()


def try_shutdown(*, context: Context | None = None, uninstall_handlers: bool | None = None) -> None:
    """End if it is not ended yet."""
    _leave(context, uninstall_handlers).try_shutdown()


def _leave(context: Context | None, uninstall_handlers: bool | None) -> Context:
    if uninstall_handlers or (
        uninstall_handlers is None and context in (None, get_default_context())
    ):
        uninstall_signal_handlers()
    return get_default_context(shutting_down=True) if context is None else context


def create_node(node_name: str, **kwargs: Any) -> Any:
    """A plain node."""
    from rclpy.node import Node

    return Node(node_name, **kwargs)


def get_global_executor() -> Any:
    """The executor of those who give none."""
    from rclpy.executors import SingleThreadedExecutor

    if not _executors:
        _executors.append(SingleThreadedExecutor())
        get_default_context().on_shutdown(_executors.clear)
    return _executors[0]


def spin(node: Any, executor: Any = None) -> None:
    """Run callbacks of a node until the context ends."""
    executor = executor or get_global_executor()
    executor.add_node(node)
    try:
        executor.spin()
    finally:
        executor.remove_node(node)


def spin_once(node: Any, *, executor: Any = None, timeout_sec: float | None = None) -> None:
    """Run at most one callback."""
    executor = executor or get_global_executor()
    executor.add_node(node)
    try:
        executor.spin_once(timeout_sec=timeout_sec)
    finally:
        executor.remove_node(node)


def spin_until_future_complete(
    node: Any, future: Future, executor: Any = None, timeout_sec: float | None = None
) -> None:
    """Run callbacks until a future is done."""
    executor = executor or get_global_executor()
    added = executor.add_node(node)
    try:
        executor.spin_until_future_complete(future, timeout_sec)
    finally:
        if added:
            executor.remove_node(node)
