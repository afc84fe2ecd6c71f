# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
from __future__ import annotations

import logging

from loc3r_ros.ros.current_problems import CURRENT_S, CurrentProblems


def test_a_problem_is_said_when_it_begins_and_when_it_is_over(caplog):
    now = [100.0]
    problems = CurrentProblems(lambda: now[0])
    with caplog.at_level(logging.INFO, 'loc3r_ros.ros.current_problems'):
        for k in range(20):
            problems.note('encoding', f'image {k} cannot be decoded')
            now[0] += 1.0
        problems.note('depth', 'no depth')
        assert problems.texts() == ['image 19 cannot be decoded', 'no depth']
        assert [r.message for r in caplog.records] == ['image 0 cannot be decoded', 'no depth']
        now[0] += CURRENT_S - 0.5
        assert problems.texts() == ['no depth']
        now[0] += 1.0
        assert problems.texts() == []
        problems.note('encoding', 'image 30 cannot be decoded')
    assert [r.message for r in caplog.records][2:] == [
        'over: image 19 cannot be decoded',
        'over: no depth',
        'image 30 cannot be decoded',
    ]
