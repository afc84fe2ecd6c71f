# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Who serves: TensorRT if it passed, else the fastest that did; and why, in the log."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace

import pytest
from numpy_session import SIGNATURE, NumpySession, golden

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.choose import Candidate, choose
from loc3r_ros.runtime.package import Package, golden_path, sha256


@pytest.fixture
def package(tmp_path) -> Package:
    golden(8).write(golden_path(tmp_path, 'net'))
    files = {'net.golden.safetensors': sha256(golden_path(tmp_path, 'net'))}
    return Package(tmp_path, 'net', 'abc', 'fp32', 20, 'decomposed', SIGNATURE, files)


class Slow(NumpySession):
    def run(self, inputs):
        time.sleep(0.003)
        return super().run(inputs)


@pytest.fixture
def candidate(package):
    """Makes candidates, and counts how often each was opened and run."""
    runs: dict[str, int] = {}

    def make(backend: str, name: str, defect: str = '', slow: bool = False, error: str = ''):
        def open_session():
            if error:
                raise EngineError(error)
            session = (Slow if slow else NumpySession)(defect)
            session.name = name
            plain = session.run

            def run(inputs):
                runs[name] = runs.get(name, 0) + 1
                return plain(inputs)

            session.run = run
            return session

        return Candidate(backend, package, 'fp32', open_session)

    make.runs = runs
    return make


def test_a_tensorrt_engine_that_passes_serves_and_nobody_else_is_asked(candidate, caplog):
    caplog.set_level(logging.INFO, 'loc3r_ros')
    choice = choose([candidate('torch', 'torch'), candidate('tensorrt', 'trt', slow=True)])
    assert choice.session.name == 'trt'
    assert choice.refusals == ()
    assert candidate.runs == {'trt': 9}
    assert 'trt serves: TensorRT, and it passed its self-test' in caplog.text


@pytest.mark.parametrize('defect', ['nan', 'forgets', 'off', 'unwritten'])
def test_a_failing_engine_is_refused_and_the_fastest_other_serves(candidate, caplog, defect):
    caplog.set_level(logging.INFO, 'loc3r_ros')
    choice = choose(
        [
            candidate('tensorrt', 'trt', defect),
            candidate('torch', 'torch', slow=True),
            candidate('onnxruntime', 'ort'),
        ]
    )
    assert choice.session.name == 'ort'
    assert choice.reason.startswith('ort serves: the fastest of 2 that passed their self-test (')
    assert choice.refusals[0].startswith('trt: refused: ')
    assert [r.getMessage() for r in caplog.records if r.levelname == 'WARNING'] == [
        choice.refusals[0]
    ]


def test_a_backend_that_does_not_open_or_that_failed_at_work_is_passed_over(candidate):
    made = [
        candidate('tensorrt', 'trt', error='built for another GPU'),
        candidate('onnxruntime', 'ort'),
        candidate('torch', 'torch', slow=True),
    ]
    choice = choose(made, without=['ort'])
    assert choice.session.name == 'torch'
    assert choice.refusals == ('tensorrt: built for another GPU', 'ort: failed at work')
    with pytest.raises(EngineError, match='tensorrt: built for another GPU; ort: failed at work'):
        choose(made[:2], without=['ort'])
    with pytest.raises(EngineError, match='there is none'):
        choose([])


def test_self_tests_are_remembered_but_for_tensorrt(candidate, package):
    for _ in range(2):
        choose([candidate('onnxruntime', 'ort'), candidate('torch', 'torch', slow=True)])
        choose([candidate('tensorrt', 'trt')])
    assert candidate.runs == {'ort': 9, 'torch': 9, 'trt': 18}
    record = package.folder / 'net.tested'
    assert len(json.loads(record.read_text())) == 2
    other = replace(package, files={'net.onnx': 'another'})
    made = candidate('onnxruntime', 'ort')
    choose([Candidate(made.backend, other, made.precision, made.open)])
    assert candidate.runs['ort'] == 18, 'another package is tested anew'
    record.write_text('{')
    choose([candidate('onnxruntime', 'ort')])
    assert candidate.runs['ort'] == 27, 'a damaged record counts for nothing'
