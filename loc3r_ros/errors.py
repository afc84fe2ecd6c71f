# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The errors that a user can act on.

Each message says what was given, what is allowed, and what to do. The command line prints them
without a traceback; anything else that escapes is a defect of ours and keeps its traceback.
"""


class Loc3rError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(Loc3rError, ValueError):
    """Data or an argument that cannot be used; the message names it and the remedy."""


class CheckpointError(Loc3rError, ValueError):
    """A weights file that does not fit the model, or that must not be loaded."""


class EngineError(Loc3rError, RuntimeError):
    """A compiled network that cannot be built, loaded or run, or whose numbers are wrong."""
