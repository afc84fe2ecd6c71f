# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Weights of Loc3R-VLM: fetched, recognised, loaded with a full account, saved."""

from loc3r_ros.vlm.weights.folder import OWN_PARTS
from loc3r_ros.vlm.weights.load import load
from loc3r_ros.vlm.weights.report import LoadReport
from loc3r_ros.vlm.weights.save import save

__all__ = ['OWN_PARTS', 'LoadReport', 'load', 'save']
