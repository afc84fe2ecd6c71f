# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Questions about a video: from a streaming cache, and as they are commonly asked.

Both run the same network with the same random weights on the same frames, in turn, and must say the
same. `naive` reads everything for each question: images, frames, words, with transformers' decoder
and its `generate`; `naive, seen` is spared the images. `cold` is our stream from its first frame
on, `seen` ours without the images, `warm` a question about a video that has been read. The tiny
size runs on the CPU, and where there is a GPU the full size as well (16 GB and more).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from itertools import cycle
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from loc3r_ros.bench.frames import room_frames
from loc3r_ros.bench.naive_vlm import NaiveVlm
from loc3r_ros.cli.bench import parser_for
from loc3r_ros.vlm.cache import CacheShape
from loc3r_ros.vlm.config import FULL, TINY, VlmConfig
from loc3r_ros.vlm.keyframes import KeyFrame
from loc3r_ros.vlm.model.loc3r import Loc3rVlm, build
from loc3r_ros.vlm.model.preprocess import preprocess
from loc3r_ros.vlm.prefix import Prefix, Text
from loc3r_ros.vlm.prompt import Prompt
from loc3r_ros.vlm.stream import TEXT_TOKENS, VideoStream
from loc3r_ros.vlm.tokenizer import Words

SITUATION = 'I am standing at the sink and face the window.'
QUESTION = 'How far is the red chair from me, and on which side?'
_MB = 2**20


def add_parser(subjects: Any) -> None:
    parser = parser_for(subjects, 'vlm', __doc__, 'loc3r bench vlm --json')
    parser.add_argument('--frames', type=int, default=32, help='of the video (default: 32)')
    parser.add_argument('--tokens', type=int, default=20, help='of an answer (default: 20)')
    parser.add_argument('--repeats', type=int, default=9, help='of each question (default: 9)')
    parser.add_argument(
        '--observe', type=int, default=1000, help='frames of the memory run (default: 1000)'
    )
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    report = {'tiny, CPU': measure(TINY, 'cpu', torch.float32, args)}
    if torch.cuda.is_available():
        report[f'full, {torch.cuda.get_device_name()}'] = measure(
            FULL, 'cuda', torch.bfloat16, args
        )
    print(json.dumps(report, indent=2) if args.json else '\n\n'.join(map(_table, report.items())))
    return 0


def measure(
    config: VlmConfig, device: str, dtype: torch.dtype, args: argparse.Namespace
) -> dict[str, Any]:
    """All figures of one size; times are medians in ms."""
    torch.manual_seed(0)
    model, words = build(config, device, dtype), Words.tiny()
    words.end_ids = frozenset()  # random weights would end some answers early
    shots = _shots(args.frames, config)
    with patch('loc3r_ros.vlm.stream.ANSWER_TOKENS', args.tokens):
        bench = _Bench(model, words, shots, args.tokens)
        times = bench.times(args.repeats)
        report = {
            'frames': args.frames,
            'tokens_of_video': bench.stream.tokens,
            'tokens_of_answer': args.tokens,
            'threads': torch.get_num_threads(),
            'ms': times,
            'ratio_to_naive': {
                what: times[f'naive {what}'] / times[f'warm {what}'] for what in ('localize', 'ask')
            },
            'ratio_to_naive_seen': {
                what: times[f'naive, seen {what}'] / times[f'warm {what}']
                for what in ('localize', 'ask')
            },
            'tokens_per_s': 1e3 * args.tokens / (times['warm ask'] - times['warm localize']),
            'same_answer': bench.same_answer(),
            'position_differs_m': bench.position_differs(),
        }
        return report | {'memory': _memory(bench.stream, model, shots, args.observe)}


