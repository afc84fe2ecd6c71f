# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How well an answer or a place is told: the published metrics, baselines and question files.

The metrics are numpy and plain Python; trajectories are scored in `bag.evaluation`. `examine` asks
a `subject` about videos of procedural rooms, and `report` makes tables of what it said.
"""
