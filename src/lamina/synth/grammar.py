"""The ``grammar`` writer: composes requests from the tools' own words. It puts new values into the frames of
docstring examples, joins two requests into one, and asks for what no tool does to the tools' nouns (near misses). No
model is asked, so it is declared on every row and may write at most a third of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lamina.checks import Candidate
from lamina.synth.calls import DrawnCall, Stock
from lamina.synth.chatter import joined, lowered
from lamina.synth.near_misses import near_miss
from lamina.synth.truth_values import flags_of, place_of
from lamina.synth.unserved import unserved_requests, with_values
from lamina.synth.values import ValuePool
from lamina.synth.wording import Exemplar, locate, spoken_slots
from lamina.tools import Example, Tool, Toolbox
from lamina.tools.execution import CallResult, Executor
from lamina.trajectories import ToolCall

WRITER = "grammar"
STYLE_SHARES = {"simple": 0.10, "parallel": 0.46, "dependent": 0.08, "near-miss": 0.18, "irrelevant": 0.18}
"""Of the grammar's own rows (our choice)."""
TOGETHER = 64
"""Examples that are run at a time, on all workers: enough to keep them busy, few enough to show how far it is."""

_LATER = (" and then ", ", then ", " and ", ". then ", ", and after that ")
_THAT = ("that", "the result", "it", "that result", "the answer")
_BEFORE = (
    "",
    "",
    "",
    "",
    "",
    "hey, ",
    "hi! ",
    "ok ",
    "quick one: ",
    "ugh, ",
    "so, ",
    "hello, ",
    "right, ",
    "one more thing: ",
    "please ",
    "hey there, ",
)
_AFTER = (
    *("", "", "", "", "", ""),
    *(" please", ", thanks", " thanks!", " pls", " if you can", ", thank you", " asap", " :)"),
)


@dataclass
class Words:
    """What the grammar composes from: the toolbox, located examples per tool, drawn values, real results."""

    toolbox: Toolbox
    exemplars: dict[str, list[Exemplar]]
    pool: ValuePool
    executor: Executor
    now: str
    seed: int = 0
    stock: Stock = field(init=False)

    def __post_init__(self) -> None:
        self.stock = Stock(self.toolbox, self.pool, self.executor, self.now, self.seed)

    def drawn_like(self, exemplar: Exemplar, rng: random.Random) -> DrawnCall | None:
        """A valid call that says the same arguments as the exemplar, and has the truth values that its words mean."""
        tool = self.toolbox[exemplar.tool]
        flags = flags_of(tool, exemplar.arguments)
        return self.stock.take(
            tool,
            rng,
            lambda call: (
                {s.path for s in spoken_slots(tool, call.arguments, rng)} == exemplar.paths
                and flags_of(tool, call.arguments) == flags
            ),
        )

    def drawn(self, tool: Tool, rng: random.Random) -> DrawnCall | None:
        """Any valid call of a tool without truth values that may be left out; None where what is drawn does not run."""
        shown = self.pool.flags.get(tool.name)
        if not shown:
            return self.stock.take(tool, rng)
        return self.stock.take(tool, rng, lambda call: shown.isdisjoint(map(place_of, flags_of(tool, call.arguments))))


def compose(style: str, words: Words, rng: random.Random, seed: int) -> Candidate | None:
    """One candidate of a style, or None where the tools at hand give none."""
    made = {
        "simple": _simple,
        "parallel": _parallel,
        "dependent": _dependent,
        "near-miss": _near_miss,
        "irrelevant": _irrelevant,
    }[style](words, rng)
    if made is None:
        return None
    request, turns, results, group = made
    return Candidate(
        request=request, turns=turns, style=style, writer=WRITER, seed=seed, now=words.now,
        results=results, template=group, group=group,
    )  # fmt: skip


Made = tuple[str, list[list[ToolCall]], list[list[CallResult]], str] | None


def _simple(words: Words, rng: random.Random) -> Made:
    drawn = _drawn_like_example(words, rng)
    if drawn is None:
        return None
    exemplar, tool, arguments, result = drawn
    text = exemplar.filled(spoken_slots(tool, arguments, rng))
    before, after = rng.choice(_BEFORE), rng.choice(_AFTER)
    polite = ("please", "thank", "pls")
    if any(p in (before + text) for p in polite) and any(p in after for p in polite):
        after = ""
    request = before + text.rstrip(" .!") + after if after else before + text
    return request, [[ToolCall.of(tool.name, arguments)]], [[result]], f"{tool.name}: {exemplar.frame}"


def _parallel(words: Words, rng: random.Random) -> Made:
    first, second = _drawn_like_example(words, rng), _drawn_like_example(words, rng)
    if first is None or second is None:
        return None
    requests = [e.filled(spoken_slots(t, a, rng)) for e, t, a, _ in (first, second)]
    request = joined(requests, rng)
    calls = [ToolCall.of(t.name, a, id=f"call_{i}") for i, (_, t, a, _) in enumerate((first, second), 1)]
    if calls[0].name == calls[1].name and calls[0].arguments == calls[1].arguments:
        return None
    return request, [calls], [[first[3], second[3]]], f"{first[0].frame} + {second[0].frame}"


