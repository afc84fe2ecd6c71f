# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A network of a few thousand parameters, frames for it, and answers from scratch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise

import numpy as np
import torch

from loc3r_ros.vlm.config import QwenShape, SiglipShape, VlmConfig
from loc3r_ros.vlm.model.loc3r import Loc3rVlm, build
from loc3r_ros.vlm.model.preprocess import preprocess
from loc3r_ros.vlm.prompt import Prompt
from loc3r_ros.vlm.situated import Situated
from loc3r_ros.vlm.stream import VideoStream
from loc3r_ros.vlm.tokenizer import Words, WordStream

CAMERA_DIM, BUDGET = 12, 8
PLACE = 'I am standing at the sink.'

SMALL = VlmConfig(
    vision=SiglipShape(
        image_size=40, patch_size=14, hidden_size=16, intermediate_size=32, layers=2, heads=2
    ),
    text=QwenShape(
        vocab_size=2816,
        hidden_size=32,
        intermediate_size=64,
        layers=2,
        heads=4,
        kv_heads=2,
        rope_theta=1e4,
        rms_norm_eps=1e-6,
        max_positions=2048,
    ),
    camera_dim=CAMERA_DIM,
    head_width=16,
    pool=1,
    frames=BUDGET,
)


@cache
def words() -> Words:
    return Words.tiny()


@cache
def model(dtype: torch.dtype = torch.float64) -> Loc3rVlm:
    """Weights far larger than those of a new network: else nothing would hang on the frames."""
    torch.manual_seed(1)
    made = build(SMALL, dtype=torch.float64)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim > 1:
                parameter.mul_(12)
    if dtype == torch.float64:
        return made
    narrow = build(SMALL, dtype=dtype)
    narrow.load_state_dict(made.state_dict())
    return narrow


@cache
def view(number: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Image and camera token of a frame; every fifth has none."""
    rng = np.random.default_rng(number)
    image = rng.integers(0, 256, (30, 50, 3), dtype=np.uint8)
    token = rng.normal(size=CAMERA_DIM).astype(np.float32)
    return image, None if number % 5 == 3 else token


@torch.inference_mode()
def from_scratch(net: Loc3rVlm, frames: list[int], text: list[int]) -> torch.Tensor:
    """Hidden states of header, frames and text in one forward without a cache."""
    pieces = [net.embed(torch.tensor(Prompt(words()).header()))]
    for number in frames:
        image, token = view(number)
        features = net.encode_images(preprocess(image, SMALL.vision.image_size)[None])
        tokens = None if token is None else torch.from_numpy(token)[None]
        pieces.append(net.frame_embeddings(features, tokens)[0])
    if text:
        pieces.append(net.embed(torch.tensor(text)))
    return net.decode(torch.cat(pieces)[None])[0]


@torch.inference_mode()
def situated_from_scratch(net: Loc3rVlm, frames: list[int], situation: str) -> np.ndarray:
    """Mean, sigma and heading, one behind the other."""
    hidden = from_scratch(net, frames, Prompt(words()).situation(situation))
    place = net.position(hidden[-2])
    heading = net.orientation(hidden[-1]).softmax(-1)
    return torch.cat([place.mean, place.sigma, heading]).double().numpy()


@torch.inference_mode()
def layouts_from_scratch(net: Loc3rVlm, frames: list[int]) -> torch.Tensor:
    """(frames, patches, 4) mean and log sigma."""
    hidden = from_scratch(net, frames, [])
    ends = len(hidden) - np.cumsum([0, *(_tokens(n) for n in reversed(frames))])[::-1]
    states = [net.patch_states(hidden[a:b]) for a, b in pairwise(ends)]
    places = [net.layout(state) for state in states]
    return torch.stack([torch.cat([p.mean, p.log_sigma], -1) for p in places])


def _tokens(number: int) -> int:
    return SMALL.tokens_per_frame - (view(number)[1] is None)


class SpeakerFromScratch:
    """Greedy words, each from a forward over all there is."""

    def __init__(self, net: Loc3rVlm, question: str, situation: str = '') -> None:
        prompt = Prompt(words())
        self._net = net
        self._ids = prompt.situation(situation) + prompt.question(question)
        self._spelled = WordStream(words())
        self._left = 128

    def next(self, frames: list[int]) -> str | None:
        """The next piece about these frames, or None at the end."""
        while self._left:
            self._left -= 1
            with torch.inference_mode():
                logits = self._net.logits(from_scratch(self._net, frames, self._ids)[-1])
            token = int(logits.argmax())
            if token in words().end_ids:
                break
            self._ids.append(token)
            if piece := self._spelled.push(token):
                return piece
        self._left = 0
        return self._spelled.finish() or None


def watched(count: int, dtype: torch.dtype = torch.float64) -> VideoStream:
    """A stream that was shown so many frames, stamped with their numbers."""
    stream = VideoStream(model(dtype), words())
    show(stream, range(count))
    return stream


def show(stream: VideoStream, numbers: Iterable[int]) -> None:
    for number in numbers:
        stream.observe(*view(number), float(number))
    stream.wait()


def held(stream: VideoStream) -> list[int]:
    """Numbers of the frames that answers are about."""
    return [int(stamp) for stamp in stream.stamps]


def flat(situated: Situated) -> np.ndarray:
    return np.concatenate([situated.mean, situated.sigma, situated.heading])


def check_exact(stream: VideoStream, tolerance: float = 1e-9) -> None:
    """Its answer is that of one forward over the frames that it holds."""
    net = stream._model
    expected = situated_from_scratch(net, held(stream), PLACE)
    np.testing.assert_allclose(flat(stream.localize(PLACE)), expected, tolerance, tolerance)
