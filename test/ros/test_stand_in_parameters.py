# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Parameters: passes on the real rclpy and on the stand-in alike."""

import pytest
from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.exceptions import (
    InvalidParameterTypeException,
    InvalidParameterValueException,
    ParameterAlreadyDeclaredException,
    ParameterNotDeclaredException,
    ParameterUninitializedException,
)
from rclpy.node import Node
from rclpy.parameter import Parameter


def _descriptor(**fields):
    return ParameterDescriptor(**fields)


def test_parameters_have_the_type_of_their_default(ros):
    node = Node('settings', parameter_overrides=[Parameter('rate', value=5.0)])
    assert node.declare_parameter('rate', 1.0).value == 5.0
    assert node.declare_parameter('frame', 'map').value == 'map'
    assert node.get_parameter('rate').type_ == Parameter.Type.DOUBLE
    with pytest.raises(ParameterAlreadyDeclaredException):
        node.declare_parameter('rate', 1.0)
    with pytest.raises(ParameterNotDeclaredException):
        node.get_parameter('none')
    assert not node.set_parameters([Parameter('rate', value=2)])[0].successful
    assert node.set_parameters([Parameter('rate', value=2.0)])[0].successful
    assert node.get_parameter('rate').value == 2.0
    node.declare_parameter('typed', Parameter.Type.DOUBLE_ARRAY)
    with pytest.raises(ParameterUninitializedException):
        node.get_parameter('typed')
    node.destroy_node()


def test_what_is_given_at_start_must_fit(ros):
    overrides = [Parameter('rate', value=5), Parameter('size', value=50)]
    node = Node('settings', parameter_overrides=overrides)
    with pytest.raises(InvalidParameterTypeException):
        node.declare_parameter('rate', 1.0)
    bounded = _descriptor(integer_range=[IntegerRange(from_value=1, to_value=9, step=1)])
    with pytest.raises(InvalidParameterValueException):
        node.declare_parameter('size', 5, bounded)
    assert not node.has_parameter('size')
    node.destroy_node()


@pytest.mark.parametrize(
    ('value', 'type_name'),
    [
        (True, 'BOOL'),
        (1, 'INTEGER'),
        (1.0, 'DOUBLE'),
        ('a', 'STRING'),
        ([], 'BYTE_ARRAY'),
        ([True], 'BOOL_ARRAY'),
        ([1, 2], 'INTEGER_ARRAY'),
        ([1.0], 'DOUBLE_ARRAY'),
        (('a',), 'STRING_ARRAY'),
        (None, 'NOT_SET'),
    ],
)
def test_the_type_of_a_parameter_follows_from_its_value(value, type_name):
    assert Parameter('x', value=value).type_.name == type_name
    with pytest.raises(TypeError):
        Parameter('x', value=[1, 'a'])


def test_command_lines_and_files_give_parameters(ros, tmp_path):
    file = tmp_path / 'settings.yaml'
    file.write_text(
        '/**:\n  ros__parameters: {a: 1, b: 1e-3, c: y, d: "y", e: {f: [1.5, 2.0]}, g: []}\n'
        '/robot/settings:\n  ros__parameters: {a: 2}\n'
        '/robot/others:\n  ros__parameters: {b: 3.0}\n'
    )
    arguments = ['--ros-args', '--params-file', str(file), '-p', 'h:=7', '-p', 'others:b:=4.0']
    node = Node('settings', namespace='/robot', cli_args=arguments)
    values = {
        name: node.declare_parameter(name, None, _descriptor(dynamic_typing=True)).value
        for name in ('a', 'b', 'c', 'd', 'e.f', 'g', 'h')
    }
    values['e.f'] = list(values['e.f'])
    assert values == {
        'a': 2, 'b': 0.001, 'c': True, 'd': 'y', 'e.f': [1.5, 2.0], 'g': None, 'h': 7,
    }  # fmt: skip
    node.destroy_node()


def test_changes_are_refused_with_a_reason(ros):
    node = Node('settings')
    node.declare_parameter('fixed', 1, _descriptor(read_only=True))
    bounds = FloatingPointRange(from_value=0.0, to_value=1.0)
    node.declare_parameter('share', 0.5, _descriptor(floating_point_range=[bounds]))
    ros.spin(node)

    def change(**values):
        request = SetParameters.Request(
            parameters=[Parameter(k, value=v).to_parameter_msg() for k, v in values.items()]
        )
        return ros.call('/settings/set_parameters', SetParameters, request).results

    fixed, share = change(fixed=2, share=1.5)
    assert not fixed.successful and 'read-only' in fixed.reason
    assert not share.successful and 'out of range' in share.reason
    assert not change(none=1)[0].successful

    def judge(parameters):
        bad = [p.name for p in parameters if p.value == 0.25]
        return SetParametersResult(successful=not bad, reason='no quarters' if bad else '')

    node.add_on_set_parameters_callback(judge)
    assert change(share=0.25)[0].reason == 'no quarters'
    assert change(share=0.75)[0].successful
    assert node.get_parameter('share').value == 0.75


def test_parameters_can_be_read_from_outside(ros):
    node = Node('settings')
    node.declare_parameter('share', 0.5, _descriptor(description='of the whole'))
    ros.spin(node)
    names = ros.call('/settings/list_parameters', ListParameters).result.names
    assert set(names) >= {'share', 'use_sim_time'}
    request = GetParameters.Request(names=['share'])
    value = ros.call('/settings/get_parameters', GetParameters, request).values[0]
    assert value.double_value == 0.5 and value.type == Parameter.Type.DOUBLE.value
    request = DescribeParameters.Request(names=['share'])
    descriptor = ros.call('/settings/describe_parameters', DescribeParameters, request)
    assert descriptor.descriptors[0].description == 'of the whole'
