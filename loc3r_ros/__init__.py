# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Where a robot is, what surrounds it, and answers about both, from an RGB(-D) camera."""

from pkgutil import extend_path

# colcon installs the generated msg, srv and action beside a copy of this package: with that copy on
# the path as well, a source tree or a pip install finds them.
__path__ = extend_path(__path__, __name__)

__version__ = '0.1.0'
