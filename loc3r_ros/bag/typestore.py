# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""ROS message definitions where no ROS is installed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat
from rosbags.typesys import (
    Stores,
    TypesysError,
    get_types_from_idl,
    get_types_from_msg,
    get_typestore,
)
from rosbags.typesys.store import Typestore

from loc3r_ros.messages import Messages

ANSWER = """\
std_msgs/Header header
string question
string situation
string text
string engine
bool found
float32 confidence
bool has_pose
geometry_msgs/PoseWithCovariance pose
float64 first_word
float64 duration
"""
"""The fields of msg/Answer.msg, which is not installed where there is no ROS."""


@cache
def humble() -> Typestore:
    """The message definitions of ROS 2 Humble, and our own that bags hold.

    The types of Humble that are used here are the same in later distributions.
    """
    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg(ANSWER, 'loc3r_ros/msg/Answer'))
    return store


@cache
def messages() -> Messages:
    """A message factory with the classes of rosbags, for `BagWriter`."""
    return Messages(humble().types.__getitem__)


def typestore_for(definitions: Mapping[str, MessageDefinition]) -> Typestore:
    """The store that decodes a bag's messages, from the definitions that the bag carries.

    That is Humble's, unless a definition truly differs: rosbags makes Python code of a definition
    to use it, which is not done for nothing with the text of a foreign file.
    """
    own: dict[str, Any] = {}
    for name, definition in definitions.items():
        own |= _parse(name, definition)
    known = humble().fielddefs
    if all(name in known and _fields(known[name]) == _fields(own[name]) for name in own):
        return humble()
    store = get_typestore(Stores.EMPTY)
    store.register({**known, **own})
    return store


def _parse(name: str, definition: MessageDefinition) -> dict[str, Any]:
    try:
        if definition.format == MessageDefinitionFormat.MSG:
            return dict(get_types_from_msg(definition.data, name))
        if definition.format == MessageDefinitionFormat.IDL:
            return dict(get_types_from_idl(definition.data))
    except TypesysError:
        return {}  # what cannot be read is taken to be what its name says
    return {}


def _fields(definition: Any) -> list[tuple[str, Any]]:
    return [(name.lower(), kind) for name, kind in definition[1]]
