# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Without camera tokens the network is transformers' LLaVA-OneVision, of which LLaVA-Video is kin.

The same random weights in both, the same frames. What differs by design is checked on its own: a
newline after each row, where transformers puts one after the whole video.
"""

import pytest
import torch
from model_shapes import SMALL
from transformers import (
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    Qwen2Config,
    SiglipVisionConfig,
)

from loc3r_ros.vlm.model.loc3r import build

VIDEO = 79
FRAMES = 3
TOLERANCE = 1e-4


@pytest.fixture(scope='module')
def theirs():
    torch.manual_seed(0)
    vision, text = SMALL.vision, SMALL.text
    config = LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(
            image_size=vision.image_size,
            patch_size=vision.patch_size,
            hidden_size=vision.hidden_size,
            intermediate_size=vision.intermediate_size,
            num_hidden_layers=vision.layers + 1,
            num_attention_heads=vision.heads,
            vision_use_head=False,
        ),
        text_config=Qwen2Config(
            vocab_size=text.vocab_size,
            hidden_size=text.hidden_size,
            intermediate_size=text.intermediate_size,
            num_hidden_layers=text.layers,
            num_attention_heads=text.heads,
            num_key_value_heads=text.kv_heads,
            max_position_embeddings=text.max_positions,
            rms_norm_eps=text.rms_norm_eps,
            rope_theta=text.rope_theta,
        ),
        image_token_index=VIDEO - 1,
        video_token_index=VIDEO,
        vision_feature_layer=-2,
        vision_feature_select_strategy='full',
    )
    model = LlavaOnevisionForConditionalGeneration(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # wide enough that no sum hides what is wrong
            parameter.normal_(std=0.15)
    return model


@pytest.fixture(scope='module')
def ours(theirs):
    model = build(SMALL)
    tower = theirs.model.vision_tower
    unused = model.vision.load_state_dict(
        getattr(tower, 'vision_model', tower).state_dict(), strict=False
    )
    assert not unused.missing_keys
    assert all(key.startswith(('encoder.layers.2.', 'post_')) for key in unused.unexpected_keys)
    model.language.load_state_dict(theirs.model.language_model.state_dict())
    model.lm_head.load_state_dict(theirs.lm_head.state_dict())
    projector = theirs.model.multi_modal_projector
    model.projector[0].load_state_dict(projector.linear_1.state_dict())
    model.projector[2].load_state_dict(projector.linear_2.state_dict())
    model.newline.data.copy_(theirs.model.image_newline)
    return model


@pytest.fixture(scope='module')
def pixels():
    return torch.rand(FRAMES, 3, 71, 71, generator=torch.Generator().manual_seed(1)) * 2 - 1


def video_features(model, pixels):
    """Pooled features (F, grid^2, width) of transformers, whose return value varies."""
    found = model.model.get_video_features(
        pixels[None], vision_feature_layer=-2, vision_feature_select_strategy='full'
    )
    found = getattr(found, 'pooler_output', found)
    rows = found if isinstance(found, torch.Tensor) else torch.cat(tuple(found))
    return rows.reshape(-1, 48)[: FRAMES * 9].unflatten(0, (FRAMES, 9))  # some add the newline


@torch.no_grad()
def test_image_tokens(ours, theirs, pixels):
    rows = ours.encode_images(pixels).unflatten(1, (3, 4))
    expected = video_features(theirs, pixels).unflatten(1, (3, 3))
    assert expected.std() > 0.1
    assert (rows[:, :, :3] - expected).abs().max() < TOLERANCE
    assert torch.equal(rows[:, :, 3], ours.newline.expand(FRAMES, 3, -1))


@torch.no_grad()
def test_hidden_states_and_logits_of_a_video_and_a_question(ours, theirs, pixels):
    before, after = torch.arange(5), torch.arange(10, 22)
    video = torch.full((FRAMES * 9 + 1,), VIDEO)
    expected = theirs(
        input_ids=torch.cat((before, video, after))[None],
        pixel_values_videos=pixels[None],
        output_hidden_states=True,
    )
    rows = ours.encode_images(pixels)
    patches = ours.patch_states(rows).flatten(0, 1)
    hidden = ours.decode(
        torch.cat((ours.embed(before), patches, ours.newline[None], ours.embed(after)))[None]
    )
    assert expected.logits.std() > 0.1
    assert (hidden - expected.hidden_states[-1]).abs().max() < TOLERANCE
    assert (ours.logits(hidden) - expected.logits).abs().max() < TOLERANCE


@torch.no_grad()
def test_logits_with_a_newline_after_each_row(ours, theirs, pixels):
    frames = ours.frame_embeddings(ours.encode_images(pixels), None)
    sequence = torch.cat((frames.flatten(0, 1), ours.embed(torch.arange(9))))[None]
    expected = theirs(inputs_embeds=sequence).logits
    assert (ours.logits(ours.decode(sequence)) - expected).abs().max() < TOLERANCE


@torch.no_grad()
def test_greedy_words_are_those_of_generate(ours, theirs):
    prompt = torch.arange(1, 8)[None]  # 0 is padding, which generate masks
    expected = theirs.generate(
        input_ids=prompt, max_new_tokens=12, min_new_tokens=12, do_sample=False, pad_token_id=0
    )[0, 7:]
    ids = prompt[0]
    for _ in range(12):
        hidden = ours.decode(ours.embed(ids)[None])
        ids = torch.cat((ids, ours.logits(hidden[:, -1]).argmax(-1)))
    assert ids[7:].tolist() == expected.tolist()
