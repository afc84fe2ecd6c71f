# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Procedural rooms and flats: a seeded scene, a ray caster, camera paths, a robot to record with.

The world frame is `map`: z up, the floor at z = 0, the origin at the centre of the floor plan.
`splits` says which seeds are for training and which for tests, `video` films their scenes.
Everything follows from a seed; nothing reads a clock or a global random state.
"""
