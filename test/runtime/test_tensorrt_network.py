# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R's own graph in the TensorRT session: ONNX Runtime computes, all else is as on a GPU."""

from __future__ import annotations

import subprocess
import sys

import onnx
import onnxruntime
import pytest
import torch
from memory_of import change_at_the_third_frame
from tensorrt_stand_in import TensorRtStandIn

from loc3r_ros.cut3r.config import tiny
from loc3r_ros.cut3r.export import Target, export_package
from loc3r_ros.cut3r.graph import Variant
from loc3r_ros.cut3r.model import Cut3r
from loc3r_ros.runtime.selftest import self_test
from loc3r_ros.runtime.tensorrt.build import build
from loc3r_ros.runtime.tensorrt.check import passed, report
from loc3r_ros.runtime.tensorrt.presets import read
from loc3r_ros.runtime.tensorrt.session import open_session

KNOWN_TO_10_3 = """
    Add Cast Clip Concat Conv ConvTranspose DepthToSpace Div Erf Exp Expand Gather Gelu Gemm
    Identity LayerNormalization Less MatMul Max Mul Neg Pow ReduceL2 ReduceMean ReduceSum Relu
    Reshape Resize Sigmoid Sign Slice Softmax Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze
    Where
"""
"""Operators that its ONNX parser lists; `Attention` came with 10.14."""


@pytest.fixture(scope='module', params=[20, 23])
def package(request, tmp_path_factory):
    torch.manual_seed(0)
    model = Cut3r(tiny('linear'))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.1)
    folder = tmp_path_factory.mktemp('package')
    return export_package(
        model, folder, Variant(32, 32, heads=True), Target(request.param), steps=12
    )


@pytest.fixture
def stand_in(package, monkeypatch):
    session = onnxruntime.InferenceSession(package.onnx, providers=['CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    stand_in = TensorRtStandIn(
        '10.3.0' if package.opset < 23 else '10.16.1.11',
        signature=package.signature,
        compute=lambda given: dict(zip(names, session.run(names, given), strict=True)),
    )
    stand_in.install(monkeypatch)
    return stand_in


def test_it_passes_its_self_test_through_the_graph(stand_in, package):
    preset = read('desktop')
    assert preset.accepts(package, tuple(map(int, stand_in.version.split('.')[:2])))
    build(package, preset.settings, lambda line: None)
    session = open_session(package)
    test = self_test(session, package.golden, 'fp32')
    assert test.passed, test.reason
    assert {'state', 'memory', 'camera_token', 'pts3d_in_other_view'} <= set(test.errors)
    assert stand_in.cuda.launches == 13


def test_another_first_frame_changes_the_third(stand_in, package):
    build(package, read('desktop').settings, lambda line: None)
    assert change_at_the_third_frame(open_session(package), package.golden) > 1e-2


def test_the_graph_asks_for_nothing_that_tensorrt_is_known_to_refuse(package):
    graph = onnx.shape_inference.infer_shapes(onnx.load(package.onnx)).graph
    kinds = {node.op_type for node in graph.node}
    assert kinds - set(KNOWN_TO_10_3.split()) == ({'Attention'} if package.opset >= 23 else set())
    # No layer but a cast takes uint8, not even one that only moves it.
    assert {node.op_type for node in graph.node if 'image' in node.input} == {'Cast'}
    types = {value.type.tensor_type.elem_type for value in graph.value_info}
    types |= {weight.data_type for weight in graph.initializer}
    assert onnx.TensorProto.DOUBLE not in types


def test_where_no_engine_passes_the_report_asks_onnx_runtime(package, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tensorrt', None)
    told = report([package])
    assert passed(told)
    *refused, row = told['packages'][0]['engines']
    assert [r['passed'] for r in refused] == [False]
    assert row['engine'].startswith('onnxruntime ')
    assert row['self_test']['errors']['camera_token'] < 1e-3


def test_it_needs_no_torch():
    """On a Jetson, an encoder in TensorRT starts without PyTorch."""
    code = 'import sys, loc3r_ros.runtime.tensorrt.check; assert "torch" not in sys.modules'
    subprocess.run([sys.executable, '-c', code], check=True, timeout=120)
