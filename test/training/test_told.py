# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What is told of images is what they show, and the model takes it as if it had seen it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
from made_up import CAMERA, MICRO, examples, video

from loc3r_ros.training.loc3r_task import Loc3rTask, Parts
from loc3r_ros.training.told import BLIND, NO_WORD, blurred, name_ids, tell, told_tokens
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.tokenizer import Words


def wall(instance: int) -> dict[str, torch.Tensor]:
    footage = video().footage
    shown = replace(footage, instance=np.full_like(footage.instance, instance))
    told = tell(shown, ('', 'sofa', 'coffee table'), MICRO)
    return {name: torch.from_numpy(values) for name, values in told.items()}


def test_points_lie_where_the_patches_look() -> None:
    points = wall(1)['points']
    assert points.shape == (8, 16, 3) and (points[..., 2] == 2.0).all()
    u = CAMERA.cx + CAMERA.fx * points[..., 0] / points[..., 2]
    assert torch.allclose(u[0, :4], torch.tensor([5.0, 15.0, 25.0, 35.0]))


def test_names_are_told_by_their_words() -> None:
    words = Words.tiny()
    assert wall(2)['names'][0, 0].tolist() == name_ids(words, 'coffee table')
    assert wall(1)['names'][0, 0].tolist() == name_ids(words, 'sofa')
    assert (wall(0)['names'] == NO_WORD).all()


def test_a_token_is_its_words_and_besides_its_point() -> None:
    torch.manual_seed(0)
    model = build(MICRO)
    table, nothing = wall(2), wall(0)
    whole = told_tokens(model, table['names'], table['points'])
    named = whole - told_tokens(model, nothing['names'], nothing['points'])
    expected = model.embed(table['names'][0, 0]).mean(0)
    torch.testing.assert_close(named[0, 0], expected)
    nowhere = torch.zeros_like(table['points'])
    assert torch.equal(told_tokens(model, nothing['names'], nowhere), torch.zeros_like(whole))


def test_some_of_it_is_missed() -> None:
    told = wall(2)
    seen = blurred(told, np.random.default_rng(0))
    missed = (seen['names'] == NO_WORD).all(-1).float().mean()
    assert abs(float(missed) - BLIND) < 0.08 and (told['names'] != NO_WORD).all()
    factor = seen['points'] / told['points']
    assert torch.allclose(factor[..., 0], factor[..., 2], equal_nan=True)
    assert 0.05 < float(factor[..., 2].log().std()) < 0.3


def test_a_model_that_is_told_needs_no_pixels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    told = examples(tmp_path, told=True)
    task = Loc3rTask(build(MICRO), told, Parts(camera='true', reading=0.5, finding=1.0))
    batch = told.collate([told.at(0, 0)])
    assert 'pixels' not in batch
    losses = task(batch)
    losses['total'].backward()
    assert float(losses['reading'].detach()) > 5.0
    assert not any(p.grad is not None for p in task.model.vision.parameters())
    # An answer is apart from what is read on: that its last token is another changes only it.
    last = batch['length'] - 1
    ends = (torch.arange(batch['ids'].shape[-1]) == last[..., None]) & (batch['labels'] >= 0)
    batch['ids'] = torch.where(ends, 40, batch['ids'])
    batch['labels'] = torch.where(ends, 40, batch['labels'])
    other = task(batch)
    assert int(ends.sum()) > 0 and not torch.equal(other['answer'], losses['answer'])
    torch.testing.assert_close(other['reading'], losses['reading'])
