# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The TensorRT session on stand-ins: buffers, graph, state, poison, failures."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy_session import INITIAL, NumpySession, golden
from tensorrt_stand_in import TensorRtStandIn, package_in

from loc3r_ros.errors import EngineError, InputError
from loc3r_ros.runtime.selftest import self_test
from loc3r_ros.runtime.tensorrt.build import build
from loc3r_ros.runtime.tensorrt.presets import Settings
from loc3r_ros.runtime.tensorrt.session import TensorRtSession, open_session

SETTINGS = Settings(workspace_mb=256, optimization_level=2, tf32=False)
X = np.array([0.5, -1, 2], np.float32)
STEP = {'x': X, 'update': np.ones(1, bool)}


@pytest.fixture
def stand_in(monkeypatch):
    stand_in = TensorRtStandIn()
    stand_in.install(monkeypatch)
    return stand_in


@pytest.fixture
def package(stand_in, tmp_path):
    package = package_in(tmp_path)
    build(package, SETTINGS, lambda line: None)
    return package


def test_it_computes_what_numpy_computes_over_all_steps(stand_in, package):
    session, reference = open_session(package), NumpySession()
    for index in range(golden().steps):
        step = golden().step(index)
        np.testing.assert_array_equal(session.run(step)['y'], reference.run(step)['y'])
        np.testing.assert_array_equal(session.state()['state'], reference.state()['state'])
    assert stand_in.cuda.launches == golden().steps
    assert 'Orin' in session.name


def test_it_passes_its_self_test_and_begins_anew(stand_in, package):
    session = open_session(package)
    test = self_test(session, package.golden, 'fp32')
    assert (test.passed, test.steps) == (True, 33), test.reason
    np.testing.assert_array_equal(session.state()['state'], INITIAL)


@pytest.mark.parametrize('defect', ['unwritten', 'off', 'forgets'])
def test_a_wrong_engine_fails_its_self_test(stand_in, package, defect):
    session = open_session(package)
    stand_in.defect = defect
    test = self_test(session, package.golden, 'fp32')
    assert not test.passed
    assert 'off by' in test.reason


def test_an_unwritten_state_shows_as_nan(stand_in, package):
    session = open_session(package)
    session.poison()
    stand_in.defect = 'unwritten'
    assert np.isnan(session.run(STEP)['y']).all()
    assert np.isnan(session.state()['state']).all()


def test_no_two_tensors_share_memory(stand_in, package):
    open_session(package)
    addresses = dict(stand_in.called('set_tensor_address'))
    assert set(addresses) == {'x', 'update', 'y', 'state', 'state_out'}
    assert len(set(addresses.values())) == 5


def test_the_graph_is_one_execution_and_the_copy_of_the_state(stand_in, package):
    open_session(package)
    (recorded,) = stand_in.cuda.graphs.values()
    assert len(recorded) == 2
    addresses = dict(stand_in.called('set_tensor_address'))
    assert stand_in.cuda.calls.count(('copy', addresses['state'], addresses['state_out'])) == 2


def test_its_stream_does_not_wait_for_the_default_one(stand_in, package):
    """PyTorch works there; it would end a capture on a stream that waits."""
    open_session(package)
    non_blocking = 1  # CU_STREAM_NON_BLOCKING
    assert [c for c in stand_in.cuda.calls if c[0] == 'stream'] == [('stream', non_blocking)]


def test_the_run_before_the_capture_leaves_no_trace(stand_in, package):
    stand_in.compute = lambda given: {'y': given['x'], 'state_out': given['state'] + 1}
    np.testing.assert_array_equal(open_session(package).state()['state'], INITIAL)


def test_without_a_graph_it_still_runs(stand_in, package, caplog):
    stand_in.cuda.refuse['cuGraphInstantiateWithFlags'] = 801
    session = open_session(package)
    assert 'slower, because without a CUDA graph: CUDA cannot instantiate' in caplog.text
    assert 'CUDA_ERROR_801' in caplog.text
    assert self_test(session, package.golden, 'fp32').passed
    assert stand_in.cuda.launches == 0


def test_a_step_that_is_not_enqueued_is_an_error_and_resets(stand_in, package):
    stand_in.cuda.refuse['cuStreamEndCapture'] = 900
    session = open_session(package)
    session.run(STEP)
    stand_in.defect = 'no_enqueue'
    with pytest.raises(EngineError, match='did not run the step'):
        session.run(STEP)
    np.testing.assert_array_equal(session.state()['state'], INITIAL)


