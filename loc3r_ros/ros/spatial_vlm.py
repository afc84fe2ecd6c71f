# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The node `spatial_vlm`: keyframes in, answers in words, poses of agents and goals out."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import OccupancyGrid as OccupancyGridMessage
from rclpy.callback_groups import ReentrantCallbackGroup
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from loc3r_ros.answers.answering import Answering
from loc3r_ros.answers.goals import ROBOT_RADIUS_M, SNAP_RADIUS_M, Goals
from loc3r_ros.answers.messages import agent_message, answer_message
from loc3r_ros.answers.reply import Reply
from loc3r_ros.answers.requests import Turns
from loc3r_ros.answers.scene import Scene
from loc3r_ros.errors import InputError
from loc3r_ros.hub import shipped
from loc3r_ros.msg import Answer
from loc3r_ros.ros import qos
from loc3r_ros.ros.bus import Posed
from loc3r_ros.ros.camera_stream import TRANSPORTS
from loc3r_ros.ros.conversion import messages, stamp_ns
from loc3r_ros.ros.costmap import Costmap
from loc3r_ros.ros.detections import Detection3DArray, detections_message
from loc3r_ros.ros.diagnostics import Level, Report
from loc3r_ros.ros.keyframe_input import KeyframeInput
from loc3r_ros.ros.lifecycle import Stage
from loc3r_ros.ros.mailbox import Mailbox, Worker
from loc3r_ros.ros.markers import Markers
from loc3r_ros.ros.memory import free_memory
from loc3r_ros.ros.navigation import Navigator
from loc3r_ros.ros.parameters import Parameter
from loc3r_ros.ros.queries import Queries
from loc3r_ros.srv import Ask, Localize
from loc3r_ros.types import OccupancyGrid, TrackedPose, View
from loc3r_ros.vlm.engine import SpatialEngine
from loc3r_ros.vlm.open import PRECISIONS, open_engine

MOST_WAITING = 4
"""Each request that waits holds a thread of the executor."""

_KEYFRAMES = 32
"""Keyframes that wait while a question is answered; a model holds no more than this."""

_STOP_S = 1.5
"""What requests get to end when the node is stopped; the process has 3 s for all."""

_LAST_WORDS_S = 0.2
"""rclpy sends a response only after the callback has returned; then the services may go."""

TABLE = (
    Parameter('map_frame', 'map', 'Frame of the poses.'),
    Parameter(
        'engine',
        'auto',
        'Language model that answers; none answers what geometry alone can tell, auto takes '
        'loc3r where there are weights for it.',
        choices=('auto', 'none', 'loc3r'),
    ),
    Parameter(
        'vlm_weights',
        '',
        'Folder of the weights of Loc3R-VLM (loc3r weights --help); empty: Loc3R-tiny of the '
        'package, where it has it.',
    ),
    Parameter(
        'device',
        'auto',
        'What the language model runs on (cpu, cuda, cuda:1); auto: a GPU if any.',
    ),
    Parameter(
        'precision',
        'auto',
        'Of the weights in memory; int8 and int4 need torchao.',
        choices=PRECISIONS,
    ),
    Parameter(
        'allow',
        '',
        'Keys that the weights may lack, as patterns with blanks between: LLaVA-Video as published '
        'answers in words without "camera_projector.* *_head.*".',
    ),
    Parameter(
        'max_waiting',
        MOST_WAITING,
        'Questions that may wait while another is answered; one more is answered `busy`.',
        range=(0, MOST_WAITING),
        live=True,
    ),
    Parameter(
        'robot_radius_m',
        ROBOT_RADIUS_M,
        'Radius of a circle that holds the robot; goals keep it free of obstacles.',
        range=(0.02, 3.0),
        live=True,
    ),
    Parameter(
        'goal_snap_radius_m',
        SNAP_RADIUS_M,
        'How far from its target a goal may lie to be free and reachable.',
        range=(0.05, 10.0),
        live=True,
    ),
    Parameter(
        'navigate_action',
        '/navigate_to_pose',
        'Action of Nav2 that drives to a goal when `query` asks to navigate.',
    ),
    Parameter(
        'costmap',
        '/global_costmap',
        "Namespace of Nav2's costmap that must let goals pass where it runs; empty: not asked.",
    ),
    Parameter(
        'image_transport',
        'auto',
        'Raw or compressed images; auto takes compressed where nobody publishes raw.',
        choices=TRANSPORTS,
    ),
    Parameter(
        'image_qos',
        'auto',
        'QoS of `image`; auto is reliable where every publisher is.',
        choices=qos.CHOICES,
    ),
)


