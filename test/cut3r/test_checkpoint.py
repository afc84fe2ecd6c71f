# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Weights on disk: what must load, and what must be refused and how."""

from __future__ import annotations

import argparse
import collections
import os
import pathlib
import pickle
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from cut3r_networks import arguments, random_model

from loc3r_ros.cut3r import FULL_DPT_512, FULL_LINEAR_224, Cut3r, load_checkpoint, tiny
from loc3r_ros.cut3r.arguments import config_of, parse
from loc3r_ros.cut3r.checkpoint import Checkpoint, build, read_checkpoint, write_checkpoint
from loc3r_ros.cut3r.tensorfile import read_tensors, write_tensors
from loc3r_ros.errors import CheckpointError, InputError


# A stand-in for OmegaConf's classes, which pickle in this form; the real ones where installed.
class AnyNode:
    def __init__(self, value):
        self.__dict__.update(_metadata=None, _parent=None, _val=value)


class DictConfig:
    def __init__(self, entries):
        content = {key: AnyNode(value) for key, value in entries.items()}
        resolved = collections.defaultdict(dict, {'${x}': {}})
        self.__dict__.update(_metadata=resolved, _parent=None, _content=content)


AnyNode.__module__, DictConfig.__module__ = 'omegaconf.nodes', 'omegaconf.dictconfig'


@pytest.fixture
def omegaconf_like(monkeypatch):
    """Make the stand-ins picklable under OmegaConf's names, and absent again for the reader."""
    modules = {name: argparse.Namespace() for name in ('omegaconf', 'omegaconf.nodes')}
    modules['omegaconf.dictconfig'] = argparse.Namespace(DictConfig=DictConfig)
    modules['omegaconf.nodes'].AnyNode = AnyNode
    with monkeypatch.context() as patch:
        for name, module in modules.items():
            patch.setitem(__import__('sys').modules, name, module)
        yield DictConfig


def published(model: Cut3r, args: object) -> dict:
    """All that a running checkpoint of the training code may hold."""
    return {
        'args': args,
        'model': model.state_dict(),
        'epoch': 3,
        'best_so_far': np.float64(1.5),
        'optimizer': torch.optim.AdamW(model.parameters()).state_dict(),
        'scaler': {'scale': 65536.0},
        'where': pathlib.PurePosixPath('/data'),
    }


def assert_same_weights(a: Cut3r, b: Cut3r):
    ours, theirs = a.state_dict(), b.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_checkpoint_with_omegaconf_arguments(linear, tmp_path, omegaconf_like):
    args = omegaconf_like({'model': arguments(linear.config), 'lr': 1e-6})
    torch.save(published(linear, args), tmp_path / 'x.pth')
    model = load_checkpoint(tmp_path / 'x.pth')
    assert model.trained
    assert not model.training
    assert model.config == replace(linear.config, square_crop=False)
    assert_same_weights(model, linear)


def test_a_checkpoint_with_real_omegaconf_arguments(linear, tmp_path):
    omegaconf = pytest.importorskip('omegaconf')
    args = omegaconf.OmegaConf.create(
        {'model': arguments(linear.config), 'sizes': [1, 2], 'out': '${model}'}
    )
    assert args.out == args.model
    torch.save(published(linear, args), tmp_path / 'x.pth')
    assert_same_weights(load_checkpoint(tmp_path / 'x.pth'), linear)


@pytest.mark.parametrize('kind', [argparse.Namespace, dict])
def test_a_checkpoint_with_plain_arguments_and_a_wrapped_model(linear, tmp_path, kind):
    content = published(linear, kind(model=arguments(linear.config)))
    content['model'] = {f'module.{key}': value for key, value in content['model'].items()}
    torch.save(content, tmp_path / 'x.pth')
    assert_same_weights(load_checkpoint(tmp_path / 'x.pth'), linear)


