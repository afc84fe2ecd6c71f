# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""One step of CUT3R with plain tensors at its edge: what is exported, compiled and served."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from loc3r_ros.cut3r.config import Cut3rConfig
from loc3r_ros.cut3r.heads import Maps
from loc3r_ros.cut3r.model import Cut3r, patch_grid
from loc3r_ros.cut3r.stream import Flag, Stream, select
from loc3r_ros.cut3r.variant import Variant
from loc3r_ros.runtime.session import Arrays, Signature, StateSpec, TensorSpec

FLAGS = ('first_frame', 'update', 'reset')


def signature_of(config: Cut3rConfig, variant: Variant) -> Signature:
    """The edge of a step.

    Inputs: `image` (1, H, W, 3) uint8, RGB as `ResizeCrop.image` gives it; `first_frame`: the pose
    token is the learned one; `update`: the state takes up the frame; `reset`: the state starts anew
    after this frame's outputs. Outputs are those of `FrameOutput`, float32.
    """
    h, w = variant.height, variant.width
    rows, columns = patch_grid(h, w)
    outputs: dict[str, tuple[int, ...]] = {
        'camera_token': (1, config.dec_dim),
        'camera_pose': (1, 7),
        'geometry_tokens': (1, rows * columns, config.dec_dim),
    }
    if variant.heads:
        is_cloud = {'pts3d_in_self_view', 'pts3d_in_other_view', 'rgb'}
        outputs |= {name: (1, h, w, *(3,) * (name in is_cloud)) for name in Maps._fields}
    return Signature(
        (
            TensorSpec('image', (1, h, w, 3), 'uint8'),
            *(TensorSpec(flag, (1,), 'bool') for flag in FLAGS),
        ),
        tuple(TensorSpec(name, shape, 'float32') for name, shape in outputs.items()),
        (
            StateSpec('state', 'state_out', (1, config.state_tokens, config.dec_dim)),
            StateSpec('memory', 'memory_out', (1, config.memory_tokens, 2 * config.dec_dim)),
        ),
    )


class Step(nn.Module):
    """From image, flags and state to outputs and state, in the order of the signature.

    Flags are tensors (1,), which are selected by and never branched on, or Python bools, by which
    eager execution skips what it does not need.
    """

    start_state: Tensor
    start_memory: Tensor

    def __init__(self, model: Cut3r, variant: Variant) -> None:
        super().__init__()
        self.model = model
        self.variant = variant
        self.signature = signature_of(model.config, variant)
        with torch.no_grad():
            initial = model.initial()
        self.register_buffer('start_state', initial.state)
        self.register_buffer('start_memory', initial.memory)

    def initial(self) -> Arrays:
        """The state before the first step."""
        return {
            'state': self.start_state.cpu().numpy().copy(),
            'memory': self.start_memory.cpu().numpy().copy(),
        }

    def forward(
        self,
        image: Tensor,
        first_frame: Flag,
        update: Flag,
        reset: Flag,
        state: Tensor,
        memory: Tensor,
    ) -> tuple[Tensor, ...]:
        # A cast first: TensorRT lets uint8 into no other layer.
        unit = image.float().permute(0, 3, 1, 2) / 255
        output = self.model.step(
            (unit - 0.5) / 0.5,
            Stream(state, memory),
            first=first_frame,
            update=update,
            rule=self.variant.rule,
            camera_only=not self.variant.heads,
        )
        return (
            output.camera_token,
            output.camera_pose,
            output.geometry_tokens,
            *(output.maps or ()),
            select(reset, self.start_state, output.state),
            select(reset, self.start_memory, output.mem),
        )
