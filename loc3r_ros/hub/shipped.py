# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The small weights that come with the package: what runs where no others are named.

CUT3R-tiny tracks where there is no depth. Loc3R-tiny answers; it is told the poses that depth
gives, or CUT3R-tiny. A checkout need not have them; then all is as with no weights.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / 'tiny'

LICENCE = 'Apache-2.0'

LIMITS = 'trained on procedural rooms only; for real scenes fetch the published weights'

NONE = 'none'
"""Named in place of weights where none are wanted, not even these."""

ENCODER_NAME, LANGUAGE_NAME = 'CUT3R-tiny', 'Loc3R-tiny'


def encoder() -> Path | None:
    """The file of CUT3R-tiny; None where it is not there."""
    file = FOLDER / 'cut3r.safetensors'
    return file if file.is_file() else None


def language_model() -> Path | None:
    """The folder of Loc3R-tiny; None where it is not there."""
    folder = FOLDER / 'vlm'
    return folder if (folder / 'model.safetensors').is_file() else None


def chosen(given: Path | str | None, shipped: Path | None) -> Path | None:
    """The weights that are meant: those that are named, no others, or the package's where none are.

    Args:
        given: as the user says it; empty or None: nothing is said; `none`: no weights.
        shipped: what the package has for it.
    """
    if not given:
        return shipped
    return None if str(given) == NONE else Path(given).expanduser()


def note(*roles: str) -> str:
    """What is told wherever these weights are used, with what each of them does."""
    told = ', '.join(roles)
    return f'small weights of this package ({LICENCE}): {told}; {LIMITS} (loc3r weights list)'


def use_one_thread() -> None:
    """Keep PyTorch to one thread, where it runs nothing but these weights.

    Their products are small. On two busy cores a frame took CUT3R-tiny 96 ms in one thread, and
    2.5 s in two that waited for each other.
    """
    import torch

    torch.set_num_threads(1)
