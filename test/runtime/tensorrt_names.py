# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Which names of TensorRT's bindings some source code uses, by its syntax tree and annotations."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

MODULES = {'trt', 'tensorrt', '_tensorrt'}
"""What the module is called: in annotations, as a variable, as an attribute."""


@dataclass
class Names:
    """What was found.

    Attributes:
        used: names under the module, as `IBuilderConfig.set_flag`; with the number of arguments
            where it is called, else None.
        unknown: attributes of things that are not annotated as TensorRT's, with their lines.
    """

    used: set[tuple[str, int | None]] = field(default_factory=set)
    unknown: set[tuple[str, int]] = field(default_factory=set)


def names_in(source: str) -> Names:
    """Look through one module."""
    tree = ast.parse(source)
    found = Names()
    _visit(tree, {k: v for k, v in _annotations(tree) if '.' in k}, found)
    return found


def _visit(
    node: ast.AST, types: dict[str, str], found: Names, call: ast.Call | None = None
) -> None:
    """Take down a node and all under it; variables are known in their own function only."""
    if isinstance(node, ast.FunctionDef):
        types = types | dict(_annotations(node))
    elif isinstance(node, ast.ClassDef):
        found.used |= set(_overrides(node))
    elif isinstance(node, ast.Attribute):
        name = _path(node, types)
        if name is None:
            found.unknown.add((node.attr, node.lineno))
        elif name and node.attr != '__init__':
            found.used.add((name, len(call.args) + len(call.keywords) if call else None))
    for child in ast.iter_child_nodes(node):
        called = isinstance(node, ast.Call) and child is node.func
        _visit(child, types, found, node if called else None)


def _annotations(scope: ast.AST) -> Iterator[tuple[str, str]]:
    """Variables, parameters and attributes of TensorRT's classes."""
    for node in ast.walk(scope):
        if isinstance(node, ast.arg):
            target, annotation = node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign):
            target, annotation = ast.unparse(node.target), node.annotation
        else:
            continue
        for part in ast.walk(annotation) if annotation else ():
            if isinstance(part, ast.Attribute) and ast.unparse(part.value) == 'trt':
                yield target, part.attr


def _path(node: ast.expr, types: dict[str, str]) -> str | None:
    """`IBuilderConfig.set_flag` for `config.set_flag`; '' for the module, None for others."""
    if ast.unparse(node).split('.')[-1] in MODULES or ast.unparse(node) == 'load()':
        return ''
    if (known := types.get(ast.unparse(node))) is not None:
        return known
    if not isinstance(node, ast.Attribute):
        return None
    owner = _path(node.value, types)
    return None if owner is None else f'{owner}.{node.attr}'.lstrip('.')


def _overrides(node: ast.ClassDef) -> Iterator[tuple[str, int | None]]:
    for base in node.bases:
        if name := _path(base, {}):
            for child in node.body:
                if isinstance(child, ast.FunctionDef) and child.name[0] != '_':
                    yield f'{name}.{child.name}', len(child.args.args) - 1
