# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""TensorRT 10.3 to 11: engines built once, kept with what they are, and run with their state."""
