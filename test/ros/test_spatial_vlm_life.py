# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node that answers: its engines, its life, and what it says of itself."""

from __future__ import annotations

import sys
import weakref
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from loc3r_ros.srv import Localize
from rclpy.parameter import Parameter
from ros.answering_node import (
    ABORTED,
    SUCCEEDED,
    ask,
    posed,
    position,
    publish_map,
    query,
    start,
    yaw_of,
)
from scripted_engine import ScriptedEngine, hall

import loc3r_ros.ros.spatial_vlm
from loc3r_ros.ros.spatial_vlm import SpatialVlmNode
from loc3r_ros.types import Target


def test_without_a_model_geometry_answers(ros):
    node, _ = start(ros, make_engine=None)
    node.take(posed(6 * 10**9, x=1.0, y=0.5, yaw=np.pi / 2))
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    answer = ask(ros, 'where am I?').answer
    assert answer.engine == 'no model loaded' and answer.found
    assert 'x = 1.00 m, y = 0.50 m' in answer.text and 'facing 90 degrees' in answer.text
    assert '64.0 square metres' in ask(ros, 'how much has been mapped?').answer.text
    goal = ask(ros, 'go to 2.0 -1.5').answer
    np.testing.assert_allclose(position(goal.pose.pose), (2.0, -1.5, 0.0), atol=1e-9)
    assert yaw_of(goal.pose.pose) == pytest.approx(np.arctan2(-2.0, 1.0))
    for refused in (ask(ros, 'how far is the sofa?'), ask(ros, 'go to the sofa')):
        assert not refused.success and 'no model loaded' in refused.message
    request = Localize.Request(situation='I stand at the sink')
    assert 'no model loaded' in ros.call('/loc3r/localize', Localize, request).message


def test_stopping_the_node_ends_what_is_asked(ros):
    engine = ScriptedEngine()
    engine.gates = {2: Event()}
    node, _ = start(ros, engine)
    first = query(ros, 'first?')
    assert engine.reached[2].wait(10.0)
    second = query(ros, 'second?')
    ros.wait_for(lambda: node.status()[0].values['waiting'] == 1)
    results = [handle.get_result_async() for handle in (second, first)]
    engine.gates[2].set()
    node.trigger_deactivate()
    assert node.state == 'inactive' and engine.open_answers == 0
    assert ros.logged('', level=30) == []
    for future in results:
        ended = ros.result(future)
        assert ended.status in (ABORTED, SUCCEEDED)
    node.trigger_activate()
    node.take(posed())
    ros.wait_for(lambda: ask(ros).success)


def test_ten_lives(ros):
    node, engine = start(ros)
    for _ in range(10):
        node.trigger_deactivate()
        node.trigger_cleanup()
        node.trigger_configure()
        node.trigger_activate()
    node.take(posed())
    ros.wait_for(lambda: engine.views)
    assert ask(ros).success
    assert len([n for n in ros.node.get_service_names_and_types() if n[0] == '/loc3r/ask']) == 1
    assert ros.logged('', level=40) == []


def test_diagnostics_say_what_answers(ros):
    start(ros)
    ask(ros)
    ask(ros, '')
    arrays = ros.collect('/diagnostics', DiagnosticArray)

    def values():
        found = [s for a in arrays for s in a.status if s.name == 'loc3r: vlm']
        return {v.key: v.value for v in found[-1].values} if found else {}

    ros.wait_for(lambda: values().get('answered') == '1')
    assert values()['engine'] == 'scripted' and values()['unanswered'] == '1'
    assert values()['keyframes'] == '1' and values()['waiting'] == '0'


def test_without_vision_msgs_the_package_is_named_and_the_rest_works(ros, monkeypatch):
    monkeypatch.setattr(loc3r_ros.ros.spatial_vlm, 'Detection3DArray', None)
    engine = ScriptedEngine()
    engine.target = Target(True, np.array([2.0, 0.0, 0.0]))
    node, _ = start(ros, engine)
    ros.wait_for(lambda: ros.logged('apt install ros-$ROS_DISTRO-vision-msgs', level=30))
    publish_map(ros, hall())
    ros.wait_for(lambda: node.scene.grid)
    assert ask(ros, 'go to the sofa').success
    assert ros.node.count_publishers('/loc3r/detections') == 0


def test_weights_are_loaded_at_configure_and_freed_at_cleanup(ros, monkeypatch, tmp_path):
    loads = []

    class Loaded(ScriptedEngine):
        identity = 'loc3r'

        @classmethod
        def load(cls, folder, **options):
            loads.append((folder, options))
            return cls()

    monkeypatch.setitem(
        sys.modules, 'loc3r_ros.vlm.spatial_vlm', SimpleNamespace(SpatialVlm=Loaded)
    )
    parameters = {'vlm_weights': str(tmp_path), 'device': 'cpu', 'precision': 'fp32'}
    parameters['allow'] = 'camera_projector.* *_head.*'
    node, _ = start(ros, make_engine=None, parameters=parameters)
    allowed = ['camera_projector.*', '*_head.*']
    assert loads == [(tmp_path, {'device': 'cpu', 'precision': 'fp32', 'allow': allowed})]
    assert ask(ros).answer.engine == 'loc3r'
    engine, calls = weakref.ref(node._engine), node._engine.calls
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert calls[-1] == ('close',)
    assert engine() is None, 'something still holds the weights'
    node.set_parameters([Parameter('engine', value='none')])
    node.trigger_configure()
    node.trigger_activate()
    node.take(posed())
    ros.wait_for(lambda: ask(ros, 'where am I?').answer.engine == 'no model loaded')
    assert len(loads) == 1


@pytest.mark.parametrize(
    ('parameters', 'told'),
    [
        ({'engine': 'loc3r'}, 'engine is loc3r, but vlm_weights is empty'),
        ({'vlm_weights': '/nowhere/loc3r'}, '/nowhere/loc3r: no weights of a language model there'),
    ],
)
def test_an_engine_that_cannot_be_loaded_refuses_configure(ros, parameters, told):
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    node = SpatialVlmNode(namespace='/loc3r', parameter_overrides=overrides)
    ros.spin(node)
    assert not node.start()
    assert told in node.refusal and node.state == 'unconfigured'
