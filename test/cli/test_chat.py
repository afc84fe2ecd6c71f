# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r chat` as its users have it: through a pipe, at a prompt, on a run that is there."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from box_bag import shots, write_bag
from scripted_engine import ScriptedEngine, agent_at

from loc3r_ros.bag.keyframes import Keyframes
from loc3r_ros.bag.recording import Recording
from loc3r_ros.cli import conversation, main, recorded
from loc3r_ros.errors import InputError
from loc3r_ros.pipeline import Pipeline

FRAMES = 10


@pytest.fixture(scope='module')
def bag(tmp_path_factory) -> Path:
    return write_bag(tmp_path_factory.mktemp('box') / 'walk', shots(FRAMES))


@pytest.fixture(scope='module')
def done(bag, tmp_path_factory) -> Path:
    """A finished run, that nobody asked anything."""
    out = tmp_path_factory.mktemp('run') / 'out'
    assert main(['run', str(bag), '-o', str(out)]) == 0
    return out


@pytest.fixture
def engine(monkeypatch) -> ScriptedEngine:
    made = ScriptedEngine()
    made.agent = agent_at(0.5, 0.25)
    monkeypatch.setattr(recorded, 'open_engine', lambda *_, **__: made)
    return made


@pytest.fixture
def chat(monkeypatch, capsys):
    """Type lines, through a pipe; returns the exit status and what was written."""

    def hold(*lines: str, arguments: list[str]) -> tuple[int, str]:
        monkeypatch.setattr(sys, 'stdin', io.StringIO(''.join(f'{line}\n' for line in lines)))
        status = main(['chat', *arguments])
        return status, capsys.readouterr().out

    return hold


def test_a_recording_is_seen_and_asked_through_a_pipe(bag, chat):
    status, told = chat('how big is the map?', '', '/localize', '/quit', 'x?', arguments=[str(bag)])
    assert status == 0
    assert '> how big is the map?\n' in told and 'square metres have been mapped' in told
    assert '> /localize\nAt x = ' in told
    assert 'x?' not in told, 'after /quit nothing is asked'


def test_a_finished_run_is_asked_without_tracking_anew(bag, done, engine, chat, monkeypatch):
    monkeypatch.setattr(Pipeline, 'step', lambda *_: pytest.fail('it was tracked already'))
    before = {path.name for path in done.iterdir()}
    lines = ('what is this?', '/localize I stand at the sink', '/goto 1.5 0.5', '/map')
    status, told = chat(*lines, arguments=[str(bag), '-o', str(done)])
    assert status == 0
    assert '> what is this?\nThe red chair is behind you.\n' in told
    assert 'x = 0.50 m, y = 0.25 m' in told and 'The goal is (1.5' in told
    assert f'map: {(done / "map.png").resolve()}\n' in told
    assert cv2.imread(str(done / 'map.png')).shape[1] == 800
    assert {path.name for path in done.iterdir()} == before | {'map.png'}
    kept = Keyframes.load(done / 'keyframes.npz')
    assert [view.stamp for view in engine.views] == [ns * 1e-9 for ns in kept.stamps_ns]
    assert len(kept) == json.loads((done / 'summary.json').read_text())['keyframes']
    for view, T in zip(engine.views, kept.T_map_camera, strict=True):
        np.testing.assert_array_equal(view.T_map_camera, T)
    asked = [call[0] for call in engine.calls if call[0] in ('observe', 'wait', 'ask')]
    assert asked == ['observe'] * len(kept) + ['wait', 'ask']


def test_a_run_of_something_else_is_not_taken_nor_replaced(bag, done, tmp_path, chat, capsys):
    other = write_bag(tmp_path / 'other', shots(3))
    before = (done / 'summary.json').read_bytes()
    assert chat(arguments=[str(other), '-o', str(done)])[0] == 2
    assert chat(arguments=[str(bag), '-o', str(done), '--resolution', '0.1'])[0] == 2
    assert (done / 'summary.json').read_bytes() == before


