# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The offline run: a recording goes through the pipeline, and its results into a folder."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np

from loc3r_ros.answers.answering import Answering
from loc3r_ros.answers.reply import Reply
from loc3r_ros.bag.checkpoint import Progress, drop_checkpoint, load_checkpoint, save_checkpoint
from loc3r_ros.bag.evaluation import (
    TrajectoryErrors,
    map_agreement,
    trajectory_errors,
    true_camera_poses,
)
from loc3r_ros.bag.keyframes import NAME as KEYFRAMES
from loc3r_ros.bag.keyframes import Keyframes
from loc3r_ros.bag.outcome import Outcome, write_outcome
from loc3r_ros.bag.recording import Recording, Sample
from loc3r_ros.bag.ros_output import RosOutput
from loc3r_ros.bag.run_log import RunLog
from loc3r_ros.bag.trajectory import StampedPoses
from loc3r_ros.bag.witness import Witness
from loc3r_ros.bag.writer import BagWriter
from loc3r_ros.errors import InputError, Loc3rError
from loc3r_ros.ingest.mount import Mount
from loc3r_ros.localizer import Step, timed
from loc3r_ros.mapping import BevConfig
from loc3r_ros.mapping.map_file import load_map
from loc3r_ros.pipeline import Pipeline
from loc3r_ros.types import OccupancyGrid, TrackingState

logger = logging.getLogger(__name__)

OUTPUTS = (
    *('bag', 'trajectory.tum', 'map.yaml', 'map.pgm', 'summary.json', 'report.html'),
    KEYFRAMES,
)
CHECKPOINT_S = 10.0
"""Computing time between checkpoints; it grows with what one costs, to stay below 5 %."""

Report = Callable[[int, int, str], None]
"""Called after each frame with images done, images in all, and a word on the state."""

Interview = Callable[[Answering], Iterable[Reply]]
"""Asks its questions, and gives each reply when it is complete."""


@dataclass(frozen=True)
class RunConfig:
    """What a run does beside tracking and mapping.

    Attributes:
        base_frame: the robot's base in its static TF.
        ground_truth: topic of the true poses, for the errors in the summary.
        bev: settings of the map.
        resume: go on where an interrupted run stopped.
        overwrite: replace the outputs of an earlier run.
    """

    base_frame: str = 'base_link'
    ground_truth: str | None = None
    bev: BevConfig = field(default_factory=BevConfig)
    resume: bool = False
    overwrite: bool = False


