# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The pose encoder served by an engine: said in status and diagnostics, with who was refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from ros.box_camera import BoxCamera
from ros.localizing import Watcher, start_encoder


@pytest.fixture(scope='module')
def made(tmp_path_factory) -> tuple[Path, Path]:
    """Weights of the tiny network, which mean nothing, and a folder of packages of them."""
    import torch

    from loc3r_ros.cut3r import load_checkpoint, tiny
    from loc3r_ros.cut3r.checkpoint import Checkpoint, write_checkpoint
    from loc3r_ros.cut3r.export import Target, export_package
    from loc3r_ros.cut3r.model import Cut3r
    from loc3r_ros.cut3r.variant import Variant

    folder = tmp_path_factory.mktemp('engines')
    generator = torch.Generator().manual_seed(0)
    shapes = {name: value.shape for name, value in Cut3r(tiny('linear')).state_dict().items()}
    tensors = {k: 0.1 * torch.randn(v, generator=generator) for k, v in shapes.items()}
    weights = folder / 'tiny.safetensors'
    write_checkpoint(Checkpoint(tiny('linear'), tensors), weights)
    variant = Variant(64, 64, heads=True)
    export_package(load_checkpoint(weights), folder, variant, Target(20), steps=12)
    return weights, folder


def test_status_and_diagnostics_name_the_engine_that_serves(ros, made, tmp_path):
    weights, folder = made
    common = {'weights': str(weights), 'use_depth': False, 'device': 'cpu'}
    node = start_encoder(
        ros,
        tmp_path,
        **common,
        engines=str(folder),
        backend='onnxruntime',
        diagnostics_period_s=0.1,
    )
    watcher, camera = Watcher(ros), BoxCamera(ros)
    reports = ros.collect('/diagnostics', DiagnosticArray, 10)
    assert node._engine() == ('tiny.safetensors: chosen at the first image', ())
    camera.mount()
    token = watcher.walks(camera, range(2), depth=False, info=False)
    assert len(token.token) == 96
    engine, refused = node._engine()
    assert engine.startswith('tiny.safetensors: onnxruntime ')
    assert refused == ()
    ros.wait_for(lambda: watcher.statuses[-1].engine == engine)

    def told():
        values = [
            {pair.key: pair.value for pair in status.values}
            for report in reports
            for status in report.status
            if status.name == 'loc3r: encoder'
        ]
        return [v for v in values if v.get('engine') == engine]

    assert ros.wait_for(told)[-1]['refused'] == ''


def test_a_backend_without_engines_is_refused_with_the_remedy(ros, made, tmp_path):
    from rclpy.parameter import Parameter as RosParameter

    from loc3r_ros.ros.pose_encoder import PoseEncoder

    values = {'weights': str(made[0]), 'engines': str(tmp_path), 'backend': 'tensorrt'}
    node = PoseEncoder(parameter_overrides=[RosParameter(k, value=v) for k, v in values.items()])
    assert not node.start()
    assert 'loc3r engine export' in node.refusal
    node.destroy_node()
