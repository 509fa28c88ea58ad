"""Round trip: does a model, given only the request, write the same call? It tells requests that ask for the
thing from sentences that merely mention its values (our choice; measured in docs/results)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.models import Model, Request
from lamina.models.model import PromptStyle
from lamina.tools import Toolbox
from lamina.trajectories import Message, compare_calls

STAGE = "round trip"


def check_round_trips(
    candidates: Sequence[Candidate], model: Model, toolbox: Toolbox, style: PromptStyle
) -> list[Rejection | None]:
    """One verdict a candidate, in order. Only the first turn that calls is asked for, after all that was said before
    it and with the tools of the row. No clock is given, as none is when the model is used: it says "tomorrow" as the
    request does, and calls are compared by what that means at the row's clock."""
    requests = [
        Request(
            messages=_before_the_call(c), tools=toolbox if c.offered is None else c.offered, style=style,
            max_tokens=192,
        )
        for c in candidates
    ]  # fmt: skip
    verdicts: list[Rejection | None] = []
    for candidate, reply in zip(candidates, model.generate(requests), strict=True):
        wanted = candidate.turns[0] if candidate.turns else []
        match = compare_calls(wanted, reply.calls, toolbox, now=candidate.now)
        if reply.problem or not match.exact:
            detail = reply.problem or f"asked back, the model wrote {reply.text[:200]!r}"
            verdicts.append(Rejection(STAGE, Reason.ROUND_TRIP_DIFFERS, detail))
        else:
            verdicts.append(None)
    return verdicts


def _before_the_call(candidate: Candidate) -> list[Message]:
    spoken = itertools.takewhile(lambda m: not m.tool_calls, candidate.script)
    return list(spoken) or [Message(role="user", content=candidate.request)]
