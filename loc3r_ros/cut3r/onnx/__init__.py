# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""CUT3R as an ONNX graph, block by block as in `loc3r_ros.cut3r.blocks`."""
