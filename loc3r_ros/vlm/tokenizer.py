# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Words to token ids and back, with a library's tokenizer."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
)

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.tiny_vocabulary import tiny_tokenizer

POSITION = '<Pos>'
ORIENTATION = '<Ori>'
START = '<|im_start|>'
END = '<|im_end|>'
_END_OF_TEXT = '<|endoftext|>'

_QWEN2_PIECES = Regex(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r'| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+'
)
"""How Qwen2 cuts text before it merges bytes; part of its format, like its merges."""


class Words:
    """A byte-level tokenizer with the markers of a chat and of a situation.

    Text is only ever text: `<Pos>` or `<|im_end|>` within it is spelled, not obeyed. The markers
    are reached by their ids alone.

    Attributes:
        pos_id, ori_id: of `<Pos>` and `<Ori>`, added where a tokenizer lacks them.
        start_id, end_id: of the markers of a chat's turns; `end_id` ends an answer.
        end_ids: all that end an answer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        if not isinstance(tokenizer.decoder, decoders.ByteLevel):
            raise InputError('not a byte-level tokenizer, such as Qwen2 has: give its own file')
        lacking = [m for m in (POSITION, ORIENTATION) if tokenizer.token_to_id(m) is None]
        tokenizer.add_special_tokens(
            [AddedToken(m, special=True, normalized=False) for m in lacking]
        )
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self.pos_id, self.ori_id = self._id(POSITION), self._id(ORIENTATION)
        self.start_id, self.end_id = self._id(START), self._id(END)
        self.end_ids = frozenset((self.end_id, self._id(_END_OF_TEXT)))
        self._special = frozenset(tokenizer.get_added_tokens_decoder())

    @classmethod
    def load(cls, path: Path | str) -> Words:
        """Read a `tokenizer.json`, or a folder with one, or with Qwen2's vocab.json and merges.txt.

        Raises:
            InputError: there is none, or it is not a byte-level tokenizer with a chat's markers.
        """
        path = Path(path)
        if path.is_dir():
            whole = path / 'tokenizer.json'
            if not whole.is_file():
                return cls(_from_parts(path))
            path = whole
        try:
            return cls(Tokenizer.from_str(path.read_text('utf-8')))
        except InputError:
            raise
        except Exception as error:  # the library raises bare Exception
            raise InputError(f'{path}: no tokenizer can be read: {error}') from error

    @classmethod
    def tiny(cls) -> Words:
        """The tiny model's own."""
        return cls(tiny_tokenizer())

    @property
    def vocab_size(self) -> int:
        """Ids there are, markers among them; a model may have more rows, unused."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values()) + 1

    def to_json(self) -> str:
        """The text of a `tokenizer.json`."""
        return self._tokenizer.to_str()

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids, without markers; bytes that are no UTF-8 become U+FFFD."""
        stream = WordStream(self)
        return ''.join([stream.push(token) for token in ids]) + stream.finish()

    def bytes_of(self, token: int) -> bytes:
        """UTF-8 bytes of a token, perhaps of part of a character; none for a marker.

        An id beyond the vocabulary, which a model with unused rows may give, has none either.
        """
        text = None if token in self._special else self._tokenizer.id_to_token(token)
        return bytes(_BYTE_OF[c] for c in text) if text is not None else b''

    def _id(self, marker: str) -> int:
        found = self._tokenizer.token_to_id(marker)
        if found is None:
            raise InputError(
                f'the tokenizer has no {marker}: give the one that the model came with'
            )
        return found


class WordStream:
    """Text as its tokens come, never half a character."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._decoder = codecs.getincrementaldecoder('utf-8')('replace')

    def push(self, token: int) -> str:
        """What can be said now that this token has come; may be empty."""
        return self._decoder.decode(self._words.bytes_of(token))

    def finish(self) -> str:
        """What was begun and never ended: U+FFFD, or nothing."""
        return self._decoder.decode(b'', final=True)


def _from_parts(folder: Path) -> Tokenizer:
    """Qwen2's tokenizer from its vocabulary and merges, as older checkpoints store it."""
    vocabulary, merges = folder / 'vocab.json', folder / 'merges.txt'
    if not (vocabulary.is_file() and merges.is_file()):
        raise InputError(f'{folder}: no tokenizer.json, nor vocab.json with merges.txt')
    try:
        tokenizer = Tokenizer(models.BPE.from_file(str(vocabulary), str(merges)))
        markers = _stored_markers(folder)
    except Exception as error:  # the library raises bare Exception
        raise InputError(f'{folder}: vocab.json, merges.txt: {error}') from error
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_QWEN2_PIECES, 'isolated'),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(marker, special=True, normalized=False) for marker in markers]
    )
    return tokenizer


def _stored_markers(folder: Path) -> list[str]:
    """Markers in the order of their ids: new ones are numbered after the vocabulary."""
    stored = folder / 'added_tokens.json'
    if not stored.is_file():
        return [_END_OF_TEXT, START, END]
    numbers: dict[str, int] = json.loads(stored.read_text('utf-8'))
    return sorted(numbers, key=numbers.__getitem__)


def _byte_letters() -> dict[str, int]:
    """The letter that byte-level tokenizers write for each byte: itself, or the next free one."""
    plain = [*range(ord('!'), ord('~') + 1), *range(ord('¡'), ord('¬') + 1), *range(ord('®'), 256)]
    others = [byte for byte in range(256) if byte not in set(plain)]
    letters = {chr(byte): byte for byte in plain}
    return letters | {chr(256 + n): byte for n, byte in enumerate(others)}


_BYTE_OF = _byte_letters()
