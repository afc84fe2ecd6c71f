# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Build an engine: once, by one process, and on disk whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from loc3r_ros.errors import EngineError
from loc3r_ros.runtime.package import Package
from loc3r_ros.runtime.tensorrt.bindings import load, logger, start, told
from loc3r_ros.runtime.tensorrt.cache import EngineFile, Recipe, engines
from loc3r_ros.runtime.tensorrt.gpu import gpu
from loc3r_ros.runtime.tensorrt.machine import this_machine
from loc3r_ros.runtime.tensorrt.presets import Settings
from loc3r_ros.runtime.tensorrt.progress import Say, monitor

if TYPE_CHECKING:
    import tensorrt as trt

_MEMORY = 2.0
"""Free memory that a build needs, in sizes of the ONNX files."""
_SUSPICIOUS = 1.5
"""An engine this many times larger than its weights is likely not in their precision."""


def build(package: Package, settings: Settings, say: Say, *, anew: bool = False) -> EngineFile:
    """Build the engine of a package for this machine, or find it built.

    It has not passed its self-test yet: open it, test it, and write that down with `tested`.

    Args:
        package: what to build; its files are checked against their hashes first.
        settings: how.
        say: takes lines that tell how far it is.
        anew: build even what is there and fits.

    Raises:
        EngineError: the package is damaged, another process builds the same, there is too little
            memory or no place to write, or TensorRT cannot; an engine that was there before stays.
    """
    recipe = Recipe.of(package, this_machine(), settings)
    path = recipe.path(package)
    if not anew and (engine := _built(path, package)):
        say(f'{path.name} is there already, built {engine.built["at"]}')
        return engine
    package.verify()
    onnx_bytes = _onnx_bytes(package)
    _check_memory(onnx_bytes)
    _say_last_duration(package, say)
    try:
        engine = _build(package, recipe, path, onnx_bytes, say)
    except OSError as error:
        raise EngineError(f'cannot write to {package.folder}: {error.strerror}') from error
    if engine.nbytes > _SUSPICIOUS * onnx_bytes:
        say(f'it is {engine.nbytes / onnx_bytes:.1f} times as large as its weights: in fp32?')
    return engine


def _build(package: Package, recipe: Recipe, path: Path, onnx_bytes: int, say: Say) -> EngineFile:
    with _partial(path) as file:
        begin = time.monotonic()
        timing = package.folder / f'{_slug(str(recipe.machine))}.timing'
        digest, nbytes = _compile_into(file, package, recipe.settings, timing, say)
        Path(file.name).replace(path)
    seconds = round(time.monotonic() - begin, 1)
    now = datetime.now(timezone.utc).isoformat(timespec='seconds')
    built = {'at': now, 'seconds': seconds, 'onnx_bytes': onnx_bytes}
    engine = EngineFile(path, recipe, digest, nbytes, built)
    engine.write()
    return engine


def _built(path: Path, package: Package) -> EngineFile | None:
    try:
        engine = EngineFile.read(path)
        engine.load()
    except EngineError:
        return None
    return None if engine.refusal(package, engine.recipe.machine) else engine


def _onnx_bytes(package: Package) -> int:
    return sum((package.folder / name).stat().st_size for name in package.files if '.onnx' in name)


def _check_memory(onnx_bytes: int) -> None:
    free, needed = gpu().free_bytes(), _MEMORY * onnx_bytes
    if free < needed:
        raise EngineError(
            f'building takes about {needed / 1e9:.1f} GB of GPU memory, {free / 1e9:.1f} GB is '
            'free; end other programs (on a Jetson the desktop, too), or export a smaller network'
        )


def _say_last_duration(package: Package, say: Say) -> None:
    for path in engines(package):
        try:
            seconds = EngineFile.read(path).built['seconds']
        except (EngineError, KeyError):
            continue
        say(f'{path.name} took {seconds:.0f} s to build')
        return


