"""The model writers: what is asked of a model, and what is made of its answer.

``call-first`` draws valid calls and has the model write the request that leads to them; ``pairs`` is APIGen's own,
the model writes query and answer from tools and verified examples (arXiv 2406.18518 section 3.1). What each style
of row asks for stands in ``styles``."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lamina.checks import Candidate, Reason, Rejection
from lamina.checks.answers import LONGEST_KEPT, kept
from lamina.models import Request
from lamina.synth import prompts
from lamina.synth.calls import DrawnCall
from lamina.synth.grammar import Words
from lamina.synth.sampling import SAMPLERS, on_offer
from lamina.synth.settings import LIKE_EXAMPLES, PLAIN, SynthSettings
from lamina.synth.wording import Exemplar, Slot, locate, slots_to_say, spoken_slots
from lamina.tools import Tool, Toolbox
from lamina.trajectories import ToolCall

LONGEST_ANSWER = 56
"""Tokens of a written request (our choice; requests of people have 5 to 40)."""
GROUP = 4
"""Calls written for with the same example."""
EXAMPLES = 4
"""Examples in a prompt, the nearest last (our choice)."""
SHORT = 12
"""Words of an example that a writer is shown, where there are enough such: shown people's long detours, a 135M writer
loses itself in them (our choice; docs/results/more-examples.md)."""
FROM_ROWS = 0.2
"""Groups whose example is a verified row, for a tool that nobody gave an example for: a model says such a row's very
words again, a near copy nineteen times in twenty (docs/results/library.md)."""


@dataclass
class Materials:
    """What assignments are made of. ``covered`` counts the verified rows that call a tool, and what failed for it as
    far as that tells a hard tool from a rare one."""

    words: Words
    pools: dict[str, list[Exemplar]]
    settings: SynthSettings
    covered: Mapping[str, int] = field(default_factory=dict)

    @property
    def toolbox(self) -> Toolbox:
        return self.words.toolbox

    @property
    def is_library(self) -> bool:
        return self.settings.is_library(len(self.toolbox))

    def offered(self, called: Sequence[Tool], rng: random.Random) -> Toolbox | None:
        """The tools of a row that calls some; None for all there are."""
        return on_offer(called, self.toolbox, self.settings.offer or 0, rng) if self.is_library else None

    def names(self, rng: random.Random) -> Iterator[str]:
        return SAMPLERS[self.settings.sampler](self.toolbox, self.covered, rng)


@dataclass(frozen=True)
class Assignment:
    """One row to have written, or ``rows`` that one answer holds: the requests to the model and what the answers will
    be checked against."""

    requests: tuple[Request, ...]
    style: str
    seed: int
    drawn: tuple[DrawnCall, ...] = ()
    exemplar: Exemplar | None = None
    said: str = ""
    """The request that the writer was to say again in another wording."""
    withheld: tuple[tuple[int, str], ...] = ()
    """Arguments that requests leave out: the number of the call (from 0) and the name, in the order in which the
    assistant asks for them."""
    shown: tuple[str, ...] = ()
    """Text values, and single words of them that are names, which the prompt's examples hold."""
    offered: Toolbox | None = None
    """The tools of the row; None for all."""
    absent: bool = False
    """The request is for a tool that is not on offer: checked like any other, the right answer is no call."""
    wording: str = ""
    rows: int = 1
    expected_calls: int = 0
    """Of each row, where the style leaves the number open."""
    end_state: Mapping[str, str] = field(default_factory=dict)
    """What the drawn calls left behind, run as one session."""


def easy_to_follow(exemplars: Sequence[Exemplar]) -> list[Exemplar]:
    """The short ones; all, where those are too few for a prompt."""
    short = [e for e in exemplars if len(e.request.split()) <= SHORT]
    return short if len(short) >= 2 * EXAMPLES else list(exemplars)


def call_first(m: Materials, style: str, rng: random.Random, count: int) -> list[Assignment]:
    """``count`` assignments in groups of ``GROUP``: one example, calls that say the same arguments. A group's
    prompts differ in their last line only, so the prefix cache does most of the reading (measured on 2 cores:
    docs/results/writers.md)."""
    found: list[Assignment] = []
    names = m.names(rng)
    for _ in range(4 * count):
        if len(found) >= count:
            break
        name = next(names)
        size = min(GROUP, count - len(found))
        exemplars = m.words.exemplars.get(name, [])
        like_rows = not exemplars and LIKE_EXAMPLES in m.settings.wordings and m.pools.get(name)
        if like_rows and rng.random() < FROM_ROWS:
            found += _group(m, m.pools[name], style, rng, size)
            continue
        wording = m.settings.wording(rng, bool(exemplars))
        if wording == LIKE_EXAMPLES:
            found += _group(m, m.pools[name], style, rng, size)
        elif exemplars and wording != PLAIN:
            found += _reworded_group(m, easy_to_follow(exemplars), wording, style, rng, size)
        else:
            found += _first_group(m, m.toolbox[name], wording, style, rng, size)
    return found


def _first_group(
    m: Materials, tool: Tool, wording: str, style: str, rng: random.Random, count: int
) -> list[Assignment]:
    """For a tool without regard to its examples. Where nobody gave any, what is verified becomes its first."""
    found: list[Assignment] = []
    about = prompts.first_prefix(tool, wording)
    for _ in range(count):
        drawn = m.words.drawn(tool, rng)
        if drawn is None:
            break
        prompt = about + prompts.bracket(slots_to_say(tool, drawn.arguments, rng))
        requests = (ask(prompt, m.settings, rng),)
        seed = rng.randrange(1 << 31)
        found.append(Assignment(requests, style, seed, (drawn,), shown=prompts.leaks([tool]), wording=wording))
    return found


