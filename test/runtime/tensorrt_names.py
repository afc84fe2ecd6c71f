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
    types = dict(_annotations(tree))
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = Names()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found.used |= set(_overrides(node))
        if not isinstance(node, ast.Attribute):
            continue
        name = _path(node, types)
        if name is None:
            found.unknown.add((node.attr, node.lineno))
        elif name and node.attr != '__init__':
            call = calls.get(id(node))
            count = len(call.args) + len(call.keywords) if call else None
            found.used.add((name, count))
    return found


def _annotations(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Variables, parameters and attributes of TensorRT's classes."""
    for node in ast.walk(tree):
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