class SpatialVlmNode(Stage):
    """Answers questions about what a camera has seen.

    Args:
        make_engine: makes the engine at `configure`, from this node (`settings`, `scene`).
        composed: keyframes come through `take`, by reference, from a node in this process; else
            from the topics `image` and `pose_token`.

    Attributes:
        scene: newest pose and map, for engines that look at them.
    """

    part = 'vlm'
    threads = 8  # an answer, those that wait, a drive, and what they wait for

    def __init__(
        self,
        *,
        make_engine: Callable[[SpatialVlmNode], SpatialEngine] | None = None,
        composed: bool = False,
        **node_options: Any,
    ) -> None:
        super().__init__('spatial_vlm', TABLE, **node_options)
        self.scene = Scene()
        self._make_engine = make_engine or chosen_engine
        self._composed = composed
        self._engine: SpatialEngine | None = None
        self._mailbox: Mailbox[Callable[[], View]] | None = None

    @property
    def answers_by_shipped(self) -> bool:
        """Whether the settings lead to the package's model, which goes with its encoder."""
        is_open = self.settings['engine'] != 'none' and not self.settings['vlm_weights']
        return is_open and shipped.language_model() is not None

    def configure(self) -> None:
        """Load the engine."""
        self._engine = self._make_engine(self)
        self.get_logger().info(f'engine: {self._engine.identity}')

    def activate(self) -> None:
        """Open the ears, and then the mouth."""
        assert self._engine is not None
        settings, group = self.settings, ReentrantCallbackGroup()
        self._frame = settings['map_frame']
        self.scene = Scene()
        self._engine.reset()
        self._turns = Turns(lambda: settings['max_waiting'])
        costmap = Costmap(self, settings['costmap'], self._frame, group)
        goals = Goals(self.scene, costmap, settings)
        self._answering = Answering(self._engine, self._turns, self.scene, goals)
        self._markers = Markers(self._frame)
        self._advertise()
        self._listen()
        navigator = Navigator(self, settings['navigate_action'], self._frame, group)
        self.serve(Ask, 'ask', self._ask, callback_group=group)
        self.serve(Localize, 'localize', self._localize, callback_group=group)
        self.subscribe(String, 'question', self._question, qos.reliable(), callback_group=group)
        Queries(self, self._turns, self._answering, navigator, self.scene, self._publish, group)

    def deactivate(self) -> None:
        """Cancel what is asked, and stop a robot that drives."""
        self._mailbox = None
        was_idle = self._turns.is_idle
        if not self._turns.close(_STOP_S):
            self.get_logger().warning(f'a request did not end within {_STOP_S:g} s')
        elif not was_idle:
            sleep(_LAST_WORDS_S)

    def cleanup(self) -> None:
        """Free the engine."""
        assert self._engine is not None
        self._engine.close()
        self._engine = None
        self.__dict__.pop('_answering', None)  # it would keep the engine in memory
        free_memory()

    def take(self, posed: Posed) -> None:
        """See what another node of this process has seen; from any thread."""
        if self._mailbox is None:
            return
        step = posed.step
        self._see(posed.stamp_ns, step.epoch, step.pose)
        if step.pose.keyframe is not None:
            self._observe(lambda: step.view)

    def status(self) -> list[Report]:
        """What answers, and how it goes."""
        answering, worker, mailbox = self._answering, self._worker, self._mailbox
        values = {
            'engine': '' if self._engine is None else self._engine.identity,
            'answered': answering.answered,
            'unanswered': answering.unanswered,
            'failed': answering.failures,
            'waiting': self._turns.waiting,
            'keyframes': answering.keyframes,
            'keyframes_dropped': 0 if mailbox is None else mailbox.dropped,
        }
        if worker.last_error:
            return [Report('vlm', Level.ERROR, worker.last_error, values)]
        if self.scene.sight is None:
            return [Report('vlm', Level.WARN, 'no image has been processed yet', values)]
        return [Report('vlm', values=values)]

    def _advertise(self) -> None:
        self._answers = self.advertise(Answer, 'answer', qos.latched())
        self._agents = self.advertise(PoseWithCovarianceStamped, 'agent_pose', qos.reliable())
        self._shown = self.advertise(MarkerArray, 'markers', qos.latched())
        self._detections = None
        if Detection3DArray is None:
            self.get_logger().warning(
                'vision_msgs is not installed: no topic detections. Install it with apt install '
                'ros-$ROS_DISTRO-vision-msgs'
            )
        else:
            self._detections = self.advertise(Detection3DArray, 'detections', qos.reliable())

    def _listen(self) -> None:
        mailbox: Mailbox[Callable[[], View]] = Mailbox(_KEYFRAMES, backlog=_KEYFRAMES)
        worker = Worker(mailbox, lambda view: self._answering.observe(view()), name='spatial_vlm')
        self.own(worker, worker.stop)
        self._worker, self._mailbox = worker, mailbox
        self.subscribe(OccupancyGridMessage, 'bev', self._take_map, qos.latched())
        if not self._composed:
            KeyframeInput(self, self._see, self._observe)

    def _see(self, stamp: int, epoch: int, pose: TrackedPose) -> None:
        if self.scene.see(stamp, epoch, pose):
            self.get_logger().info(f'epoch {epoch} begins: all that was seen before is forgotten')
            self._shown.publish(self._markers.clear())

    def _observe(self, view: Callable[[], View]) -> None:
        mailbox = self._mailbox
        if mailbox is not None:
            mailbox.put(view)

    def _take_map(self, message: Any) -> None:
        self.scene.map(stamp_ns(message), grid_of(message))

    def _ask(self, request: Any, response: Any) -> Any:
        with self._turns.visit():
            reply = self._answering.ask(request.question, request.situation)
            response.answer = self._publish(reply)
        response.success = reply.found
        response.message = '' if reply.found else reply.text
        return response

    def _localize(self, request: Any, response: Any) -> Any:
        with self._turns.visit():
            reply = self._answering.localize(request.situation)
            response.pose = agent_message(messages(), reply, self._frame)
            self._show(reply)
            if reply.found:
                self._agents.publish(response.pose)
        response.success = reply.found
        response.message = '' if reply.found else reply.text
        response.confidence = float(reply.confidence)
        return response

    def _question(self, message: Any) -> None:
        with self._turns.visit():
            self._publish(self._answering.ask(message.data, ''))

    def _publish(self, reply: Reply) -> Answer:
        """Publish a reply with all that it shows; returns its message."""
        answer = answer_message(messages(), reply, self._frame)
        self._answers.publish(answer)
        if reply.agent.found and reply.situation:
            self._agents.publish(agent_message(messages(), reply, self._frame))
        if reply.goal is not None and self._detections is not None:
            target = reply.goal.target
            self._detections.publish(detections_message(target, reply.stamp_ns, self._frame))
        self._show(reply)
        return answer

    def _show(self, reply: Reply) -> None:
        markers = self._markers.show(reply)
        if markers is not None:
            self._shown.publish(markers)


