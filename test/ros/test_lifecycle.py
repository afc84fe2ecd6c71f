# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter as RosParameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from loc3r_ros.errors import InputError
from loc3r_ros.ros.lifecycle import COMMON, Stage
from loc3r_ros.ros.parameters import READ_ONLY, Parameter
from loc3r_ros.ros.statistics import memory_bytes

SUCCESS = TransitionCallbackReturn.SUCCESS
FAILURE = TransitionCallbackReturn.FAILURE

TABLE = (
    Parameter('map_frame', 'map', 'The map.'),
    Parameter('limit', 3, 'A limit.', range=(1, 10), live=True),
)


class Probe(Stage):
    """Writes down what happens to it, and raises what it is told to."""

    def __init__(self, **options: Any) -> None:
        self.events: list[str] = []
        self.errors: dict[str, Exception] = {}
        super().__init__('probe', TABLE, **options)

    def configure(self) -> None:
        self.own(object(), lambda: self.events.append('free weights'))
        self.talk = self.advertise(String, 'talk', 1)
        self._note('configure')

    def activate(self) -> None:
        self.subscribe(String, 'hear', lambda _: None, 1)
        self.own(self.create_client(Trigger, 'other'))
        self.serve(Trigger, 'reset', lambda _, response: response)
        self.every(10.0, lambda: None)
        self.own(object(), lambda: self.events.append('stop first'))
        self.own(object(), lambda: self.events.append('stop last'))
        self._note('activate')

    def deactivate(self) -> None:
        self._note('deactivate')

    def cleanup(self) -> None:
        self._note('cleanup')

    def _note(self, event: str) -> None:
        self.events.append(event)
        if event in self.errors:
            raise self.errors[event]

    def entities(self) -> dict[str, int]:
        return {
            kind: len(list(getattr(self, kind)))
            for kind in ('publishers', 'subscriptions', 'timers', 'services', 'clients')
        }


@pytest.fixture
def make_probe():
    probes = []

    def make(**values: Any) -> Probe:
        overrides = [RosParameter(name, value=value) for name, value in values.items()]
        probes.append(Probe(parameter_overrides=overrides))
        return probes[-1]

    rclpy.init()
    yield make
    for probe in probes:
        probe.destroy_node()
    rclpy.try_shutdown()


def test_a_transition_undoes_exactly_what_its_counterpart_made(make_probe):
    probe = make_probe()
    bare = probe.entities()
    assert probe.trigger_configure() == SUCCESS
    assert probe.state == 'inactive'
    inactive = probe.entities()
    assert inactive == {**bare, 'publishers': bare['publishers'] + 1}
    for _ in range(3):
        assert probe.trigger_activate() == SUCCESS
        assert probe.state == 'active'
        assert probe.entities() == {
            'publishers': bare['publishers'] + 1,
            'subscriptions': bare['subscriptions'] + 1,
            'timers': bare['timers'] + 1,
            'services': bare['services'] + 1,
            'clients': bare['clients'] + 1,
        }
        assert probe.trigger_deactivate() == SUCCESS
        assert probe.state == 'inactive'
        assert probe.entities() == inactive
    assert probe.trigger_cleanup() == SUCCESS
    assert probe.state == 'unconfigured'
    assert probe.entities() == bare
    once = ['activate', 'deactivate', 'stop last', 'stop first']
    assert probe.events == ['configure', *once * 3, 'cleanup', 'free weights']


@pytest.mark.parametrize('autostart', [True, False])
def test_start_goes_to_active_only_with_autostart(make_probe, autostart):
    probe = make_probe(autostart=autostart)
    assert probe.start()
    assert probe.state == ('active' if autostart else 'unconfigured')
    assert probe.events == (['configure', 'activate'] if autostart else [])


def test_configure_refuses_with_its_reason_and_leaves_nothing(make_probe, capfd):
    probe = make_probe()
    bare = probe.entities()
    probe.errors['configure'] = InputError('weights /a is missing; get it with `loc3r weights`')
    assert not probe.start()
    assert probe.state == 'unconfigured'
    assert probe.refusal == 'weights /a is missing; get it with `loc3r weights`'
    assert probe.entities() == bare
    assert probe.events == ['configure', 'free weights']
    told = capfd.readouterr().err
    assert told.count('configure refused: weights /a is missing; get it') == 1
    assert 'Traceback' not in told
    probe.errors.clear()
    assert probe.start()
    assert (probe.state, probe.refusal) == ('active', '')


def test_activate_refuses_and_the_node_stays_inactive(make_probe):
    probe = make_probe()
    assert probe.trigger_configure() == SUCCESS
    inactive = probe.entities()
    probe.errors['activate'] = InputError('no topic')
    assert probe.trigger_activate() == FAILURE
    assert probe.state == 'inactive'
    assert probe.entities() == inactive
    assert probe.events == ['configure', 'activate', 'stop last', 'stop first']
    probe.errors.clear()
    assert probe.trigger_activate() == SUCCESS