@contextmanager
def _partial(path: Path) -> Iterator[IO[bytes]]:
    """The file that becomes the engine: locked, and gone if it does not come to that.

    A process that is killed loses its lock and leaves a file that nobody takes for an engine; the
    next build goes on with it.
    """
    partial = path.with_suffix('.partial')
    with _locked(partial) as file:
        try:
            file.truncate(0)
            yield file
        except BaseException:
            partial.unlink()
            raise


def _locked(partial: Path) -> IO[bytes]:
    while True:
        file = partial.open('ab')
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise EngineError(f'another process is building {partial.stem}; wait for it') from None
        if partial.exists() and partial.samefile(Path('/proc/self/fd', str(file.fileno()))):
            return file
        file.close()  # between open and lock the other one finished: it is an engine now


def _compile_into(
    file: IO[bytes], package: Package, settings: Settings, timing: Path, say: Say
) -> tuple[str, int]:
    """Compile in a thread, so that Ctrl-C reaches this one; SHA-256 and size of the engine."""
    progress = monitor(load(), say)

    def work() -> tuple[str, int]:
        with gpu().current():
            plan = _compile(package, settings, timing, progress)
        file.write(plan)
        file.flush()
        os.fsync(file.fileno())
        return hashlib.sha256(plan).hexdigest(), len(plan)

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        try:
            return future.result()
        except KeyboardInterrupt:
            progress.cancelled = True
            raise


def _compile(package: Package, settings: Settings, timing: Path, progress: Any) -> memoryview:
    tensorrt = load()
    log = logger(tensorrt)
    builder: trt.Builder = start(tensorrt.Builder, log)
    # Its value differs between versions. In 11 every network is strongly typed, and it is ignored.
    typed = 1 << int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network: trt.INetworkDefinition = builder.create_network(typed)
    parser: trt.OnnxParser = tensorrt.OnnxParser(network, log)
    if not parser.parse_from_file(str(package.onnx)):
        reasons = _parser_errors(parser)
        raise EngineError(
            f'TensorRT {tensorrt.__version__} cannot read {package.onnx.name}: {reasons}'
        )
    config: trt.IBuilderConfig = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, settings.workspace_mb << 20)
    config.builder_optimization_level = settings.optimization_level
    config.progress_monitor = progress
    if not settings.tf32:
        config.clear_flag(tensorrt.BuilderFlag.TF32)
    measured = _use_timing(config, timing)  # the builder does not own it: it must live on
    plan: trt.IHostMemory | None = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError(f'TensorRT {tensorrt.__version__} built no engine: {told()}')
    if measured is not None:
        _keep_timing(config, timing)
    return memoryview(plan).cast('B')


def _parser_errors(parser: trt.OnnxParser) -> str:
    """All of them, with the nodes that they are about."""
    texts = []
    for index in range(parser.num_errors):
        error: trt.ParserError = parser.get_error(index)
        texts.append(f'node {error.node_name()} ({error.node_operator()}): {error.desc()}')
    return '; '.join(texts) or 'it gave no reason'


def _use_timing(config: trt.IBuilderConfig, timing: Path) -> trt.ITimingCache | None:
    """Begin with what earlier builds measured; with nothing, if TensorRT does not take it."""
    for content in (timing.read_bytes() if timing.exists() else b'', b''):
        cache: trt.ITimingCache | None = config.create_timing_cache(content)
        if cache is not None and config.set_timing_cache(cache, False):
            return cache
    return None


def _keep_timing(config: trt.IBuilderConfig, timing: Path) -> None:
    cache: trt.ITimingCache = config.get_timing_cache()
    partial = timing.with_suffix(f'.{os.getpid()}.partial')
    partial.write_bytes(memoryview(cache.serialize()))
    partial.replace(timing)


def _slug(text: str) -> str:
    """A text as part of a file name."""
    return '-'.join(''.join(c if c.isalnum() or c == '.' else ' ' for c in text).split())
