# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Benchmarks: each beside a peer or the naive way, in one run."""
