# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Training Loc3R-VLM: what is shared is read as it would be alone, and every part learns."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).parent))
from made_up import CAMERA, MICRO, QUESTIONS, SITUATION, examples, video

from loc3r_ros.errors import InputError
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, invert, pose, transform
from loc3r_ros.training import bank
from loc3r_ros.training.bank import SHOWN, Bank
from loc3r_ros.training.grounding import NOTHING
from loc3r_ros.training.layout import cell_middles, cell_places
from loc3r_ros.training.loc3r_begin import begin
from loc3r_ros.training.loc3r_task import Loc3rTask, Parts
from loc3r_ros.training.lora import adapt, merge
from loc3r_ros.training.naming import NamingExamples, NamingTask, name
from loc3r_ros.vlm.model.loc3r import build
from loc3r_ros.vlm.weights import load
from loc3r_ros.world.questions.question import Question
from loc3r_ros.world.splits import TRAIN


@pytest.fixture
def task(tmp_path: Path) -> Loc3rTask:
    torch.manual_seed(0)
    return Loc3rTask(build(MICRO), examples(tmp_path / 'bank'), Parts(camera='true'))


def batch_of(task: Loc3rTask, videos: int = 1) -> dict:
    return task.examples.collate([task.examples.at(0, slot) for slot in range(videos)])


def test_texts_that_share_a_video_read_it_as_if_alone(task: Loc3rTask) -> None:
    batch = batch_of(task, videos=2)
    prefix, _ = task.read_video(batch)
    shared = task._read_texts(batch, prefix)
    header = task.model.embed(torch.tensor(task.header))[None]
    frames = task.model.frame_embeddings(
        task.model.encode_images(batch['pixels'][1].float()), batch['camera'][1]
    )
    for k in (0, 4, 8):
        length = int(batch['length'][1, k])
        text = task.model.embed(batch['ids'][1, k, :length])[None]
        whole = torch.cat((header, frames.flatten(0, 1)[None], text), 1)
        alone = task.model.decode(whole)[0, -length:]
        torch.testing.assert_close(shared[1, k, :length], alone, atol=1e-5, rtol=1e-4)


def test_examples_hold_what_was_asked(task: Loc3rTask) -> None:
    batch = batch_of(task)
    words = task.words
    told = [words.decode(i for i in row if i >= 0) for row in batch['labels'][0].tolist()]
    assert sorted(filter(None, told)) == sorted(q.answer for q in QUESTIONS[:3])
    T_map_bev = pose(exp_so3([0, 0, 0.0]), [0.0, 0.3, 1.0])
    place = transform(invert(T_map_bev), np.array([*SITUATION.position, 0.0]))[:2]
    goal = transform(invert(T_map_bev), np.array([2.0, 1.0, 0.0]))[:2]
    headed, situated = batch['headed'][0], batch['situated'][0]
    assert int(headed.sum()) == 3 and int(situated.sum()) == 4
    np.testing.assert_allclose(batch['position'][0][headed], [place] * 3, atol=1e-6)
    np.testing.assert_allclose(batch['position'][0][situated & ~headed], [goal], atol=1e-6)
    np.testing.assert_allclose(batch['heading'][0][headed], SITUATION.yaw, atol=1e-6)


def test_only_who_reasons_is_asked_without_options(tmp_path: Path) -> None:
    for reasons, told in ((False, (True, 'B')), (True, (False, '=bed'))):
        some = examples(tmp_path, reasons=reasons)
        words = some.prompt.words
        (text,) = (t for t in some.at(0, 0)['texts'] if t.task == 'object_rel_distance')
        answer = words.decode(i for i in text.labels if i >= 0)
        assert (' Options: ' in words.decode(text.ids), answer) == told


def test_facts_are_said_before_answers(tmp_path: Path) -> None:
    asked = Question('situated_what', 'Is the sofa on my left?', (), 'no', SITUATION)
    order = Question('obj_appearance_order', 'In which order?', ('A. sofa', 'B. bed'), 'B')
    some = examples(tmp_path, reasons=True)
    shutil.rmtree(folder := tmp_path / f'{TRAIN.start}_0')
    bank._keep(replace(video(), questions=(asked, order, QUESTIONS[0])), folder)
    words, told = some.prompt.words, {}
    for text in some.at(0, 0)['texts']:
        told[text.task] = words.decode(i for i in text.labels if i >= 0)
    assert told['object_counting'] == '=4'
    assert told['obj_appearance_order'] == 'bed=bed'
    assert told['situated_what'].endswith('=no') and told['situated_what'].startswith('sofa ')