def test_an_unexpected_exception_refuses_with_its_traceback(make_probe, capfd):
    probe = make_probe()
    probe.errors['activate'] = KeyError('bug')
    assert not probe.start()
    assert probe.state == 'inactive'
    assert probe.refusal == "KeyError: 'bug'"
    told = capfd.readouterr().err
    assert 'Traceback' in told
    assert 'raise self.errors[event]' in told


@pytest.mark.parametrize('where', ['deactivate', 'cleanup'])
def test_what_ends_a_node_never_refuses(make_probe, capfd, where):
    probe = make_probe()
    bare = probe.entities()
    probe.errors[where] = RuntimeError('too late')
    assert probe.start()
    assert probe.trigger_deactivate() == SUCCESS
    assert probe.trigger_cleanup() == SUCCESS
    assert probe.entities() == bare
    assert probe.events[-1] == 'free weights'
    assert 'RuntimeError: too late' in capfd.readouterr().err


@pytest.mark.parametrize('state', ['unconfigured', 'inactive', 'active'])
def test_shutdown_undoes_everything_from_every_state(make_probe, state):
    probe = make_probe()
    bare = probe.entities()
    if state != 'unconfigured':
        probe.trigger_configure()
    if state == 'active':
        probe.trigger_activate()
    assert probe.trigger_shutdown() == SUCCESS
    assert probe.state == 'finalized'
    assert probe.entities() == bare
    undone = {
        'unconfigured': [],
        'inactive': ['configure', 'cleanup', 'free weights'],
        'active': [
            'configure',
            'activate',
            'deactivate',
            'stop last',
            'stop first',
            'cleanup',
            'free weights',
        ],
    }
    assert probe.events == undone[state]


def test_destroying_an_active_node_undoes_everything(make_probe):
    probe = make_probe()
    probe.start()
    probe.destroy_node()
    assert probe.events[-2:] == ['cleanup', 'free weights']


def test_destroying_a_node_that_was_interrupted_while_loading_frees_what_it_had(make_probe):
    class Stop(BaseException):
        pass

    probe = make_probe()
    probe.errors['configure'] = Stop()  # type: ignore[assignment]
    with pytest.raises(Stop):
        probe.trigger_configure()
    assert probe.events == ['configure']
    probe.destroy_node()
    assert probe.events == ['configure', 'free weights']


def test_parameters_are_fixed_from_configure_to_cleanup_unless_they_are_live(make_probe):
    probe = make_probe()

    def change(name: str, value: object) -> tuple[bool, str]:
        result = probe.set_parameters([RosParameter(name, value=value)])[0]
        return result.successful, result.reason

    assert change('map_frame', 'world') == (True, '')
    probe.start()
    assert change('map_frame', 'earth') == (False, f'map_frame is {READ_ONLY}')
    assert change('limit', 5) == (True, '')
    probe.trigger_deactivate()
    assert change('map_frame', 'earth')[0] is False
    probe.trigger_cleanup()
    assert change('map_frame', 'earth') == (True, '')
    assert (probe.settings['map_frame'], probe.settings['limit']) == ('earth', 5)


def test_a_refused_configure_lets_its_parameters_be_mended(make_probe):
    probe = make_probe(map_frame='')
    probe.errors['configure'] = InputError('map_frame is empty')
    probe.start()
    assert probe.set_parameters([RosParameter('map_frame', value='map')])[0].successful


def test_every_node_has_the_common_parameters(make_probe):
    probe = make_probe()
    assert [p.name for p in COMMON] == ['autostart', 'diagnostics_period_s']
    assert list(probe.settings) == ['autostart', 'diagnostics_period_s', 'map_frame', 'limit']


def test_a_timer_of_every_goes_on_while_simulated_time_stands_still(make_probe):
    probe = make_probe(use_sim_time=True)
    calls = []
    probe.every(0.05, lambda: calls.append(probe.get_clock().now().nanoseconds))
    executor = SingleThreadedExecutor()
    executor.add_node(probe)
    for _ in range(20):
        if len(calls) < 3:
            executor.spin_once(timeout_sec=1.0)
    assert calls[:3] == [0, 0, 0]
    executor.shutdown()


def test_what_the_node_owns_outside_of_transitions_lasts_as_long_as_it(make_probe):
    probe = make_probe()
    probe.own(object(), lambda: probe.events.append('from the beginning'))
    probe.start()
    probe.trigger_deactivate()
    probe.own(object(), lambda: probe.events.append('while inactive'))
    probe.trigger_activate()
    probe.trigger_deactivate()
    assert 'while inactive' not in probe.events
    probe.trigger_cleanup()
    assert probe.events[-3:] == ['cleanup', 'while inactive', 'free weights']
    probe.destroy_node()
    assert probe.events[-1] == 'from the beginning'


def test_ten_cycles_leave_the_memory_as_it_was(make_probe):
    class Heavy(Probe):
        def configure(self) -> None:
            super().configure()
            self.weights = self.own(np.ones(50_000_000, np.uint8), self.free)

        def free(self) -> None:
            self.weights = None

    make_probe()
    node = Heavy()
    sizes = []
    for _ in range(10):
        node.start()
        node.trigger_deactivate()
        node.trigger_cleanup()
        sizes.append(memory_bytes())
    node.destroy_node()
    assert sizes[-1] - sizes[0] < 5_000_000
