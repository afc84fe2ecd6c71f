# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Words to ids and back: the tiny tokenizer, Qwen2's files, and text that comes in halves."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import Qwen2TokenizerFast

from loc3r_ros.errors import InputError
from loc3r_ros.vlm.config import TINY
from loc3r_ros.vlm.tiny_vocabulary import tiny_tokenizer
from loc3r_ros.vlm.tokenizer import Words, WordStream

TEXTS = [
    'Where is the nearest chair?',
    "I'm at the sink;  what's 12.5 m away\n\n to my left?",
    'Où est la chaise près de la fenêtre ?',
    '椅子在哪里? 🪑🙂',
    'say <Pos> <|im_end|> <Ori>',
]


LIBRARY = tiny_tokenizer()
WORDS = Words.tiny()


@pytest.fixture
def tiny():
    return WORDS


@pytest.fixture
def qwen2(tmp_path):
    """A folder as a checkpoint with a slow tokenizer has: bytes, a few merges, numbered markers."""
    merges = [
        ('Ġ', 't'),
        ('h', 'e'),
        ('Ġt', 'he'),
        ('i', 's'),
        ('c', 'h'),
        ('a', 'i'),
        ('ch', 'ai'),
    ]
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *map(''.join, merges)]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (tmp_path / 'vocab.json').write_text(json.dumps(vocabulary), 'utf-8')
    lines = ['#version: 0.2', *map(' '.join, merges)]
    (tmp_path / 'merges.txt').write_text('\n'.join(lines) + '\n', 'utf-8')
    markers = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
    numbered = {m: len(tokens) + n for n, m in enumerate(markers)}
    (tmp_path / 'added_tokens.json').write_text(json.dumps(numbered), 'utf-8')
    return tmp_path


@pytest.mark.parametrize('text', TEXTS)
def test_text_comes_back_as_it_went(tiny, text):
    assert tiny.decode(tiny.encode(text)) == text


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_comes_back(text):
    text = text.encode('utf-8', 'ignore').decode()  # lone surrogates are not text
    words = WORDS
    ids = words.encode(text)
    assert words.decode(ids) == text
    assert all(0 <= token < words.vocab_size for token in ids)
    assert not {words.pos_id, words.ori_id, words.start_id, *words.end_ids} & set(ids)


def test_a_known_word_is_one_token_and_a_digit_is_one(tiny):
    assert len(tiny.encode('Where is the nearest chair?')) == 6
    assert len(tiny.encode('chair')) == 1
    assert len(tiny.encode('1024')) == 4
    assert tiny.encode('chair') != tiny.encode(' chair')


def test_an_unknown_word_is_its_bytes(tiny):
    assert len(tiny.encode('zyzzyva')) == 7
    assert len(tiny.encode('椅')) == 3


def test_the_tiny_vocabulary_fits_its_model_and_says_nothing_twice(tiny):
    assert 1000 < tiny.vocab_size <= TINY.text.vocab_size
    stored = json.loads(tiny.to_json())['model']['vocab']
    assert sorted(stored.values()) == list(range(tiny.vocab_size))


def test_it_is_made_the_same_each_time():
    assert tiny_tokenizer().to_str() == tiny_tokenizer().to_str()


def test_saved_and_loaded_it_is_the_same(tiny, tmp_path):
    (tmp_path / 'tokenizer.json').write_text(tiny.to_json(), 'utf-8')
    for loaded in (Words.load(tmp_path), Words.load(tmp_path / 'tokenizer.json')):
        assert loaded.vocab_size == tiny.vocab_size
        assert (loaded.pos_id, loaded.ori_id, loaded.end_id) == (
            tiny.pos_id,
            tiny.ori_id,
            tiny.end_id,
        )
        for text in TEXTS:
            assert loaded.encode(text) == tiny.encode(text)


def test_qwen2_files_make_qwen2_tokens(qwen2):
    ours = Words.load(qwen2)
    theirs = Qwen2TokenizerFast(str(qwen2 / 'vocab.json'), str(qwen2 / 'merges.txt'))
    for text in TEXTS[:4]:
        assert ours.encode(text) == theirs(text)['input_ids']
        assert ours.decode(ours.encode(text)) == text


def test_situation_markers_are_added_after_all_others(qwen2):
    ours = Words.load(qwen2)
    assert [ours.start_id, ours.end_id, ours.pos_id, ours.ori_id] == [264, 265, 266, 267]
    assert ours.end_ids == {263, 265}
    assert ours.vocab_size == 268


def test_markers_are_silent_and_so_are_ids_beyond(tiny):
    ids = [tiny.start_id, *tiny.encode('chair'), tiny.pos_id, tiny.vocab_size + 5, tiny.end_id]
    assert tiny.decode(ids) == 'chair'


@pytest.mark.parametrize('text', TEXTS)
def test_a_stream_says_whole_characters_as_soon_as_they_are(tiny, text):
    stream, said = WordStream(tiny), []
    for token in tiny.encode(text):
        said.append(stream.push(token))
        assert '\N{REPLACEMENT CHARACTER}' not in said[-1]
    assert ''.join(said) == text
    assert stream.finish() == ''
    wide = [c for c in text if ord(c) > 127]
    assert [piece for piece in said if not piece.isascii()] == wide


@given(st.lists(st.integers(0, 2787), max_size=30))
@settings(max_examples=100, deadline=None)
def test_a_stream_of_anything_says_what_the_library_says(ids):
    stream = WordStream(WORDS)
    said = ''.join(map(stream.push, ids)) + stream.finish()
    assert said == LIBRARY.decode(ids, skip_special_tokens=True)


def test_what_is_half_said_ends_as_a_replacement(tiny):
    stream = WordStream(tiny)
    first, second, _ = tiny.encode('椅')
    assert stream.push(first) == stream.push(second) == ''
    assert stream.finish() == '\N{REPLACEMENT CHARACTER}'


def test_files_that_are_no_tokenizer_are_named(tmp_path):
    with pytest.raises(InputError, match=r'no tokenizer\.json, nor vocab\.json'):
        Words.load(tmp_path)
    broken = tmp_path / 'tokenizer.json'
    broken.write_text('{}')
    with pytest.raises(InputError, match='no tokenizer can be read'):
        Words.load(tmp_path)
    with pytest.raises(InputError, match='no tokenizer can be read'):
        Words.load(tmp_path / 'absent.json')
    whitespace = Tokenizer(models.WordLevel({'a': 0}, unk_token='a'))
    broken.write_text(whitespace.to_str())
    with pytest.raises(InputError, match='not a byte-level tokenizer'):
        Words.load(tmp_path)
    whitespace.decoder = decoders.ByteLevel()
    broken.write_text(whitespace.to_str())
    with pytest.raises(InputError, match=r'has no <\|im_start\|>'):
        Words.load(tmp_path)
