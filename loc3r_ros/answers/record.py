# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""A reply as plain values, for files."""

from __future__ import annotations

from typing import Any

import numpy as np

from loc3r_ros.answers.messages import shown_pose
from loc3r_ros.answers.reply import Reply


def record(reply: Reply) -> dict[str, Any]:
    """A reply as summary.json holds it; a value that is not known is NaN.

    `pose` is of the goal, else of the agent (`pose_of` says whose), in `map`: m and rad, with
    standard deviations.
    """
    posed = shown_pose(reply)
    out = {
        'question': reply.question,
        'situation': reply.situation,
        'answer': reply.told,
        'found': reply.found,
        'engine': reply.engine,
        'confidence': reply.confidence,
        'stamp_ns': reply.stamp_ns,
        'first_word_s': reply.first_word,
        'duration_s': reply.duration,
    }
    if posed is not None:
        T, covariance = posed
        sigma = np.sqrt(np.diagonal(covariance)).tolist()
        out['pose_of'] = 'agent' if reply.goal is None else 'goal'
        out['pose'] = {
            'x': float(T[0, 3]),
            'y': float(T[1, 3]),
            'yaw': float(np.arctan2(T[1, 0], T[0, 0])),
            'sigma_x': sigma[0],
            'sigma_y': sigma[1],
            'sigma_yaw': sigma[5],
        }
    return out
