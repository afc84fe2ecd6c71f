# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A video that nobody filmed, a network of a few thousand parameters and two steps for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loc3r_ros.camera import PinholeCamera
from loc3r_ros.geometry import T_BODY_OPTICAL, exp_so3, pose
from loc3r_ros.training import bank
from loc3r_ros.training.bank import SHOWN, Bank, Video
from loc3r_ros.training.loc3r_examples import Loc3rExamples
from loc3r_ros.training.run import Means, Recipe
from loc3r_ros.training.tiny import Plan
from loc3r_ros.training.tokens import TokenBank
from loc3r_ros.vlm.config import QwenShape, SiglipShape, VlmConfig
from loc3r_ros.vlm.tokenizer import Words
from loc3r_ros.world.questions.question import Question, Situation
from loc3r_ros.world.splits import TRAIN, VALIDATION
from loc3r_ros.world.video import Footage

MICRO = VlmConfig(
    vision=SiglipShape(32, 8, hidden_size=24, intermediate_size=32, layers=1, heads=2),
    text=QwenShape(
        Words.tiny().vocab_size,
        hidden_size=32,
        intermediate_size=48,
        layers=2,
        heads=4,
        kv_heads=2,
        rope_theta=1e4,
        rms_norm_eps=1e-6,
        max_positions=1024,
        tie_embeddings=True,
    ),
    camera_dim=64,
    head_width=32,
)

SHORT = Recipe(steps=2, batch=2, rate=1e-2, warmup=1, average=0.0)
PLAN = Plan(
    1,
    1,
    questions=4,
    situations=2,
    encoder=SHORT,
    words=SHORT,
    names=SHORT,
    language=SHORT,
    ablated=SHORT,
)
MEANS = Means(device='cpu', workers=0, check_every=2, check_batches=1)

CAMERA = PinholeCamera(40, 30, 30.0, 30.0, 19.5, 14.5)

SITUATION = Situation(
    'I stand next to the sofa, facing the door.',
    ('I stand next to the sofa, facing the door.', 'I look at the door. I am next to the sofa.'),
    (1.0, -0.5),
    0.7,
)

QUESTIONS = (
    Question('object_counting', 'How many chair(s) are in this room?', (), '4'),
    Question('object_rel_distance', 'Which is nearest?', ('A. sofa', 'B. bed'), 'B'),
    Question('situated_what', 'What is on my left?', (), 'table', SITUATION),
    Question('goal', 'Go to the lamp.', (), 'lamp', place=(2.0, 1.0, 0.4)),
)


def video(frames: int = 8, seed: int = 0) -> Video:
    """Noise before a wall, from a camera that turns."""
    rng = np.random.default_rng(seed)
    T = np.stack(
        [
            pose(exp_so3([0, 0, 0.1 * k]), [0.2 * k, 0.3, 1.0]) @ T_BODY_OPTICAL
            for k in range(frames)
        ]
    )
    footage = Footage(
        rng.integers(0, 256, (frames, 30, 40, 3), np.uint8),
        np.full((frames, 30, 40), 2.0, np.float32),
        rng.integers(0, 3, (frames, 30, 40), np.int32),
        T,
        np.arange(frames, dtype=float),
        CAMERA,
    )
    return Video(footage, ('', 'sofa', 'coffee table'), QUESTIONS, (SITUATION,) * 2)


def filled_bank(folder: Path) -> Bank:
    """A bank of one training room and one held-out room."""
    for k, seed in enumerate((TRAIN.start, VALIDATION.start)):
        bank._keep(video(seed=k), folder / f'{seed}_0')
    return Bank(folder)


def examples(folder: Path, **options: object) -> Loc3rExamples:
    """Of that bank, with true camera tokens."""
    tokens = TokenBank(folder, None, 'true', False, MICRO.camera_dim)
    sizes = {'rooms': 1, 'videos': 1, 'questions': 6, 'situations': 3, 'strides': (SHOWN,)}
    return Loc3rExamples(filled_bank(folder), tokens, MICRO, **{**sizes, **options})
