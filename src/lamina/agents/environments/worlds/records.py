"""Tables of records that an episode changes: what is there is shared by all episodes and never touched; what one of
them changes is its own."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from lamina.agents.environments.environment import RefusedCallError
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import content_id

Tables = Mapping[str, Mapping[str, JSON]]


class Records:
    """``tables``: name -> key -> record."""

    def __init__(self, tables: Tables) -> None:
        self._there = tables
        self._own: dict[tuple[str, str], JSON] = {}

    def find(self, table: str, key: str) -> JSON | None:
        """To be read alone."""
        return self._own.get((table, key)) or self._there[table].get(key)

    def get(self, table: str, key: str) -> JSON:
        """As ``find``; what is not there is the caller's mistake."""
        found = self.find(table, key)
        if found is None:
            raise RefusedCallError(f"{table.removesuffix('s')} {key!r} is not found")
        return found

    def change(self, table: str, key: str) -> JSON:
        """The episode's own copy, to be changed."""
        if (table, key) not in self._own:
            self._own[table, key] = copy.deepcopy(self.get(table, key))
        return self._own[table, key]

    def add(self, table: str, key: str, record: JSON) -> None:
        self._own[table, key] = record

    def every(self, table: str) -> list[JSON]:
        return [self.find(table, key) or {} for key in self._there[table]]

    def state(self) -> str:
        """A hash of the tables: equal where all records are. What was changed and changed back is not changed."""
        changed = {
            f"{table} {key}": record
            for (table, key), record in self._own.items()
            if record != self._there[table].get(key)
        }
        return content_id(dict(sorted(changed.items())))


def money(amount: Any) -> float:
    """In cents, so that sums do not depend on their order."""
    return round(float(amount), 2)
