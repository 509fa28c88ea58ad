"""``simple`` and ``multiple``: one call. In a library of many tools a simple row offers that tool alone, a multiple
row some others to choose from (the paper's terms); a fixed set of few tools is always on offer as a whole."""

from __future__ import annotations

import random
from dataclasses import replace

from lamina.synth.styles.style import Style
from lamina.synth.writers import Assignment, Materials, call_first
from lamina.tools import Toolbox


def simple(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    found = call_first(m, "simple", rng, count)
    return [replace(a, offered=Toolbox([a.drawn[0].tool])) for a in found] if m.is_library else found


def multiple(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    found = call_first(m, "multiple", rng, count)
    return [replace(a, offered=m.offered([a.drawn[0].tool], rng)) for a in found]


SIMPLE = Style(simple)
MULTIPLE = Style(multiple)