def test_conversion_stores_twins_once_and_keeps_every_weight(tmp_path):
    model = random_model(tiny('dpt'))
    torch.save(published(model, {'model': arguments(model.config)}), tmp_path / 'x.pth')
    checkpoint = read_checkpoint(tmp_path / 'x.pth')
    write_checkpoint(checkpoint, tmp_path / 'x.safetensors')
    tensors, _ = read_tensors(tmp_path / 'x.safetensors')
    assert len(tensors) == 612 - 12
    assert sum(value.numel() for value in tensors.values()) == 61_949_426
    again = load_checkpoint(tmp_path / 'x.safetensors')
    assert again.config == model.config
    assert_same_weights(again, model)


def test_half_precision_files_load_as_float32(linear, tmp_path):
    content = published(linear, {'model': arguments(linear.config)})
    content['model'] = {key: value.half() for key, value in content['model'].items()}
    torch.save(content, tmp_path / 'x.pth')
    state = load_checkpoint(tmp_path / 'x.pth').state_dict()
    assert {value.dtype for value in state.values()} == {torch.float32}


class Hostile:
    def __init__(self, marker: pathlib.Path):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f'touch {self.marker}',)


@pytest.mark.parametrize('protocol', [2, 4])
@pytest.mark.parametrize('where', ['args', 'model', 'bare'])
def test_a_hostile_pickle_is_refused_by_name_and_never_run(linear, tmp_path, protocol, where):
    path, marker = tmp_path / 'x.pth', tmp_path / 'ran'
    content = published(linear, {'model': arguments(linear.config)})
    if where == 'bare':
        path.write_bytes(pickle.dumps(Hostile(marker), protocol))
    else:
        content[where] = Hostile(marker)
        torch.save(content, path, pickle_protocol=protocol)
    with pytest.raises(CheckpointError, match=r'refused.*(posix|nt)\.system'):
        load_checkpoint(path)
    assert not marker.exists()


def test_a_foreign_class_is_refused_by_name(linear, tmp_path):
    content = published(linear, {'model': arguments(linear.config)})
    content['args'] = collections.ChainMap()
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match=r'refused.*collections\.ChainMap'):
        load_checkpoint(tmp_path / 'x.pth')


def test_files_that_are_no_weights_say_what_they_are(linear, tmp_path):
    whole = tmp_path / 'whole.pth'
    torch.save(published(linear, {'model': arguments(linear.config)}), whole)
    safe = tmp_path / 'whole.safetensors'
    write_checkpoint(read_checkpoint(whole), safe)
    legacy = tmp_path / 'legacy.pth'
    torch.save(linear.state_dict(), legacy, _use_new_zipfile_serialization=False)
    bare = tmp_path / 'bare.pth'
    torch.save(linear.state_dict(), bare)
    listed = tmp_path / 'list.pth'
    torch.save([1, 2], listed)
    contents = {
        'lfs': (b'version https://git-lfs.github.com/spec/v1\noid sha256:0', 'git lfs pull'),
        'html': (b'<!DOCTYPE html><html>Quota exceeded', 'neither'),
        'empty': (b'', 'neither'),
        'cut_pth': (whole.read_bytes()[:-1000], 'truncated'),
        'cut_safe': (safe.read_bytes()[:-1000], 'not a whole safetensors'),
        'zip': (b'PK\x05\x06' + bytes(18), 'not one that torch.save wrote'),
        'long': (struct.pack('<Q', 2**40) + b'{', 'not a whole safetensors'),
    }
    cases = {legacy: 'before 1.6', bare: 'no weights under `model`', listed: 'holds a list'}
    cases |= {tmp_path / 'none.pth': 'No such file', tmp_path: 'cannot be opened'}
    for name, (content, told) in contents.items():
        (tmp_path / name).write_bytes(content)
        cases[tmp_path / name] = told
    for path, told in cases.items():
        with pytest.raises(CheckpointError, match=told) as caught:
            load_checkpoint(path)
        assert str(path) in str(caught.value)


