# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Makes `from std_msgs.msg import String` work: modules of generated classes, made on import."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from ros_stand_in.definitions import KINDS, interfaces, packages
from ros_stand_in.messages import interface


class InterfaceFinder(MetaPathFinder, Loader):
    """Finds `<package>` and `<package>.msg|srv|action` of all known definitions.

    `loc3r_ros` itself is a package of Python modules, which Python's own finders import; only its
    `msg`, `srv` and `action` come from here.
    """

    def __init__(self) -> None:
        self._packages = packages()  # now: reading the definitions imports modules itself

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, kind = fullname.partition('.')
        if package not in self._packages or kind not in ('', *KINDS):
            return None
        if fullname == 'loc3r_ros':
            return None
        return ModuleSpec(fullname, self, is_package=not kind)

    def exec_module(self, module: ModuleType) -> None:
        prefix = module.__name__.replace('.', '/') + '/'
        names = {name.removeprefix(prefix) for name in interfaces() if name.startswith(prefix)}

        def class_of(name: str) -> type:
            if name not in names:
                raise AttributeError(f'{module.__name__} has no {name!r}')
            return interface(prefix + name)

        module.__getattr__ = class_of
