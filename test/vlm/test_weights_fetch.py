# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Downloads from a small Hub: whole, cut off, false, or with no Hub at all."""

from __future__ import annotations

import json
import random
import socket
from collections import namedtuple

import pytest
from huggingface_hub import constants
from small_hub import small_hub

from loc3r_ros.cli import main
from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.hub import download as hub_download
from loc3r_ros.hub.download import download, list_files
from loc3r_ros.hub.registry import PUBLISHED, published

LLAVA = published('llava-video-7b')
SHARD = 'model-00001-of-00001.safetensors'
FILES = {
    SHARD: random.Random(3).randbytes(300_000),
    'model.safetensors.index.json': json.dumps({'weight_map': {'a': SHARD}}).encode(),
    'config.json': b'{"model_type": "llava_qwen"}',
    'tokenizer.json': b'{}',
    'training_args.bin': b'a pickle that nobody asked for',
    'README.md': b'words',
}
WANTED = {SHARD, 'model.safetensors.index.json', 'config.json', 'tokenizer.json'}


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr('time.sleep', lambda seconds: None)  # between the Hub client's tries
    monkeypatch.setattr(constants, 'DOWNLOAD_CHUNK_SIZE', 10_000)  # of 10 MB: less is not kept
    with small_hub(LLAVA.where, dict(FILES)) as hub:
        yield hub


def fetch(hub, folder) -> list[str]:
    said: list[str] = []
    listing = list_files(LLAVA, folder, hub.address)
    download(LLAVA, listing, folder, endpoint=hub.address, say=said.append)
    return said


def test_what_is_used_is_fetched_and_nothing_else(hub, tmp_path):
    listing = list_files(LLAVA, tmp_path, hub.address)
    assert listing.licence == 'apache-2.0'
    assert listing.size == sum(len(FILES[name]) for name in WANTED)
    said = fetch(hub, tmp_path / 'new' / 'folder')
    found = {p.name: p.read_bytes() for p in (tmp_path / 'new' / 'folder').iterdir()}
    assert found == {name: FILES[name] for name in WANTED}
    assert f'{SHARD}: 0.3 MB, hash as published' in said


def test_a_second_time_nothing_is_fetched_but_what_has_changed(hub, tmp_path):
    fetch(hub, tmp_path)
    hub.ranges.clear()
    assert all(line.endswith('already there, and whole') for line in fetch(hub, tmp_path))
    assert hub.ranges == []
    (tmp_path / 'config.json').write_bytes(FILES['config.json'].replace(b'q', b'k'))
    fetch(hub, tmp_path)
    assert hub.ranges == [('config.json', None)]
    assert (tmp_path / 'config.json').read_bytes() == FILES['config.json']


def test_a_cut_download_goes_on_where_it_stopped(hub, tmp_path):
    hub.cut_after = 120_000
    with pytest.raises(InputError, match=r'0\.1 of 0\.3 MB.*run the same command again'):
        fetch(hub, tmp_path)
    assert not (tmp_path / SHARD).exists()
    hub.cut_after, hub.broken = None, False
    hub.ranges.clear()
    fetch(hub, tmp_path)
    assert hub.ranges[0] == (SHARD, 'bytes=120000-')
    assert (tmp_path / SHARD).read_bytes() == FILES[SHARD]
    assert {p.name for p in tmp_path.iterdir()} == WANTED


def test_bytes_of_an_older_version_are_not_gone_on_with(hub, tmp_path):
    hub.cut_after = 120_000
    with pytest.raises(InputError):
        fetch(hub, tmp_path)
    hub.cut_after, hub.broken = None, False
    hub.files[SHARD] = random.Random(4).randbytes(300_000)
    hub.ranges.clear()
    fetch(hub, tmp_path)
    assert hub.ranges[0] == (SHARD, None)
    assert (tmp_path / SHARD).read_bytes() == hub.files[SHARD]


@pytest.mark.parametrize('name', [SHARD, 'config.json'])
def test_a_wrong_hash_is_refused_and_not_kept(hub, tmp_path, name):
    hub.listed[name] = bytes(len(FILES[name]))
    with pytest.raises(CheckpointError, match=f'{name} from {LLAVA.where} is not what the Hub'):
        fetch(hub, tmp_path)
    assert not list(tmp_path.glob(f'{name}*'))


