# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""HTML and SVG elements that escape what they are given, and pictures inside the page."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray


class Markup(str):
    """Text that is markup already; any other string is escaped where it is used."""

    __slots__ = ()


def escape(value: object) -> Markup:
    """The value as text of the page, quotes included."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def join(parts: Iterable[object]) -> Markup:
    """Parts one after the other."""
    return Markup(''.join(map(escape, parts)))


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """An element; `class_` is written class, `stroke_width` stroke-width, None is left out."""
    written = ''.join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f'<{tag}{written}>{join(children)}</{tag}>')


def picture(tag: str, data_uri: str, **attributes: object) -> Markup:
    """An `img` (which has no end tag) or an SVG `image`."""
    if tag == 'img':
        return Markup(element('img', src=data_uri, **attributes).removesuffix('</img>'))
    return element('image', href=data_uri, **attributes)


def png_uri(bgra: NDArray[np.uint8]) -> str:
    """Picture (h, w, 4) as a data URI without loss."""
    return _uri('.png', bgra, [cv2.IMWRITE_PNG_COMPRESSION, 9], 'image/png')


def jpeg_uri(rgb: NDArray[np.uint8], width: int) -> tuple[str, int, int]:
    """Picture (h, w, 3), no wider than `width`, as a data URI, with its width and height."""
    scale = min(1.0, width / rgb.shape[1])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    return _uri('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, 82], 'image/jpeg'), *size


def _uri(suffix: str, pixels: NDArray, options: list[int], media_type: str) -> str:
    ok, code = cv2.imencode(suffix, pixels, options)
    if not ok:
        raise RuntimeError(f'OpenCV could not encode {pixels.shape} as {suffix}')
    return f'data:{media_type};base64,{base64.b64encode(code.tobytes()).decode()}'
