# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Whether a file of CUT3R weights is there and whole, without loading it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from loc3r_ros.doctor.finding import USES, Finding

_PURPOSE = 'tracking without depth'


def look_at_weights(path: Path | None) -> Finding:
    """Read the header of a weights file; `loc3r weights inspect` reads the rest."""
    if path is None:
        what = 'not looked for; with --weights FILE that file is checked'
        return Finding('Weights', 'CUT3R', 'missing', what, _PURPOSE)
    try:
        what = f'{path}: {_header(path)}, {path.stat().st_size / 1e9:.2f} GB'
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        remedy = 'loc3r weights convert PUBLISHED.pth FILE.safetensors'
        return Finding('Weights', 'CUT3R', 'broken', f'{path}: {reason}', _PURPOSE, remedy, USES)
    return Finding('Weights', 'CUT3R', 'ok', what, _PURPOSE, '', USES)


def _header(path: Path) -> str:
    with path.open('rb') as file:
        start = file.read(8)
        if start[:4] == b'PK\x03\x04':
            if not zipfile.is_zipfile(path):
                raise ValueError('a .pth that is cut short')
            return 'a .pth'
        length = int.from_bytes(start, 'little')
        if len(start) < 8 or length > 100_000_000:
            raise ValueError('neither safetensors nor .pth')
        entries = json.loads(file.read(length))
    entries.pop('__metadata__', None)
    end = 8 + length + max((e['data_offsets'][1] for e in entries.values()), default=0)
    if path.stat().st_size != end:
        raise ValueError(f'cut short: {path.stat().st_size} of {end} bytes')
    return f'safetensors, {len(entries)} tensors'