class Run:
    """One recording, one pipeline, one folder.

    Args:
        recording: the camera.
        name: what the report calls the recording.
        out: folder of the results.
        config: see there.
        make_pipeline: pipeline for a mount of the camera (T_base_camera, or None).
        weights: name of the encoder's weights, or `none`.
        witness: sees what the pipeline sees, to answer questions about it.
        interview: asks it when the whole recording has been seen.
        notes: what else the report shall say.

    Attributes:
        replies: what the interview brought.

    Raises:
        InputError: neither depth nor weights, or unknown intrinsics.
    """

    def __init__(
        self,
        recording: Recording,
        name: str,
        out: Path,
        config: RunConfig,
        make_pipeline: Callable[[np.ndarray | None], Pipeline],
        weights: str = 'none',
        witness: Witness | None = None,
        interview: Interview = lambda _answering: (),
        notes: tuple[str, ...] = (),
    ) -> None:
        self.recording, self.name, self.out, self.config = recording, name, out, config
        self.weights, self.witness, self._interview = weights, witness, interview
        self._notes = notes
        if recording.topics.depth is None and weights == 'none':
            raise InputError(
                f'{name} has no depth topic, and no encoder weights are given. Provide either: '
                '--depth TOPIC of an RGB-D recording, or --weights FILE of a trained CUT3R '
                '(loc3r weights --help)'
            )
        self._truth = None if config.ground_truth is None else recording.poses(config.ground_truth)
        first = next(iter(recording), None)
        self.camera_frame = first.frame_id if first else ''
        self.mount = Mount.find(recording.static_transforms, self.camera_frame, config.base_frame)
        self.pipeline = make_pipeline(self.mount.T_base_camera if self.mount.on_robot else None)
        self.log, self.keyframes = RunLog(), Keyframes()
        self.replies: list[Reply] = []
        self._elapsed = 0.0

    @property
    def source(self) -> str:
        """What decides the numbers of a run, in words."""
        topics = self.recording.topics
        parts = [f'{self.name}: {topics.image}, {topics.depth}', f'weights {self.weights}']
        return '; '.join(
            [*parts, str(asdict(self.config.bev)), str(self.pipeline.localizer.tracker.config)]
        )

    def execute(self, report: Report) -> Outcome:
        """Run to the end, or to where it cannot go on, and write what there is.

        Returns:
            What was written; its `failure` says why a run stopped early. An interruption by the
            user (KeyboardInterrupt) is such a failure too.

        Raises:
            InputError: the output folder is in use, or holds nothing that could be resumed.
        """
        _claim(self.out, self.config)
        start, splits = self._resume()
        failure = None
        begun = perf_counter() - self._elapsed
        try:
            with BagWriter(self.out / 'bag', resume=self.config.resume, keep=splits) as writer:
                self._process(start, writer, report, begun)
            self.keyframes.save(self.out / KEYFRAMES, self.source)
        except (Loc3rError, OSError) as error:
            failure = str(error)
        except KeyboardInterrupt:
            failure = 'interrupted by the user; --resume goes on from here'
        self._elapsed = perf_counter() - begun
        outcome = self._outcome(failure)
        write_outcome(outcome, self.out)
        if failure is None:
            drop_checkpoint(self.out)
        return outcome

    def recall(self) -> bool:
        """Let the witness see again what a finished run in the folder saw, without tracking.

        Returns:
            False where there is no finished run.

        Raises:
            InputError: it is of another recording or of other settings.
        """
        if self.witness is None or not (self.out / KEYFRAMES).exists():
            return False
        found = Keyframes.load(self.out / KEYFRAMES, self.source)
        self.witness.recall(found, self.recording)
        if found.last is not None:
            self.witness.know(found.last[0], self._mapped())
        return True

    def _mapped(self) -> OccupancyGrid:
        """The map of a finished run; without cells where nothing was mapped."""
        path = self.out / 'map.yaml'
        return load_map(path) if path.exists() else self.pipeline.grid()

    def _resume(self) -> tuple[int, int | None]:
        """First image to process, and how many splits of the bag to keep."""
        if not self.config.resume:
            return 0, 0
        found = load_checkpoint(self.out, self.source, self.pipeline)
        if found is None:
            return 0, 0
        progress, self.log, self.keyframes = found
        self._elapsed = progress.elapsed_s
        logger.info('resuming at image %d', progress.next_image)
        if self.witness is not None:
            self.witness.recall(self.keyframes, self.recording)
        return progress.next_image, progress.splits

    def _process(self, start: int, writer: BagWriter, report: Report, begun: float) -> None:
        output = RosOutput(writer, self.mount, self.camera_frame, self._odometry())
        due = perf_counter() + CHECKPOINT_S
        for sample in self.recording.samples(start):
            step = self.pipeline.step(sample.frame)
            if step is not None:
                self._remember(sample, step)
                output.write(step, self.pipeline, self.log)
                report(sample.index + 1, self.recording.len_hint, step.pose.state.value)
            if perf_counter() > due:
                before = perf_counter()
                self._save(sample.index + 1, writer, begun)
                due = perf_counter() + max(CHECKPOINT_S, 20 * (perf_counter() - before))
        if self.witness is not None and len(self.log):
            # Answers may take long, and be interrupted: the way to them need not be gone again.
            self._save(self.recording.len_hint, writer, begun)
        if len(self.log):
            output.write_map(self.pipeline, self.log)
            self._ask(output)

    def _remember(self, sample: Sample, step: Step) -> None:
        if self.witness is not None:
            with timed(step.latency_ms, 'keyframes'):
                self.witness.see(sample.stamp_ns, step)
        self.log.add(sample.stamp_ns, step)
        self.keyframes.add(sample.index, sample.stamp_ns, step)

    def _save(self, next_image: int, writer: BagWriter, begun: float) -> None:
        progress = Progress(self.source, next_image, writer.cut(), perf_counter() - begun)
        save_checkpoint(self.out, progress, self.pipeline, self.log, self.keyframes)

    def _ask(self, output: RosOutput) -> None:
        if self.witness is None:
            return
        stamp_ns = self.log.stamps_ns[-1]
        self.witness.know(stamp_ns, self.pipeline.grid())
        for reply in self._interview(self.witness.answering):
            self.replies.append(reply)
            output.write_reply(reply, stamp_ns)

    def _odometry(self) -> StampedPoses | None:
        """T_odom_base over time, where the robot's TF has it."""
        if not self.mount.on_robot:
            return None
        try:
            return self.recording.poses(f'/tf:odom:{self.mount.base_frame}')
        except InputError:
            return None

    def _outcome(self, failure: str | None) -> Outcome:
        problems = list(self.recording.problems)
        problems += [] if self.witness is None else self.witness.problems
        localizer = self.pipeline.localizer
        if localizer.late_frames:
            problems.append(f'{localizer.late_frames} images came after later ones: left out')
        counts = [self.log.states.count(k) for k, _ in enumerate(TrackingState)]
        if failure is None and not any(counts[1:3]):
            failure = 'not one frame could be tracked: ' + ('; '.join(problems) or 'no depth in it')
        grid = self.pipeline.grid()
        errors, agreement = None, {}
        if self._truth is not None and any(counts[1:3]):
            try:
                errors = self._errors(self._truth)
                if failure is None:
                    stamps = np.array(self.log.stamps_ns)[self.log.trusted(localizer.epoch)]
                    agreement = map_agreement(grid, self.recording, errors, stamps, self.config.bev)
            except InputError as error:
                problems.append(f'no errors against the ground truth: {error}')
        return Outcome(
            name=self.name,
            topics=self.recording.topics,
            log=self.log,
            epoch=localizer.epoch,
            grid=grid,
            weights=self.weights,
            elapsed_s=self._elapsed,
            problems=tuple(problems),
            failure=failure,
            errors=errors,
            agreement=agreement,
            replies=tuple(self.replies),
            notes=self._notes,
            scale=localizer.tracker.prior.scale,
            scale_source=localizer.tracker.prior.scale_source,
        )

    def _errors(self, truth: StampedPoses) -> TrajectoryErrors:
        truth = true_camera_poses(truth, self.recording.static_transforms, self.camera_frame)
        frames = self.log.trusted(self.pipeline.localizer.epoch)
        return trajectory_errors(
            np.array(self.log.stamps_ns)[frames], self.log.poses(frames), truth
        )


def _claim(out: Path, config: RunConfig) -> None:
    """Make sure that the folder is ours to write to."""
    if out.is_file():
        raise InputError(f'{out} is a file; -o takes a folder')
    taken = [name for name in OUTPUTS if (out / name).exists()]
    if config.overwrite and not config.resume:
        drop_checkpoint(out)
        for name in taken:
            path = out / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif taken and not config.resume:
        raise InputError(
            f'{out} holds {", ".join(taken)} of an earlier run; give --resume to go on with it, '
            '--overwrite to replace it, or another folder'
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'cannot make the folder {out}: {error.strerror}') from error
