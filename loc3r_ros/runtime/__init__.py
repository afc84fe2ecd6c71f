# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""How an exported network is executed: PyTorch, ONNX Runtime, TensorRT; never trusted unchecked."""