def test_names_tell_what_answers_depend_on(tmp_path: Path) -> None:
    asked = Question('situated_what', 'Is the sofa on my left?', (), 'no', SITUATION)
    far = Question('object_abs_distance', 'How far is the bed from the sofa?', (), '2.0')
    some = examples(tmp_path, situations=0)
    shutil.rmtree(folder := tmp_path / f'{TRAIN.start}_0')
    bank._keep(replace(video(), questions=(asked, far)), folder)
    texts = {text.task: text for text in some.at(0, 0)['texts']}
    text = texts['situated_what']
    (early, late) = (k for k, number in enumerate(text.named) if number != NOTHING)
    assert early < text.pos < late and text.things[early] == text.things[late]
    # Where it is for whoever asks is not known before they have said where they are.
    assert np.isnan(text.facts[early][:7]).all() and np.isfinite(text.facts[late]).all()
    *_, ahead, left, _, first = text.facts[late]
    assert np.hypot(ahead, left) == pytest.approx(1) and first == 0
    (only,) = (k for k, number in enumerate(texts['object_abs_distance'].named) if number >= 0)
    assert np.isnan(texts['object_abs_distance'].facts[only][:7]).all()  # no bed is seen


def test_frames_are_asked_for_by_number_only_where_all_are_shown(tmp_path: Path) -> None:
    shown = examples(tmp_path, strides=(SHOWN,))
    few = replace(shown, strides=(2 * SHOWN,))
    about = Question('camera_displacement', 'How far in frame 2 of 4?', (), '1.2')
    made = replace(video(), questions=(about,))
    bank._keep(made, tmp_path / f'{TRAIN.start}_1')
    for those, asked in ((shown, True), (few, False)):
        texts = [t for step in range(6) for t in replace(those, videos=2).at(step, 0)['texts']]
        said = ' '.join(those.prompt.words.decode(text.ids) for text in texts)
        assert ('in frame 2 of 4' in said) == asked


def test_the_same_number_is_the_same_example(task: Loc3rTask) -> None:
    a, b = (task.examples.at(7, 1) for _ in range(2))
    assert a['texts'] == b['texts'] and torch.equal(a['pixels'], b['pixels'])


def test_places_of_cells_on_a_wall() -> None:
    """A wall 2 m ahead, seen from 1 m beside the origin: cells lie on a line across it."""
    T_map_optical = pose(np.eye(3), [0.0, 1.0, 0.8]) @ T_BODY_OPTICAL
    depth = np.full((30, 40), 2.0, np.float32)
    depth[:10] = np.nan
    places, seen = cell_places(depth, CAMERA, T_map_optical, np.eye(4), grid=3)
    assert seen.reshape(3, 3).tolist() == [[False] * 3, [True] * 3, [True] * 3]
    np.testing.assert_allclose(places[seen, 0], 2.0, atol=1e-6)
    # The image is 40 pixels across at f = 30: thirds are 8/9 m apart at 2 m, left is positive.
    across = places.reshape(3, 3, 2)[1, :, 1]
    np.testing.assert_allclose(across, 1.0 + np.array([8, 0, -8]) / 9, atol=0.08)


def test_middles_of_cells() -> None:
    image = np.zeros((4, 4), np.int32)
    image[:2, 2:] = 7
    assert cell_middles(image, 2).tolist() == [0, 7, 0, 0]


def test_all_parts_of_the_model_are_trained(task: Loc3rTask) -> None:
    task(batch_of(task))['total'].backward()
    silent = [n for n, p in task.named_parameters() if p.grad is None or not p.grad.any()]
    assert not [n for n in silent if 'k_proj.bias' not in n]  # softmax forgets a shift of all keys


def test_it_learns(task: Loc3rTask) -> None:
    batch = batch_of(task)
    optimizer = torch.optim.AdamW(task.parameters(), 1e-2)
    first = None
    for _ in range(60):
        losses = task(batch)
        optimizer.zero_grad()
        losses['total'].backward()
        optimizer.step()
        first = first or {k: float(v.detach()) for k, v in losses.items()}
    assert all(float(losses[k].detach()) < 0.5 * first[k] for k in ('answer', 'layout', 'position'))


@pytest.mark.parametrize(
    ('parts', 'deaf_to'),
    [
        (Parts(camera='none'), 'camera'),
        (Parts(camera='true', blind=True), 'pixels'),
        (Parts(camera='true', situation=0.0), 'position'),
        (Parts(camera='true', layout=0.0), 'places'),
    ],
)
def test_what_is_left_out_changes_nothing(tmp_path: Path, parts: Parts, deaf_to: str) -> None:
    torch.manual_seed(0)
    task = Loc3rTask(build(MICRO), examples(tmp_path), parts)
    batch = batch_of(task)
    before = task(batch)['total']
    batch[deaf_to] = batch[deaf_to] + 1
    torch.testing.assert_close(task(batch)['total'], before)
    whole = Loc3rTask(task.model, task.examples, Parts(camera='true'))
    changed = whole(batch)['total']
    batch[deaf_to] = batch[deaf_to] - 1
    assert abs(float((whole(batch)['total'] - changed).detach())) > 1e-6


