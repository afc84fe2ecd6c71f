# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The streaming pose encoder: one camera frame in, one observation out."""

from __future__ import annotations

import logging
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from loc3r_ros.cut3r.preprocess import ResizeCrop, plan_for
from loc3r_ros.cut3r.serving import Serving, serving
from loc3r_ros.cut3r.state_file import SavedState
from loc3r_ros.cut3r.variant import UpdateRule, Variant
from loc3r_ros.errors import CheckpointError, EngineError, InputError
from loc3r_ros.geometry import Array, pose, rotation_from_quaternion, transform
from loc3r_ros.runtime.choose import Backend, Choice
from loc3r_ros.runtime.session import Arrays
from loc3r_ros.types import Frame, Observation

if TYPE_CHECKING:
    import torch

    from loc3r_ros.cut3r.model import Cut3r

log = logging.getLogger(__name__)


class PoseEncoder:
    """CUT3R with its persistent state. Memory does not grow with the number of frames.

    Not thread safe: frames of one stream come one after another. Who computes is chosen at the
    first frame, when the size of the network's input is known.

    Args:
        model: the network in float32; it is moved to the device and set to eval mode. None: what
            the packages in `engines` say; then PyTorch is not needed.
        update_rule: `cut3r`, or `ttt3r`, whose gate forgets less on long sequences.
        camera_only: leave out the dense heads, 37 % of the FLOPs at 512x384; tokens and pose stay
            the same.
        device: where PyTorch runs: `cpu`, `cuda`, ...; `auto`: a GPU if any.
        dtype: precision of PyTorch's products; norms, sums, heads and the state stay float32. None:
            float32.
        backend: `auto`: the best of those below, where engines are named; or one of them:
            `torch`, `onnxruntime`, `tensorrt`; or `compiled`, PyTorch through torch.compile, which
            takes its time at every start and is never chosen by itself.
        restart_every: images that the state takes up before it begins anew: the newest is looked at
            again as the first, and further poses are told from its pose, as TTT3R's demo does.
            Camera and geometry tokens tell of one life alone: a language model that reads them
            wants 0. None: as the weights say, which for those published is never; 0: never.
        take_every: least time between images that change the state, s. Those between are told their
            pose by it, and leave it as it is (CUT3R's update flag): where a camera hardly moved
            there is little to see, and what is missed adds up. None: as the weights say, which for
            those published is 0, every image.
        engines: folder of exported packages (`loc3r engine export`) and of engines built of them.
            None: PyTorch serves.

    Attributes:
        model: the network; None where only packages were given.
        config: its dimensions.
        update_rule, camera_only: as given.
        restart_every, take_every: as given, or as the weights say.
        epoch: id of the world that poses are told in; rises with every reset.
        choice: who computes, why, and who was refused; None before the first frame.

    Raises:
        InputError: an option is unknown, the device is not there, or no package fits.
    """

    def __init__(
        self,
        model: Cut3r | None,
        *,
        update_rule: UpdateRule = 'cut3r',
        camera_only: bool = False,
        device: str | torch.device = 'cpu',
        dtype: torch.dtype | None = None,
        backend: Backend = 'auto',
        engines: Path | str | None = None,
        restart_every: int | None = None,
        take_every: float | None = None,
    ) -> None:
        if update_rule not in get_args(UpdateRule):
            raise InputError(f'update_rule {update_rule!r} is unknown; use cut3r or ttt3r')
        self.update_rule = update_rule
        self.camera_only = camera_only
        self.model = model
        folder = None if engines is None else Path(engines).expanduser()
        try:
            self._serving: Serving = serving(
                model, device=device, dtype=dtype, backend=backend, engines=folder
            )
        except (RuntimeError, AssertionError) as error:
            raise InputError(f'cannot run on device {device}: {error}') from error
        self.config = self._serving.config
        every = self.config.restart_every if restart_every is None else restart_every
        if every < 0 or every == 1:
            raise InputError(f'restart_every {every}: use 2 or more, or 0 for never')
        self.restart_every = every
        self.take_every = self.config.take_every if take_every is None else take_every
        if not 0 <= self.take_every < inf:
            raise InputError(f'take_every {take_every}: use seconds, or 0 for every image')
        self.choice: Choice | None = None
        self._failed: list[str] = []
        self.epoch = 0
        self._last_epoch = 0
        self._begin()

    @classmethod
    def load(cls, path: Path | str, **options: Any) -> PoseEncoder:
        """Make an encoder of a weights file, or of engines alone.

        Args:
            path: .pth as published, or .safetensors; or a folder of exported packages, with which
                PyTorch is not needed.
            **options: of the class.

        Raises:
            CheckpointError: the file cannot be used; the message says why.
        """
        if Path(path).is_dir():
            return cls(None, **{**options, 'engines': path})
        from loc3r_ros.cut3r.checkpoint import load_checkpoint

        return cls(load_checkpoint(path), **options)

    @property
    def trained(self) -> bool:
        """Whether the weights came from a checkpoint; poses of any others mean nothing."""
        return self._serving.trained

    @property
    def fingerprint(self) -> str:
        """Identifies the weights and the dimensions."""
        return self._serving.fingerprint

    @property
    def engine(self) -> str:
        """What computes, in words; before the first frame, that it is not chosen yet."""
        return self.choice.session.name if self.choice else 'chosen at the first image'

    @property
    def refusals(self) -> tuple[str, ...]:
        """Backends that could have served and were refused, with the reason of each."""
        failed = tuple(f'{name}: failed at work' for name in self._failed)
        return (*failed, *(self.choice.refusals if self.choice else ()))

    def state(self) -> Arrays:
        """A copy of the state that the next frame starts from."""
        if self.choice is None:
            return {name: array.copy() for name, array in self._start.items()}
        return self.choice.session.state()

    def reset(self) -> None:
        """Forget everything: the next frame is the first of a new epoch and sets its world."""
        self._last_epoch = max(self._last_epoch, self.epoch) + 1
        self.epoch = self._last_epoch
        self._begin()

    def _begin(self) -> None:
        self._start = self._serving.initial()
        self._index = 0
        self._age = 0  # images taken into the state since it began anew
        self._taken = -inf  # stamp of the last of them
        self._T_world_life = np.eye(4)  # world of the epoch from that of this life of the state
        if self.choice is not None:
            self.choice.session.set_state(self._start)
        self._size: tuple[int, int] | None = None

    def observe(self, frame: Frame) -> Observation:
        """Take in one frame.

        An image of any size is resized and cropped by the published rule. Where that leads to
        another network input size than the frames before had, the state is reset, since it would
        not fit; a warning says so. Where the backend fails, the next one serves, in a new epoch.

        Raises:
            InputError: the image is not RGB uint8 or too narrow; the camera is of another size.
            CheckpointError: the network gave a pose that is not finite; a new epoch begins.
            EngineError: the backend failed, and nobody else can serve.
        """
        plan = plan_for(frame.rgb, self.config)
        if frame.camera and (frame.camera.height, frame.camera.width) != frame.rgb.shape[:2]:
            raise InputError(
                f'image of {frame.rgb.shape[1]}x{frame.rgb.shape[0]} with a camera of '
                f'{frame.camera.width}x{frame.camera.height}; both must be of one size'
            )
        self._enter((plan.width, plan.height))
        image = plan.image(frame.rgb).copy()[None]
        outputs = self._step(image, frame.stamp)
        camera_pose = outputs['camera_pose'][0].astype(np.float64)
        if not np.isfinite(camera_pose).all() or not np.linalg.norm(camera_pose[3:]) > 0.5:
            self.reset()
            raise CheckpointError(
                f'the network gave the pose {camera_pose.tolist()}: the weights are damaged, or '
                f'{self.engine} is too narrow for them; epoch {self.epoch} begins'
            )
        observation = self._observation(frame, plan, outputs, camera_pose)
        self._index += 1
        if self._takes(frame.stamp):
            self._age += 1
            self._taken = frame.stamp
            if 0 < self.restart_every <= self._age:  # a loaded state may be older
                self._restart(image, frame.stamp, observation.T_world_camera)
        return observation

    def _takes(self, stamp: float) -> bool:
        """Whether an image changes the state; also where time runs backwards."""
        return self._age == 0 or not 0 <= stamp - self._taken < self.take_every

    def _restart(self, image: NDArray[np.uint8], stamp: float, T_world_camera: Array) -> None:
        """Begin a new life of the state within the epoch, with an image whose pose is known."""
        assert self.choice is not None
        epoch = self.epoch
        self.choice.session.set_state(self._serving.initial())
        self._age = 0
        self._step(image, stamp)
        if self.epoch != epoch:
            self._begin()  # another backend serves, and what it saw is no frame of that epoch
            return
        self._age, self._T_world_life = 1, T_world_camera

    def _enter(self, size: tuple[int, int]) -> None:
        before = self._size
        if before not in (None, size):
            self.reset()
            log.warning(
                'network input changed from %s to %s: state reset, epoch %d begins',
                *(f'{w}x{h}' for w, h in (before, size)),
                self.epoch,
            )
        self._size = size
        if self.choice is None or self._served != size:
            start = self.state()
            self.choice = None
            self.choice = self._open(size)
            self.choice.session.set_state(start)

    def _open(self, size: tuple[int, int]) -> Choice:
        width, height = self._served = size
        variant = Variant(height, width, self.update_rule, not self.camera_only)
        return self._serving.open(variant, self._failed)

    def _step(self, image: NDArray[np.uint8], stamp: float) -> Arrays:
        """One step; where the backend fails, with the next one, from the beginning."""
        assert self.choice is not None
        assert self._size is not None
        try:
            return self.choice.session.run(self._inputs(image, stamp))
        except EngineError as error:
            size = self._size
            self._failed.append(self.choice.session.name)
            self.choice = None
            self.reset()
            log.error('%s; the next backend serves, epoch %d begins', error, self.epoch)
            self.choice, self._size = self._open(size), size
            return self.choice.session.run(self._inputs(image, stamp))

    def _inputs(self, image: NDArray[np.uint8], stamp: float) -> Arrays:
        flags = {'first_frame': self._age == 0, 'update': self._takes(stamp), 'reset': False}
        return {'image': image} | {name: np.array([flag]) for name, flag in flags.items()}

    def _observation(
        self, frame: Frame, plan: ResizeCrop, outputs: Arrays, camera_pose: NDArray[np.float64]
    ) -> Observation:
        w, x, y, z = camera_pose[3:]
        one = {name: value[0] for name, value in outputs.items()}
        points, around = one.get('pts3d_in_self_view'), one.get('pts3d_in_other_view')
        T_life_camera = pose(rotation_from_quaternion([x, y, z, w]), camera_pose[:3])
        return Observation(
            stamp=frame.stamp,
            epoch=self.epoch,
            index=self._index,
            camera_token=_own(one['camera_token']),
            geometry_tokens=_own(one['geometry_tokens']),
            T_world_camera=self._T_world_life @ T_life_camera,
            camera=plan.camera(frame.camera) if frame.camera else None,
            focal=None if points is None else _focal(points),
            points_camera=_own(points),
            points_world=None if around is None else transform(self._T_world_life, around),
            confidence_camera=_own(one.get('conf_self')),
            confidence_world=_own(one.get('conf')),
            rgb=_own(one.get('rgb')),
        )

    def save_state(self, path: Path | str) -> None:
        """Write the state, to go on from with `load_state`, bit for bit.

        Raises:
            InputError: the file cannot be written; an earlier one is left as it was.
        """
        place = self.fingerprint, self.update_rule, self.epoch, self._index, self._age, self._taken
        size = self._size or (0, 0)
        SavedState(*place, *size, self._T_world_life, self.state()).write(Path(path))

    def load_state(self, path: Path | str) -> None:
        """Go on from a saved state, in its epoch; on an error nothing changes.

        It may come from another backend.

        Raises:
            InputError: not a state file, or that of another model or update rule.
        """
        saved = SavedState.read(Path(path))
        if saved.model != self.fingerprint:
            raise InputError(
                f'{path}: the state of another model: fingerprint {saved.model}, this model has '
                f'{self.fingerprint}'
            )
        if saved.update_rule != self.update_rule:
            raise InputError(
                f'{path}: made with update_rule={saved.update_rule}, '
                f'this encoder has {self.update_rule}; use the same'
            )
        expected = self._serving.initial()
        if _edges(saved.arrays) != _edges(expected):
            raise InputError(f'{path}: a damaged CUT3R state: its tensors have other shapes')
        self._last_epoch = max(self._last_epoch, self.epoch)
        self.epoch, self._index, self._start = saved.epoch, saved.index, saved.arrays
        self._age, self._taken, self._T_world_life = saved.age, saved.taken, saved.T_world_life
        self._size = (saved.width, saved.height) if saved.width else None
        if self.choice is not None:
            self.choice.session.set_state(saved.arrays)


def _own(x: NDArray[np.float32] | None) -> Any:
    """The only element of a batch, as memory of its own, so that what is kept stays small."""
    return None if x is None else x.copy()


def _edges(arrays: Arrays) -> dict[str, tuple[tuple[int, ...], str]]:
    return {name: (array.shape, array.dtype.name) for name, array in arrays.items()}


def _focal(points: NDArray[np.float32]) -> float:
    import torch  # here, since an encoder of engines without heads runs without it

    from loc3r_ros.cut3r.postprocess import focal_weiszfeld

    return float(focal_weiszfeld(torch.from_numpy(points)[None]))
