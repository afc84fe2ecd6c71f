# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Action servers and clients that a node may destroy while it spins."""

from __future__ import annotations

from contextlib import suppress
from time import sleep
from typing import Any, TypeVar

Entity = TypeVar('Entity')

_SNAPSHOT_S = 0.05


def own_action(stage: Any, entity: Entity) -> Entity:
    """Destroy an ActionServer or ActionClient with the transition of a `Stage` that made it.

    Their own `destroy` frees the handle first and tells the node afterwards. An executor of
    several threads may be between its look at the node and its use of the handle, and then spin()
    raises. So here the node is told first, and the executor gets time to be through.
    """

    def close() -> None:
        stage.remove_waitable(entity)
        sleep(_SNAPSHOT_S)
        with suppress(ValueError):  # which the node raises, as it was told already
            entity.destroy()  # type: ignore[attr-defined]

    return stage.own(entity, close)