def _dependent(words: Words, rng: random.Random) -> Made:
    """A first call whose result is a number that fits an argument of a second: "…, then convert that to yen"."""
    with_numbers = [
        e for exemplars in words.exemplars.values() for e in exemplars if _number_slots(words.toolbox[e.tool], e)
    ]
    first = _drawn_like_example(words, rng)
    if first is None or not with_numbers or not (numbers := _numbers_of(first[3].value)):
        return None
    exemplar = rng.choice(with_numbers)
    drawn = words.drawn_like(exemplar, rng)
    if drawn is None or exemplar.tool == first[1].name:
        return None
    tool, arguments, open_slots = drawn.tool, drawn.arguments, _number_slots(drawn.tool, exemplar)
    slot, value = rng.choice(open_slots), rng.choice(numbers)
    chained: dict[str, Any] = {**arguments, slot: value}
    ran = words.executor.run_sequence([(first[1].name, first[2]), (tool.name, chained)], words.now)
    if len(ran) < 2 or not all(r.ok for r in ran):
        return None
    slots = [s for s in spoken_slots(tool, arguments, rng) if s.path != slot]
    later = exemplar.filled(slots).replace("{" + slot + "}", rng.choice(_THAT))
    asked = first[0].filled(spoken_slots(first[1], first[2], rng)).rstrip(" .!?")
    turns = [[ToolCall.of(first[1].name, first[2])], [ToolCall.of(tool.name, chained)]]
    return asked + rng.choice(_LATER) + lowered(later), turns, [[ran[0]], [ran[1]]], exemplar.frame


def _near_miss(words: Words, rng: random.Random) -> Made:
    tool = rng.choice(list(words.toolbox))
    values = [s.form for e in words.exemplars.get(tool.name, ()) for s in e.slots]
    found = near_miss(tool, words.toolbox, values, rng)
    return (found[0], [[]], [[]], found[1]) if found else None


def _irrelevant(words: Words, rng: random.Random) -> Made:
    unserved = unserved_requests(words.toolbox)
    if not unserved:  # a library may serve everything that the material asks for
        return None
    pattern = rng.choice(unserved)
    return with_values(pattern, rng), [[]], [[]], f"unserved: {pattern}"


def _drawn_like_example(words: Words, rng: random.Random) -> tuple[Exemplar, Tool, dict[str, Any], CallResult] | None:
    """A drawn call with the same values said as one of the tool's examples."""
    tool = rng.choice(list(words.toolbox))
    if not words.exemplars.get(tool.name):
        return None
    exemplar = rng.choice(words.exemplars[tool.name])
    drawn = words.drawn_like(exemplar, rng)
    return (exemplar, tool, drawn.arguments, drawn.result) if drawn else None


def _number_slots(tool: Tool, exemplar: Exemplar) -> list[str]:
    return [n for n, s in tool.properties.items() if s.get("type") == "number" and n in exemplar.paths]


def _numbers_of(value: Any) -> list[float]:
    values = value.values() if isinstance(value, dict) else [value]
    return [v for v in values if isinstance(v, int | float) and not isinstance(v, bool) and v > 0]


def example_candidates(
    toolbox: Toolbox, executor: Executor, now: str, on_ran: Callable[[int], None] | None = None
) -> list[Candidate]:
    """The examples of the tools themselves, each really run at its own clock, ``now`` where it has none, as rows of the
    writer ``examples``. ``on_ran`` is told how many more have been run."""
    shown = [(tool, example, example.now or now) for tool in toolbox for example in tool.examples]
    found: list[Candidate] = []
    for start in range(0, len(shown), TOGETHER):
        part = shown[start : start + TOGETHER]
        ran = executor.run_many([[(tool.name, e.arguments)] for tool, e, _ in part], [clock for _, _, clock in part])
        found += [_example_candidate(*one, results) for one, results in zip(part, ran, strict=True)]
        if on_ran is not None:
            on_ran(len(part))
    return found


def _example_candidate(tool: Tool, example: Example, clock: str, results: list[CallResult]) -> Candidate:
    located = locate(tool, example.request, example.arguments)
    return Candidate(
        request=example.request,
        turns=[[ToolCall.of(tool.name, example.arguments)]],
        style="simple",
        writer="examples",
        seed=0,
        now=clock,
        results=[results],
        template=example.request,
        group=f"{tool.name}: {located.frame}" if located else example.request,
    )


def located_examples(toolbox: Toolbox) -> dict[str, list[Exemplar]]:
    found: dict[str, list[Exemplar]] = {}
    for tool in toolbox:
        located: Sequence[Exemplar | None] = [locate(tool, e.request, e.arguments) for e in tool.examples]
        found[tool.name] = [e for e in located if e is not None]
    return found
