# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

import math

import pytest
import rclpy
import yaml
from rcl_interfaces.msg import ParameterType
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from loc3r_ros.errors import InputError
from loc3r_ros.ros.parameters import READ_ONLY, Parameter, Settings, declare, markdown
from loc3r_ros.ros.parameters import yaml as yaml_of
from loc3r_ros.ros.params_file import file_warnings

TABLE = (
    Parameter('use_depth', True, 'Whether depth is used.'),
    Parameter('keyframes', 40, 'Keyframes kept.', range=(1, 500), live=True),
    Parameter('tolerance_s', 0.5, 'How long a transform may be late.', range=(0.0, 10.0)),
    Parameter('map_frame', 'map', "The map's frame."),
    Parameter('image_qos', 'auto', 'Quality.', choices=('auto', 'reliable'), live=True),
    Parameter('topics', (), 'Topics to play.'),
    Parameter('offset_m', (0.0, 0.0), 'Offset.', range=(-1.0, 1.0), live=True),
)


@pytest.fixture
def make_node():
    nodes = []

    def make(*arguments: str, name: str = 'parameters', namespace: str = '') -> Node:
        rclpy.init(args=['--ros-args', *arguments])
        nodes.append(Node(name, namespace=namespace))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.try_shutdown()


def give(name: str, value: str) -> tuple[str, str]:
    return ('-p', f'{name}:={value}')


def set_one(node: Node, name: str, value: object) -> tuple[bool, str]:
    result = node.set_parameters([RosParameter(name, value=value)])[0]
    return result.successful, result.reason


def test_without_overrides_every_value_is_its_default(make_node):
    settings = declare(make_node(), TABLE)
    assert dict(settings) == {parameter.name: parameter.default for parameter in TABLE}
    assert {name: type(value) for name, value in settings.items()} == {
        'use_depth': bool,
        'keyframes': int,
        'tolerance_s': float,
        'map_frame': str,
        'image_qos': str,
        'topics': tuple,
        'offset_m': tuple,
    }
    assert settings.changed() == {}


@pytest.mark.parametrize(
    ('name', 'given', 'value'),
    [
        ('use_depth', 'false', False),
        ('keyframes', '7', 7),
        ('tolerance_s', '0.25', 0.25),
        ('tolerance_s', '2', 2.0),
        ('map_frame', 'world', 'world'),
        ('image_qos', 'reliable', 'reliable'),
        ('topics', '[/a, /b]', ('/a', '/b')),
        ('offset_m', '[0.5, -0.5]', (0.5, -0.5)),
        ('offset_m', '[1, 0]', (1.0, 0.0)),
    ],
)
def test_what_is_given_at_start_arrives_with_the_type_of_the_default(make_node, name, given, value):
    settings = declare(make_node(*give(name, given)), TABLE)
    assert settings[name] == value
    assert type(settings[name]) is type(value)
    assert settings.changed() == {name: value}


@pytest.mark.parametrize(
    ('name', 'given', 'words'),
    [
        ('keyframes', '0', ('keyframes', '0', '1', '500')),
        ('keyframes', '1.5', ('keyframes', '1.5', 'integer')),
        ('tolerance_s', '-0.1', ('tolerance_s', '-0.1')),
        ('tolerance_s', 'soon', ('tolerance_s', 'soon', 'double')),
        ('use_depth', 'maybe', ('use_depth', 'maybe', 'bool')),
        ('image_qos', 'fast', ('image_qos', 'fast', 'auto | reliable')),
        ('map_frame', '3', ('map_frame', '3', 'string')),
        ('offset_m', '[0.0, 2.0]', ('offset_m', '2.0', '-1 to 1')),
        ('offset_m', '[a, b]', ('offset_m', 'a', 'double[]')),
    ],
)
def test_a_wrong_value_at_start_names_itself_and_what_is_allowed(make_node, name, given, words):
    node = make_node(*give(name, given))
    with pytest.raises(InputError) as refusal:
        declare(node, TABLE)
    for word in words:
        assert word in str(refusal.value)


def test_not_a_number_is_out_of_every_range(make_node):
    settings = declare(make_node(), TABLE)
    assert 'nan' in TABLE[2].refusal(math.nan)
    assert settings['tolerance_s'] == 0.5


