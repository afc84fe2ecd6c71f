# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Results on disk, line by line: what was interrupted goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from loc3r_ros.errors import InputError
from loc3r_ros.evaluation.episode import Episode


class Journal:
    """Episodes of one subject in a file, each whole or not at all.

    Args:
        path: the file; made where it is missing.
        about: what is examined and how; a file about anything else is refused.

    Attributes:
        episodes: those that are written down, by the seed of their scene.

    Raises:
        InputError: the file is about something else, is damaged, or cannot be written.
    """

    def __init__(self, path: Path, about: Mapping[str, object]) -> None:
        self.path = path
        self.episodes: dict[int, Episode] = {}
        heading = json.dumps(about, sort_keys=True)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text() if path.exists() else ''
            # Whoever was killed while writing leaves half a line.
            whole = text[: text.rfind('\n') + 1]
            first, *rest = whole.splitlines() or [heading]
            if first != heading:
                raise InputError(
                    f'{path} holds results of {first}, and these would be of {heading}: name '
                    'another folder, or remove that file'
                )
            if not whole:
                path.write_text(f'{heading}\n')
            elif whole != text:
                os.truncate(path, len(whole.encode()))
        except OSError as error:
            raise InputError(f'cannot write to {path}: {error.strerror}') from error
        for line in rest:
            episode = Episode.from_json(line)
            self.episodes[episode.seed] = episode

    def add(self, episode: Episode) -> None:
        """Write one down."""
        with self.path.open('a') as file:
            file.write(f'{episode.to_json()}\n')
        self.episodes[episode.seed] = episode
