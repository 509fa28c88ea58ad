"""Rephrase: a model says an instruction in other words, and the copy is kept only if a model still calls right under it
(xLAM, arXiv 2409.03215 section 4). The instruction is the system text where a record has one, else its one request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lamina.checks.hallucination import ungrounded
from lamina.data.augmenting import noted
from lamina.models import Model, Request
from lamina.models.model import PromptStyle
from lamina.trajectories import Message, Trajectory, compare_calls

WAY = "rephrase"
TOGETHER = 32
"""Records whose instructions are rewritten in one go."""
TEMPERATURE = 0.8
SYSTEM = (
    "Rewrite the text in other words. Keep its meaning and whoever speaks in it, and keep every name, number, date and "
    "quoted text as it is. Do not answer it."
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"rewritten": {"type": "string", "minLength": 1}},
    "required": ["rewritten"],
    "additionalProperties": False,
}
LONGEST = 3.0
"""How many times as long a rephrasing may be (our choice): longer ones answer, or go round in circles."""


@dataclass
class Rephraser:
    """``writer`` rewrites; ``solver`` must give the record's first calls under the rewritten text, asked in ``style``.
    ``outcomes`` counts what became of the tries: ``kept``, ``no-answer``, ``same-text``, ``too-long``,
    ``value-lost`` (a value of a call is no longer said) and ``calls-differ``."""

    writer: Model
    solver: Model
    style: PromptStyle = "full"
    seed: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def copies(self, records: Sequence[Trajectory]) -> list[Trajectory | None]:
        """One copy a record, or None; in order. Records that call nothing have nothing that could be checked."""
        places = [instruction_of(record) for record in records]
        asked = [i for i, place in enumerate(places) if place is not None]
        texts = [records[i].messages[places[i] or 0].content for i in asked]
        replies = self.writer.generate([self._request(text, i) for i, text in enumerate(texts)]) if texts else []
        tried = dict(self._rewritten(records, places, asked, texts, [reply.text for reply in replies]))
        requests = [self._solved_by(one) for one in tried.values()]
        answers = self.solver.generate(requests) if requests else []
        for i, reply in zip(list(tried), answers, strict=True):
            wanted = next(turn for turn in tried[i].turns if turn)
            match = compare_calls(wanted, reply.calls, tried[i].toolbox(), now=tried[i].meta.now)
            right = reply.problem is None and match.exact
            self.outcomes["kept" if right else "calls-differ"] += 1
            if not right:
                del tried[i]
        return [tried.get(i) for i in range(len(records))]

    def _rewritten(
        self,
        records: Sequence[Trajectory],
        places: Sequence[int | None],
        asked: Sequence[int],
        texts: Sequence[str],
        answers: Sequence[str],
    ) -> Iterator[tuple[int, Trajectory]]:
        for i, text, answer in zip(asked, texts, answers, strict=True):
            rewritten = read(answer)
            if problem := _problem(text, rewritten):
                self.outcomes[problem] += 1
                continue
            after = records[i].model_copy(deep=True)
            after.messages[places[i] or 0].content = rewritten
            if ungrounded(after, after.toolbox()) and not ungrounded(records[i], records[i].toolbox()):
                self.outcomes["value-lost"] += 1
                continue
            who = {"writer": self.writer.ref, "solver": self.solver.ref, "from": text}
            yield i, noted(after, WAY, self.seed, rephrased=who)

    def _request(self, text: str, number: int) -> Request:
        messages = [Message(role="system", content=SYSTEM), Message(role="user", content=text)]
        return Request(
            messages, constraint=SCHEMA, max_tokens=min(512, 64 + len(text)), temperature=TEMPERATURE,
            seed=self.seed + number,
        )  # fmt: skip

    def _solved_by(self, record: Trajectory) -> Request:
        first = next(i for i, m in enumerate(record.messages) if m.role == "assistant" and m.tool_calls)
        return Request(record.messages[:first], tools=record.toolbox(), style=self.style, max_tokens=512)


def instruction_of(record: Trajectory) -> int | None:
    """The place of the message that is rewritten; None where nothing is called, no tool is on offer, or several
    requests leave open which of them would be meant."""
    if not record.calls or not record.tools:
        return None
    for role in ("system", "user"):
        places = [i for i, m in enumerate(record.messages) if m.role == role and m.content.strip()]
        if len(places) == 1:
            return places[0]
    return None


def read(answer: str) -> str:
    """The rewritten text of an answer, or nothing."""
    try:
        found = json.loads(answer)
    except ValueError:
        return ""
    text = found.get("rewritten") if isinstance(found, dict) else None
    return text.strip() if isinstance(text, str) else ""


def _problem(before: str, after: str) -> str | None:
    if not after:
        return "no-answer"
    if " ".join(after.casefold().split()) == " ".join(before.casefold().split()):
        return "same-text"
    return "too-long" if len(after) > LONGEST * max(len(before), 20) else None
