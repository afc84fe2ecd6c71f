# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The documentation quotes what the package really says, and its links lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*(ROOT / 'docs').glob('*.md'), ROOT / 'README.md', ROOT / 'QUALITY_DECLARATION.md']
PLACEHOLDER = re.compile(r'<[^<>]+>')


def literals() -> list[str]:
    """Every text in the package, in pieces between what is filled in."""
    texts = []
    for file in (ROOT / 'loc3r_ros').rglob('*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts += re.split(r'%[sdg]', node.value)
    return texts


def quotes() -> list[str]:
    """The fixed pieces of the messages that docs/i_see_nothing.md quotes."""
    page = (ROOT / 'docs/i_see_nothing.md').read_text()
    blocks = re.findall(r'^```text\n(.*?)^```', page, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [piece for line in lines for piece in PLACEHOLDER.split(line) if len(piece) > 3]


def test_every_quoted_message_is_in_the_package():
    texts, pieces = literals(), quotes()
    assert len(pieces) > 60
    missing = [piece for piece in pieces if not any(piece in text for text in texts)]
    assert missing == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r'\]\(([^)]+)\)', page.read_text()):
        path, _, anchor = target.partition('#')
        if '://' in path:
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text()), target


def anchors(text: str) -> set[str]:
    """Those that GitHub makes of headings."""
    headings = re.findall(r'^#+ (.+)$', text, re.MULTILINE)
    plain = [re.sub(r'[^\w\- ]', '', heading).strip().lower() for heading in headings]
    return {heading.replace(' ', '-') for heading in plain}
