# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What executes a recurrent network: named arrays in, named arrays out, the state held inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class TensorSpec:
    """A tensor at the edge of a network; every shape is fixed.

    Attributes:
        name: of the graph's input or output.
        shape: in elements.
        dtype: NumPy's name of it: `float32`, `uint8`, `bool`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    def empty(self) -> NDArray[Any]:
        """An array of this shape, without content."""
        return np.empty(self.shape, self.dtype)


@dataclass(frozen=True)
class StateSpec:
    """A tensor that a network hands to its own next step.

    Attributes:
        name: of the state, and of the graph's input that takes it.
        output: name of the graph's output that gives the next one.
        shape: in elements.
        dtype: NumPy's name of it; float32 whatever the precision of the network.
    """

    name: str
    output: str
    shape: tuple[int, ...]
    dtype: str = 'float32'


@dataclass(frozen=True)
class Signature:
    """The edge of a network.

    Attributes:
        inputs: what a caller gives at each step; the state is not among them.
        outputs: what a caller gets; the state is not among them.
        state: what a session carries from step to step.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    state: tuple[StateSpec, ...]

    def check_inputs(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        """Refuse what is not exactly the inputs.

        Raises:
            InputError: a name is missing or unknown, or a shape or dtype is another.
        """
        _check('input', self.inputs, inputs)

    def check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Refuse what is not exactly the state.

        Raises:
            InputError: a name is missing or unknown, or a shape or dtype is another.
        """
        _check('state', self.state, state)


class Session(Protocol):
    """A network ready to run, one stream at a time. Not thread safe.

    Attributes:
        name: backend and device in words, as `onnxruntime 1.23 on the CPU`.
        signature: names, shapes and dtypes.
    """

    name: str
    signature: Signature

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """One step: the state is taken up, changed and kept.

        Returns:
            Every output, in arrays that the next step leaves alone.

        Raises:
            InputError: the inputs are not those of the signature; the state is unchanged.
            EngineError: the backend failed; the state is as `reset` leaves it.
        """

    def state(self) -> Arrays:
        """A copy of the state that the next step starts from."""

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Start the next step from this state.

        Raises:
            InputError: it does not fit; nothing changes.
        """

    def reset(self) -> None:
        """Start the next step from the initial state."""

    def poison(self) -> None:
        """Fill every output buffer with NaN, so that one which is not written shows.

        A backend that makes its outputs anew at each step has nothing to do.
        """


def _check(
    what: str,
    wanted: Iterable[TensorSpec | StateSpec],
    given: Mapping[str, NDArray[Any]],
) -> None:
    specs = {spec.name: spec for spec in wanted}
    if specs.keys() != given.keys():
        raise InputError(f'{what} {sorted(given)}: expected exactly {sorted(specs)}')
    for name, spec in specs.items():
        array = given[name]
        if array.shape != spec.shape or array.dtype != spec.dtype:
            raise InputError(
                f'{what} {name} is {array.dtype} {array.shape}, expected {spec.dtype} {spec.shape}'
            )
