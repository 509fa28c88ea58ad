"""Requests that a toolbox does not serve, of ``material/foreign.toml``."""

from __future__ import annotations

import random
import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary

from lamina.synth.everyday import everyday_value
from lamina.synth.meanings import meanings_of
from lamina.synth.serving import abilities_of, serving_tool
from lamina.tools import Toolbox

_known: WeakKeyDictionary[Toolbox, list[str]] = WeakKeyDictionary()


@lru_cache(maxsize=1)
def foreign_material() -> dict[str, Any]:
    return tomllib.loads(files("lamina.synth").joinpath("material", "foreign.toml").read_text("utf-8"))


def unserved_requests(toolbox: Toolbox) -> list[str]:
    """Requests of the material that none of the tools may serve. (Found once for each toolbox: a library has thousands
    of tools, and every row asks.)"""
    if toolbox not in _known:
        _known[toolbox] = _unserved(toolbox)
    return _known[toolbox]


def _unserved(toolbox: Toolbox) -> list[str]:
    """Left out are the entries whose key words a tool has in its name or description, or which are about what a tool is
    for in other words; and of the others each request that may be served all the same."""
    own = set(re.findall(r"[a-z]{3,}", " ".join(f"{t.name} {t.description}" for t in toolbox).lower()))
    own |= {w.rstrip("s") for w in own}
    abilities = abilities_of(toolbox)
    return [
        request
        for entry in foreign_material()["foreign"]
        if not own & set(entry["words"])
        and not meanings_of(" ".join(entry["words"])) & abilities.telling
        and not abilities.acts & set(entry.get("acts", ()))
        for request in entry["requests"]
        if not serving_tool(re.sub(r"\{\w+\}", "", request), toolbox)
    ]


def with_values(pattern: str, rng: random.Random) -> str:
    """The pattern with an everyday value of its kind for each ``{person}``, ``{city}``, ``{number}`` …"""
    return re.sub(r"\{(\w+)\}", lambda found: everyday_value(found[1], rng), pattern)
