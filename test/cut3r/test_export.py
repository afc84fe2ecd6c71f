# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The ONNX graphs against eager PyTorch, over recurrent steps, in ONNX Runtime."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from cut3r_networks import random_model
from memory_of import change_at_the_third_frame

from loc3r_ros.cut3r import FULL_DPT_512, FULL_LINEAR_224, Cut3rConfig, tiny
from loc3r_ros.cut3r.config import HeadType
from loc3r_ros.cut3r.export import Target, export_package
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.errors import InputError
from loc3r_ros.runtime import onnx_graph
from loc3r_ros.runtime.onnx_session import OnnxSession
from loc3r_ros.runtime.package import Package, packages
from loc3r_ros.runtime.selftest import self_test

VARIANTS = {
    'linear, as published': ('linear', Variant(64, 64, heads=True), Target(20)),
    'linear, gated': ('linear', Variant(64, 64, 'ttt3r'), Target(18)),
    'linear, operator': ('linear', Variant(64, 64, 'ttt3r', heads=True), Target(23)),
    'linear, half precision': ('linear', Variant(64, 64, heads=True), Target(20, 'fp16')),
    'dpt, odd grid': ('dpt', Variant(32, 48, heads=True), Target(24)),
}
STEPS = 64


def shallow(head: HeadType) -> Cut3rConfig:
    """The tiny network with fewer blocks, since all are alike."""
    return replace(tiny(head), enc_depth=2, dec_depth=2)


def nodes(package: Package) -> Counter:
    return Counter(node.op_type for node in onnx.load(package.onnx).graph.node)


@pytest.mark.parametrize('name', VARIANTS)
def test_64_recurrent_steps_are_those_of_eager_float32(name, tmp_path):
    head, variant, target = VARIANTS[name]
    model = random_model(shallow(head))
    # The convolutions of a DPT head take most of a second, and nothing of them recurs.
    steps = 8 if head == 'dpt' else STEPS
    package = export_package(model, tmp_path, variant, target, steps=steps)
    package.verify()
    test = self_test(OnnxSession(package), package.golden, target.precision)
    assert test.passed, test.reason
    assert test.steps == steps + 1
    assert {'state', 'memory', 'camera_token', 'camera_pose', 'geometry_tokens'} <= set(test.errors)
    assert ('pts3d_in_other_view' in test.errors) == variant.heads
    if target.precision == 'fp32':
        assert max(test.errors.values()) < 5e-4
    kinds = nodes(package)
    attentions = 2 + 4 * 2 + 2 + 2 + (2 if variant.heads else 0)
    if target.opset >= 23:
        assert (kinds['Attention'], kinds['Softmax']) == (attentions, 0)
    else:
        assert (kinds['Attention'], kinds['Softmax']) == (0, attentions)
    assert not {'Sin', 'Cos', 'If', 'Loop', 'Shape', 'Gather'} & set(kinds), 'tables, no branches'


@pytest.fixture(scope='module')
def package(tmp_path_factory) -> Package:
    folder = tmp_path_factory.mktemp('package')
    model = random_model(tiny('linear'))
    model.trained = True
    return export_package(model, folder, Variant(64, 64), Target(20), steps=12)


def test_another_first_frame_changes_the_third(package):
    assert change_at_the_third_frame(OnnxSession(package), package.golden) > 1e-2


def test_flags_act_without_another_graph(package):
    session, golden = OnnxSession(package), package.golden
    inputs = golden.step(0)
    kept = {**inputs, 'update': np.array([False])}
    reset = {**inputs, 'reset': np.array([True])}
    later = {**inputs, 'first_frame': np.array([False])}
    first = session.run(inputs)
    changed = session.state()
    assert not np.array_equal(changed['state'], golden.initial['state'])
    again = session.run(kept)
    assert all(np.array_equal(session.state()[k], changed[k]) for k in changed)
    assert not np.array_equal(again['camera_token'], first['camera_token'])
    session.run(reset)
    assert all(np.array_equal(session.state()[k], golden.initial[k]) for k in changed)
    np.testing.assert_array_equal(session.run(inputs)['camera_token'], first['camera_token'])
    session.reset()
    assert not np.array_equal(session.run(later)['camera_token'], first['camera_token'])


def test_a_package_tells_what_it_is(package):
    again = packages(package.folder)[0]
    assert again.name == 'cut3r_64x64_camera_cut3r_fp32_opset20'
    assert (again.precision, again.opset, again.attention) == ('fp32', 20, 'decomposed')
    about = again.network
    assert (about['height'], about['width'], about['rule'], about['heads'], about['trained']) == (
        *(64, 64, 'cut3r', False, True),
    )
    assert about['config']['enc_depth'] == 3
    assert again.signature.inputs[0].shape == (1, 64, 64, 3)
    model = onnx.load(again.onnx)
    names = {node.name for node in model.graph.node}
    assert any(name.startswith('enc_blocks.2.attn.qkv.MatMul') for name in names)
    typed = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    assert all(
        dim.HasField('dim_value') for v in typed.value_info for dim in v.type.tensor_type.shape.dim
    ), 'every shape is fixed'


def test_half_precision_narrows_products_and_nothing_else(tmp_path):
    made = export_package(
        random_model(tiny('linear')), tmp_path, Variant(64, 64), Target(20, 'fp16'), steps=12
    )
    graph = onnx.shape_inference.infer_shapes(onnx.load(made.onnx)).graph
    types = {v.name: v.type.tensor_type.elem_type for v in (*graph.value_info, *graph.input)}
    types |= {w.name: w.data_type for w in graph.initializer}
    half, wide = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    for node in graph.node:
        if node.op_type == 'LayerNormalization':
            assert types[node.input[0]] == wide
        elif node.op_type in ('MatMul', 'Conv') and not node.name.startswith('pose_head'):
            assert {types[name] for name in node.input} == {half}, node.name
    assert {state.dtype for state in made.signature.state} == {'float32'}


def test_large_weights_lie_beside_the_graph(package, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_graph, '_INSIDE', 1000)
    made = export_package(
        random_model(tiny('linear')), tmp_path, Variant(64, 64), Target(20), steps=12
    )
    assert made.onnx.stat().st_size < 1e6 < (tmp_path / f'{made.name}.onnx.data').stat().st_size
    assert f'{made.name}.onnx.data' in made.files
    assert self_test(OnnxSession(made), package.golden, 'fp32').passed


def test_what_cannot_be_exported_is_refused(tmp_path):
    model = random_model(tiny('linear'))
    for variant, target in (
        (Variant(64, 64), Target(17)),
        (Variant(64, 64), Target(20, 'int8')),
        (Variant(64, 60), Target(20)),
    ):
        with pytest.raises(InputError):
            export_package(model, tmp_path, variant, target, steps=12)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ('config', 'variant'),
    [(FULL_LINEAR_224, Variant(224, 224)), (FULL_DPT_512, Variant(384, 512))],
)
def test_64_steps_at_the_published_sizes(config, variant, tmp_path):
    """Half an hour for 512x384 on two cores, most of it for the steps of eager PyTorch."""
    before = torch.get_num_threads()
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 2)))
    model = random_model(config)
    first = export_package(model, tmp_path, variant, Target(20), steps=STEPS)
    made = [first, export_package(model, tmp_path, variant, Target(23), steps=12)]
    del model
    torch.set_num_threads(before)
    for package in made:
        test = self_test(OnnxSession(package), first.golden, 'fp32')
        print(f'opset {package.opset}: {test}')
        assert test.passed, test.reason
        assert test.steps == STEPS + 1
