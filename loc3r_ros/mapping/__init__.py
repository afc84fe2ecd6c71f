# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Bird's-eye-view occupancy from posed clouds, and map files for Nav2.

level = find_level(points)                       # a camera with no TF: which way is up
bev = BevMap(BevConfig())
bev.integrate(points_in_map, sensor_position)    # for each cloud
save_map(bev.grid(stamp), 'out/map')             # out/map.yaml, out/map.pgm
"""

from loc3r_ros.mapping.bev import BevMap as BevMap
from loc3r_ros.mapping.config import BevConfig as BevConfig
