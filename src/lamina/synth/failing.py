"""Tools that no call can be drawn for, remembered while calls are drawn, and by a run that was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lamina.tools import Toolbox
from lamina.tools.execution import CallResult

if TYPE_CHECKING:
    from lamina.synth.calls import DrawnCall, Search

SEARCHES = 6
"""Of a tool without one call that ran, after which it is given up."""
STOPPED = 2
"""Searches in which a tool that ran before is out of reach (``Search.late``), one after the other, after which it is
given up as well: its server is gone (our choice)."""


@dataclass
class Failing:
    """``last``: of tools of which no call that was drawn ran, the last one. ``unfit``: of tools of which nothing that
    was drawn fits the schema, the last that was drawn. ``given_up``: those of which a whole round ran out of time, for
    which ``SEARCHES`` found nothing, or which ran and are out of reach. No more is drawn for them: each call would take
    all of its time again, for hours. ``spans``: of groups of tools that were drawn ahead for, the last span; a killed
    run draws it again, and that counts for nothing."""

    last: dict[str, DrawnCall] = field(default_factory=dict)
    unfit: dict[str, dict[str, Any]] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)
    spans: dict[str, int] = field(default_factory=dict)
    _searches: Counter[str] = field(default_factory=Counter)
    _stopped: Counter[str] = field(default_factory=Counter)

    def note(self, search: Search) -> None:
        name = search.tool.name
        if search.found:
            self.ran.add(name)
            self.last.pop(name, None)
            self.unfit.pop(name, None)
            self._stopped.pop(name, None)
        elif name in self.ran:
            self._stopped[name] = self._stopped[name] + 1 if search.late else 0
            if self._stopped[name] >= STOPPED and search.last:
                self.given_up.add(name)
                self.last[name] = search.last
        elif search.last or search.unfit is not None:
            if search.last:
                self.last[name] = search.last
                self.unfit.pop(name, None)
            elif name not in self.last and search.unfit is not None:
                self.unfit[name] = search.unfit
            self._searches[name] += 1
            if search.late or self._searches[name] >= SEARCHES:
                self.given_up.add(name)

    def state(self) -> dict[str, Any]:
        """All of it as JSON data, without what differs from run to run (seconds, prints)."""
        return {
            "last": {name: [call.arguments, _plain(call.result)] for name, call in self.last.items()},
            "unfit": dict(self.unfit), "given_up": sorted(self.given_up), "ran": sorted(self.ran),
            "spans": dict(self.spans), "searches": dict(self._searches), "stopped": dict(self._stopped),
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any], toolbox: Toolbox) -> None:
        """The inverse of ``state``, for the same tools."""
        from lamina.synth.calls import DrawnCall

        for name, (arguments, result) in state["last"].items():
            self.last[name] = DrawnCall(toolbox[name], arguments, CallResult(**result))
        self.unfit |= state["unfit"]
        self.given_up |= set(state["given_up"])
        self.ran |= set(state["ran"])
        self.spans |= state["spans"]
        self._searches.update(state["searches"])
        self._stopped.update(state.get("stopped", {}))


def _plain(result: CallResult) -> dict[str, Any]:
    return {name: value for name, value in asdict(result).items() if name not in ("seconds", "printed")}
