"""``multi-turn``: a blueprint of two to four executed calls, revealed piece by piece. Each call has a request of the
user. Up to two arguments are not said in it: the assistant asks for each, the user answers, then the call is made.

The blueprint is drawn and executed first, as one session; the model plays the user and writes the assistant's
questions, one piece at a time, each piece checked for saying what it is to reveal and no more. Kept if the
conversation's calls, run once more in a fresh session, give what the blueprint gave and leave behind what it left
(APIGen-MT's two phases, arXiv 2504.03601; the pieces are our choice)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from lamina.checks import Candidate
from lamina.models import Request
from lamina.synth import prompts
from lamina.synth.calls import DrawnCall, is_pure
from lamina.synth.sampling import companions
from lamina.synth.settings import PLAIN
from lamina.synth.styles.missing_argument import QUESTION_TOKENS, opening_prompt
from lamina.synth.styles.style import Style, one_row
from lamina.synth.wording import slots_to_say, spoken_slots
from lamina.synth.writers import Assignment, Materials, ask, blank_candidate, one_line
from lamina.tools import Tool
from lamina.tools.execution import Executor, carried_error
from lamina.trajectories import Message, ToolCall

ROUNDS = 4
CALLS = (2, 2, 2, 3, 3, 4)
"""How many a blueprint has, where there are tools for so many (our choice)."""
WITHHELD = (0, 1, 1, 2)
"""Arguments that the user says only when asked, of all calls together (our choice)."""
Withheld = tuple[tuple[int, str], ...]


def multi_turn(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    found: list[Assignment] = []
    names = m.names(rng)
    for _ in range(ROUNDS * count):
        if len(found) >= count:
            break
        blueprint = _as_one_session(_drawn(m, m.toolbox[next(names)], rng), m)
        if blueprint is None:
            continue
        calls, end_state = blueprint
        withheld = _withheld(calls, rng)
        requests, shown = _asked(m, calls, withheld, rng)
        tools = list({c.tool.name: c.tool for c in calls}.values())
        offered = m.offered(tools, rng)
        seed = rng.randrange(1 << 31)
        found.append(
            Assignment(
                requests, "multi-turn", seed, tuple(calls), withheld=withheld, offered=offered, shown=shown,
                end_state=end_state, wording=PLAIN,
            )
        )  # fmt: skip
    return found


def _drawn(m: Materials, first: Tool, rng: random.Random) -> list[DrawnCall]:
    """Calls of several tools, no two the same; where there are too few tools, of some of them again."""
    count = rng.choice(CALLS)
    others = companions(first, m.toolbox, rng, count - 1)
    again = [rng.choice([first, *others]) for _ in range(count - 1 - len(others))] if others else []
    found: dict[str, DrawnCall] = {}
    for tool in [first, *others, *again]:
        if call := m.words.drawn(tool, rng):
            found.setdefault(f"{tool.name}{call.arguments}", call)
    return list(found.values())


def _withheld(calls: Sequence[DrawnCall], rng: random.Random) -> Withheld:
    """Required arguments that have words of their own: only those can be asked for and told. In the order of the
    calls."""
    known = [
        (number, name)
        for number, call in enumerate(calls)
        for name in call.tool.required
        if name in {s.path.split(".")[0] for s in spoken_slots(call.tool, call.arguments, random.Random(0))}
    ]
    return tuple(sorted(rng.sample(known, min(rng.choice(WITHHELD), len(known))), key=lambda one: one[0]))


def _asked(
    m: Materials, calls: Sequence[DrawnCall], withheld: Withheld, rng: random.Random
) -> tuple[tuple[Request, ...], tuple[str, ...]]:
    """The requests to the model in the order of the pieces, and what their examples say that no piece must."""
    requests: list[Request] = []
    shown: set[str] = set()
    for number, call in enumerate(calls):
        tool, left_out = call.tool, [name for one, name in withheld if one == number]
        if left_out or not number:
            prompt, of_examples = opening_prompt(m, tool, call, left_out, rng)
        else:
            slots = slots_to_say(tool, call.arguments, rng)
            prompt, of_examples = prompts.first_prefix(tool, PLAIN) + prompts.bracket(slots), ()
        requests.append(ask(prompt, m.settings, rng))
        shown.update(of_examples)
        for name in left_out:
            slots = [s for s in spoken_slots(tool, call.arguments, rng) if s.path.split(".")[0] == name]
            for prompt in (prompts.question_prompt(tool, name), prompts.reply_prompt(tool, name, slots)):
                requests.append(ask(prompt, m.settings, rng, tokens=QUESTION_TOKENS))
    material = set(prompts.leaks([c.tool for c in calls]))
    return tuple(requests), tuple(sorted(shown - set(prompts.leaks([])) | material))


def _as_one_session(calls: list[DrawnCall], m: Materials) -> tuple[list[DrawnCall], dict[str, str]] | None:
    """The calls with what they return one after the other, and what they leave behind; None where there are fewer than
    two, or one fails after another. Calls of pure tools return what they did alone."""
    if len(calls) < 2:
        return None
    if all(is_pure(call.tool) for call in calls):
        return calls, {}
    ran = m.words.executor.run_session([(c.tool.name, c.arguments) for c in calls], m.settings.now)
    pairs = list(zip(calls, ran.results, strict=False))
    if not ran.ok or any(carried_error(call.tool, result.value) for call, result in pairs):
        return None
    return [replace(call, result=result) for call, result in pairs], ran.end


def read_conversation(assignment: Assignment, texts: Sequence[str], m: Materials) -> Candidate:
    """Its results and end state are those of running the calls in a fresh session, which the blueprint's are compared
    with. Of pure tools all sessions of a batch are run together, later."""
    made = blank_candidate(assignment, one_line(texts[0]), texts, m)
    calls = [ToolCall.of(d.tool.name, d.arguments, id=f"call_{i}") for i, d in enumerate(assignment.drawn, 1)]
    made.turns = [[call] for call in calls]
    if not all(is_pure(d.tool) for d in assignment.drawn):
        run_afresh(made, m.words.executor)
    pieces = iter([one_line(text) for text in texts])
    script: list[Message] = []
    for number, call in enumerate(calls):
        if number:
            script.append(Message(role="assistant"))
        script.append(Message(role="user", content=next(pieces)))
        for one, _ in assignment.withheld:
            if one == number:
                script.append(Message(role="assistant", content=next(pieces)))
                script.append(Message(role="user", content=next(pieces)))
        script.append(Message(role="assistant", tool_calls=[call]))
    made.script = tuple(script)
    return made


def run_afresh(made: Candidate, executor: Executor) -> None:
    """Runs the calls of a conversation in their order, in a session of their own."""
    ran = executor.run_session([(call.name, call.arguments) for call in made.calls], made.now)
    made.results, made.end_state = [[result] for result in ran.results], ran.end


MULTI_TURN = Style(multi_turn, one_row(read_conversation))
