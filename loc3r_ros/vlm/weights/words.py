# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The tokenizer of a folder of weights, checked against its model."""

from __future__ import annotations

from pathlib import Path

from loc3r_ros.errors import CheckpointError, InputError
from loc3r_ros.vlm.tokenizer import ORIENTATION, POSITION, Words
from loc3r_ros.vlm.weights.folder import WeightsFolder
from loc3r_ros.vlm.weights.shards import AGAIN, read_json


def read_words(folder: WeightsFolder) -> Words:
    """The tokenizer that the weights were trained with.

    Raises:
        CheckpointError: there is none, it has more words than the model, or a model that can
            localize comes without the markers that it was trained to do so by.
    """
    try:
        words = Words.load(folder.path)
    except InputError as error:
        raise CheckpointError(f'{error}; {AGAIN}') from error
    rows = folder.plan.config.text.vocab_size
    if words.vocab_size > rows:
        raise CheckpointError(
            f'{folder.path}: the tokenizer has {words.vocab_size} words, the model {rows}: take '
            'the tokenizer that the weights came with'
        )
    localizes = any(key.startswith('position_head.') for key in folder.stored)
    markers = _markers(folder.path)
    if localizes and not {POSITION, ORIENTATION} <= markers:
        raise CheckpointError(
            f'{folder.path}: a model that localizes, but its tokenizer has no {POSITION} and '
            f'{ORIENTATION}; its markers are {", ".join(sorted(markers)) or "none"}. If two of '
            f'these are meant, rename them in tokenizer.json'
        )
    return words


def _markers(folder: Path) -> set[str]:
    if (folder / 'tokenizer.json').is_file():
        added = read_json(folder / 'tokenizer.json').get('added_tokens') or ()
        return {str(token.get('content')) for token in added}
    added_tokens = folder / 'added_tokens.json'
    return set(read_json(added_tokens)) if added_tokens.is_file() else set()
