"""`python -m loc3r_ros` is the `loc3r` command."""

import sys

from loc3r_ros.cli import main

sys.exit(main())
