"""``irrelevant``: no tool on offer fits, the right answer is no call. For a fixed set of tools the model writes
requests about something else; in a library, requests for a tool that is then not on offer."""

from __future__ import annotations

import random
from dataclasses import replace

from lamina.synth import prompts
from lamina.synth.sampling import none_fits
from lamina.synth.settings import LIKE_EXAMPLES
from lamina.synth.styles.style import Style
from lamina.synth.unserved import unserved_requests, with_values
from lamina.synth.writers import Assignment, Materials, ask, call_first


def irrelevant(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    return _withdrawn(m, rng, count) if m.is_library else _unserved(m, rng, count)


def _unserved(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    stock = [with_values(pattern, rng) for pattern in unserved_requests(m.toolbox)]
    return [
        Assignment(
            (ask(prompts.unserved_prompt(prompts.shuffled(stock, 8, rng)), m.settings, rng, warmer=0.4),),
            "irrelevant",
            rng.randrange(1 << 31),
            wording=LIKE_EXAMPLES,
        )
        for _ in range(count if stock else 0)
    ]


def _withdrawn(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    found = []
    for assignment in call_first(m, "irrelevant", rng, count):
        others = none_fits(assignment.drawn[0].tool, m.toolbox, m.settings.offer or 0, rng)
        if others is not None:
            found.append(replace(assignment, offered=others, absent=True))
    return found


IRRELEVANT = Style(irrelevant)
