# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A recurrent network of one line, and what can be wrong with a session of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from loc3r_ros.runtime.golden import Golden
from loc3r_ros.runtime.session import Arrays, Signature, StateSpec, TensorSpec

SIGNATURE = Signature(
    inputs=(TensorSpec('x', (3,), 'float32'), TensorSpec('update', (1,), 'bool')),
    outputs=(TensorSpec('y', (3,), 'float32'),),
    state=(StateSpec('state', 'state_out', (3,)),),
)
INITIAL = np.array([1, 2, 3], np.float32)


class NumpySession:
    """y is the state and half of x; the state becomes tanh of the reversed y, if `update`.

    Args:
        defect: `forgets` its state, `nan` from the sixth step on, leaves outputs `unwritten`,
            is a little `off`, `ignores_update`, or begins with `another_start`.
    """

    name = 'numpy'
    signature = SIGNATURE

    def __init__(self, defect: str = '') -> None:
        self.defect = defect
        self._y = np.zeros(3, np.float32)
        self.reset()

    def reset(self) -> None:
        self._state = INITIAL + (0.5 if self.defect == 'another_start' else 0)
        self._steps = 0

    def state(self) -> Arrays:
        return {'state': self._state.copy()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.signature.check_state(state)
        self._state = state['state'].copy()

    def poison(self) -> None:
        self._y.fill(np.nan)

    def run(self, inputs: Mapping[str, Any]) -> Arrays:
        self.signature.check_inputs(inputs)
        y = self._state + inputs['x'] / 2
        self._steps += 1
        if self.defect == 'off':
            y = y * np.float32(1.005)
        if self.defect == 'nan' and self._steps > 5:
            y = y * np.nan
        if self.defect != 'unwritten':
            self._y[:] = y
        if self.defect != 'forgets' and (inputs['update'][0] or self.defect == 'ignores_update'):
            self._state = np.tanh(y[::-1])
        return {'y': self._y.copy()}


def golden(steps: int = 32) -> Golden:
    """What a right session gives; y of the last five steps only."""
    random = np.random.default_rng(0)
    x = random.normal(size=(steps, 3)).astype(np.float32)
    update = (np.arange(steps) % 7 != 3)[:, None]
    session = NumpySession()
    y = [session.run({'x': a, 'update': b})['y'] for a, b in zip(x, update, strict=True)]
    final = session.state()
    session.reset()
    last = session.run({'x': x[-1], 'update': update[-1]})
    return Golden(
        {'state': INITIAL}, {'x': x, 'update': update}, {'y': np.stack(y[-5:])}, final, last
    )
