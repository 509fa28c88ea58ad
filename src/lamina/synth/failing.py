"""Tools that no call can be drawn for, remembered while calls are drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamina.synth.calls import DrawnCall, Search

SEARCHES = 6
"""Of a tool without one call that ran, after which it is given up."""


@dataclass
class Failing:
    """``last``: of tools of which no call that was drawn ran, the last one. ``unfit``: of tools of which nothing that
    was drawn fits the schema, the last that was drawn. ``given_up``: those of which a whole round ran out of time, or
    for which ``SEARCHES`` found nothing. No more is drawn for them: each call would take all of its time again, for
    hours."""

    last: dict[str, DrawnCall] = field(default_factory=dict)
    unfit: dict[str, dict[str, Any]] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    _searches: Counter[str] = field(default_factory=Counter)

    def note(self, search: Search) -> None:
        name = search.tool.name
        if search.found:
            self.ran.add(name)
            self.last.pop(name, None)
            self.unfit.pop(name, None)
        elif name not in self.ran and (search.last or search.unfit is not None):
            if search.last:
                self.last[name] = search.last
                self.unfit.pop(name, None)
            elif name not in self.last and search.unfit is not None:
                self.unfit[name] = search.unfit
            self._searches[name] += 1
            if search.late or self._searches[name] >= SEARCHES:
                self.given_up.add(name)