def test_live_parameters_change_at_any_time_within_what_is_allowed(make_node):
    node = make_node()
    settings = declare(node, TABLE)
    settings.locked = True
    assert set_one(node, 'keyframes', 12) == (True, '')
    assert settings['keyframes'] == 12
    done, reason = set_one(node, 'keyframes', 501)
    assert not done
    assert '500' in reason
    assert settings['keyframes'] == 12
    done, reason = set_one(node, 'image_qos', 'fast')
    assert (done, reason) == (False, "image_qos is 'fast'; allowed: auto | reliable")
    done, reason = set_one(node, 'offset_m', [0.0, 3.0])
    assert (done, reason) == (False, 'offset_m is [0.0, 3.0]; allowed: -1 to 1')
    assert set_one(node, 'offset_m', [0.0, 0.75]) == (True, '')
    assert settings['offset_m'] == (0.0, 0.75)


def test_the_others_change_only_while_unlocked_and_the_refusal_says_so(make_node):
    node = make_node()
    settings = declare(node, TABLE)
    assert set_one(node, 'map_frame', 'world') == (True, '')
    settings.locked = True
    done, reason = set_one(node, 'map_frame', 'earth')
    assert (done, reason) == (False, f'map_frame is {READ_ONLY}')
    assert settings['map_frame'] == 'world'
    settings.locked = False
    assert set_one(node, 'map_frame', 'earth') == (True, '')
    assert settings['map_frame'] == 'earth'


def test_parameters_of_others_are_left_to_them(make_node):
    node = make_node()
    declare(node, TABLE).locked = True
    node.declare_parameter('qos_overrides', 1)
    assert set_one(node, 'qos_overrides', 2) == (True, '')


def test_descriptors_tell_text_type_and_limits(make_node):
    node = make_node(*give('tolerance_s', '2'))
    declare(node, TABLE)
    found = {p.name: node.describe_parameter(p.name) for p in TABLE}
    assert {name: d.type for name, d in found.items()} == {
        'use_depth': ParameterType.PARAMETER_BOOL,
        'keyframes': ParameterType.PARAMETER_INTEGER,
        'tolerance_s': ParameterType.PARAMETER_DOUBLE,
        'map_frame': ParameterType.PARAMETER_STRING,
        'image_qos': ParameterType.PARAMETER_STRING,
        'topics': ParameterType.PARAMETER_STRING_ARRAY,
        'offset_m': ParameterType.PARAMETER_DOUBLE_ARRAY,
    }
    assert all(found[p.name].description == p.description for p in TABLE)
    limits = found['keyframes'].integer_range[0]
    assert (limits.from_value, limits.to_value) == (1, 500)
    limits = found['tolerance_s'].floating_point_range[0]
    assert (limits.from_value, limits.to_value) == (0.0, 10.0)
    assert found['image_qos'].additional_constraints == 'one of auto | reliable'
    assert found['map_frame'].additional_constraints == READ_ONLY


def test_what_differs_from_its_default_is_logged_once(make_node, capfd):
    declare(make_node(*give('map_frame', 'world'), *give('keyframes', '3')), TABLE)
    lines = [line for line in capfd.readouterr().err.splitlines() if 'differ' in line]
    assert len(lines) == 1
    assert "keyframes=3, map_frame='world'" in lines[0]


PARAMETER_FILE = """
{section}:
  ros__parameters:
    tolerance_s: 3.0
"""


@pytest.mark.parametrize(
    ('section', 'is_read'),
    [
        ('/**', True),
        ('/**/pose_encoder', True),
        ('/loc3r/pose_encoder', True),
        ('/*/pose_encoder', True),
        ('/loc3r/*', True),
        ('pose_encoder', False),
        ('/other/pose_encoder', False),
        ('/loc3r/encoder', False),
        ('/*', False),
    ],
)
def test_a_file_for_another_name_is_warned_of_as_ros_does_not_read_it(
    make_node, tmp_path, capfd, monkeypatch, section, is_read
):
    file = tmp_path / 'mine.yaml'
    file.write_text(PARAMETER_FILE.format(section=section))
    arguments = ('--params-file', str(file))
    monkeypatch.setattr('sys.argv', ['node', '--ros-args', *arguments])
    node = make_node(*arguments, name='pose_encoder', namespace='/loc3r')
    settings = declare(node, TABLE)
    assert settings['tolerance_s'] == (3.0 if is_read else 0.5)
    warnings = [line for line in capfd.readouterr().err.splitlines() if 'mine.yaml' in line]
    assert len(warnings) == (not is_read)
    if not is_read:
        assert '/loc3r/pose_encoder' in warnings[0]
        assert '/**/pose_encoder' in warnings[0]


