# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""From process to running nodes, and out again: exit code 0 within 3 s of SIGINT or SIGTERM.

What the executables under `lib/loc3r_ros` call. Nothing heavy is imported here at the top, so that
the signals are in our hands before anything takes long.
"""

from __future__ import annotations

import gc
import os
import sys
from functools import partial
from importlib import import_module
from typing import Any

from loc3r_ros.errors import Loc3rError
from loc3r_ros.ros.interrupt import Interrupt, Interrupted
from loc3r_ros.threads import use_one_blas_thread


def run(name: str) -> int:
    """Run the nodes of a module of this package until a signal comes or its context goes down.

    The module offers `nodes() -> list`, in the order in which they start. A node has `start()` and
    `threads`, as `Stage` has; those with more than one thread get an executor of their own.

    Returns:
        Never: the process ends here, with 0, or with 2 after an error that its user can mend.
    """
    use_one_blas_thread()
    interrupt = Interrupt()
    try:
        interrupt.install()
        code = _run(name, interrupt)
    except Interrupted:
        code = 0
    except BaseException:
        if not interrupt.has_come:
            raise
        code = 0  # half an import, or a context that went away under someone's hands
    # Without the interpreter's teardown: it waits for threads that compute, and unloads libraries
    # (DDS, CUDA) whose own threads still run. Everything of ours is closed.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


pose_encoder = partial(run, 'pose_encoder')
bev_mapper = partial(run, 'bev_mapper')
spatial_vlm = partial(run, 'spatial_vlm')
bringup = partial(run, 'bringup')
play = partial(run, 'play')


def _run(name: str, interrupt: Interrupt) -> int:
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    # The signals stay ours: rclpy's handlers take the context down at once, under the hands of
    # nodes that still want to publish and to say goodbye.
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    nodes: list[Any] = []
    try:
        return _live(name, interrupt, nodes)
    finally:
        while nodes:
            nodes.pop().destroy_node()
        # The middleware says goodbye once nothing refers to the nodes, and these refer to
        # themselves. Without it others see a ghost for ten seconds.
        interrupt.defer(bool)
        gc.collect()
        rclpy.try_shutdown()


def _live(name: str, interrupt: Interrupt, nodes: list[Any]) -> int:
    """From the import of the module to the last callback; `nodes` takes what is to be destroyed."""
    from rclpy.logging import get_logger

    from loc3r_ros.ros.logs import forward_logging, log_versions
    from loc3r_ros.ros.spinning import Spinning

    try:
        forward_logging()
        module = import_module(f'loc3r_ros.ros.{name}')
        log_versions(name)
        nodes.extend(module.nodes())
        for node in nodes:
            node.start()
        spinning = Spinning(nodes)
        interrupt.defer(spinning.wake)
        spinning.spin(lambda: interrupt.has_come)
    except Interrupted:
        pass
    except Loc3rError as error:
        get_logger(name).fatal(str(error))
        return 2
    return 0
