# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Weights in three layouts give the model that wrote them, and what does not fit is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from weights_folders import (
    CONFIG,
    OWN_NAMES,
    TOWER,
    llava_config,
    llava_tensors,
    network,
    outputs,
    write_json,
    write_llava,
)

from loc3r_ros.cli import main
from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.vlm.config import FULL
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights import OWN_PARTS, load, save
from loc3r_ros.vlm.weights.llava import plan_llava

SHARD = 'model-00002-of-00003.safetensors'
PREFIX = 'model.vision_tower.vision_tower.'


@pytest.fixture
def public(tmp_path):
    return write_llava(tmp_path / 'public', llava_tensors(network()))


def test_loc3r_as_published_gives_the_same_outputs(public):
    model, words, report = load(public, device='cpu')
    assert model.config == CONFIG
    torch.testing.assert_close(outputs(model), outputs(network()), rtol=0, atol=0)
    assert words.pos_id == Words.tiny().pos_id
    assert len(report.matched) == len(network().state_dict())
    assert report.matched['position_head.2.bias'] == 'model.head_pos.net.2.bias'
    assert report.missing == report.unexpected == ()
    assert len(report.unused) == 2
    assert report.can_localize
    assert report.takes_camera_tokens
    assert 'layout_head is model.bev_proj\n' in str(report)
    assert not any(parameter.is_meta for parameter in model.parameters())
    assert not any(buffer.is_meta for buffer in model.buffers())


def test_llava_video_needs_leave_to_come_without_loc3rs_parts(tmp_path):
    folder = write_llava(tmp_path, llava_tensors(network(), names={}))
    with pytest.raises(CheckpointError, match=r'missing 14: camera_projector.*loc3r-vlm'):
        load(folder, device='cpu')
    model, _, report = load(folder, device='cpu', allow=OWN_PARTS)
    assert report.layout == 'LLaVA-Video'
    assert len(report.missing) == 14
    assert not report.can_localize
    assert not report.takes_camera_tokens
    again, _, _ = load(folder, device='cpu', allow=OWN_PARTS)
    assert 0.01 < model.position_head[0].weight.std() < 0.03
    torch.testing.assert_close(model.state_dict(), again.state_dict(), rtol=0, atol=0)
    seen = torch.randn(1, 3, 56, 56)
    with torch.no_grad():
        expected = network().encode_images(seen)
        torch.testing.assert_close(model.encode_images(seen), expected, rtol=0, atol=0)
        hidden = network().logits(network().decode(expected))
        torch.testing.assert_close(model.logits(model.decode(expected)), hidden, rtol=0, atol=0)


def test_every_key_of_the_full_size_is_known():
    """LLaVA-Video-7B-Qwen2's keys, 28 and 26 layers, planned without any weights."""
    model = build(FULL, 'meta')
    shapes = {key: tuple(tensor.shape) for key, tensor in llava_tensors(model, {}).items()}
    assert len(shapes) == 2 + 28 * 12 + 1 + 3 + 26 * 16 + 2 + 4 + 1
    values = llava_config(FULL) | {'mm_vision_tower': 'google/siglip-so400m-patch14-384'}
    plan = plan_llava(values, shapes)
    assert plan.config == FULL
    assert plan.unexpected == ()
    assert len(plan.unused) == 2
    own = tuple(f'{name}.' for name in OWN_NAMES)
    theirs = {k: t for k, t in model.state_dict().items() if not k.startswith(own)}
    expected = {key: tuple(tensor.shape) for key, tensor in theirs.items()}
    assert {key: shapes[source] for key, source in plan.sources.items()} == expected


def test_our_own_layout_comes_back_as_it_was_saved(tmp_path, public):
    save(network(), Words.tiny(), tmp_path / 'ours')
    model, words, report = load(tmp_path / 'ours' / 'model.safetensors', device='cpu')
    torch.testing.assert_close(outputs(model), outputs(network()), rtol=0, atol=0)
    assert words.encode('the red chair') == Words.tiny().encode('the red chair')
    assert report.fingerprint == load(public, device='cpu')[2].fingerprint
    assert report.training == ''
    other = load(public, device='cpu')[0]
    with torch.no_grad():
        other.lm_head.weight += 1e-3
    save(other, words, tmp_path / 'other', training='ten rooms, an hour')
    changed = load(tmp_path / 'other', device='cpu')[2]
    assert changed.fingerprint != report.fingerprint
    assert 'training    ten rooms, an hour' in str(changed)


@pytest.mark.parametrize(
    ('precision', 'dtype', 'tolerance'),
    [('bf16', torch.bfloat16, 0.02), ('fp16', torch.float16, 0.003), ('fp32', torch.float32, 0)],
)
def test_floating_precisions(public, precision, dtype, tolerance):
    model, _, report = load(public, precision=precision, device='cpu')
    assert report.precision == precision
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    assert model.language.rotary_emb.inv_freq.dtype == torch.float32
    expected = outputs(network())
    error = (outputs(model) - expected).norm() / expected.norm()
    assert error <= tolerance


