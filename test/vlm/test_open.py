# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which engine a folder gives."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.open import open_engine


def nothing() -> None:
    return None


@pytest.mark.parametrize('folder', ['', None])
def test_without_a_folder_geometry_answers(folder):
    engine = open_engine(folder, nothing, nothing)
    assert engine.identity == 'no model loaded'
    assert not engine.localize('').found


def test_a_folder_is_loaded_as_it_is_told(tmp_path, monkeypatch):
    loads = []
    model = SimpleNamespace(load=lambda folder, **how: loads.append((folder, how)) or 'the engine')
    module = SimpleNamespace(SpatialVlm=model)
    monkeypatch.setitem(sys.modules, 'loc3r_ros.vlm.spatial_vlm', module)
    monkeypatch.setenv('HOME', str(tmp_path))
    how = {'device': 'cuda:1', 'precision': 'int4', 'allow': ('*_head.*',)}
    assert open_engine('~', nothing, nothing, **how) == 'the engine'
    assert loads == [(tmp_path, how)]


def test_a_folder_that_is_not_there_is_named_with_the_remedy(tmp_path):
    with pytest.raises(InputError, match=r'gone: no weights.*loc3r weights'):
        open_engine(tmp_path / 'gone', nothing, nothing)