def test_a_disk_that_is_too_small(hub, tmp_path, monkeypatch):
    usage = namedtuple('usage', 'free')
    monkeypatch.setattr(hub_download.shutil, 'disk_usage', lambda path: usage(1000))
    with pytest.raises(InputError, match=r'are free; make room, or give another folder'):
        fetch(hub, tmp_path)
    assert hub.ranges == []


def test_names_that_lead_out_of_the_folder_are_refused(hub, tmp_path):
    hub.files['../model.safetensors'] = b'x'
    with pytest.raises(InputError, match='outside of the folder'):
        fetch(hub, tmp_path / 'in')
    assert not (tmp_path / 'model.safetensors').exists()


def test_without_a_network_it_says_what_to_place_where(tmp_path):
    with socket.socket() as port:
        port.bind(('127.0.0.1', 0))
        nobody = f'http://127.0.0.1:{port.getsockname()[1]}'
    with pytest.raises(InputError) as error:
        list_files(LLAVA, tmp_path / 'here', nobody)
    text = str(error.value)
    assert 'cannot be reached' in text
    assert f'download from {nobody}/lmms-lab/LLaVA-Video-7B-Qwen2, and' in text
    assert f'place in {tmp_path / "here"}: config.json, *.safetensors' in text


def test_a_repository_that_is_gone_or_without_weights(hub, tmp_path):
    with pytest.raises(InputError, match='Loc3R-VLM cannot be reached'):
        list_files(published('loc3r-vlm'), tmp_path, hub.address)
    del hub.files[SHARD]
    with pytest.raises(InputError, match='holds no safetensors now'):
        list_files(LLAVA, tmp_path, hub.address)


def test_the_command_prints_licence_and_size_before_anything_comes(
    hub, tmp_path, capsys, monkeypatch
):
    template = f'{hub.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}'
    monkeypatch.setattr(constants, 'ENDPOINT', hub.address)
    monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE', template)
    name = 'huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE'
    monkeypatch.setattr(name, template, raising=False)  # a copy, before version 1
    monkeypatch.chdir(tmp_path)
    hub.broken = True
    assert main(['weights', 'fetch', 'llava-video-7b']) == 2
    out = capsys.readouterr().out.splitlines()
    assert 'licence Apache-2.0; about 16.1 GB; lmms-lab/LLaVA-Video-7B-Qwen2' in out[0]
    assert out[1:] == ['4 files, 0.00 GB, to llava-video-7b; licence as listed now: apache-2.0']
    hub.broken = False
    assert main(['weights', 'fetch', 'llava-video-7b']) == 0
    assert (tmp_path / 'llava-video-7b' / SHARD).read_bytes() == FILES[SHARD]
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == 'Use it:       loc3r chat BAG --vlm llava-video-7b'


def test_the_command_says_the_same_without_a_network(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(constants, 'ENDPOINT', 'http://127.0.0.1:9')
    assert main(['weights', 'fetch', 'siglip', '-o', str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert 'licence Apache-2.0; about 3.5 GB' in output.out
    assert f'place in {tmp_path}: config.json' in output.err


def test_cut3r_is_not_fetched_but_its_place_is_told(capsys):
    assert main(['weights', 'fetch', 'cut3r-512']) == 2
    output = capsys.readouterr()
    assert 'CC BY-NC-SA 4.0' in output.out
    assert 'Download cut3r_512_dpt_4_64.pth from Google Drive' in output.err
    assert 'loc3r weights convert cut3r_512_dpt_4_64.pth cut3r-512.safetensors' in output.err


def test_the_list_names_all_with_their_licences(capsys):
    assert main(['weights', 'list']) == 0
    out = capsys.readouterr().out
    for entry in PUBLISHED:
        assert entry.name in out
        assert entry.licence.split(' (')[0] in out
    with pytest.raises(InputError, match='there are cut3r-224, cut3r-512, loc3r-vlm'):
        published('llava')
