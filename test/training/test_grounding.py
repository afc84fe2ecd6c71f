# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Names in texts: which are marked, where their things are, and what they look at."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from made_up import CAMERA, MICRO, examples

from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.training.grounding import NOTHING, Named, asking, finding, shown_in_prefix
from loc3r_ros.training.loc3r_begin import LOUDNESS, begin
from loc3r_ros.training.loc3r_task import Loc3rTask, Parts
from loc3r_ros.vlm.model import decoder
from loc3r_ros.vlm.model.assumptions import IGNORED_LABEL
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.world.video import Footage

DIM = MICRO.text.hidden_size // MICRO.text.heads

NAMES = ('', 'table', 'coffee table', 'chair', 'chair', 'sofa')


def footage() -> Footage:
    """Two looks at a wall 2 m ahead: things 1 to 4 in four columns, 5 in too few pixels."""
    instance = np.repeat(np.repeat([[1, 2, 3, 4]], 10, 1), 30, 0).astype(np.int32)
    instance[0, :2] = 5
    return Footage(
        np.zeros((2, 30, 40, 3), np.uint8),
        np.full((2, 30, 40), 2.0, np.float32),
        np.stack([instance, instance]),
        np.stack([pose(np.eye(3), [0.0, 1.0, 0.8]) @ T_BODY_OPTICAL] * 2),
        np.arange(2.0),
        CAMERA,
    )


def test_the_place_of_a_thing_is_told_where_one_of_its_kind_is_seen() -> None:
    named = Named(footage(), NAMES, pose(exp_so3([0, 0, 0]), [0.0, 1.0, 0.0]))
    assert named.names == ['chair', 'coffee table', 'sofa', 'table']
    assert set(named.places) == {'table', 'coffee table'}
    # A column is 10 pixels of the 40 at f = 30, 2 m away: 2/3 m; left is positive.
    np.testing.assert_allclose(named.places['table'], [2.0, 1.0], atol=0.15)
    np.testing.assert_allclose(named.places['coffee table'], [2.0, 1 / 3], atol=0.15)


def test_it_is_told_when_a_thing_is_first_seen() -> None:
    shown = footage()
    shown.instance[0][shown.instance[0] == 2] = 0
    assert Named(shown, NAMES, np.eye(4)).first == {'chair': 0, 'table': 0, 'coffee table': 0.5}


def test_cells_have_the_numbers_of_names() -> None:
    cells = Named(footage(), NAMES, np.eye(4)).cells(2, 1.0)
    assert cells.tolist() == [[1, 0, 1, 0]] * 2  # coffee table and a chair, in both rows


def test_the_longest_name_counts() -> None:
    named, words = Named(footage(), NAMES, np.eye(4)), Words.tiny()
    ids = words.encode('\nThe coffee table and the table face a chair and the lamp.')
    numbers, places = named.mark(words, ids)
    said = [(words.decode([ids[k]]), named.names[n]) for k, n in enumerate(numbers) if n >= 0]
    assert said == [(' table', 'coffee table'), (' table', 'table'), (' chair', 'chair')]
    known = [place for number, place in zip(numbers, places, strict=True) if number >= 0]
    assert known[:2] == [named.places['coffee table'], named.places['table']]
    assert np.isnan(known[2]).all() and len(numbers) == len(places) == len(ids)


@pytest.fixture
def task(tmp_path: Path) -> Loc3rTask:
    torch.manual_seed(0)
    return Loc3rTask(build(MICRO), examples(tmp_path / 'bank'), Parts('true', finding=0.5))


