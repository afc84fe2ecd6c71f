# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Whether a session of CUT3R carries its state from frame to frame."""

from __future__ import annotations

import numpy as np

from loc3r_ros.runtime.golden import Golden
from loc3r_ros.runtime.selftest import relative_error
from loc3r_ros.runtime.session import Session


def change_at_the_third_frame(session: Session, golden: Golden) -> float:
    """How much another first frame changes the camera token of the third, relatively."""
    tokens = []
    for brightness in (0, 60):
        session.reset()
        for index in range(3):
            inputs = golden.step(index)
            if index == 0:
                inputs['image'] = inputs['image'] // 2 + np.uint8(brightness)
            token = session.run(inputs)['camera_token']
        tokens.append(token)
    return relative_error(tokens[1], tokens[0])
