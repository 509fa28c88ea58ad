"""What people say around a request (greetings, detours, reasons) and between two. A model that never saw any takes them
for part of a value or for another request (our choice)."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from lamina.checks.grounding import missing_values
from lamina.tools import Toolbox
from lamina.trajectories import ToolCall

_JOINS = (
    " and ", ", and ", " and also ", ", also ", ". also ", " then ", ", then ", "; ", ". Oh and ", " plus ",
    " and then ", ". And ",
)  # fmt: skip


def with_chatter(
    request: str, calls: Sequence[ToolCall], toolbox: Toolbox, rng: random.Random, now: str | None = None
) -> str:
    """The request with something said before it, after it, or both; unchanged where that would hide a value. ``now``:
    the record's clock, at which its relative dates are read."""
    said = _chatter()
    roll = rng.random()
    text = request
    if roll < 0.6:
        text = rng.choice(said["before"]) + (lowered(text) if rng.random() < 0.7 else text)
    if roll > 0.45:
        text = re.sub(r"[ .!?]+$", "", text) + rng.choice(said["after"])
    return request if missing_values(text, calls, toolbox, now) else text


@lru_cache(maxsize=1)
def _chatter() -> dict[str, list[str]]:
    said: dict[str, list[str]] = tomllib.loads(
        files("lamina.synth").joinpath("material", "chatter.toml").read_text("utf-8")
    )
    return said


def joined(requests: Sequence[str], rng: random.Random) -> str:
    """One request that asks for all of these."""
    said = requests[0]
    for request in requests[1:]:
        said = said.rstrip(" .!?") + rng.choice(_JOINS) + lowered(request)
    return said


def lowered(text: str) -> str:
    """Lower-case first letter unless the first word is a name or "I"."""
    word = text.split(" ", 1)[0]
    return text if word.startswith("I'") or word == "I" or word.isupper() else text[:1].lower() + text[1:]
