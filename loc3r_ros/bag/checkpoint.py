# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Checkpoints of a run: where it may be continued from after a kill.

A checkpoint is a folder that appears whole or not at all. It counts the finished splits of the bag
that was written by then; a run that resumes drops what was written later, and does it again.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from loc3r_ros.bag.keyframes import NAME as KEYFRAMES
from loc3r_ros.bag.keyframes import Keyframes
from loc3r_ros.bag.run_log import RunLog
from loc3r_ros.errors import InputError
from loc3r_ros.pipeline import Pipeline

_NAME, _NEW, _OLD = 'checkpoint', 'checkpoint.new', 'checkpoint.old'


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        source: what it reads and with which settings; a run is only continued on the same.
        next_image: number of the first image that is not processed yet.
        splits: finished splits of the written bag.
        elapsed_s: computing time so far.
    """

    source: str
    next_image: int
    splits: int
    elapsed_s: float


def save_checkpoint(
    out: Path, progress: Progress, pipeline: Pipeline, log: RunLog, keyframes: Keyframes
) -> None:
    """Write a checkpoint, in place of the one before."""
    new, current, old = out / _NEW, out / _NAME, out / _OLD
    shutil.rmtree(new, ignore_errors=True)
    pipeline.save(new)
    log.save(new / 'log.npz')
    keyframes.save(new / KEYFRAMES)
    (new / 'progress.json').write_text(json.dumps(asdict(progress)))
    shutil.rmtree(old, ignore_errors=True)
    if current.exists():
        current.rename(old)
    new.rename(current)
    shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(
    out: Path, source: str, pipeline: Pipeline
) -> tuple[Progress, RunLog, Keyframes] | None:
    """Put the pipeline where the last checkpoint of a run stands.

    Returns:
        None where the run left no checkpoint: it was killed before the first one.

    Raises:
        InputError: the checkpoint is of another recording or of other settings, or is damaged.
    """
    folder = out / _NAME
    if not folder.is_dir():
        folder = out / _OLD
    if not folder.is_dir():
        return None
    try:
        progress = Progress(**json.loads((folder / 'progress.json').read_text()))
        if progress.source != source:
            raise InputError(
                f'{out} holds a run of\n  {progress.source}\nwhich cannot go on with\n  {source}\n'
                'resume with the same recording and options, or write to another folder'
            )
        pipeline.load(folder)
        return progress, RunLog.load(folder / 'log.npz'), Keyframes.load(folder / KEYFRAMES)
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(
            f'{folder} is damaged ({error}); run again without --resume, with --overwrite'
        ) from error


def drop_checkpoint(out: Path) -> None:
    """Remove what is no longer needed after the end of a run."""
    for name in (_NAME, _NEW, _OLD):
        shutil.rmtree(out / name, ignore_errors=True)
