# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Map files as Nav2's map_server reads and writes them: a yaml beside a pgm image.

Mode `trinary`: 254 is free, 0 occupied, 205 unknown; the image's first row is the highest y. The
thresholds are those that Nav2 writes for this mode since its pull request 5278: with the older
free_thresh of 0.25, the unknown grey, (255 - 205) / 255 = 0.1961, would be read back as free.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from loc3r_ros.errors import InputError
from loc3r_ros.types import OccupancyGrid

_OCCUPIED_THRESH, _FREE_THRESH = 0.65, 0.196
_FREE, _OCCUPIED, _UNKNOWN = 254, 0, 205
_KEYS = ('image', 'resolution', 'origin', 'negate', 'occupied_thresh', 'free_thresh')


def save_map(grid: OccupancyGrid, stem: str | Path) -> tuple[Path, Path]:
    """Write `<stem>.yaml` and `<stem>.pgm`; each appears whole or not at all, the image first.

    Cells between the thresholds are written as unknown, as map_server's saver does.

    Raises:
        InputError: where the grid has no cells.
        OSError: where the files cannot be written.

    """
    if grid.data.size == 0:
        raise InputError('the map has no cells: nothing was mapped, so there is no file to write')
    pixels = np.full(grid.data.shape, _UNKNOWN, np.uint8)
    pixels[(grid.data >= 0) & (grid.data <= _FREE_THRESH * 100)] = _FREE
    pixels[grid.data >= _OCCUPIED_THRESH * 100] = _OCCUPIED
    yaml, pgm = Path(f'{stem}.yaml'), Path(f'{stem}.pgm')
    rows, columns = grid.data.shape
    _replace(pgm, f'P5\n{columns} {rows}\n255\n'.encode() + pixels[::-1].tobytes())
    text = (
        f'image: {pgm.name}\nmode: trinary\nresolution: {grid.resolution:.9g}\n'
        f'origin: [{grid.origin[0]:.9g}, {grid.origin[1]:.9g}, 0]\nnegate: 0\n'
        f'occupied_thresh: {_OCCUPIED_THRESH}\nfree_thresh: {_FREE_THRESH}\n'
    )
    _replace(yaml, text.encode())
    return yaml, pgm


def load_map(yaml: str | Path) -> OccupancyGrid:
    """Read a trinary map; the grid's stamp is 0, for the file has none.

    Raises:
        InputError: where a file is missing, or is not such a map.

    """
    yaml = Path(yaml)
    try:
        fields = _parse(yaml.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f'cannot read the map {yaml}: {error}') from error
    missing = [key for key in _KEYS if key not in fields]
    if missing:
        raise InputError(f'{yaml} is not a map of map_server: it lacks {", ".join(missing)}')
    if fields.get('mode', 'trinary') != 'trinary':
        raise InputError(f'{yaml}: mode {fields["mode"]!r} is not read; allowed is trinary')
    (resolution,) = _numbers(yaml, fields, 'resolution', 1)
    x, y, yaw = _numbers(yaml, fields, 'origin', 3)
    (occupied,) = _numbers(yaml, fields, 'occupied_thresh', 1)
    (free,) = _numbers(yaml, fields, 'free_thresh', 1)
    if resolution <= 0 or yaw != 0:
        raise InputError(
            f'{yaml}: resolution {resolution:g} and yaw {yaw:g} of the origin; allowed are a '
            'resolution > 0 and a yaw of 0'
        )
    image = cv2.imread(str(yaml.parent / fields['image']), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise InputError(f'{yaml}: its image {fields["image"]} is missing or is no image')
    negate = fields['negate'].lower() in ('1', 'true')
    data = _trinary(np.asarray(image, np.uint8)[::-1], negate, occupied, free)
    return OccupancyGrid(0.0, data, resolution, (x, y))


def _numbers(yaml: Path, fields: dict[str, str], key: str, count: int) -> list[float]:
    try:
        values = [float(v) for v in fields[key].strip('[]').split(',')]
    except ValueError:
        values = []
    if len(values) != count or not all(map(math.isfinite, values)):
        raise InputError(f'{yaml}: {key} is {fields[key]!r}; allowed: {count} finite number(s)')
    return values


def _trinary(
    pixels: NDArray[np.uint8], negate: bool, occupied: float, free: float
) -> NDArray[np.int8]:
    shade = pixels / 255.0
    occupancy = shade if negate else 1.0 - shade
    data = np.full(pixels.shape, -1, np.int8)
    data[occupancy < free] = 0
    data[occupancy > occupied] = 100
    return data


def _parse(text: str) -> dict[str, str]:
    """The flat `key: value` lines of a map's yaml, which is all of YAML that it uses."""
    pairs = re.findall(r'^\s*(\w+)\s*:\s*(.*?)\s*(?:#.*)?$', text, re.MULTILINE)
    return {key: value.strip('"\'') for key, value in pairs}


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old or the new one, never a part."""
    part = path.with_name(path.name + '.part')
    try:
        with part.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
