# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R: camera pose, point maps and tokens from a stream of images, with a persistent state.

Images in, observations out::

    encoder = PoseEncoder.load('cut3r_512_dpt_4_64.pth')
    observation = encoder.observe(frame)

The bare network on a sequence of tensors, with masks, ray maps and resets::

    model = load_checkpoint('cut3r_512_dpt_4_64.pth')
    with torch.inference_mode():
        outputs = [output.named() for output in forward_views(model, [View(x) for x in images])]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loc3r_ros.cut3r.checkpoint import load_checkpoint
    from loc3r_ros.cut3r.config import FULL_DPT_512, FULL_LINEAR_224, Cut3rConfig, tiny
    from loc3r_ros.cut3r.encoder import PoseEncoder
    from loc3r_ros.cut3r.model import Cut3r
    from loc3r_ros.cut3r.stream import FrameOutput, Stream
    from loc3r_ros.cut3r.variant import UpdateRule
    from loc3r_ros.cut3r.views import View, forward_views

__all__ = [
    'FULL_DPT_512',
    'FULL_LINEAR_224',
    'Cut3r',
    'Cut3rConfig',
    'FrameOutput',
    'PoseEncoder',
    'Stream',
    'UpdateRule',
    'View',
    'forward_views',
    'load_checkpoint',
    'tiny',
]

_ROOMS = {
    'checkpoint': ('load_checkpoint',),
    'config': ('FULL_DPT_512', 'FULL_LINEAR_224', 'Cut3rConfig', 'tiny'),
    'encoder': ('PoseEncoder',),
    'model': ('Cut3r',),
    'stream': ('FrameOutput', 'Stream'),
    'variant': ('UpdateRule',),
    'views': ('View', 'forward_views'),
}


def __getattr__(name: str) -> Any:
    """Import on first use: an encoder of engines alone never imports PyTorch."""
    for room, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f'loc3r_ros.cut3r.{room}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
