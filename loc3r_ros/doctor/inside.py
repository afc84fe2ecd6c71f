# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""What one Python module says of itself: `python3 inside.py MODULE [DISTRIBUTION]`.

Run by its path in a process of its own, which the import may crash. The last line that it prints is
JSON: `version`, `about`, `gpus`; or `missing`; or `error`. It imports nothing of this package, so
that it works where this package's own parts do not.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from importlib import metadata
from typing import Any

NEEDS_MODULE = 'it needs the module {}, which is missing'
OTHER_PYTHON = 'ROS 2 was built for another Python than this one'


def look(name: str, distribution: str) -> dict[str, Any]:
    """Import a module, and try what an import alone does not show."""
    try:
        module = importlib.import_module(name)
        about = ABOUT.get(name, _nothing)(module)
    except ModuleNotFoundError as error:
        if error.name and f'{name}.'.startswith(f'{error.name}.'):
            return {'missing': True}
        if error.name and error.name.startswith('rclpy.'):
            return {'error': OTHER_PYTHON}
        return {'error': NEEDS_MODULE.format(error.name)}
    except (Exception, SystemExit) as error:
        text = ' '.join(str(error).split())
        return {'error': f'{type(error).__name__}: {text}'}
    return {'version': _version(module, distribution or name), **about}


def _version(module: Any, distribution: str) -> str:
    version = getattr(module, '__version__', None)
    if version is None:
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            version = ''
    return str(version)


def _nothing(module: Any) -> dict[str, Any]:
    return {}


def _cv2(cv2: Any) -> dict[str, Any]:
    cv2.SIFT_create()  # not in every build before 4.4
    return {}


def _scipy(scipy: Any) -> dict[str, Any]:
    """The compiled parts that are used here: `import scipy` alone loads none."""
    for part in ('linalg', 'sparse.linalg', 'spatial.transform'):
        importlib.import_module(f'scipy.{part}')
    return {}


def _torch(torch: Any) -> dict[str, Any]:
    if torch.version.cuda is None:
        return {'about': 'CPU build', 'gpus': []}
    gpus = []
    for index in range(torch.cuda.device_count()):
        gpu = torch.cuda.get_device_properties(index)
        memory = gpu.total_memory / 2**30
        gpus.append(f'{gpu.name}, {memory:.1f} GiB, compute capability {gpu.major}.{gpu.minor}')
    return {'about': f'CUDA {torch.version.cuda}', 'gpus': gpus}


def _onnxruntime(onnxruntime: Any) -> dict[str, Any]:
    return {'about': ', '.join(onnxruntime.get_available_providers())}


def _rclpy(rclpy: Any) -> dict[str, Any]:
    """Loads the RMW implementation, which RMW_IMPLEMENTATION may name wrongly."""
    utilities = importlib.import_module('rclpy.utilities')
    return {'about': utilities.get_rmw_implementation_identifier()}


def _messages(module: Any) -> dict[str, Any]:
    """Loads the compiled type support: it may be of another Python than this one."""
    serialize = importlib.import_module('rclpy.serialization').serialize_message
    for name in ('PoseToken', 'Status', 'Answer'):
        serialize(getattr(module, name)())
    return {}


def _cv_bridge(cv_bridge: Any) -> dict[str, Any]:
    """A round trip: its compiled half, which NumPy 2 may break, is imported at first use."""
    numpy = importlib.import_module('numpy')
    bridge = cv_bridge.CvBridge()
    pixels = numpy.arange(12, dtype=numpy.uint8).reshape(2, 2, 3)
    back = bridge.imgmsg_to_cv2(bridge.cv2_to_imgmsg(pixels, 'bgr8'), 'rgb8')
    if not numpy.array_equal(back, pixels[..., ::-1]):
        raise ValueError('it changes the pixels of an image')
    return {}


ABOUT: dict[str, Callable[[Any], dict[str, Any]]] = {
    'cv2': _cv2,
    'cv_bridge': _cv_bridge,
    'loc3r_ros.msg': _messages,
    'onnxruntime': _onnxruntime,
    'rclpy': _rclpy,
    'scipy': _scipy,
    'torch': _torch,
}

if __name__ == '__main__':
    sys.path.pop(0)  # this folder: what counts is what a node sees
    print('\n' + json.dumps(look(sys.argv[1], ''.join(sys.argv[2:]))))
