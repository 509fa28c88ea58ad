"""The model writers: what is asked of a model, and what is made of its answer.

``call-first`` draws a valid call and has the model write the request that leads to it; ``pairs`` is APIGen's
own, the model writes query and answer from tools and verified examples (arXiv 2406.18518 section 3.1);
``unserved`` has it write requests that no tool serves, ``missing-argument`` one that leaves a value out."""

from __future__ import annotations

import random
from dataclasses import dataclass

from lamina.checks import Candidate
from lamina.models import Request
from lamina.models.parsing import parse_calls
from lamina.synth import prompts
from lamina.synth.calls import DrawnCall, draw_calls
from lamina.synth.grammar import Words, unserved_requests, with_values
from lamina.synth.settings import SynthSettings
from lamina.synth.wording import Exemplar, Slot, locate, spoken_slots
from lamina.tools import Tool
from lamina.trajectories import ToolCall

LONGEST_ANSWER = 56
"""Tokens of a written request (our choice; requests of people have 5 to 40)."""


GROUP = 4
"""Calls written for with the same example."""
EXAMPLES = 4
"""Examples in a prompt, the nearest last (our choice)."""


@dataclass(frozen=True)
class Assignment:
    """One thing to have written: the request to the model and what the answer will be checked against."""

    request: Request
    style: str
    seed: int
    drawn: DrawnCall | None = None
    exemplar: Exemplar | None = None
    withheld: str = ""
    shown: tuple[str, ...] = ()
    """Text values, and single words of them that are names, which the prompt's examples hold."""


def call_first(
    words: Words, pools: dict[str, list[Exemplar]], settings: SynthSettings, rng: random.Random, count: int
) -> list[Assignment]:
    """``count`` assignments in groups of ``GROUP``: one example, calls that say the same arguments. A group's
    prompts differ in their last line only, so the prefix cache does most of the reading (measured on 2 cores:
    docs/results/writers.md)."""
    found: list[Assignment] = []
    tools: list[str] = []
    for _ in range(4 * count):
        if len(found) >= count:
            break
        tools = tools or rng.sample(words.toolbox.names, len(words.toolbox))
        name = tools.pop()
        size = min(GROUP, count - len(found))
        if pools.get(name):
            found += _group(words, pools[name], settings, rng, size)
        else:
            found += _first_group(words, words.toolbox[name], settings, rng, size)
    return found


def _first_group(words: Words, tool: Tool, settings: SynthSettings, rng: random.Random, count: int) -> list[Assignment]:
    """For a tool that nobody gave an example for. What is verified becomes its first examples."""
    found: list[Assignment] = []
    for drawn in draw_calls(tool, count, rng, words.pool, words.executor, words.now):
        prompt = prompts.first_prompt(tool, spoken_slots(tool, drawn.arguments, rng), rng)
        found.append(Assignment(_ask(prompt, settings, rng), "simple", rng.randrange(1 << 31), drawn))
    return found


def _group(
    words: Words, pool: list[Exemplar], settings: SynthSettings, rng: random.Random, count: int
) -> list[Assignment]:
    nearest = rng.choice(pool)
    tool = words.toolbox[nearest.tool]
    others = [e for e in pool if e is not nearest]
    seeds = rng.sample(others, min(EXAMPLES - 1, len(others)))
    found: list[Assignment] = []
    for _ in range(count):
        drawn = words.drawn_like(nearest, rng)
        if drawn is None:
            break
        slots = spoken_slots(tool, drawn.arguments, rng)
        prompt = prompts.call_first_prompt(tool, seeds, nearest, slots)
        shown = _shown([*seeds, nearest], tool, slots)
        seed = rng.randrange(1 << 31)
        found.append(Assignment(_ask(prompt, settings, rng), "simple", seed, drawn, nearest, shown=shown))
    return found


def missing_argument(
    words: Words, pools: dict[str, list[Exemplar]], settings: SynthSettings, rng: random.Random, count: int
) -> list[Assignment]:
    """Requests that leave one required value out: the right answer is not to call."""
    tools = [t for t in words.toolbox if len(t.required) > 1 and words.exemplars.get(t.name)]
    found: list[Assignment] = []
    for _ in range(count if tools else 0):
        tool = rng.choice(tools)
        drawn = draw_calls(tool, 1, rng, words.pool, words.executor, words.now)
        if not drawn:
            continue
        withheld = rng.choice(tool.required)
        slots = [s for s in spoken_slots(tool, drawn[0].arguments, rng) if s.path != withheld]
        shown = [_without(e, withheld) for e in words.exemplars[tool.name][:EXAMPLES]]
        prompt = prompts.call_first_prompt(tool, shown, None, slots)
        found.append(
            Assignment(
                _ask(prompt, settings, rng),
                "missing-argument",
                rng.randrange(1 << 31),
                drawn[0],
                None,
                withheld,
            )
        )
    return found


