# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUDA graphs through ctypes, against a library in C with the prototypes of cuda.h (12.9)."""

from __future__ import annotations

import ctypes
import gc
import shutil
import subprocess

import pytest

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.tensorrt import graph

STREAM, GRAPH, EXECUTABLE = 0x7F01_2345_6780, 0x7F02_2345_6780, 0x7F03_2345_6780

LIBRARY = f"""
typedef void *handle;
unsigned long long seen[10];
int refused;
int cuStreamBeginCapture_v2(handle stream, int mode)
{{ seen[0] = (unsigned long long)stream; seen[1] = mode; return refused == 1 ? 900 : 0; }}
int cuStreamEndCapture(handle stream, handle *graph)
{{ seen[2] = (unsigned long long)stream; *graph = (handle){GRAPH}; return refused == 2 ? 901 : 0; }}
int cuGraphInstantiateWithFlags(handle *executable, handle graph, unsigned long long flags)
{{ seen[3] = (unsigned long long)graph; seen[4] = flags; *executable = (handle){EXECUTABLE};
   return refused == 3 ? 801 : 0; }}
int cuGraphLaunch(handle executable, handle stream)
{{ seen[5] = (unsigned long long)executable; seen[6] = (unsigned long long)stream;
   return refused == 4 ? 719 : 0; }}
int cuGraphDestroy(handle graph) {{ seen[7] = (unsigned long long)graph; return 0; }}
int cuGraphExecDestroy(handle executable)
{{ seen[8] = (unsigned long long)executable; return 0; }}
int cuGetErrorName(int result, const char **name)
{{ seen[9] = result; *name = "CUDA_ERROR_OF_TEST"; return 0; }}
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    compiler = shutil.which('cc') or shutil.which('gcc') or shutil.which('clang')
    if not compiler:
        pytest.skip('no C compiler to make the stand-in library')
    path = tmp_path / 'libcuda.so.1'
    command = [compiler, '-shared', '-fPIC', '-x', 'c', '-o', str(path), '-']
    subprocess.run(command, input=LIBRARY, check=True, text=True, timeout=60)
    library = ctypes.CDLL(str(path))
    monkeypatch.setattr(graph, '_library', lambda: library)
    return library


def seen(library) -> list[int]:
    return list((ctypes.c_ulonglong * 10).in_dll(library, 'seen'))


def test_handles_of_64_bits_arrive_whole(library):
    worked = []
    captured = graph.CudaGraph(STREAM, lambda: worked.append(1))
    captured.launch()
    captured.launch()
    assert worked == [1]
    # 1 is CU_STREAM_CAPTURE_MODE_THREAD_LOCAL.
    expected = [STREAM, 1, STREAM, GRAPH, 0, EXECUTABLE, STREAM, GRAPH, 0, 0]
    assert seen(library) == expected
    del captured
    gc.collect()
    assert seen(library)[8] == EXECUTABLE


@pytest.mark.parametrize(
    ('refused', 'told'),
    [
        (1, r'begin a capture: CUDA_ERROR_OF_TEST \(900\)'),
        (2, r'capture the step: CUDA_ERROR_OF_TEST \(901\)'),
        (3, r'instantiate the graph: CUDA_ERROR_OF_TEST \(801\)'),
    ],
)
def test_each_refusal_is_told(library, refused, told):
    ctypes.c_int.in_dll(library, 'refused').value = refused
    with pytest.raises(EngineError, match=told):
        graph.CudaGraph(STREAM, lambda: None)
    assert (seen(library)[7] == GRAPH) == (refused == 3), 'what was captured is given back'


def test_a_refused_launch_is_told(library):
    captured = graph.CudaGraph(STREAM, lambda: None)
    ctypes.c_int.in_dll(library, 'refused').value = 4
    with pytest.raises(EngineError, match='launch the graph: CUDA_ERROR_OF_TEST'):
        captured.launch()


def test_work_that_fails_does_not_leave_the_capture_open(library):
    def work() -> None:
        raise EngineError('not enqueued')

    with pytest.raises(EngineError, match='not enqueued'):
        graph.CudaGraph(STREAM, work)
    assert seen(library)[2] == STREAM
    assert seen(library)[5] == 0


def test_without_a_driver_it_says_so(monkeypatch):
    def missing(name: str) -> None:
        raise OSError(f'{name}: cannot open shared object file')

    monkeypatch.setattr(graph.ctypes, 'CDLL', missing)
    graph._library.cache_clear()
    with pytest.raises(EngineError, match=r'no CUDA driver: libcuda\.so\.1: cannot open'):
        graph.CudaGraph(STREAM, lambda: None)
