"""``missing-argument``: a request that leaves a required value out. The right answer is not to call, but to ask: the
model writes the request, and then the assistant's question. Of a tool with a single required argument the request would
say nothing at all, so that it takes those with two."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Sequence

from lamina.checks import Candidate
from lamina.checks.answers import kept
from lamina.synth import prompts
from lamina.synth.calls import DrawnCall
from lamina.synth.settings import LIKE_EXAMPLES, PLAIN
from lamina.synth.styles.style import Style, one_row
from lamina.synth.wording import Exemplar, slots_to_say
from lamina.synth.writers import EXAMPLES, Assignment, Materials, ask, candidate_of, one_line, overlong, values_of
from lamina.tools import Tool

ROUNDS = 4
FEWEST = 2
"""Required arguments of a tool: one that is left out, and one that is said."""
QUESTION_TOKENS = 24


def missing_argument(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    found: list[Assignment] = []
    names = m.names(rng)
    for _ in range(ROUNDS * count):
        if len(found) >= count:
            break
        tool = m.toolbox[next(names)]
        if len(tool.required) < FEWEST or (drawn := m.words.drawn(tool, rng)) is None:
            continue
        withheld = rng.choice(tool.required)
        prompt, shown = opening_prompt(m, tool, drawn, [withheld], rng)
        request, offered, seed = ask(prompt, m.settings, rng), m.offered([tool], rng), rng.randrange(1 << 31)
        question = ask(prompts.question_prompt(tool, withheld), m.settings, rng, tokens=QUESTION_TOKENS)
        found.append(
            Assignment(
                (request, question),
                "missing-argument",
                seed,
                (drawn,),
                withheld=((0, withheld),),
                offered=offered,
                shown=shown,
                wording=LIKE_EXAMPLES if m.pools.get(tool.name) else PLAIN,
            )
        )
    return found


def opening_prompt(
    m: Materials, tool: Tool, drawn: DrawnCall, withheld: Collection[str], rng: random.Random
) -> tuple[str, tuple[str, ...]]:
    """For a request that says everything but ``withheld``; and what its examples say that the request must not."""
    slots = [s for s in slots_to_say(tool, drawn.arguments, rng) if s.path.split(".")[0] not in withheld]
    exemplars = m.pools.get(tool.name)
    if not exemplars:
        return prompts.first_prefix(tool, PLAIN) + prompts.bracket(slots), prompts.leaks([tool])
    shown = [_without(e, withheld) for e in exemplars[:EXAMPLES]]
    return prompts.call_first_prompt(tool, shown, None, slots), values_of(shown, m.toolbox, slots)


def _without(exemplar: Exemplar, paths: Collection[str]) -> Exemplar:
    """The example as if the withheld values had never been there, as far as leaving out words can do that."""
    frame = exemplar.frame
    for path in paths:
        frame = re.sub(r"\s*(?:\b(?:at|on|in|by|for|to|between|among|with)\s+)?\{" + re.escape(path) + r"\}", "", frame)
    slots = tuple(s for s in exemplar.slots if s.path not in paths)
    bare = Exemplar(exemplar.tool, "", exemplar.arguments, slots, " ".join(frame.split()))
    return Exemplar(bare.tool, bare.filled(list(slots)), bare.arguments, slots, bare.frame)


def read_missing(assignment: Assignment, texts: Sequence[str], m: Materials) -> Candidate:
    request, question = texts
    made = candidate_of(assignment, [request], m)
    made.raw, made.answer, made.unread = kept("\n".join(texts)), one_line(question), overlong(texts)
    return made


MISSING_ARGUMENT = Style(missing_argument, one_row(read_missing))
