# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""`loc3r doctor`: what is installed, what is missing, and the line that installs it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loc3r_ros.doctor import Finding, Use


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        'doctor',
        help='say what is installed, what is missing and how to get it',
        description='Look at the interpreter, Python packages, ROS 2, GPU, weights and engines. '
        'Exit code 0 when everything that --need requires is there, 1 otherwise.',
        epilog='Example: loc3r doctor --need nodes --json',
    )
    parser.add_argument(
        '--need',
        choices=('recordings', 'nodes'),
        help='what must work: loc3r run on recordings, or the ROS 2 nodes '
        '(default: nodes where there is a ROS 2, else recordings)',
    )
    parser.add_argument('--weights', type=Path, metavar='FILE', help='also check CUT3R weights')
    parser.add_argument(
        '--engine',
        type=Path,
        nargs='?',
        const=Path(),
        metavar='FOLDER',
        help='also run the self-test of every engine in a folder (default: the current one)',
    )
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Print the findings."""
    from loc3r_ros.doctor import USES, default_use, examine, ready

    findings = examine(args.weights, args.engine)
    need = args.need or default_use()
    verdicts = {use: ready(findings, use) for use in USES}
    if args.json:
        report = {'need': need, 'ready': verdicts, 'findings': [asdict(f) for f in findings]}
        print(json.dumps(report, indent=2))
    else:
        _print(findings, need, verdicts)
    return 0 if verdicts[need] else 1


def _print(findings: list[Finding], need: Use, verdicts: dict[Use, bool]) -> None:
    try:
        _print_table(findings, need)
    except ImportError:  # rich itself is one of the packages that may be missing
        for f in findings:
            print(f'{_mark(f, need):9}{f.name}: {f.what} (for {f.purpose})')
    # Outside the table, whole and unwrapped: these lines are there to be copied.
    for remedy, names in _remedies(findings, need).items():
        print(f'\n{", ".join(names)}:\n    {remedy}')
    print()
    for use, is_ready in verdicts.items():
        print(f'{use}: {"ready" if is_ready else "not ready"}{" (needed)" * (use == need)}')


def _print_table(findings: list[Finding], need: Use) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    styles = {'ok': 'green', 'MISSING': 'bold red', 'BROKEN': 'bold red'}
    table = Table('', 'what', box=None, pad_edge=False)
    table.add_column('found', overflow='fold')
    table.add_column('needed for', overflow='fold')
    group = ''
    for f in findings:
        if f.group != group:
            group = f.group
            table.add_row('', Text(group, 'bold'), '', '')
        mark = _mark(f, need)
        style = styles.get(mark, 'yellow')
        table.add_row(Text(mark, style), Text(f.name), Text(f.what), Text(f.purpose))
    Console().print(table)


def _mark(finding: Finding, need: Use) -> str:
    """Capitals for what stands in the way."""
    return finding.state.upper() if _in_the_way(finding, need) else finding.state


def _in_the_way(finding: Finding, need: Use) -> bool:
    return finding.state != 'ok' and need in finding.required_for


def _remedies(findings: list[Finding], need: Use) -> dict[str, list[str]]:
    """Names by the line that helps them; what is in the way first."""
    remedies: dict[str, list[str]] = {}
    for finding in sorted(findings, key=lambda f: not _in_the_way(f, need)):
        if finding.remedy:
            remedies.setdefault(finding.remedy, []).append(finding.name)
    return remedies
