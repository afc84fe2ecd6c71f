# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Messages to bytes and back."""

from ros_stand_in.messages import from_cdr as deserialize_message
from ros_stand_in.messages import to_cdr as serialize_message

__all__ = ['deserialize_message', 'serialize_message']
