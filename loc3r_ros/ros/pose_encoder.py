# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node `pose_encoder`: images in; pose, odometry, TF, points and tokens out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, TimeoutError
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from std_srvs.srv import Trigger

from loc3r_ros.errors import Loc3rError
from loc3r_ros.geometry import Array
from loc3r_ros.hub import shipped
from loc3r_ros.localizer import Localizer
from loc3r_ros.msg import Status
from loc3r_ros.ros import qos
from loc3r_ros.ros.bus import Posed
from loc3r_ros.ros.camera_input import CameraInput, Shot
from loc3r_ros.ros.current_problems import CurrentProblems
from loc3r_ros.ros.diagnostics import Report
from loc3r_ros.ros.encoder_health import EncoderHealth
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.live_localizer import Companion, LiveLocalizer
from loc3r_ros.ros.mailbox import Mailbox, Worker
from loc3r_ros.ros.memory import free_memory
from loc3r_ros.ros.pose_output import PoseOutput
from loc3r_ros.ros.pose_table import TABLE, tracker_config
from loc3r_ros.ros.tf import TfTree
from loc3r_ros.ros.watchdog import Watchdog

if TYPE_CHECKING:
    from loc3r_ros.cut3r import encoder as cut3r

STATUS_PERIOD_S = 1.0
_ANSWER_WITHIN_S = 30.0
_STOP_WITHIN_S = 10.0

_HEAD_START_S = 1e-3
"""How long the executor rests after it handed over an image. It would prepare its next wait, most
of a millisecond of Python, while the worker decodes and needs the interpreter as well."""