def test_places_in_words(tmp_path: Path) -> None:
    told = examples(tmp_path, coordinates_as_text=True)
    task = Loc3rTask(build(MICRO), told, Parts(camera='true', situation=0.0))
    labels = batch_of(task)['labels'][0].tolist()
    answers = [task.words.decode(i for i in row if i >= 0) for row in labels]
    assert answers.count('1.0 -0.8 40') == 2


def test_gradient_checkpoints_change_no_gradient(task: Loc3rTask) -> None:
    batch = batch_of(task)
    gradients = []
    for on in (False, True):
        task.model.language.gradient_checkpointing = on
        task.zero_grad()
        task(batch)['total'].backward()
        gradients.append([p.grad.clone() for p in task.parameters() if p.grad is not None])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b)


def test_adapters_are_few_and_fold_away(task: Loc3rTask) -> None:
    model, batch = task.model, batch_of(task)
    names = set(model.state_dict())
    adapt(model, rank=2)
    assert not any(p.requires_grad for p in model.vision.parameters())
    frozen = model.language.layers[0].mlp.up_proj.base_layer.weight.clone()
    optimizer = torch.optim.AdamW([p for p in task.parameters() if p.requires_grad], 1e-2)
    for _ in range(3):
        task(batch)['total'].backward()
        optimizer.step()
    assert torch.equal(model.language.layers[0].mlp.up_proj.base_layer.weight, frozen)
    with torch.no_grad():
        before = task(batch)['total']
        merge(model)
        torch.testing.assert_close(task(batch)['total'], before)
    assert set(model.state_dict()) == names


def test_the_weights_are_stored_with_how_they_came(task: Loc3rTask, tmp_path: Path) -> None:
    task.export(tmp_path / 'out', {'minutes': '3'})
    model, _, report = load(tmp_path / 'out', device='cpu', precision='fp32')
    assert 'minutes 3' in report.training and str(tmp_path) not in report.training
    half = task.model.layout_head.weight.half().float()
    assert torch.equal(model.layout_head.weight, half)


def test_the_tower_learns_to_tell(tmp_path: Path) -> None:
    bank = examples(tmp_path).bank
    torch.manual_seed(0)
    model = build(MICRO)
    begin(model)
    task = NamingTask(model, NamingExamples(bank, MICRO, rooms=1, videos=1, frames=4))
    batch = task.examples.collate([task.examples.at(0, 0)])
    assert batch['names'].shape == (4, 16, 2) and int(batch['names'].max()) >= 0
    optimizer = torch.optim.AdamW([p for p in task.parameters() if p.requires_grad], 1e-2)
    values = []
    for _ in range(30):
        losses = task(batch)
        optimizer.zero_grad()
        losses['total'].backward()
        optimizer.step()
        values.append({k: float(v.detach()) for k, v in losses.items()})
    assert values[-1]['naming'] < 0.5 * values[0]['naming']
    assert values[-1]['off'] < 0.5 * values[0]['off']


def test_rare_names_count_more_than_their_patches() -> None:
    model = build(MICRO)
    floor, lamp = model.embed(torch.tensor([40, 50])) * 100
    names = torch.tensor([[40, -1]] * 9 + [[50, -1]] + [[-1, -1]] * 5)
    shown = torch.stack([floor] * 10 + [lamp] * 5)  # the lamp is taken for floor
    loss, right = name(model, shown, names)
    assert right.item() == pytest.approx(0.5)
    words = model.embed(torch.tensor([40, 50]))
    told = functional.linear(model.language.norm(floor), words).log_softmax(-1).detach()
    # Nine of the one count three, one of the other counts one.
    assert loss.item() == pytest.approx(-(3 * told[0].item() + told[1].item()) / 4)


def test_a_video_comes_back_as_it_was(tmp_path: Path) -> None:
    bank = examples(tmp_path).bank
    made, read = video(), bank.video(200_000, 0)
    for part in ('rgb', 'depth', 'instance', 'T_map_optical', 'times'):
        np.testing.assert_array_equal(getattr(read.footage, part), getattr(made.footage, part))
    assert (read.footage.camera, read.names) == (made.footage.camera, made.names)
    assert (read.questions, read.situations) == (made.questions, made.situations)


def test_a_damaged_video_is_named(tmp_path: Path) -> None:
    examples(tmp_path)
    (tmp_path / '200000_0' / 'depth.png').write_bytes(b'no picture')
    with pytest.raises(InputError, match='200000_0: a damaged video'):
        Bank(tmp_path).video(200_000, 0)
