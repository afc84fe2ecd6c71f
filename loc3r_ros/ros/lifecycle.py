# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The lifecycle of every node: what a transition makes, its counterpart destroys."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic
from typing import Any, TypeVar

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter as RosParameter

from loc3r_ros.errors import Loc3rError
from loc3r_ros.ros.diagnostics import Diagnostics, Report
from loc3r_ros.ros.parameters import Parameter, Table, declare
from loc3r_ros.ros.qos import no_events

Entity = TypeVar('Entity')

COMMON = (
    Parameter('autostart', True, 'Configure and activate at start, without a lifecycle manager.'),
    Parameter(
        'diagnostics_period_s',
        1.0,
        'Time between two messages on /diagnostics.',
        range=(0.1, 60.0),
    ),
)
"""Parameters of every node; `Stage` puts them before the node's own table."""


class Stage(LifecycleNode):
    """A managed node.

    Subclasses implement `configure`, `activate`, `deactivate` and `cleanup`. The first two refuse
    by raising a `Loc3rError` whose text names the remedy; an unexpected exception is logged with
    its traceback and refuses as well. What they make through `own`, or through `subscribe` and its
    like, is destroyed in reverse order by the opposite transition, after its own method, and when
    they raise.

    Args:
        name: of the node.
        table: its parameters, beside the common ones.
        clock: of another node in this process. Each node that listens to /clock itself costs as
            much as one more camera.
        node_options: of rclpy's Node.

    Attributes:
        part: what diagnostics call this node.
        clock: ROS time.
        threads: threads of the executor that the node asks for.
        settings: current values of the parameters.
        state: `unconfigured`, `inactive`, `active` or `finalized`.
        refusal: why the last transition was refused; empty when it was not.
    """

    part = 'node'
    threads = 1

    def __init__(
        self, name: str, table: Table, *, clock: Clock | None = None, **node_options: Any
    ) -> None:
        if clock is not None:
            own_time = RosParameter('use_sim_time', value=False)
            node_options = {'parameter_overrides': [own_time], **node_options}
        super().__init__(name, **node_options)
        self.clock = clock or self.get_clock()
        self.state = 'unconfigured'
        self.refusal = ''
        # What the node, `configure` and `activate` own; the last takes what is made now.
        self._owned = [ExitStack()]
        self.settings = declare(self, (*COMMON, *table))
        self._diagnostics = Diagnostics(self, self.settings['diagnostics_period_s'])

    def configure(self) -> None:
        """Load and allocate; may take long. Parameters that are not live are fixed from here."""

    def activate(self) -> None:
        """Subscribe and start to work."""

    def deactivate(self) -> None:
        """Stop working; what `activate` made is destroyed afterwards."""

    def cleanup(self) -> None:
        """Free; what `configure` made is destroyed afterwards."""

    def status(self) -> list[Report]:
        """What to publish on /diagnostics while active."""
        return [Report(self.part)]

    def start(self) -> bool:
        """Configure and activate where `autostart` is set; False when one was refused."""
        if not self.settings['autostart']:
            self.get_logger().info('autostart is false: waiting for the transition `configure`')
            return True
        done = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == done and self.trigger_activate() == done

    def own(self, entity: Entity, close: Callable[[], object] | None = None) -> Entity:
        """Destroy something when the transition in which it was made is undone.

        Args:
            entity: a publisher, subscription, timer, service or client of this node, or anything
                with a `destroy` method.
            close: what to call instead.
        """
        self._owned[-1].callback(close or self._destroyer(entity))
        return entity

    def subscribe(
        self, kind: type, topic: str, callback: Callable[[Any], None], qos: Any, **options: Any
    ) -> Any:
        """An owned subscription; arguments as of `create_subscription`."""
        return self.own(self.create_subscription(kind, topic, callback, qos, **options))

    def advertise(self, kind: type, topic: str, qos: Any, **options: Any) -> Any:
        """An owned publisher; arguments as of `create_publisher`."""
        options.setdefault('event_callbacks', no_events())
        return self.own(self.create_publisher(kind, topic, qos, **options))

    def serve(self, kind: type, name: str, callback: Callable[..., Any], **options: Any) -> Any:
        """An owned service; arguments as of `create_service`."""
        return self.own(self.create_service(kind, name, callback, **options))

    def every(self, period_s: float, callback: Callable[[], None], **options: Any) -> Any:
        """An owned timer on wall time, which goes on while simulated time stands still."""
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        return self.own(self.create_timer(period_s, callback, clock=wall, **options))

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `configure`."""
        self.settings.locked = True
        if not self._enter(self.configure):
            self.settings.locked = False
            return TransitionCallbackReturn.FAILURE
        self.state = 'inactive'
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `activate`."""
        if not self._enter(self.activate):
            return TransitionCallbackReturn.FAILURE
        self.state = 'active'
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `deactivate`; never refuses, for half of a node is worth nothing."""
        self._leave(self.deactivate)
        self.state = 'inactive'
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run `cleanup`; never refuses."""
        self._leave(self.cleanup)
        self.state = 'unconfigured'
        self.settings.locked = False
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo whatever was done."""
        self._undo()
        self.state = 'finalized'
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo whatever was done, and be unconfigured."""
        self._undo()
        self.settings.locked = False
        return super().on_error(state)

    def destroy_node(self) -> None:
        """Undo whatever was done, and leave the graph."""
        self._undo()
        self._owned[0].close()
        super().destroy_node()

    def _undo(self) -> None:
        if self.state == 'active':
            self._leave(self.deactivate)
        if self.state in ('active', 'inactive'):
            self._leave(self.cleanup)
        while len(self._owned) > 1:  # of a transition that was interrupted
            self._owned.pop().close()
        self.state = 'unconfigured'

    def _enter(self, method: Callable[[], None]) -> bool:
        """Run `configure` or `activate`; on an exception nothing of it stays."""
        self._owned.append(ExitStack())
        start = monotonic()
        try:
            method()
        except Exception as error:
            self._refuse(method.__name__, error)
            self._owned.pop().close()
            return False
        self.refusal = ''
        self.get_logger().info(f'{method.__name__}: done in {monotonic() - start:.1f} s')
        return True

    def _leave(self, method: Callable[[], None]) -> None:
        """Run `deactivate` or `cleanup`, and destroy what its counterpart made."""
        for step in (method, self._owned.pop().close):
            try:
                step()
            except Exception:
                if self.context.ok():  # else it could not say goodbye any more
                    self.get_logger().error(f'{method.__name__}: {traceback.format_exc()}')

    def _refuse(self, transition: str, error: Exception) -> None:
        expected = isinstance(error, Loc3rError)
        self.refusal = str(error) if expected else f'{type(error).__name__}: {error}'
        told = self.refusal if expected else traceback.format_exc()
        self.get_logger().error(f'{transition} refused: {told}')

    def _destroyer(self, entity: Any) -> Callable[[], object]:
        for entities, destroy in (
            (self.publishers, self.destroy_publisher),
            (self.subscriptions, self.destroy_subscription),
            (self.timers, self.destroy_timer),
            (self.services, self.destroy_service),
            (self.clients, self.destroy_client),
        ):
            if any(entity is known for known in entities):
                return lambda: destroy(entity)
        return entity.destroy
