# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A session of PyTorch: eager, or compiled by whatever made the step a callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.session import Arrays, Signature


class TorchSession:
    """Runs a step of tensors: inputs, then state, to outputs, then state.

    Args:
        step: takes and gives tensors in the order of the signature.
        signature: its edge.
        initial: the state before the first step.
        device: where it runs.
        name: of the session, in words.
        eager: give one-element bool inputs as Python bools, so that the step can skip work.
    """

    def __init__(
        self,
        step: Callable[..., tuple[Tensor, ...]],
        signature: Signature,
        initial: Arrays,
        *,
        device: torch.device,
        name: str,
        eager: bool,
    ) -> None:
        self.name = name
        self.signature = signature
        self._step = step
        self._device = device
        self._eager = eager
        self._state: dict[str, Tensor] = {}
        self._initial = {spec.name: initial[spec.name] for spec in signature.state}
        self.reset()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        """One step; see `Session`."""
        self.signature.check_inputs(inputs)
        given = (self._given(inputs[spec.name]) for spec in self.signature.inputs)
        outputs = self.signature.outputs
        try:
            with torch.inference_mode():
                results = self._step(*given, *self._state.values())
                arrays = {
                    spec.name: result.cpu().numpy().copy()
                    for spec, result in zip(outputs, results, strict=False)
                }
        except RuntimeError as error:
            self.reset()
            raise EngineError(f'{self.name} failed: {error}') from error
        self._state = dict(zip(self._state, results[len(outputs) :], strict=True))
        return arrays

    def state(self) -> Arrays:
        """A copy of the state; see `Session`."""
        return {name: tensor.cpu().numpy().copy() for name, tensor in self._state.items()}

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Start the next step from this state; see `Session`."""
        self.signature.check_state(state)
        self._state = {name: self._tensor(state[name].copy()) for name in self._initial}

    def reset(self) -> None:
        """Start the next step from the initial state."""
        self.set_state(self._initial)

    def poison(self) -> None:
        """Nothing to do: every step makes its outputs anew."""

    def _given(self, array: NDArray[Any]) -> Tensor | bool:
        if self._eager and array.dtype == np.bool_ and array.size == 1:
            return bool(array.item())
        return self._tensor(array)

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