def _group(m: Materials, pool: list[Exemplar], style: str, rng: random.Random, count: int) -> list[Assignment]:
    nearest = rng.choice(pool)
    tool = m.toolbox[nearest.tool]
    others = [e for e in pool if e is not nearest]
    seeds = rng.sample(others, min(EXAMPLES - 1, len(others)))
    found: list[Assignment] = []
    for _ in range(count):
        drawn = m.words.drawn_like(nearest, rng)
        if drawn is None:
            break
        slots = spoken_slots(tool, drawn.arguments, rng)
        prompt = prompts.call_first_prompt(tool, seeds, nearest, slots)
        shown = values_of([*seeds, nearest], m.toolbox, slots)
        requests, seed = (ask(prompt, m.settings, rng),), rng.randrange(1 << 31)
        found.append(Assignment(requests, style, seed, (drawn,), nearest, shown=shown, wording=LIKE_EXAMPLES))
    return found


def _reworded_group(
    m: Materials, examples: Sequence[Exemplar], wording: str, style: str, rng: random.Random, count: int
) -> list[Assignment]:
    """Examples of a tool with other values, each to be said again in a wording."""
    found: list[Assignment] = []
    for _ in range(count):
        like = rng.choice(examples)
        tool = m.toolbox[like.tool]
        if (drawn := m.words.drawn_like(like, rng)) is None:
            continue
        slots = spoken_slots(tool, drawn.arguments, rng)
        said = like.filled(slots)
        requests, seed = (ask(prompts.reworded_prompt(wording, said, slots), m.settings, rng),), rng.randrange(1 << 31)
        found.append(
            Assignment(requests, style, seed, (drawn,), like, said, shown=prompts.leaks([tool]), wording=wording)
        )
    return found


def candidate_of(assignment: Assignment, texts: Sequence[str], m: Materials) -> Candidate:
    """What the answers of call-first amount to. Nothing is checked here."""
    written = one_line(texts[0])
    calls = [ToolCall.of(d.tool.name, d.arguments) for d in assignment.drawn]
    made = blank_candidate(assignment, written, texts, m)
    if assignment.withheld or not calls:
        return made
    give_calls(made, calls, m.toolbox)
    made.results = [[d.result for d in assignment.drawn]]
    return made


def give_calls(made: Candidate, calls: Sequence[ToolCall], toolbox: Toolbox) -> None:
    """The calls of a row's one turn, numbered where there are several; a single one of a known tool gives the row its
    frame."""
    if len(calls) > 1:
        calls = [ToolCall.of(c.name, c.arguments, id=f"call_{i}") for i, c in enumerate(calls, 1)]
    made.turns = [list(calls)]
    if len(calls) == 1 and (tool := toolbox.get(calls[0].name)):
        located = locate(tool, made.request, calls[0].arguments)
        made.template = f"{tool.name}: {located.frame}" if located else ""
    made.group = made.template or made.request


def blank_candidate(assignment: Assignment, request: str, texts: Sequence[str], m: Materials) -> Candidate:
    """A row without calls yet. ``texts``: what the model wrote for it, of which no more is kept than ``kept`` says."""
    made = Candidate(
        request=request, turns=[[]], style=assignment.style, writer=m.settings.writer, seed=assignment.seed,
        now=m.settings.now, raw=kept("\n".join(texts)), group=request, offered=assignment.offered,
        wording=assignment.wording, expected_calls=assignment.expected_calls,
    )  # fmt: skip
    made.unread = overlong(texts)
    return made


def overlong(texts: Sequence[str]) -> Rejection | None:
    """A model that does not stop is told apart from one that writes a long request."""
    if (longest := max(map(len, texts), default=0)) <= LONGEST_KEPT:
        return None
    told = f"the writer wrote {longest:,} characters, no request is that long; the first {LONGEST_KEPT:,} are kept"
    return Rejection("format", Reason.TOO_LONG, told)


def one_line(text: str) -> str:
    """Without quotes around it and doubled spaces; an answer of several lines stays as it is, for the format check. Of
    one that does not stop the beginning, with a mark."""
    text = kept(text.strip())
    if "\n" in text:
        return text
    around = text.count('"') % 2 or (text.count('"') == 2 and text[0] == text[-1] == '"')
    return " ".join((text.strip('"') if around else text).split())


def ask(
    prompt: str, settings: SynthSettings, rng: random.Random, warmer: float = 0.0, tokens: int = LONGEST_ANSWER
) -> Request:
    return Request(
        messages=[],
        raw_prompt=prompt,
        max_tokens=tokens,
        temperature=min(1.0, settings.temperature + warmer),
        top_p=0.95,
        seed=rng.randrange(1 << 31),
        stop=("\n", " ["),  # the next example of the prompt begins with a bracket
    )


def values_of(exemplars: Sequence[Exemplar], toolbox: Toolbox, slots: Sequence[Slot]) -> tuple[str, ...]:
    """What examples say and this call does not: free values and the names in them; choices are another check's."""
    said = " ".join(s.form for s in slots).casefold()
    forms = {s.form for e in exemplars for s in e.slots if "enum" not in toolbox[e.tool].properties.get(s.path, {})}
    names = {w for f in forms for w in f.split() if w[:1].isupper()}
    return tuple(sorted(f for f in forms | names if f.casefold() not in said))
