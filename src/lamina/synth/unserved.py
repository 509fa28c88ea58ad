"""Requests that a toolbox does not serve, of ``material/foreign.toml``."""

from __future__ import annotations

import random
import re
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lamina.synth.everyday import everyday_value
from lamina.tools import Toolbox


@lru_cache(maxsize=1)
def foreign_material() -> dict[str, Any]:
    return tomllib.loads(files("lamina.synth").joinpath("material", "foreign.toml").read_text("utf-8"))


def unserved_requests(toolbox: Toolbox) -> list[str]:
    """Requests of the material whose key words none of the tools has in its name or description."""
    own = set(re.findall(r"[a-z]{3,}", " ".join(f"{t.name} {t.description}" for t in toolbox).lower()))
    own |= {w.rstrip("s") for w in own}
    return [r for entry in foreign_material()["foreign"] if not own & set(entry["words"]) for r in entry["requests"]]


def with_values(pattern: str, rng: random.Random) -> str:
    """The pattern with an everyday value of its kind for each ``{person}``, ``{city}``, ``{number}`` …"""
    return re.sub(r"\{(\w+)\}", lambda found: everyday_value(found[1], rng), pattern)
