# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The published weights that `loc3r weights` knows by name."""

from __future__ import annotations

from dataclasses import dataclass

from loc3r_ros.errors import InputError

_NETWORK = ('config.json', '*.safetensors', '*.safetensors.index.json')
_TOKENIZER = ('tokenizer.json', 'tokenizer_config.json', 'vocab.json', 'merges.txt')
_HUB_FILES = (*_NETWORK, *_TOKENIZER, 'added_tokens.json', 'LICENSE*')


@dataclass(frozen=True)
class Published:
    """Weights that somebody published, under a licence of theirs.

    Attributes:
        name: what `loc3r weights fetch` is told.
        what: what they are for.
        licence: as its publisher names it.
        gigabytes: about how much is downloaded.
        where: a repository of the Hugging Face Hub, or words that say where to look.
        files: names or patterns of the files that are used.
        on_hub: whether `where` is a repository of the Hub, which can be fetched.
    """

    name: str
    what: str
    licence: str
    gigabytes: float
    where: str
    files: tuple[str, ...]
    on_hub: bool = True


_CUT3R_LICENCE = 'CC BY-NC-SA 4.0 (non-commercial use only)'
_CUT3R_PLACE = 'Google Drive, by the links in the README of github.com/CUT3R/CUT3R'

PUBLISHED = (
    Published(
        'cut3r-224',
        'camera poses without depth, 224 x 224',
        _CUT3R_LICENCE,
        3.0,
        _CUT3R_PLACE,
        ('cut3r_224_linear_4.pth',),
        on_hub=False,
    ),
    Published(
        'cut3r-512',
        'camera poses without depth, 512 x 384',
        _CUT3R_LICENCE,
        3.2,
        _CUT3R_PLACE,
        ('cut3r_512_dpt_4_64.pth',),
        on_hub=False,
    ),
    Published(
        'loc3r-vlm',
        'answers and localization by words',
        'Apache-2.0',
        16.1,
        'kevinqu7/Loc3R-VLM',
        _HUB_FILES,
    ),
    Published(
        'llava-video-7b',
        'the base of loc3r-vlm: answers, no localization',
        'Apache-2.0',
        16.1,
        'lmms-lab/LLaVA-Video-7B-Qwen2',
        _HUB_FILES,
    ),
    Published(
        'siglip',
        'the image tower, for weights that come without it',
        'Apache-2.0',
        3.5,
        'google/siglip-so400m-patch14-384',
        (*_NETWORK, 'LICENSE*'),
    ),
)


def published(name: str) -> Published:
    """Look weights up.

    Raises:
        InputError: the name is unknown; all known ones are listed.
    """
    for entry in PUBLISHED:
        if entry.name == name:
            return entry
    known = ', '.join(entry.name for entry in PUBLISHED)
    raise InputError(f'no weights are known as {name!r}; there are {known}')
