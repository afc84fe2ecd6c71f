# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The report of a run: one self-contained HTML page."""

from loc3r_ros.bag.report.data import Event, Percentiles, ReportData, Summary, Thumbnail
from loc3r_ros.bag.report.page import render, write_report

__all__ = [
    'Event',
    'Percentiles',
    'ReportData',
    'Summary',
    'Thumbnail',
    'render',
    'write_report',
]