def test_weights_that_do_not_fit_are_listed(linear, tmp_path):
    content = published(linear, {'model': arguments(linear.config)})
    weights = content['model']
    del weights['pose_token']
    weights['extra'] = torch.zeros(1)
    weights['dec_norm.weight'] = torch.zeros(3)
    torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path / 'x.pth')
    for told in (
        'missing pose_token',
        'unexpected extra',
        'dec_norm.weight has shape (3,), expected (96,)',
    ):
        assert told in str(caught.value)


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        ({'enc_depth': '24'}, 'enc_depth=24'),
        ({'head_type': "'dpt'"}, 'head_type=dpt'),
        ({'depth_mode': "('linear', -inf, inf)"}, 'depth_mode'),
        ({'pos_embed': "'cosine'"}, 'cosine'),
        ({'enc_num_heads': '5'}, 'enc_heads=5'),
        ({'enc_num_heads': "__import__('os').getpid()"}, 'expected an integer'),
    ],
)
def test_arguments_that_disagree_with_the_weights_are_refused(linear, change, told):
    shapes = {key: tuple(value.shape) for key, value in linear.state_dict().items()}
    with pytest.raises(CheckpointError, match=told):
        config_of(shapes, arguments(linear.config, **change))


@pytest.mark.parametrize('config', [FULL_LINEAR_224, FULL_DPT_512])
def test_published_dimensions_need_no_arguments(config):
    with torch.device('meta'):
        shapes = {key: tuple(v.shape) for key, v in Cut3r(config).state_dict().items()}
    assert config_of(shapes, None) == config
    text = arguments(config).replace(', state_dec_num_heads=16', '')
    assert parse(text)['img_size'] == f'({config.image_size},{config.image_size})'
    assert config_of(shapes, text) == config


def test_other_dimensions_need_arguments(linear):
    shapes = {key: tuple(value.shape) for key, value in linear.state_dict().items()}
    with pytest.raises(CheckpointError, match='heads are unknown'):
        config_of(shapes, None)
    with pytest.raises(CheckpointError, match='not CUT3R weights'):
        config_of({'lm_head.weight': (3, 4)}, None)


def test_a_stored_configuration_must_agree_with_the_weights(linear, tmp_path):
    wrong = replace(linear.config, enc_depth=10**9)
    write_checkpoint(Checkpoint(wrong, linear.state_dict()), tmp_path / 'x')
    with pytest.raises(CheckpointError, match='enc_depth=1000000000'):
        load_checkpoint(tmp_path / 'x')


def test_twins_that_differ_are_refused(tmp_path):
    model = random_model(tiny('dpt'))
    weights = dict(model.state_dict())
    key = 'downstream_head.dpt_rgb.scratch.layer_rn.0.weight'
    weights[key] = weights[key] + 1
    torch.save({'args': {}, 'model': weights}, tmp_path / 'x.pth')
    with pytest.raises(CheckpointError, match='they are one tensor'):
        load_checkpoint(tmp_path / 'x.pth')


def test_writing_is_whole_or_not_at_all(linear, tmp_path):
    path = tmp_path / 'x.safetensors'
    path.write_text('earlier')

    def fail(done: int) -> None:
        raise OSError(28, 'No space left on device')

    checkpoint = Checkpoint(linear.config, dict(linear.state_dict()))
    with pytest.raises(InputError, match='No space left'):
        write_checkpoint(checkpoint, path, fail)
    assert path.read_text() == 'earlier'
    assert list(tmp_path.iterdir()) == [path]


def test_tensor_files_keep_dtype_shape_and_metadata(tmp_path):
    tensors = {
        'a': torch.arange(6.0).view(2, 3).t(),
        'b': torch.tensor(3, dtype=torch.int64),
        'c': torch.randn(5).bfloat16(),
    }
    write_tensors(tmp_path / 'x', tensors, {'k': 'v'})
    read, metadata = read_tensors(tmp_path / 'x')
    assert metadata == {'k': 'v'}
    for name, tensor in tensors.items():
        torch.testing.assert_close(read[name], tensor, rtol=0, atol=0)


def test_build_uses_the_very_tensors(linear):
    tensors = dict(linear.state_dict())
    model = build(Checkpoint(linear.config, tensors))
    assert model.pose_token.data_ptr() == tensors['pose_token'].data_ptr()