def test_what_is_taught_is_the_attention_that_is_paid(
    task: Loc3rTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(task.model)  # else all attention is alike
    batch = task.examples.collate([task.examples.at(0, 0)])
    batch['named'][:] = NOTHING
    learnt = batch['labels'][0] != IGNORED_LABEL
    k = int(learnt.any(-1).nonzero()[0])
    batch['named'][0, k, 6] = int(batch['cells'].max())
    paid: list[tuple[Tensor, Tensor]] = []
    attend = decoder.attend

    def note(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        paid.append((query, key))
        return attend(query, key, value, mask)

    monkeypatch.setattr(decoder, 'attend', note)
    losses = task(batch)
    share = float(losses['found'])
    shown = shown_in_prefix(task.model, batch['cells'], len(task.header), True)[0]
    prefix = len(shown)
    # Two layers have read the video, then texts two by two.
    layers = paid[2 + 2 * (k // 2) :][:2]
    right = shown == batch['named'][0, k, 6]
    assert 0 < int(right.sum()) < prefix
    direct = []
    for queries, keys in layers:
        scores = queries[k % 2, :2, 6] @ keys[0, 0, :prefix].T / DIM**0.5
        direct.append((scores.softmax(-1) * right).sum(-1))
    assert share == pytest.approx(float(torch.stack(direct).mean().detach()), rel=1e-4)
    # Of the last layer the last key head, at `<Pos>`, `<Ori>` and before each token of the answer.
    queries, keys = layers[1]
    pos, answer = int(batch['pos'][0, k]), learnt[k].nonzero()[:, 0].tolist()
    assert pos > 6 and len(answer) > 1
    told = []
    for own in (pos, pos + 1, *(token - 1 for token in answer)):
        scores = queries[k % 2, -2:, own] @ keys[k % 2, -1, : prefix + own + 1].T / DIM**0.5
        told.append(-scores.log_softmax(-1)[:, prefix + 6])
    want = float(torch.stack(told).mean().detach())
    assert float(losses['asking'].detach()) == pytest.approx(want, rel=1e-4)


def test_image_tokens_stand_where_they_stand() -> None:
    model = build(MICRO)
    cells = torch.arange(2 * MICRO.grid**2).view(1, 2, -1)
    shown = shown_in_prefix(model, cells, header=3, camera=True)[0]
    frames = shown[3:].view(2, -1)
    torch.testing.assert_close(model.patch_states(frames[..., None])[..., 0], cells[0])
    assert (shown >= 0).sum() == cells.numel()


def test_texts_without_names_teach_nothing() -> None:
    model = build(MICRO)
    text, heads = MICRO.text, MICRO.text.heads * DIM
    nothing = torch.full((1, 2, 5), NOTHING)
    keys = torch.randn(1, text.kv_heads, 7, DIM)
    queries = torch.randn(1, 2, 5, heads, requires_grad=True)
    loss, share = finding(model, queries, 7, keys, nothing, torch.zeros(1, 7, dtype=torch.long))
    assert loss.item() == share.item() == 0
    loss.backward()
    own = torch.randn(1, 2, 5, text.kv_heads * DIM, requires_grad=True)
    asked = asking(model, queries, own, keys, nothing, nothing == NOTHING)
    assert asked.item() == 0


def test_names_learn_where_to_look_and_what_is_there(task: Loc3rTask) -> None:
    begin(task.model)
    batch = task.examples.collate([task.examples.at(0, 0)])
    optimizer = torch.optim.AdamW(task.parameters(), 3e-3)
    values = []
    for _ in range(80):
        losses = task(batch)
        optimizer.zero_grad()
        losses['total'].backward()
        optimizer.step()
        values.append({name: float(value.detach()) for name, value in losses.items()})
    assert values[0]['found'] < 0.5 and values[-1]['found'] > 0.9
    assert values[-1]['things'] < 0.5 * values[0]['things']


def test_what_is_read_stands_higher_and_a_word_says_itself() -> None:
    torch.manual_seed(0)
    model = build(MICRO)
    ids, pixels = torch.arange(50), torch.rand(1, 3, 32, 32)
    before = model.embed(ids), model.encode_images(pixels)
    begin(model)
    read = model.embed(ids)
    torch.testing.assert_close(read, LOUDNESS * before[0])
    # Patches are learnt from what they are told as: only the newlines are words.
    seen = model.encode_images(pixels).unflatten(1, (2, 3))
    torch.testing.assert_close(seen[:, :, :2], before[1].unflatten(1, (2, 3))[:, :, :2])
    assert torch.equal(model.logits(model.language.norm(read)).argmax(-1), ids)


def test_who_is_blind_looks_at_nothing(tmp_path: Path) -> None:
    parts = Parts('none', finding=0.5, blind=True)
    task = Loc3rTask(build(MICRO), examples(tmp_path), parts)
    losses = task(task.examples.collate([task.examples.at(0, 0)]))
    assert 'finding' not in losses and losses['total'].isfinite()