def test_what_is_no_command_is_told_and_the_rest_goes_on(bag, done, chat):
    lines = ('/fly home', '/help', '/goto', '/map', 'how far is the sofa?', 'how big is the map?')
    status, told = chat(*lines, arguments=[str(bag), '-o', str(done)])
    assert status == 0
    assert 'there is no /fly; there are /localize, /goto, /map, /help and /quit' in told
    assert '/localize I stand at' in told, 'the help'
    assert '> /goto\nno answer: the question is empty' in told
    assert '> how far is the sofa?\nno answer: no model loaded' in told
    assert 'square metres' in told


def test_an_interrupt_cancels_the_answer_and_nothing_else(bag, done, engine, chat):
    ask = engine.ask

    def interrupted(question, situation=''):
        for number, word in enumerate(ask(question, situation)):
            if number == 2 and question == 'first?':
                os.kill(os.getpid(), signal.SIGINT)
            yield word

    engine.ask = interrupted
    handler = signal.getsignal(signal.SIGINT)
    status, told = chat('first?', 'second?', arguments=[str(bag), '-o', str(done)])
    assert status == 0
    assert '> first?\nThe red chair \n(cancelled)\n' in told
    assert '> second?\nThe red chair is behind you.\n' in told
    assert signal.getsignal(signal.SIGINT) is handler
    assert engine.open_answers == 0


@pytest.fixture
def prompt(monkeypatch, tmp_path):
    """A terminal, at which these lines are typed; an exception is raised instead."""
    monkeypatch.setattr(conversation, '_HISTORY', tmp_path / 'history')

    def type_lines(*lines) -> None:
        left = iter(lines)

        def read(_prompt: str) -> str:
            line = next(left)
            if isinstance(line, str):
                return line
            raise line

        monkeypatch.setattr('builtins.input', read)
        monkeypatch.setattr(sys, 'stdin', type('Terminal', (), {'isatty': lambda _self: True})())

    return type_lines


@pytest.mark.parametrize('end', [EOFError, KeyboardInterrupt])
def test_at_the_prompt_an_interrupt_or_the_end_leaves(bag, done, engine, prompt, capsys, end):
    prompt('what is this?', end)
    assert main(['chat', str(bag), '-o', str(done)]) == 0
    assert engine.asked() == ['what is this?']
    assert engine.calls[-1] == ('close',)
    assert capsys.readouterr().out.startswith('The red chair is behind you.\n')


def test_the_picture_is_opened_for_who_sits_at_a_terminal(bag, done, prompt, monkeypatch):
    opened = []
    monkeypatch.setattr('webbrowser.open', opened.append)
    prompt('/map', '/quit')
    assert main(['chat', str(bag), '-o', str(done)]) == 0
    assert opened == [(done.resolve() / 'map.png').as_uri()]


def test_what_was_typed_is_kept_for_the_next_time(bag, done, engine, prompt, tmp_path):
    readline = pytest.importorskip('readline')
    readline.clear_history()
    prompt('/quit')
    readline.add_history('what is this?')  # as input() does at a terminal
    assert main(['chat', str(bag), '-o', str(done)]) == 0
    assert 'what is this?' in (tmp_path / 'history').read_text()


def test_keyframes_of_a_recording_that_changed_are_refused(bag, done, tmp_path):
    kept = Keyframes.load(done / 'keyframes.npz')
    with Recording(write_bag(tmp_path / 'few', shots(2))) as few, pytest.raises(InputError) as told:
        list(kept.views(few))
    assert 'not in the recording any more' in str(told.value)
    (tmp_path / 'keyframes.npz').write_bytes(b'PK\x03\x04 not a zip')
    with pytest.raises(InputError, match='is damaged'):
        Keyframes.load(tmp_path / 'keyframes.npz')


def test_camera_tokens_are_kept_with_the_keyframes(bag, done, tmp_path):
    kept = Keyframes.load(done / 'keyframes.npz')
    kept.tokens = [np.full(8, k, np.float32) for k in range(len(kept))]
    kept.save(tmp_path / 'keyframes.npz', 'a source')
    with Recording(bag) as recording:
        views = [view for _, view in Keyframes.load(tmp_path / 'keyframes.npz').views(recording)]
    for k, view in enumerate(views):
        np.testing.assert_array_equal(view.camera_token, kept.tokens[k])
    with pytest.raises(InputError, match='a source'):
        Keyframes.load(tmp_path / 'keyframes.npz', 'another source')