def _shots(count: int, config: VlmConfig) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Images of a room, with camera tokens of no meaning: their values cost no time."""
    random = np.random.default_rng(0)
    return [
        (one.frame.rgb, random.standard_normal(config.camera_dim).astype(np.float32))
        for one in room_frames(7, count)
    ]


class _Bench:
    """Both ways to ask, about the same frames."""

    def __init__(self, model: Loc3rVlm, words: Words, shots: list[Any], tokens: int) -> None:
        self._model, self._words, self._shots, self._tokens = model, words, shots, tokens
        prompt = Prompt(words)
        self._header, self._place = prompt.header(), prompt.situation(SITUATION)
        self._text = self._place + prompt.question(QUESTION)
        self._naive = NaiveVlm(model)
        self._video = self._see()
        frames = self._video.unflatten(0, (len(shots), -1))
        self._frames = [KeyFrame(n, 0.0, e) for n, e in enumerate(frames)]
        capacity = len(self._header) + len(self._video) + TEXT_TOKENS
        self._prefix = Prefix(model, self._header, capacity)
        self.fold_in_ms: list[float] = []
        self.stream = self._filled()

    def times(self, repeats: int) -> dict[str, float]:
        """Median ms of each way, all in turn in each round."""
        ways: dict[str, Callable[[], object]] = {
            'naive localize': lambda: self._naive_localize(self._see()),
            'naive, seen localize': lambda: self._naive_localize(self._video),
            'seen localize': self._seen,
            'warm localize': lambda: self.stream.localize(SITUATION),
            'naive ask': lambda: self._naive_ask(self._see()),
            'naive, seen ask': lambda: self._naive_ask(self._video),
            'cold ask': lambda: self._ask(self._filled()),
            'warm ask': lambda: self._ask(self.stream),
        }
        spent: dict[str, list[float]] = {name: [] for name in ways}
        for work in ways.values():  # warm up
            work()
        for _ in range(repeats):
            for name, work in ways.items():
                spent[name].append(self._timed(work))
        medians = {name: float(np.median(ms)) for name, ms in spent.items()}
        late = self.fold_in_ms[len(self.fold_in_ms) // 2 :]
        return medians | {'fold in a frame': float(np.median(late))}

    def same_answer(self) -> bool:
        """Whether both ways give the same words."""
        return self._words.decode(self._naive_ask(self._video)) == self._ask(self.stream)

    def position_differs(self) -> float:
        """Greatest difference of the two ways' positions, m."""
        naive = self._naive_localize(self._video).double().cpu().numpy()
        return float(np.abs(naive - self.stream.localize(SITUATION).mean).max())

    def _filled(self) -> VideoStream:
        stream = VideoStream(self._model, self._words, frames=len(self._shots))
        for n, (rgb, token) in enumerate(self._shots):
            ms = self._timed(partial(stream.observe, rgb, token, float(n)))
            self.fold_in_ms.append(ms)
        return stream

    def _see(self) -> torch.Tensor:
        device, size = self._model.newline.device, self._model.config.vision.image_size
        pixels = torch.stack([preprocess(rgb, size) for rgb, _ in self._shots]).to(device)
        tokens = torch.from_numpy(np.stack([token for _, token in self._shots])).to(device)
        return self._naive.see(pixels, tokens)

    def _naive_localize(self, video: torch.Tensor) -> torch.Tensor:
        return self._naive.localize(self._header, video, self._place)

    def _naive_ask(self, video: torch.Tensor) -> list[int]:
        return self._naive.ask(self._header, video, self._text, self._tokens)

    def _seen(self) -> None:
        self._prefix.clear()
        for frame in self._frames:
            self._prefix.append(frame)
        self._prefix.read(Text(list(self._place)))

    @staticmethod
    def _ask(stream: VideoStream) -> str:
        return ''.join(stream.ask(QUESTION, SITUATION))

    @staticmethod
    def _timed(work: Callable[[], object]) -> float:
        begun = perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return 1e3 * (perf_counter() - begun)


def _memory(
    stream: VideoStream, model: Loc3rVlm, shots: list[Any], observe: int
) -> dict[str, float]:
    """What the stream holds: by the arithmetic, now, and after many more frames."""
    shape = CacheShape.of(model.config.text, 0)
    before = stream.bytes
    for n, (rgb, token) in zip(range(observe), cycle(shots)):
        stream.observe(rgb, token, float(len(shots) + n))
    stream.wait()
    return {
        'cache_bytes_per_token': shape.token_bytes(model.newline.dtype),
        'held_mb': before / _MB,
        'frames_more': observe,
        'held_mb_after': stream.bytes / _MB,
    }


def _table(entry: tuple[str, dict[str, Any]]) -> str:
    size, r = entry
    ms, memory, answer = r['ms'], r['memory'], f'ask, {r["tokens_of_answer"]} tokens'
    lines = [
        f'{size}: {r["frames"]} frames, {r["tokens_of_video"]} tokens, {r["threads"]} threads',
        f'{"":<18}{"localize":>12}{answer:>18}',
    ]
    for way in ('naive', 'naive, seen', 'cold', 'seen', 'warm'):
        cells = [f'{ms[key]:.1f} ms' if (key := f'{way} {what}') in ms else '' for what in _WHAT]
        lines.append(f'{way:<18}{cells[0]:>12}{cells[1]:>18}')
    for name, key in (('naive / warm', 'ratio_to_naive'), ('seen / warm', 'ratio_to_naive_seen')):
        lines.append(f'{name:<18}{r[key]["localize"]:>11.1f}x{r[key]["ask"]:>17.1f}x')
    lines += [
        f'fold in a frame {ms["fold in a frame"]:.1f} ms, {r["tokens_per_s"]:.0f} tokens/s',
        f'same answer: {r["same_answer"]}; positions differ by {r["position_differs_m"]:.1e} m',
        f'held {memory["held_mb"]:.1f} MB, after {memory["frames_more"]} more frames '
        f'{memory["held_mb_after"]:.1f} MB; {memory["cache_bytes_per_token"]} bytes a token',
    ]
    return '\n'.join(lines)


_WHAT = ('localize', 'ask')
