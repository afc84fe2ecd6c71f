# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""REP 2004 asks for a copyright statement in every source file."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ('loc3r_ros', 'launch', 'test', 'msg', 'srv', 'action', 'cmake')
KINDS = {'.py', '.js', '.css', '.msg', '.srv', '.action', '.cmake'}


def test_every_source_file_states_its_copyright():
    files = [p for folder in FOLDERS for p in (ROOT / folder).rglob('*') if p.suffix in KINDS]
    assert len(files) > 200
    assert [p for p in files if 'Copyright 2026 loc3r_ros developers' not in p.read_text()] == []