class PoseEncoder(Stage):
    """Localizes a camera.

    Attributes:
        listeners: called by the worker with each processed image, after it was published.
        companions: saved and taken over together with the state.
    """

    part = 'encoder'

    def __init__(self, **node_options: Any) -> None:
        super().__init__('pose_encoder', TABLE, **node_options)
        self.listeners: list[Callable[[Posed], None]] = []
        self.companions: list[Companion] = []
        self._encoder: cut3r.PoseEncoder | None = None
        self._epoch = 0

    def configure(self) -> None:
        """Load the weights."""
        self._encoder = self._loaded()

    def activate(self) -> None:
        """Subscribe, and begin an epoch."""
        settings, encoder = self.settings, self._encoder or self._loaded()
        self._encoder, self._round = encoder, 0
        self._problems, self._watchdog = CurrentProblems(), Watchdog(self)
        self._tf = TfTree(self)
        self._status = self.advertise(Status, 'status', qos.latched())
        self._output = PoseOutput(self, self._tf, encoder.fingerprint if encoder else '')
        self._live = LiveLocalizer(
            self._localizer, self._tf, settings['base_frame'], settings['tf_wait_s'], self._epoch
        )
        self._mailbox: Mailbox[Shot] = Mailbox()
        self._input = CameraInput(
            self,
            self._tf,
            self._problems,
            self._watchdog,
            self._hand_over,
            self._fall_back,
            depth_only=not self._tracks_without_depth,
        )
        self._watchdog.expect('transform', self._missing_transform)
        self._health = EncoderHealth(self._engine, self._live, self._input, self._mailbox)
        self._follow_clock()
        self._worker = Worker(self._mailbox, self._handle, self._is_ready, 'pose_encoder')
        self.own(self._worker, self._worker.stop)
        self._offer_services()
        self.every(STATUS_PERIOD_S, self.publish_status)
        self.publish_status()

    def deactivate(self) -> None:
        """Stop, and free the weights and the state."""
        self._worker.stop(_STOP_WITHIN_S)
        self._epoch = self._live.epoch + 1
        del (
            self._mailbox,
            self._live,
            self._health,
            self._input,
            self._output,
            self._tf,
            self._watchdog,
        )
        self._free()

    def cleanup(self) -> None:
        """Free the weights."""
        self._free()

    def status(self) -> list[Report]:
        """The input and the encoder."""
        return self._health.reports(self._wrong())

    def publish_status(self) -> None:
        """Publish the status as it is now; from any thread."""
        message = self._health.message(self.settings['map_frame'], self._wrong())
        self._status.publish(message)

    def _loaded(self) -> cut3r.PoseEncoder | None:
        """The encoder of the weights that are set."""
        # Depth tracks better than the package's encoder does, and its language model reads poses.
        ours = None if self.settings['use_depth'] else shipped.encoder()
        weights = shipped.chosen(self.settings['weights'], ours)
        if weights is None:
            return None
        from loc3r_ros.cut3r.encoder import PoseEncoder as Cut3rEncoder

        if not self.settings['weights']:
            self._announce()
        return Cut3rEncoder.load(
            weights,
            update_rule=self.settings['update_rule'],
            device=self.settings['device'],
            backend=self.settings['backend'],
            engines=self.settings['engines'] or None,
        )

    def _announce(self) -> None:
        note = shipped.note(f'{shipped.ENCODER_NAME} gives poses')
        self.get_logger().info(f'{note}. weights: {shipped.NONE} does without')
        shipped.use_one_thread()

    def _free(self) -> None:
        self._encoder = None
        free_memory()

    def _engine(self) -> tuple[str, tuple[str, ...]]:
        """What computes, in words, and who was refused."""
        encoder = self._encoder
        if encoder is None:
            return 'depth only', ()
        name = Path(self.settings['weights']).name or shipped.ENCODER_NAME
        return f'{name}: {encoder.engine}', encoder.refusals

    def _localizer(self, T_base_camera: Array | None) -> Localizer:
        config = tracker_config(self.settings)
        return Localizer(
            encoder=self._encoder,
            T_base_camera=T_base_camera,
            tracker=config,
        )

    def _is_ready(self) -> bool:
        """Whether images can be taken: intrinsics and mount are known. In the worker."""
        camera = self._input
        if camera.frame_id is None:
            return False
        waited = monotonic() - camera.since_s
        if waited < self.settings['tf_wait_s']:
            has_info = camera.has_intrinsics and not camera.may_learn_of_depth
        else:
            has_info = camera.has_intrinsics or self._tracks_without_depth
        return has_info and self._live.ready(camera.frame_id, waited)

    @property
    def _tracks_without_depth(self) -> bool:
        return self._encoder is not None

    def _hand_over(self, shot: Shot) -> None:
        """In the executor."""
        self._mailbox.put(shot)
        sleep(_HEAD_START_S)

    def _handle(self, shot: Shot) -> None:
        """Process one image. In the worker."""
        try:
            self._process(shot)
        except Exception as error:
            is_expected = isinstance(error, Loc3rError)
            self._problems.note(
                'failure', str(error) if is_expected else f'{type(error).__name__}: {error}'
            )
            if not is_expected:
                raise  # into the log, with its traceback

    def _process(self, shot: Shot) -> None:
        if shot.round < self._round:
            return
        self._enter_round(shot.round)
        sample = self._input.decode(shot)
        if sample is None:
            return
        frame_id = self._input.frame_id or sample.frame_id
        step = self._live.step(sample.frame, frame_id)
        # Where time fell back meanwhile, this would be the future to who listens to TF, and all
        # that follows old data.
        if step is None or self._live.mount is None or shot.round != self._input.rounds.number:
            return
        posed = Posed(sample.stamp_ns, frame_id, step)
        self._output.publish(posed, self._live.mount)
        before = self._health.state
        self._health.take(posed.stamp_ns, step, shot.received_s)
        if self._health.state != before:
            self.publish_status()
        for listener in self.listeners:
            listener(posed)

    def _follow_clock(self) -> None:
        threshold = JumpThreshold(
            min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=False
        )

        def jumped(jump: Any) -> None:
            self._input.clock_jumped(jump.delta.nanoseconds)

        handle = self.get_clock().create_jump_callback(threshold, post_callback=jumped)
        self.own(handle, handle.unregister)

    def _fall_back(self, stamp_ns: int) -> None:
        """Time fell back. In the executor."""
        number = self._input.rounds.number
        self._tf.fall_back(stamp_ns)
        self._worker.call(lambda: self._enter_round(number))

    def _enter_round(self, number: int) -> None:
        if number > self._round:
            self._round = number
            self._input.begin()
            self._begin_epoch('time fell back, as of a recording that is played again')

    def _begin_epoch(self, why: str) -> None:
        """In the worker."""
        self._health.begin(Status.RESETTING)
        self.publish_status()
        self._live.reset()
        self._output.clear(self._live.epoch)
        self._health.begin(Status.INITIALISING)
        self.publish_status()
        self.get_logger().info(f'{why}: epoch {self._live.epoch} begins')

    def _offer_services(self) -> None:
        jobs: dict[str, Callable[[], str]] = {
            'reset_state': self._reset_state,
            'save_state': self._save_state,
            'load_state': self._load_state,
        }
        for name, job in jobs.items():
            self.serve(Trigger, name, self._answering(name, job))

    def _answering(self, name: str, job: Callable[[], str]) -> Callable[[Any, Any], Any]:
        """A service that answers when the worker has done the job between two images."""

        def answer(_request: Any, response: Any) -> Any:
            try:
                response.message = self._worker.call(job).result(_ANSWER_WITHIN_S)
                response.success = True
            except (Loc3rError, OSError) as error:
                response.message = str(error)
            except (CancelledError, TimeoutError):
                response.message = f'{name}: not done within {_ANSWER_WITHIN_S:g} s; try again'
            if response.success:
                self.get_logger().info(f'{name}: {response.message}')
            else:
                self.get_logger().error(f'{name} refused: {response.message}')
            return response

        return answer

    def _reset_state(self) -> str:
        self._begin_epoch('reset_state was called')
        return f'epoch {self._live.epoch} begins'

    def _save_state(self) -> str:
        folder = self._state_folder()
        self._live.save(folder, self.companions)
        return f'saved to {folder}'

    def _load_state(self) -> str:
        folder = self._state_folder()
        self._live.adopt(folder, self.companions)
        self._output.clear(self._live.epoch)
        self._health.begin(Status.LOST)
        self.publish_status()
        return f'epoch {self._live.epoch} begins with the places of {folder}'

    def _state_folder(self) -> Path:
        return Path(self.settings['state_folder']).expanduser()

    def _missing_transform(self) -> str:
        """For the watchdog: what is missing in TF while images wait for it."""
        frame_id = self._input.frame_id
        if frame_id is None or self._live.mount is not None:
            return ''
        return f'no static TF from {self.settings["base_frame"]} to {frame_id}'

    def _wrong(self) -> list[str]:
        """What is wrong, one line each."""
        camera, mount = self._input, self._live.mount
        lines = self._problems.texts()
        if camera.frame_id is None:
            lines.append(f'no image on {camera.topics.image} yet')
        elif not camera.has_intrinsics:
            lines.append(f'no camera_info on {camera.topics.camera_info} yet')
        if mount is not None and not mount.on_robot:
            lines.append(
                f'no static TF from {self.settings["base_frame"]} to the camera: the pose is that '
                f'of {mount.base_frame}'
            )
        return lines


def nodes() -> list[PoseEncoder]:
    """What the executable runs."""
    return [PoseEncoder()]
