# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Find Loc3R's own parts among tensors whose names nobody has told us.

The names in the published weights are unknown (see `vlm.model.assumptions`), the shapes are not:
each part is one or two linear layers of known widths. Where shapes leave a choice, words in the
names decide; where they do not decide either, that is an error and no guess.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise, permutations

from loc3r_ros.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...]]

_WORDS = {
    'camera_projector': re.compile('cam|cut3r|spatial'),
    'layout_head': re.compile('layout|bev'),
    'position_head': re.compile('pos(?!e)|loc'),
    'orientation_head': re.compile('ori|angle|yaw|heading|rot'),
}
ROLES = tuple(_WORDS)
"""Loc3R's own parts, by the names that they have in `Loc3rVlm`."""

_NUMBERED = re.compile(r'[._]?(?:fc|linear|layer|proj|dense)?_?\d+$')


@dataclass(frozen=True)
class Part:
    """Linear layers that follow one another.

    Attributes:
        name: what their names have in common.
        layers: their names, in order.
        widths: input of the first, then the output of each.
    """

    name: str
    layers: tuple[str, ...]
    widths: tuple[int, ...]

    def __str__(self) -> str:
        return f'{self.name} ({" -> ".join(map(str, self.widths))})'


def assign(shapes: Shapes, width: int, bins: int) -> dict[str, Part]:
    """Tell which part is which.

    Args:
        shapes: of the tensors that belong to nothing known.
        width: of the language model.
        bins: of the orientation head.

    Returns:
        Parts by role; roles that nothing fits are left out.

    Raises:
        CheckpointError: several parts fit a role, or the name of the only one speaks of another.
    """
    parts = find_parts(shapes)
    found = {}
    for role in ROLES:
        fitting = [part for part in parts if role in _roles_by_shape(part, width, bins)]
        named = [part for part in fitting if _WORDS[role].search(_own_name(part))]
        chosen = named if named or len(fitting) > 1 else fitting
        if fitting and (len(chosen) != 1 or _speaks_of_another(chosen[0], role)):
            raise CheckpointError(
                f'cannot tell which tensors are the {role.replace("_", " ")}: by their shapes '
                f'it could be {", ".join(map(str, fitting))}, and their names do not tell. Rename '
                f'the right ones to {role} in the files and in their index'
            )
        if chosen:
            found[role] = chosen[0]
    return found


def find_parts(shapes: Shapes) -> list[Part]:
    """Group linear layers with biases into chains of one or two."""
    groups: dict[str, list[str]] = defaultdict(list)
    for key, shape in shapes.items():
        layer, _, kind = key.rpartition('.')
        if kind == 'weight' and len(shape) == 2 and shapes.get(f'{layer}.bias') == shape[:1]:
            groups[_NUMBERED.sub('', layer)].append(layer)
    parts = []
    for name, layers in groups.items():
        chain = _chain(sorted(layers), shapes) if len(layers) <= 2 else None
        if chain:
            widths = [shapes[f'{layer}.weight'] for layer in chain]
            parts.append(Part(name, chain, (widths[0][1], *(w[0] for w in widths))))
    return parts


def _chain(layers: list[str], shapes: Shapes) -> tuple[str, ...] | None:
    """The first order, names sorted, in which each layer takes what the one before gives."""
    for order in permutations(layers):
        weights = [shapes[f'{layer}.weight'] for layer in order]
        if all(a[0] == b[1] for a, b in pairwise(weights)):
            return order
    return None


def _roles_by_shape(part: Part, width: int, bins: int) -> set[str]:
    first, last = part.widths[0], part.widths[-1]
    if len(part.layers) == 1:
        return {'layout_head'} if (first, last) == (width, 4) else set()
    if first == width:
        return {4: {'position_head'}, bins: {'orientation_head'}}.get(last, set())
    return {'camera_projector'} if last == width else set()


def _own_name(part: Part) -> str:
    return '.'.join(part.name.lower().split('.')[-2:])


def _speaks_of_another(part: Part, role: str) -> bool:
    words = {r for r, word in _WORDS.items() if word.search(_own_name(part))}
    return bool(words) and role not in words