@pytest.mark.parametrize(
    'section', ['/**/bev_mapper', 'loc3r: {bev_mapper: {ros__parameters: {}}}']
)
def test_a_file_for_another_of_our_nodes_is_nothing_to_warn_of(tmp_path, section):
    file = tmp_path / 'map.yaml'
    text = section if '{' in section else PARAMETER_FILE.format(section=section)
    file.write_text(text)
    assert file_warnings('/loc3r/pose_encoder', [], ['--params-file', str(file)]) == []


UNKNOWN_NAMES = """
/**:
  ros__parameters:
    of_some_other_node: 1
/**/pose_encoder:
  ros__parameters:
    tolerance: 3.0
    state: {folder: /tmp}
    use_sim_time: true
    qos_overrides: {/pose: {publisher: {depth: 3}}}
"""


def test_names_that_the_node_does_not_have_are_warned_of_with_the_nearest(
    make_node, tmp_path, capfd, monkeypatch
):
    file = tmp_path / 'mine.yaml'
    file.write_text(UNKNOWN_NAMES)
    arguments = ('--params-file', str(file))
    monkeypatch.setattr('sys.argv', ['node', '--ros-args', *arguments])
    declare(make_node(*arguments, name='pose_encoder', namespace='/loc3r'), TABLE)
    told = [line.partition('mine.yaml')[2] for line in capfd.readouterr().err.splitlines()]
    assert [line for line in told if line] == [
        ' sets state.folder of /**/pose_encoder, which has no such parameter',
        ' sets tolerance of /**/pose_encoder, which has no such parameter; '
        'did you mean tolerance_s?',
    ]


def test_the_yaml_of_a_table_reads_back_as_its_defaults(make_node, tmp_path):
    text = yaml_of('pose_encoder', TABLE)
    read = yaml.safe_load(text)['/**/pose_encoder']['ros__parameters']
    assert read == {
        p.name: list(p.default) if isinstance(p.default, tuple) else p.default for p in TABLE
    }
    assert {name: type(value) for name, value in read.items() if name != 'topics'} == {
        p.name: list if isinstance(p.default, tuple) else type(p.default)
        for p in TABLE
        if p.name != 'topics'
    }
    for parameter in TABLE:
        assert f'# {parameter.description}' in text
    file = tmp_path / 'defaults.yaml'
    file.write_text(text)
    node = make_node('--params-file', str(file), name='pose_encoder', namespace='/robot')
    assert declare(node, TABLE).changed() == {}


def test_strings_that_yaml_would_take_for_something_else_stay_strings():
    table = [Parameter(n, d, 'Text.') for n, d in (('a', 'y'), ('b', '1'), ('c', "it's"))]
    read = yaml.safe_load(yaml_of('node', table))['/**/node']['ros__parameters']
    assert read == {'a': 'y', 'b': '1', 'c': "it's"}


def test_markdown_has_one_row_a_parameter_with_all_that_is_known():
    rows = markdown(TABLE).splitlines()
    assert len(rows) == 2 + len(TABLE)
    cells = [cell.strip() for cell in rows[3].strip('|').split('|')]
    assert cells == ['`keyframes`', 'integer', '`40`', '1 to 500', 'yes', 'Keyframes kept.']
    assert 'auto \\| reliable' in rows[6]
    assert '`[0.0, 0.0]`' in rows[8]


def test_settings_are_a_mapping_of_the_table(make_node):
    settings = Settings(make_node(), TABLE)
    assert len(settings) == len(TABLE)
    assert 'map_frame' in settings
    with pytest.raises(KeyError):
        settings['no_such']
