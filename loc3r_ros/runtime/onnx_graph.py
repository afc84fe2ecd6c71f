# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""An ONNX graph in the making: nodes with readable names, weights that may lie beside the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from loc3r_ros.runtime.session import Signature, StateSpec, TensorSpec

# The version of the file format that ONNX 1.14 (opset 18) to TensorRT 10.3's parser read.
_IR_VERSIONS = {18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12}
_INSIDE = 2**30
"""Up to so many bytes, weights stay inside the file; a protobuf cannot exceed 2 GB."""

_SMALL = 1024
"""Fewer bytes always stay inside: checkers read shapes and axes there and nowhere else."""


class Value(NamedTuple):
    """A tensor in the graph.

    Attributes:
        name: of the tensor.
        dtype: NumPy's name of it.
    """

    name: str
    dtype: str


class Graph:
    """Nodes and weights of a graph, in the order of their making.

    Args:
        opset: of ONNX.
        narrow: dtype of the products, `float32` or `float16`.
    """

    def __init__(self, opset: int, narrow: str) -> None:
        self.opset = opset
        self.narrow = narrow
        self._nodes: list[Any] = []
        self._weights: dict[str, NDArray[Any]] = {}
        self._scopes: list[str] = []
        self._count = 0

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Within it, names begin with this one."""
        self._scopes.append(name)
        yield
        self._scopes.pop()

    def op(self, kind: str, *inputs: Value, dtype: str = '', **attributes: Any) -> Value:
        """Add a node of one output, of the dtype of its first input if no other is told."""
        return self.ops(kind, *inputs, outputs=1, dtype=dtype, **attributes)[0]

    def ops(
        self, kind: str, *inputs: Value, outputs: int, dtype: str = '', **attributes: Any
    ) -> list[Value]:
        """Add a node of several outputs, all of one dtype."""
        self._count += 1
        name = '.'.join((*self._scopes, f'{kind}_{self._count}'))
        names = [name if outputs == 1 else f'{name}:{i}' for i in range(outputs)]
        self._nodes.append(
            helper.make_node(kind, [v.name for v in inputs], names, name=name, **attributes)
        )
        return [Value(output, dtype or inputs[0].dtype) for output in names]

    def constant(self, name: str, array: NDArray[Any]) -> Value:
        """A weight or a table; the same name within the same scope gives the same one."""
        name = '.'.join((*self._scopes, name))
        self._weights.setdefault(name, array)
        return Value(name, str(array.dtype))

    def shared(self, name: str, array: NDArray[Any]) -> Value:
        """A table that many scopes use."""
        self._weights.setdefault(name, array)
        return Value(name, str(array.dtype))

    def integers(self, *values: int) -> Value:
        """A shape, axes, or bounds."""
        text = '_'.join(map(str, values))
        return self.shared(f'int64.{text}', np.array(values, np.int64))

    def number(self, value: float, dtype: str = 'float32') -> Value:
        """A scalar."""
        return self.shared(f'{dtype}.{value!r}', np.array(value, dtype))

    def cast(self, x: Value, dtype: str) -> Value:
        """The value in a dtype; itself, where it has it."""
        if x.dtype == dtype:
            return x
        to = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.op('Cast', x, dtype=dtype, to=to)

    def reshape(self, x: Value, *shape: int) -> Value:
        return self.op('Reshape', x, self.integers(*shape))

    def transpose(self, x: Value, *axes: int) -> Value:
        return self.op('Transpose', x, perm=list(axes))

    def split(self, x: Value, sizes: Sequence[int], axis: int = -1) -> list[Value]:
        return self.ops('Split', x, self.integers(*sizes), outputs=len(sizes), axis=axis)

    def save(self, path: Path, signature: Signature, results: Sequence[Value]) -> list[Path]:
        """Write the graph; the results are outputs and state in the order of the signature.

        Returns:
            The files written: the graph, and its weights where they lie beside it.
        """
        specs: list[TensorSpec | StateSpec] = [*signature.outputs, *signature.state]
        names = [s.output if isinstance(s, StateSpec) else s.name for s in specs]
        for value, name in zip(results, names, strict=True):
            self._nodes.append(helper.make_node('Identity', [value.name], [name], name=name))
        outputs = [_info(name, spec) for name, spec in zip(names, specs, strict=True)]
        inputs = [_info(spec.name, spec) for spec in signature.inputs]
        inputs += [_info(spec.name, spec) for spec in signature.state]
        data = path.with_name(f'{path.name}.data')
        for stale in (path, data):
            stale.unlink(missing_ok=True)
        is_large = sum(array.nbytes for array in self._weights.values()) > _INSIDE
        weights = list(self._outside(data) if is_large else map(_inside, self._weights.items()))
        graph = helper.make_graph(self._nodes, path.stem, inputs, outputs, weights)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid('', self.opset)],
            ir_version=_IR_VERSIONS[self.opset],
            producer_name='loc3r_ros',
        )
        onnx.save(model, str(path))
        return [path, data] if is_large else [path]

    def _outside(self, data: Path) -> Iterator[TensorProto]:
        """Weights written one by one, so that they are never in memory twice."""
        with data.open('wb') as file:
            for name, array in self._weights.items():
                if array.nbytes < _SMALL:
                    yield _inside((name, array))
                    continue
                tensor = TensorProto(name=name, dims=array.shape)
                tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
                tensor.data_location = TensorProto.EXTERNAL
                file.write(bytes(-file.tell() % 64))
                place = {'location': data.name, 'offset': file.tell(), 'length': array.nbytes}
                for key, value in place.items():
                    tensor.external_data.add(key=key, value=str(value))
                file.write(np.ascontiguousarray(array).tobytes())
                yield tensor


def _inside(weight: tuple[str, NDArray[Any]]) -> TensorProto:
    name, array = weight
    return onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)


def _info(name: str, spec: TensorSpec | StateSpec) -> Any:
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    return helper.make_tensor_value_info(name, dtype, spec.shape)
