# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The end of a run: trajectory, map files, summary and report, from what it remembers."""

from __future__ import annotations

import json
import logging
import platform
import resource
import sys
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from loc3r_ros import __version__
from loc3r_ros.answers.grading import Grade, tally
from loc3r_ros.answers.record import record
from loc3r_ros.answers.reply import Reply
from loc3r_ros.bag.evaluation import TrajectoryErrors
from loc3r_ros.bag.report import Event, ReportData, Thumbnail, write_report
from loc3r_ros.bag.run_log import RunLog
from loc3r_ros.bag.topics import CameraTopics
from loc3r_ros.bag.trajectory import write_tum
from loc3r_ros.errors import InputError
from loc3r_ros.mapping.map_file import save_map
from loc3r_ros.types import OccupancyGrid, TrackingState

logger = logging.getLogger(__name__)

LIBRARIES = ('numpy', 'opencv-python-headless', 'small_gicp', 'torch', 'rosbags', 'mcap', 'evo')


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything that a run ends with.

    Attributes:
        name: of the recording.
        topics: that were read.
        log: one row a frame.
        epoch: the last one; the map and the errors are of it.
        grid: the map.
        weights: of the encoder, or `none`.
        elapsed_s: time of the run.
        problems: what went wrong or was missing, in plain words.
        failure: why the run stopped early, or None.
        errors: against the ground truth, where there is one.
        agreement: of the map with the one of the true poses.
        scale, scale_source: see `TrackedPose`.
        replies: to what was asked at its end.
        notes: what else is worth knowing, in plain words.
    """

    name: str
    topics: CameraTopics
    log: RunLog
    epoch: int
    grid: OccupancyGrid
    weights: str
    elapsed_s: float
    problems: tuple[str, ...]
    failure: str | None
    errors: TrajectoryErrors | None
    agreement: dict[str, float] = field(default_factory=dict)
    scale: float = 1.0
    scale_source: str = 'none'
    replies: tuple[Reply, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def grades(self) -> tuple[Grade | None, ...]:
        """Of each reply; None where it is not known what is true."""
        T_map_truth = None if self.errors is None else self.errors.T_map_truth
        return tuple(reply.grade(T_map_truth) for reply in self.replies)

    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        log = self.log
        frames = log.trusted(self.epoch)
        path = log.poses(frames)[:, :3, 3]
        stamps = np.array(log.stamps_ns, np.int64)
        counts = {state.value: log.states.count(k) for k, state in enumerate(TrackingState)}
        out: dict[str, Any] = {
            'status': 'complete' if self.failure is None else 'failed',
            'recording': self.name,
            'frames': len(log),
            'tracked': counts['tracking'],
            'states': counts,
            'keyframes': int(sum(log.keyframe)),
            'epochs': len(set(log.epochs)),
            'path_length_m': float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()),
            'duration_s': float((stamps.max() - stamps.min()) * 1e-9) if len(log) else 0.0,
            'elapsed_s': self.elapsed_s,
            'latency_ms': {k: _percentiles(v) for k, v in log.latency_ms.items()},
            'peak_memory_mib': _peak_memory_mib(),
            'weights': self.weights,
            'map': self._map_summary(),
            'topics': {k: v for k, v in vars(self.topics).items() if isinstance(v, str)},
            'problems': list(self.problems),
            'notes': list(self.notes),
            'versions': _versions(),
        }
        if self.scale_source != 'none':
            out |= {'scale': self.scale, 'scale_source': self.scale_source}
        if self.replies:
            grades = self.grades
            out['answers'] = [
                record(reply) | ({} if grade is None else grade.record())
                for reply, grade in zip(self.replies, grades, strict=True)
            ]
            if any(grades):
                out['quiz'] = tally(grades)
        if self.failure is not None:
            out['failure'] = self.failure
        if self.errors is not None:
            out |= self.errors.figures
        return out

    def _map_summary(self) -> dict[str, Any]:
        data = self.grid.data
        return {
            'resolution_m': self.grid.resolution,
            'occupied_cells': int((data >= 65).sum()),
            'free_cells': int((data == 0).sum()),
            **self.agreement,
        }

    def report(self) -> ReportData:
        """The run as its report shows it: the last epoch."""
        log, summary = self.log, self.summary()
        rows = np.flatnonzero(np.array(log.epochs) == self.epoch)
        place = {int(row): k for k, row in enumerate(rows)}
        truth = error = None
        if self.errors is not None:
            known = np.searchsorted(rows, log.trusted(self.epoch)[self.errors.frames])
            truth, error = np.full((len(rows), 3), np.nan), np.full(len(rows), np.nan)
            truth[known], error[known] = self.errors.truth[:, :3, 3], self.errors.error
        confidence = _of(log.confidence, rows)
        notes = list(self.notes)
        if summary['epochs'] > 1:
            notes.append(
                f'Time ran backwards: {summary["epochs"]} epochs were tracked, each with a '
                'trajectory file of its own. This page and the map show the last.'
            )
        if self.topics.depth is None:
            notes.append("RGB only: lengths are the encoder's own estimate.")
        return ReportData(
            title=self.name,
            source=summary['topics'],
            summary=summary,  # type: ignore[arg-type]
            stamps=np.array(log.stamps_ns, np.float64)[rows] * 1e-9,
            T_map_camera=log.poses(rows),
            states=tuple(log.state_of(int(i)) for i in rows),
            inliers=_of(log.inliers, rows),
            sigma=_of(log.sigma, rows),
            latencies={k: _of(v, rows) for k, v in log.latency_ms.items()},
            confidence=None if np.isnan(confidence).all() else confidence,
            truth=truth,
            error=error,
            grid=self.grid if self.grid.data.size else None,
            thumbnails=tuple(Thumbnail(place[i], rgb) for i, rgb in log.thumbnails if i in place),
            events=_events(log, rows),
            problems=self.problems,
            notes=tuple(notes),
            failure=self.failure,
            replies=self.replies,
            grades=self.grades,
        )


def write_outcome(outcome: Outcome, out: Path) -> None:
    """Write `trajectory.tum`, the map files, `summary.json` and `report.html`.

    A file that cannot be written (a full disk) is logged; the others are written all the same.

    Raises:
        InputError: not even one of them could be written.
    """
    written, reasons = 0, []
    for write in (_write_trajectories, _write_map, _write_summary, _write_report):
        try:
            write(outcome, out)
            written += 1
        except OSError as error:
            reasons.append(f'{error.filename or out}: {error.strerror or error}')
    if not written:
        raise InputError(f'cannot write the results: {"; ".join(reasons)}')
    for reason in reasons:
        logger.error('not written: %s', reason)


def _write_trajectories(outcome: Outcome, out: Path) -> None:
    log = outcome.log
    stamps = np.array(log.stamps_ns, np.int64)
    for epoch in sorted(set(log.epochs)) or [outcome.epoch]:
        last = epoch == outcome.epoch
        name = 'trajectory.tum' if last else f'trajectory_epoch{epoch}.tum'
        frames = log.trusted(epoch)
        write_tum(out / name, stamps[frames], log.poses(frames))


def _write_map(outcome: Outcome, out: Path) -> None:
    if outcome.grid.data.size:
        save_map(outcome.grid, out / 'map')


def _write_summary(outcome: Outcome, out: Path) -> None:
    part = out / 'summary.json.part'
    part.write_text(json.dumps(_finite(outcome.summary()), indent=2) + '\n', encoding='utf-8')
    part.replace(out / 'summary.json')


def _write_report(outcome: Outcome, out: Path) -> None:
    write_report(out / 'report.html', outcome.report())


def _events(log: RunLog, rows: np.ndarray) -> tuple[Event, ...]:
    events = []
    lost = False
    for k, row in enumerate(rows):
        if log.keyframe[row]:
            events.append(Event(k, 'keyframe'))
        now = log.state_of(int(row)) is TrackingState.LOST
        if now != lost:
            events.append(Event(k, 'lost' if now else 'recovered'))
        lost = now
    return tuple(events)


def _of(values: list, rows: np.ndarray) -> np.ndarray:
    return np.array(values, np.float64)[rows] if len(values) else np.zeros(0)


def _percentiles(values: list[float]) -> dict[str, float]:
    known = np.array(values)[np.isfinite(values)]
    if not len(known):
        return {}
    return {'p50': float(np.percentile(known, 50)), 'p95': float(np.percentile(known, 95))}


def _finite(value: Any) -> Any:
    """JSON has no NaN: what is not known is null."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _peak_memory_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024.0**2 if sys.platform == 'darwin' else 1024.0)


def _versions() -> dict[str, str]:
    found = {'loc3r_ros': __version__, 'python': platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
