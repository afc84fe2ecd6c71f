# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Training: what is learnt (a `Task`), from which rooms (`bank`), and how a run goes on (`run`)."""
