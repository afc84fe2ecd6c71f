# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The stand-in's rclpy; see ros_stand_in."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.context import Context
from rclpy.signals import (
    SignalHandlerOptions,
    install_signal_handlers,
    uninstall_signal_handlers,
)
from rclpy.utilities import get_default_context, ok

__all__ = ['get_default_context', 'ok']


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
