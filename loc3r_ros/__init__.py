"""Where a robot is, what surrounds it, and answers about both, from an RGB(-D) camera."""

__version__ = '0.1.0'
