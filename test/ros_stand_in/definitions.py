# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which interfaces exist, and their fields, in one rosbags typestore.

Three sources: the messages of ROS 2 Humble that rosbags carries, the few further ones of
interfaces.txt, and this repository's own msg/, srv/ and action/. The parts of a service or an
action are kept as messages `<package>/msg/<Name>_<Part>`, because rosbags knows no other kind (and
no ROS message has an underscore in its name).
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

_HERE = Path(__file__).parent
_REPOSITORY = _HERE.parents[1]

_PARTS = {
    'msg': ('',),
    'srv': ('_Request', '_Response'),
    'action': ('_Goal', '_Result', '_Feedback'),
}
KINDS = tuple(_PARTS)

# What rosidl makes of every action, for the services and the topic that an action consists of.
_ACTION_PLUMBING = {
    'SendGoal_Request': 'unique_identifier_msgs/UUID goal_id\n{action}_Goal goal',
    'SendGoal_Response': 'bool accepted\nbuiltin_interfaces/Time stamp',
    'GetResult_Request': 'unique_identifier_msgs/UUID goal_id',
    'GetResult_Response': 'int8 status\n{action}_Result result',
    'FeedbackMessage': 'unique_identifier_msgs/UUID goal_id\n{action}_Feedback feedback',
}


@cache
def _texts() -> dict[str, str]:
    """Definition of every `<package>/<kind>/<Name>` that is not in rosbags."""
    _, *sections = re.split(r'^=== (.*)\n', (_HERE / 'interfaces.txt').read_text(), flags=re.M)
    texts = dict(zip(sections[::2], sections[1::2], strict=True))
    for kind in KINDS:
        for file in (_REPOSITORY / kind).glob(f'*.{kind}'):
            texts[f'loc3r_ros/{kind}/{file.stem}'] = file.read_text()
    return texts


@cache
def typestore() -> Typestore:
    """The store of all definitions."""
    types = {}
    for name, text in _texts().items():
        package, kind, base = name.split('/')
        parts = dict(zip(_PARTS[kind], re.split(r'^---$', text, flags=re.M), strict=True))
        if kind == 'action':
            parts |= {f'_{k}': v.format(action=base) for k, v in _ACTION_PLUMBING.items()}
        for part, definition in parts.items():
            types.update(get_types_from_msg(definition, f'{package}/msg/{base}{part}'))
    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(types)
    return store


@cache
def interfaces() -> frozenset[str]:
    """All interfaces as `<package>/<kind>/<Name>`."""
    return frozenset(_texts()) | {
        name for name in typestore().fielddefs if '_' not in name.split('/')[2]
    }


@cache
def packages() -> frozenset[str]:
    """All packages that have interfaces."""
    return frozenset(name.split('/')[0] for name in interfaces())