def test_tied_embeddings_are_one_tensor(tmp_path):
    model = build(replace(CONFIG, text=replace(CONFIG.text, tie_embeddings=True)))
    save(model, Words.tiny(), tmp_path)
    assert 'lm_head.weight' not in load_file(tmp_path / 'model.safetensors')
    loaded = load(tmp_path, device='cpu')[0]
    assert loaded.lm_head.weight is loaded.language.embed_tokens.weight
    torch.testing.assert_close(outputs(loaded), outputs(model), rtol=0, atol=0)


def test_image_tower_beside_the_weights(tmp_path):
    tensors = llava_tensors(network())
    tower = {k.removeprefix(PREFIX): t for k, t in tensors.items() if k.startswith(PREFIX)}
    rest = {key: tensor for key, tensor in tensors.items() if not key.startswith(PREFIX)}
    folder = write_llava(tmp_path / 'weights', rest)
    last = {k.replace('layers.1', 'layers.2'): t for k, t in tower.items() if 'layers.1' in k}
    whole = tower | last | {'text_model.x': torch.ones(3), 'logit_scale': torch.ones(1)}
    whole = {key: tensor.clone() for key, tensor in whole.items()}
    save_file(whole, folder / TOWER / 'model.safetensors')
    model, _, report = load(folder, device='cpu')
    torch.testing.assert_close(outputs(model), outputs(network()), rtol=0, atol=0)
    assert sorted(set(report.unused.values())) == [
        'of SigLIP only images are used',
        'the image tower is read after layer 2',
        'the image tower is read before its last norm and head',
    ]
    (folder / TOWER).rename(tmp_path / TOWER)
    assert load(folder, device='cpu')[2].fingerprint == report.fingerprint
    (tmp_path / TOWER / 'config.json').unlink()
    with pytest.raises(CheckpointError, match='weights fetch siglip'):
        load(folder, device='cpu')


def test_missing_unexpected_and_misshapen_are_named(tmp_path):
    tensors = llava_tensors(network())
    del tensors['model.layers.1.mlp.up_proj.weight']
    tensors['model.surprise'] = torch.ones(2)
    folder = write_llava(tmp_path, tensors)
    with pytest.raises(CheckpointError) as error:
        load(folder, device='cpu')
    assert 'missing 1: language.layers.1.mlp.up_proj.weight; unexpected 1: model.surpr' in str(
        error.value
    )
    assert 'allow these by name' in str(error.value)
    allow = ['model.surprise', 'language.layers.1.mlp.up_proj.*']
    _, _, report = load(folder, device='cpu', allow=allow)
    assert report.missing == ('language.layers.1.mlp.up_proj.weight',)
    assert report.unexpected == ('model.surprise',)
    tensors['model.image_newline'] = torch.ones(63)
    with pytest.raises(CheckpointError, match=r'newline \[63\] where \[64\] is expected') as error:
        load(write_llava(tmp_path, tensors), device='cpu', allow=allow)
    assert 'Is config.json that of these weights?' in str(error.value)


def test_our_own_layout_with_a_key_too_many_and_one_too_few(tmp_path):
    save(network(), Words.tiny(), tmp_path)
    path = tmp_path / 'model.safetensors'
    tensors = load_file(path)
    tensors['extra'] = tensors.pop('newline').clone()
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match='missing 1: newline; unexpected 1: extra'):
        load(tmp_path, device='cpu')


def test_a_shard_cut_short(public):
    content = (public / SHARD).read_bytes()
    (public / SHARD).write_bytes(content[:-7])
    with pytest.raises(CheckpointError, match=rf'{SHARD}: cut short.*weights fetch'):
        load(public, device='cpu')
    (public / SHARD).write_bytes(b'version https://git-lfs.github.com/spec/v1\noid sha256:0\n')
    with pytest.raises(CheckpointError, match='git lfs pull'):
        load(public, device='cpu')


def test_a_shard_that_is_missing_or_of_another_version(public):
    whole = (public / SHARD).read_bytes()
    other = SHARD.replace('00002-', '00001-')
    (public / SHARD).write_bytes((public / other).read_bytes())
    with pytest.raises(CheckpointError, match=f'in {SHARD}, which does not hold it'):
        load(public, device='cpu')
    (public / SHARD).unlink()
    with pytest.raises(CheckpointError, match=f'{SHARD}: this shard is missing'):
        load(public, device='cpu')
    (public / SHARD).write_bytes(whole)
    load(public, device='cpu')
    write_json(public / 'model.safetensors.index.json', {'weight_map': {'a': '../a.safetensors'}})
    with pytest.raises(CheckpointError, match='not the name of a file beside it'):
        load(public, device='cpu')