def unserved(words: Words, settings: SynthSettings, rng: random.Random, count: int) -> list[Assignment]:
    stock = [with_values(pattern, rng) for pattern in unserved_requests(words.toolbox)]
    return [
        Assignment(
            _ask(prompts.unserved_prompt(prompts.shuffled(stock, 8, rng)), settings, rng, warmer=0.4),
            "irrelevant",
            rng.randrange(1 << 31),
        )
        for _ in range(count)
    ]


def pairs(
    words: Words, pools: dict[str, list[Exemplar]], settings: SynthSettings, rng: random.Random, count: int
) -> list[Assignment]:
    found = []
    for _ in range(count):
        tools = rng.sample(list(words.toolbox), min(rng.choice((1, 1, 2)), len(words.toolbox)))
        examples = [
            (e.request, [{"name": e.tool, "arguments": e.arguments}])
            for t in tools
            for e in prompts.shuffled(pools.get(t.name, []), 3, rng)
        ]
        request = Request(
            messages=[], raw_prompt=prompts.pairs_prompt(tools, examples), constraint=prompts.pairs_schema(tools),
            max_tokens=200, temperature=settings.temperature, top_p=0.95, seed=rng.randrange(1 << 31),
        )  # fmt: skip
        found.append(Assignment(request, "pairs", rng.randrange(1 << 31)))
    return found


def candidate_of(assignment: Assignment, text: str, words: Words, settings: SynthSettings) -> Candidate:
    """What the answer amounts to. Nothing is checked here but that ``pairs`` answers are JSON: an unreadable
    one becomes a candidate without a request, which the format check rejects."""
    written = " ".join(text.strip().strip('"').split()) if "\n" not in text.strip() else text.strip()
    turns: list[list[ToolCall]] = [[]]
    style = assignment.style
    if style == "pairs":
        written, turns = _pair(text)
        style = "simple" if len(turns[0]) < 2 else "parallel"
    elif style == "simple" and assignment.drawn:
        turns = [[ToolCall.of(assignment.drawn.tool.name, assignment.drawn.arguments)]]
    made = Candidate(
        request=written, turns=turns, style=style, writer=settings.writer, seed=assignment.seed,
        now=settings.now, raw=text[:2000],
    )  # fmt: skip
    if assignment.drawn and style == "simple":
        made.results = [[assignment.drawn.result]]
        located = locate(assignment.drawn.tool, written, assignment.drawn.arguments)
        made.template = f"{assignment.drawn.tool.name}: {located.frame}" if located else ""
    made.group = made.template or written
    return made


def _pair(text: str) -> tuple[str, list[list[ToolCall]]]:
    import json

    try:
        row = json.loads(text)
        calls, problem = parse_calls(json.dumps(row["answers"]))
        return ("", [[]]) if problem else (str(row["query"]), [calls])
    except (ValueError, KeyError, TypeError):
        return "", [[]]


def _ask(prompt: str, settings: SynthSettings, rng: random.Random, warmer: float = 0.0) -> Request:
    return Request(
        messages=[],
        raw_prompt=prompt,
        max_tokens=LONGEST_ANSWER,
        temperature=min(1.0, settings.temperature + warmer),
        top_p=0.95,
        seed=rng.randrange(1 << 31),
        stop=("\n", " ["),  # the next example of the prompt begins with a bracket
    )


def _shown(exemplars: list[Exemplar], tool: Tool, slots: list[Slot]) -> tuple[str, ...]:
    """What examples say and this call does not: free values and the names in them; choices are another check's."""
    said = " ".join(s.form for s in slots).casefold()
    forms = {s.form for e in exemplars for s in e.slots if "enum" not in tool.properties.get(s.path, {})}
    names = {w for f in forms for w in f.split() if w[:1].isupper()}
    return tuple(sorted(f for f in forms | names if f.casefold() not in said))


def _without(exemplar: Exemplar, path: str) -> Exemplar:
    """The example as if the withheld value had never been there, as far as leaving out a word can do that."""
    import re

    frame = re.sub(
        r"\s*(?:\b(?:at|on|in|by|for|to|between|among|with)\s+)?\{" + re.escape(path) + r"\}",
        "",
        exemplar.frame,
    )
    slots = tuple(s for s in exemplar.slots if s.path != path)
    bare = Exemplar(exemplar.tool, "", exemplar.arguments, slots, " ".join(frame.split()))
    return Exemplar(bare.tool, bare.filled(list(slots)), bare.arguments, slots, bare.frame)
