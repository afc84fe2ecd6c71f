# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Question files of the published benchmarks, as typed records."""
