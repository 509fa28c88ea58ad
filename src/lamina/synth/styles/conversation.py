"""``multi-turn``: a blueprint of two executed calls, revealed piece by piece. The user's first request leaves a value
out, the assistant asks for it, the user says it, the call is made; then the user wants something else.

The blueprint is drawn and executed first, as one session; the model plays the user and writes the assistant's question,
one piece at a time, each piece checked for saying what it is to reveal and no more. Kept if the conversation's calls,
run once more in a fresh session, give what the blueprint gave and leave behind what it left (APIGen-MT's two phases,
arXiv 2504.03601; the pieces are our choice)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from lamina.checks import Candidate
from lamina.synth import prompts
from lamina.synth.calls import DrawnCall, is_pure
from lamina.synth.sampling import companions
from lamina.synth.settings import PLAIN
from lamina.synth.styles.missing_argument import QUESTION_TOKENS, opening_prompt
from lamina.synth.styles.style import Style, one_row
from lamina.synth.wording import slots_to_say, spoken_slots
from lamina.synth.writers import Assignment, Materials, ask, blank_candidate, one_line
from lamina.tools.execution import Executor, carried_error
from lamina.trajectories import Message, ToolCall

ROUNDS = 4


def multi_turn(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    found: list[Assignment] = []
    names = m.names(rng)
    for _ in range(ROUNDS * count):
        if len(found) >= count:
            break
        first = m.toolbox[next(names)]
        others = companions(first, m.toolbox, rng, 1)
        calls = [call for tool in [first, *others] if (call := m.words.drawn(tool, rng))]
        if len(calls) < 2 or not first.required:
            continue
        blueprint = _as_one_session(calls, m)
        if blueprint is None:
            continue
        calls, end_state = blueprint
        withheld = rng.choice(first.required)
        slots = [s for s in spoken_slots(first, calls[0].arguments, rng) if s.path.split(".")[0] == withheld]
        if not slots:
            continue
        later = prompts.first_prefix(others[0], PLAIN)
        opening, shown = opening_prompt(m, first, calls[0], withheld, rng)
        requests = (
            ask(opening, m.settings, rng),
            ask(prompts.question_prompt(first, withheld), m.settings, rng, tokens=QUESTION_TOKENS),
            ask(prompts.reply_prompt(first, withheld, slots), m.settings, rng, tokens=QUESTION_TOKENS),
            ask(later + prompts.bracket(slots_to_say(others[0], calls[1].arguments, rng)), m.settings, rng),
        )
        offered = m.offered([first, *others], rng)
        seed = rng.randrange(1 << 31)
        found.append(
            Assignment(
                requests, "multi-turn", seed, tuple(calls), withheld=withheld, offered=offered, shown=shown,
                end_state=end_state, wording=PLAIN,
            )
        )  # fmt: skip
    return found


def _as_one_session(calls: list[DrawnCall], m: Materials) -> tuple[list[DrawnCall], dict[str, str]] | None:
    """The calls with what they return one after the other, and what they leave behind; None where one fails after
    another. Calls of pure tools return what they did alone."""
    if all(is_pure(call.tool) for call in calls):
        return calls, {}
    ran = m.words.executor.run_session([(c.tool.name, c.arguments) for c in calls], m.settings.now)
    pairs = list(zip(calls, ran.results, strict=False))
    if not ran.ok or any(carried_error(call.tool, result.value) for call, result in pairs):
        return None
    return [replace(call, result=result) for call, result in pairs], ran.end


def read_conversation(assignment: Assignment, texts: Sequence[str], m: Materials) -> Candidate:
    """Its results and end state are those of running both calls in a fresh session, which the blueprint's are compared
    with. Of pure tools all sessions of a batch are run together, later."""
    opening, question, reply, later = (one_line(text) for text in texts)
    made = blank_candidate(assignment, opening, texts, m)
    calls = [ToolCall.of(d.tool.name, d.arguments, id=f"call_{i}") for i, d in enumerate(assignment.drawn, 1)]
    made.turns = [[call] for call in calls]
    if not all(is_pure(d.tool) for d in assignment.drawn):
        run_afresh(made, m.words.executor)
    made.script = (
        Message(role="user", content=opening),
        Message(role="assistant", content=question),
        Message(role="user", content=reply),
        Message(role="assistant", tool_calls=[calls[0]]),
        Message(role="assistant"),
        Message(role="user", content=later),
        Message(role="assistant", tool_calls=[calls[1]]),
    )
    return made


def run_afresh(made: Candidate, executor: Executor) -> None:
    """Runs the calls of a conversation in their order, in a session of their own."""
    ran = executor.run_session([(call.name, call.arguments) for call in made.calls], made.now)
    made.results, made.end_state = [[result] for result in ran.results], ran.end


MULTI_TURN = Style(multi_turn, one_row(read_conversation))
