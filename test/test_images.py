# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Image messages to arrays, for every encoding, through real CDR where the writer can make it."""

from __future__ import annotations

import array
import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from loc3r_ros.bag.typestore import humble, messages
from loc3r_ros.camera import PinholeCamera
from loc3r_ros.errors import InputError
from loc3r_ros.images import camera_from_info, decode_color, decode_depth, is_depth

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
SMOOTH = cv2.resize(RGB, (64, 48), interpolation=cv2.INTER_LINEAR)


def raw(encoding, rows, *, width=None, big_endian=0, pad=0):
    """A message of an array (H, bytes of a row), each row padded with junk."""
    rows = rows.reshape(len(rows), -1).view(np.uint8)
    padded = np.concatenate([rows, np.full((len(rows), pad), 0xAB, np.uint8)], 1)
    return SimpleNamespace(
        encoding=encoding,
        height=len(rows),
        width=width or RGB.shape[1],
        step=padded.shape[1],
        is_bigendian=big_endian,
        data=array.array('B', padded.tobytes()),
    )


def compressed(text, data):
    return SimpleNamespace(format=text, data=np.frombuffer(data, np.uint8))


GREY = RGB[..., 1]
ALPHA = np.full((6, 8, 1), 9, np.uint8)
COLORS = {
    'rgb8': (RGB, RGB),
    'bgr8': (RGB[..., ::-1].copy(), RGB),
    '8UC3': (RGB[..., ::-1].copy(), RGB),
    'rgba8': (np.concatenate([RGB, ALPHA], 2), RGB),
    'bgra8': (np.concatenate([RGB[..., ::-1], ALPHA], 2), RGB),
    'mono8': (GREY, np.repeat(GREY[..., None], 3, 2)),
    '8UC1': (GREY, np.repeat(GREY[..., None], 3, 2)),
    'mono16': (GREY.astype('<u2') * 256 + 77, np.repeat(GREY[..., None], 3, 2)),
}


@pytest.mark.parametrize('pad', [0, 5])
@pytest.mark.parametrize('encoding', COLORS)
def test_color(encoding, pad):
    rows, expected = COLORS[encoding]
    decoded = decode_color(raw(encoding, rows, pad=pad))
    assert decoded.dtype == np.uint8
    assert decoded.flags.c_contiguous
    np.testing.assert_array_equal(decoded, expected)


def test_rgb8_is_not_copied():
    message = raw('rgb8', RGB)
    assert np.shares_memory(decode_color(message), np.frombuffer(message.data, np.uint8))


def test_step_of_zero_means_no_padding():
    message = raw('rgb8', RGB)
    message.step = 0
    np.testing.assert_array_equal(decode_color(message), RGB)


def test_mono16_honours_the_byte_order():
    big = (GREY.astype('<u2') * 256).astype('>u2')
    decoded = decode_color(raw('mono16', big, big_endian=1))
    np.testing.assert_array_equal(decoded[..., 0], GREY)


@pytest.mark.parametrize('encoding', ['yuv422', 'uyvy', 'yuv422_yuy2', 'yuyv'])
def test_yuv422_of_a_flat_colour(encoding):
    y, u, v = 150, 90, 170  # BT.601, limited range, as OpenCV has it
    pair = [u, y, v, y] if encoding in ('yuv422', 'uyvy') else [y, u, y, v]
    decoded = decode_color(raw(encoding, np.tile(np.array(pair, np.uint8), (6, 4))))
    red = 1.164 * (y - 16) + 1.596 * (v - 128)
    blue = 1.164 * (y - 16) + 2.018 * (u - 128)
    assert decoded.shape == (6, 8, 3)
    np.testing.assert_allclose(decoded[0, 0, [0, 2]], [red, blue], atol=2)


@pytest.mark.parametrize(
    ('encoding', 'pattern'),
    [
        ('bayer_rggb8', 'rggb'),
        ('bayer_bggr8', 'bggr'),
        ('bayer_gbrg8', 'gbrg'),
        ('bayer_grbg8', 'grbg'),
    ],
)
def test_bayer_of_a_flat_colour(encoding, pattern):
    value = {'r': 200, 'g': 120, 'b': 40}
    cell = np.array([value[c] for c in pattern], np.uint8).reshape(2, 2)
    decoded = decode_color(raw(encoding, np.tile(cell, (3, 4))))
    np.testing.assert_array_equal(decoded[2:4, 2:6].reshape(-1, 3), [[200, 120, 40]] * 8)


@pytest.mark.parametrize('text', ['jpeg', 'rgb8; jpeg compressed bgr8', 'png'])
def test_compressed_color(text):
    suffix = '.png' if text == 'png' else '.jpg'
    _, data = cv2.imencode(suffix, SMOOTH[..., ::-1])
    decoded = decode_color(compressed(text, data))
    error = np.abs(decoded.astype(int) - SMOOTH)
    assert error.max() == 0 if text == 'png' else error.mean() < 4


MM = np.array([[0, 1, 1500], [65535, 40000, 0]], np.uint16)
METRES = np.array([[np.nan, 0.001, 1.5], [np.nan, 40.0, np.nan]], np.float32)


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('encoding', ['16UC1', 'mono16'])
def test_depth_in_millimetres(encoding, order):
    message = raw(encoding, MM.astype(order + 'u2'), width=3, big_endian=order == '>', pad=3)
    depth = decode_depth(message)
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, METRES, rtol=1e-6)


