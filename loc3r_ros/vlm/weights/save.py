# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Write a model in our own layout: all names are the model's."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from loc3r_ros.cut3r.tensorfile import write_tensors
from loc3r_ros.errors import InputError
from loc3r_ros.vlm.model.loc3r import Loc3rVlm
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.vlm.weights.plan import OURS
from loc3r_ros.vlm.weights.shards import SINGLE

_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def save(model: Loc3rVlm, words: Words, folder: Path | str, training: str = '') -> None:
    """Write config.json, tokenizer.json and model.safetensors, each whole or not at all.

    Args:
        model: float32, float16 or bfloat16; stored as it is.
        words: its tokenizer.
        folder: made where it is missing.
        training: how the weights were trained, in words; without them they count as random.

    Raises:
        InputError: the model is quantized or of another dtype, or the folder cannot be written.
    """
    folder = Path(folder)
    state = model.state_dict()
    if model.config.text.tie_embeddings:
        state.pop('lm_head.weight')
    for key, tensor in state.items():
        plain = type(tensor) in (torch.Tensor, torch.nn.Parameter)
        if not plain or tensor.dtype not in _DTYPES:
            kind = tensor.dtype if plain else type(tensor).__name__
            raise InputError(
                f'{key} is {kind}; only models of fp32, bf16 or fp16 are saved: save before '
                'quantizing, precision is chosen when loading'
            )
    about = {'training': training} if training else {}
    config = {'model_type': OURS, **about, **model.config.to_json()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / 'config.json', json.dumps(config, indent=2) + '\n')
        _write(folder / 'tokenizer.json', words.to_json())
    except OSError as error:
        raise InputError(f'cannot write to {folder}: {error.strerror}') from error
    write_tensors(folder / SINGLE, dict(sorted(state.items())), {'format': 'pt'})


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f'{path.name}.partial')
    partial.write_text(text, encoding='utf-8')
    partial.replace(path)
