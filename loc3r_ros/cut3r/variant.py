# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What is chosen beside the weights, and then fixed in an engine; known without PyTorch."""

from __future__ import annotations

from typing import Literal, NamedTuple

UpdateRule = Literal['cut3r', 'ttt3r']
"""How the state takes up a frame: replaced, or by TTT3R's gate (arXiv 2509.26645)."""


class Variant(NamedTuple):
    """What is fixed in a graph.

    Attributes:
        height, width: of the network's input, pixels, multiples of 16.
        rule: how the state takes up a frame.
        heads: whether the dense maps are among the outputs.
    """

    height: int
    width: int
    rule: UpdateRule = 'cut3r'
    heads: bool = False