@pytest.mark.parametrize('order', ['<', '>'])
def test_depth_in_metres(order):
    given = np.array([[1.5, 0, -1], [np.inf, np.nan, 3]], np.float32)
    depth = decode_depth(raw('32FC1', given.astype(order + 'f4'), width=3, big_endian=order == '>'))
    np.testing.assert_array_equal(
        depth, np.array([[1.5, np.nan, np.nan], [np.nan, np.nan, 3]], np.float32)
    )
    assert given[0, 1] == 0, 'the message is left as it was'


def test_depth_png_and_compressed_depth():
    _, png = cv2.imencode('.png', MM)
    for message in (
        compressed('16UC1; png compressed', png),
        compressed('16UC1; compressedDepth', struct.pack('<iff', 0, 0, 0) + png.tobytes()),
        compressed('16UC1; compressedDepth png', struct.pack('<iff', 1, 0, 0) + png.tobytes()),
    ):
        np.testing.assert_allclose(decode_depth(message), METRES, rtol=1e-6)


def test_compressed_depth_of_metres_is_quantised_inverse_depth():
    # compressed_depth_image_transport: A = z0 (z0 + 1), B = 1 - A / z_max, stored A / z + B.
    z0, z_max = 100.0, 10.0
    a = z0 * (z0 + 1)
    b = 1 - a / z_max
    metres = np.array([[0.5, 1.0, 2.0], [5.0, 9.9, np.nan]], np.float32)
    stored = np.nan_to_num(a / metres + b, nan=0).astype(np.uint16)
    _, png = cv2.imencode('.png', stored)
    data = struct.pack('<iff', 0, a, b) + png.tobytes()
    depth = decode_depth(compressed('32FC1; compressedDepth', data))
    np.testing.assert_allclose(depth, metres, rtol=2e-3)


def test_what_is_depth():
    assert is_depth(raw('16UC1', MM, width=3))
    assert is_depth(compressed('32FC1; compressedDepth png', b''))
    assert not is_depth(raw('rgb8', RGB))
    assert not is_depth(compressed('rgb8; jpeg compressed bgr8', b''))


@pytest.mark.parametrize(
    ('decode', 'message', 'words'),
    [
        (decode_color, raw('nv21', RGB), "'nv21' is not supported.*rgb8, bgr8.*image_proc"),
        (decode_color, raw('16UC1', MM, width=3), "'16UC1' is not supported for colour"),
        (decode_depth, raw('rgb8', RGB), "'rgb8' is not depth; publish 16UC1"),
        (decode_color, compressed('jpeg', b'\xff\xd8\xff junk'), 'damaged, or neither jpeg nor'),
        (decode_color, compressed('jpeg', b''), 'of 0 bytes cannot be decoded'),
        (decode_depth, compressed('16UC1; compressedDepth rvl', bytes(40)), 'format to png'),
        (decode_depth, compressed('16UC1; compressedDepth', bytes(7)), '7 bytes is cut short'),
        (decode_depth, compressed('jpeg', cv2.imencode('.jpg', RGB)[1]), 'not depth; publish'),
        (
            decode_color,
            raw('yuyv', RGB[..., :2].copy()[:, :7], width=7),
            'yuyv image of odd width 7',
        ),
    ],
)
def test_what_cannot_be_decoded_says_why(decode, message, words):
    with pytest.raises(InputError, match=words):
        decode(message)


@pytest.mark.parametrize('fields', [{'height': 7}, {'step': 23}, {'width': 9}])
def test_short_data_is_refused(fields):
    message = raw('rgb8', RGB)
    vars(message).update(fields)
    with pytest.raises(InputError, match='the message was cut short or its fields are wrong'):
        decode_color(message)


def test_an_empty_image_is_refused():
    message = raw('rgb8', RGB)
    message.width = 0
    with pytest.raises(InputError, match='0x6 pixels is empty'):
        decode_color(message)


CAMERA = PinholeCamera(640, 480, 500.0, 510.0, 319.5, 239.5, (0.1, -0.2, 0.0, 0.0, 0.0))


def info(**fields):
    message = messages().camera_info(1, 'camera', CAMERA)
    data = humble().serialize_cdr(message, message.__msgtype__)
    message = humble().deserialize_cdr(data, message.__msgtype__)
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def test_camera_info_round_trip():
    assert camera_from_info(info()) == CAMERA


def test_camera_info_of_a_rectified_image_is_in_P():
    P = np.array([400, 0, 300, 0, 0, 401, 200, 0, 0, 0, 1, 0], np.float64)
    camera = camera_from_info(info(p=P), rectified=True)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (400, 401, 300, 200)
    assert camera.distortion == ()
    assert camera_from_info(info(p=P)).fx == 500


def test_camera_info_roi_and_binning():
    roi = SimpleNamespace(x_offset=100, y_offset=40, width=400, height=300, do_rectify=False)
    camera = camera_from_info(info(roi=roi, binning_x=2, binning_y=2))
    assert (camera.width, camera.height, camera.fx, camera.fy) == (200, 150, 250, 255)
    # Pixel centres at integers: the centre of a 2x2 block lies between its pixels.
    assert (camera.cx, camera.cy) == ((219.5 + 0.5) / 2 - 0.5, (199.5 + 0.5) / 2 - 0.5)


def test_uncalibrated_camera_info():
    with pytest.raises(InputError, match='not calibrated'):
        camera_from_info(info(k=np.zeros(9)))
    with pytest.raises(InputError, match='not finite'):
        camera_from_info(info(k=np.full(9, np.nan)))