def grid_of(message: Any) -> OccupancyGrid:
    """The grid of a nav_msgs/OccupancyGrid."""
    info = message.info
    cells = np.array(message.data, np.int8).reshape(info.height, info.width)
    corner = info.origin.position
    return OccupancyGrid(stamp_ns(message) * 1e-9, cells, info.resolution, (corner.x, corner.y))


def chosen_engine(node: SpatialVlmNode) -> SpatialEngine:
    """The engine that the parameters name.

    Raises:
        InputError: `loc3r` without weights, or with such that cannot be used.
    """
    settings, weights = node.settings, None
    if settings['engine'] != 'none':
        weights = shipped.chosen(settings['vlm_weights'], shipped.language_model())
    if settings['engine'] == 'loc3r' and weights is None:
        raise InputError(
            'engine is loc3r, but vlm_weights is empty: set it to a folder of weights (loc3r '
            'weights --help), or engine to none'
        )
    if node.answers_by_shipped:
        note = shipped.note(f'{shipped.LANGUAGE_NAME} answers')
        node.get_logger().info(f'{note}. engine: none does without')
        shipped.use_one_thread()
    return open_engine(
        weights,
        lambda: node.scene.pose,
        lambda: node.scene.grid,
        device=settings['device'],
        precision=settings['precision'],
        allow=settings['allow'].split(),
    )


def nodes() -> list[SpatialVlmNode]:
    """What the executable runs."""
    return [SpatialVlmNode()]