def test_a_failed_launch_is_an_error_and_resets(stand_in, package):
    session = open_session(package)
    session.run(STEP)
    stand_in.cuda.refuse['cuGraphLaunch'] = 719
    with pytest.raises(EngineError, match=r'launch the graph: CUDA_ERROR_719 \(719\)'):
        session.run(STEP)
    del stand_in.cuda.refuse['cuGraphLaunch']
    np.testing.assert_array_equal(session.run(STEP)['y'], INITIAL + X / 2)


@pytest.mark.parametrize(
    ('defect', 'told'),
    [
        ('no_engine', 'net.*engine: Serialization assertion failed'),
        ('no_context', 'no context: TensorRT gave no reason'),
        ('no_enqueue', 'did not run the step'),
        ('shape_tensor', 'other tensors than its package: update'),
    ],
)
def test_what_tensorrt_does_not_take_is_refused(stand_in, package, defect, told):
    stand_in.defect = defect
    with pytest.raises(EngineError, match=told):
        open_session(package)
    assert stand_in.cuda.depth == 0


def test_an_engine_with_other_tensors_is_refused(stand_in, package):
    engine = open_session(package)
    stand_in.signature = type(engine.signature)(
        engine.signature.inputs[:1], engine.signature.outputs, engine.signature.state
    )
    with pytest.raises(EngineError, match='other tensors than its package: update'):
        open_session(package)


def test_the_state_is_given_back_and_taken(stand_in, package):
    session = open_session(package)
    first = session.run(STEP)
    saved = session.state()
    second = session.run(STEP)
    session.set_state(saved)
    np.testing.assert_array_equal(session.run(STEP)['y'], second['y'])
    session.reset()
    np.testing.assert_array_equal(session.run(STEP)['y'], first['y'])
    with pytest.raises(InputError, match='state is float32'):
        session.set_state({'state': X[:2]})


def test_wrong_inputs_change_nothing(stand_in, package):
    session = open_session(package)
    session.run(STEP)
    before = session.state()['state']
    with pytest.raises(InputError, match='input x is float64'):
        session.run(STEP | {'x': X.astype(float)})
    np.testing.assert_array_equal(session.state()['state'], before)


def test_any_thread_may_run_it_and_none_keeps_the_context(stand_in, package):
    made: list[TensorRtSession] = []
    results, depths = [], []

    def work(action):
        action()
        depths.append(stand_in.cuda.depth)

    for action in (
        lambda: made.append(open_session(package)),
        lambda: results.append(made[0].run(STEP)['y']),
    ):
        thread = threading.Thread(target=work, args=(action,))
        thread.start()
        thread.join()
    np.testing.assert_array_equal(results[0], INITIAL + X / 2)
    assert depths == [0, 0]


class OnGpu:
    """As a tensor of PyTorch on the GPU."""

    def __init__(self, array, strides=None):
        self.array = array
        self.__cuda_array_interface__ = {
            'shape': array.shape,
            'typestr': array.dtype.str,
            'data': (array.ctypes.data, False),
            'strides': strides,
            'version': 2,
        }


def test_a_tensor_on_the_gpu_does_not_pass_through_the_host(stand_in, package):
    session = open_session(package)
    x = OnGpu(X)
    stand_in.cuda.calls.clear()
    np.testing.assert_array_equal(session.run(STEP | {'x': x})['y'], INITIAL + X / 2)
    address = session.device('x').address
    assert ('copy', address, x.array.ctypes.data) in stand_in.cuda.calls
    assert ('upload', address) not in stand_in.cuda.calls
    assert stand_in.cuda.calls[0] == ('synchronize',)


def test_a_tensor_in_the_engines_own_memory_is_not_copied(stand_in, package):
    session = open_session(package)
    own = session.device('x')
    interface = own.__cuda_array_interface__
    assert (interface['shape'], interface['typestr'], interface['version']) == ((3,), '<f4', 3)
    session.run(STEP)  # leaves X there
    session.reset()
    stand_in.cuda.calls.clear()
    np.testing.assert_array_equal(session.run(STEP | {'x': own})['y'], INITIAL + X / 2)
    assert not [c for c in stand_in.cuda.calls if own.address in c]


def test_a_tensor_that_is_not_contiguous_is_refused(stand_in, package):
    session = open_session(package)
    with pytest.raises(InputError, match='contiguous'):
        session.run(STEP | {'x': OnGpu(X, strides=(8,))})
    with pytest.raises(InputError, match='input x is float32'):
        session.run(STEP | {'x': OnGpu(X[:2])})