def test_a_configuration_that_is_missing_or_of_another_model(public):
    config = json.loads((public / 'config.json').read_text())
    for name, value, words in (
        ('model_type', 'llava_onevision', 'take the original ones'),
        ('mm_spatial_pool_mode', 'average', "only 'bilinear'"),
        ('num_hidden_layers', 'two', 'num_hidden_layers is .two., expected a number'),
        ('num_key_value_heads', 3, 'kv_heads'),
        ('mm_vision_tower', 'google/other', 'dimensions are not known here'),
    ):
        write_json(public / 'config.json', config | {name: value})
        with pytest.raises(CheckpointError, match=words):
            load(public, device='cpu')
    (public / 'config.json').write_text('{"model_type": ')
    with pytest.raises(CheckpointError, match='not JSON'):
        load(public, device='cpu')
    (public / 'config.json').unlink()
    with pytest.raises(CheckpointError, match=r'has no config\.json'):
        load(public, device='cpu')


def test_folders_without_weights(tmp_path):
    with pytest.raises(CheckpointError, match=r'no such folder.*weights list'):
        load(tmp_path / 'none', device='cpu')
    with pytest.raises(CheckpointError, match=r'neither model\.safetensors nor'):
        load(tmp_path, device='cpu')
    (tmp_path / 'pytorch_model.bin').write_bytes(b'\x80')
    with pytest.raises(CheckpointError, match=r'pytorch_model.bin, a pickle, which is never read'):
        load(tmp_path, device='cpu')
    (tmp_path / 'adapter_config.json').write_text('{}')
    with pytest.raises(CheckpointError, match='an adapter, not whole weights'):
        load(tmp_path, device='cpu')


def test_tokenizers_that_do_not_fit(public):
    path = public / 'tokenizer.json'
    content = json.loads(path.read_text())
    for token in content['added_tokens']:
        token['content'] = token['content'].replace('<Pos>', '<position>')
    write_json(path, content)
    with pytest.raises(CheckpointError, match=r'no <Pos> and <Ori>; its markers are .*<position>'):
        load(public, device='cpu')
    path.unlink()
    with pytest.raises(CheckpointError, match=r'no tokenizer\.json'):
        load(public, device='cpu')


def test_a_tokenizer_with_more_words_than_the_model(tmp_path):
    tensors = llava_tensors(network())
    rows = Words.tiny().vocab_size - 1
    for key in ('model.embed_tokens.weight', 'lm_head.weight'):
        tensors[key] = tensors[key][:rows].clone()
    folder = write_llava(tmp_path, tensors)
    config = json.loads((folder / 'config.json').read_text())
    write_json(folder / 'config.json', config | {'vocab_size': rows})
    with pytest.raises(CheckpointError, match=f'has {rows + 1} words, the model {rows}'):
        load(folder, device='cpu')


def test_precision_and_device_are_checked_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="precision 'fp8' is unknown; use one of auto, fp32"):
        load(tmp_path, precision='fp8', device='cpu')
    with pytest.raises(InputError, match="device 'gpu' cannot be used"):
        load(tmp_path, device='gpu')


def test_what_cannot_be_saved(tmp_path):
    with pytest.raises(InputError, match=r'is torch.float64; only models of fp32'):
        save(build(CONFIG, dtype=torch.float64), Words.tiny(), tmp_path)
    (tmp_path / 'file').touch()
    with pytest.raises(InputError, match='cannot write to'):
        save(network(), Words.tiny(), tmp_path / 'file')
    assert OWN_NAMES.keys() == {pattern.removesuffix('.*') for pattern in OWN_PARTS}


def test_inspect_prints_the_balance_of_a_folder(public, capsys):
    assert main(['weights', 'inspect', str(public)]) == 0
    out = capsys.readouterr().out
    assert 'Loc3R-VLM as published' in out
    assert f'matched     {len(network().state_dict())}' in out
    assert 'position_head is model.head_pos.net.0, model.head_pos.net.2\n' in out
    (public / 'tokenizer.json').unlink()
    folder = write_llava(public, llava_tensors(network(), names={}))
    assert main(['weights', 'inspect', str(folder)]) == 2
    output = capsys.readouterr()
    assert 'missing     14: camera_projector.0.bias' in output.out
    assert "These are Loc3R's own parts" in output.err
    allow = [word for pattern in OWN_PARTS for word in ('--vlm-allow', pattern)]
    assert main(['weights', 'inspect', str(folder), *allow]) == 0


def test_a_head_of_another_width_is_told_from_a_wrong_configuration(tmp_path):
    tensors = llava_tensors(network())
    tensors['model.f_cam.0.weight'] = torch.ones(50, 24)
    tensors['model.f_cam.0.bias'] = torch.ones(50)
    tensors['model.f_cam.2.weight'] = torch.ones(64, 50)
    with pytest.raises(CheckpointError) as error:
        load(write_llava(tmp_path, tensors), device='cpu')
    assert 'camera_projector.0.weight [50, 24] where [64, 24] is expected' in str(error.value)
    assert 'other widths than vlm/model/assumptions.py' in str(error.value)
