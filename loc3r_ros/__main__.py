# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`python -m loc3r_ros` is the `loc3r` command."""

import sys

from loc3r_ros.cli import main

sys.exit(main())
