"""What tasks made of somebody's records have in common: each turn that calls is a sample, with everything before it
as it was recorded, and the row's own tools on offer. Not a task itself.

So a model is asked what to do next in a history that went right (one step at a time, as API-Bank counts), and where a
row is one request with several calls, for all of them at once. Rows that cannot be answered, because their right calls
don't fit their own tools, are left out, counted and said: a figure about them would say nothing about a model.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lamina.bench.intervals import ratio_of_sums, wilson
from lamina.bench.tasks.fitting import fitted, misfit
from lamina.bench.tasks.task import (
    Call,
    Conversation,
    Figure,
    Sample,
    Setting,
    plain_call,
    read_answer,
    strict_outcome,
)
from lamina.checks.arguments import is_reference
from lamina.checks.turns import check_turns
from lamina.data.sources import SUFFIXES
from lamina.errors import InputError
from lamina.tools.tool import JSON, Tool, Toolbox
from lamina.trajectories import Reject, Trajectory, compare_calls
from lamina.trajectories.trajectory import Message, ToolCall

MOST_CALLS = 12
"""What the constraint lets a model write in one answer."""
_WRITE = "Where an argument is taken from the result of an earlier call of your answer, write"
REFERENCES = (
    (re.compile(r"\$var"), f"{_WRITE} $varN.FIELD$: N is the number of that call, counted from 1."),
    (re.compile(r"API_call_"), f"{_WRITE} API_call_N: N is the number of that call, counted from 0."),
)
"""How a data set writes that a value comes from an earlier call, and how we tell a model (our wording)."""

UNREADABLE, WITHOUT_TOOLS, IMPOSSIBLE = (
    "rows that cannot be read",
    "rows without tools or answers",
    "rows that could not have happened in their order",
)
"""Why something of a file is no sample; ``misfit`` says the others."""
_POSITION = re.compile(r"\$var_?(?P<of_one>\d{1,6})|API_call_(?P<of_zero>\d{1,6})")
"""A reference that counts the calls of an answer, from 1 or from 0."""
_PLACE = re.compile(rf".*[/\\]([^/\\]+(?:{'|'.join(map(re.escape, SUFFIXES))}):[\d.]+)")
"""The id of a record whose row has none: FILE:LINE."""

Verdict = tuple[list[str], bool, int, int]
"""What is wrong, whether the functions are right, arguments right, arguments in all."""


@dataclass(frozen=True)
class Recorded:
    """``read`` gives the records (and rejects, which are left out, as are records that no model could answer)."""

    name: str
    read: Callable[[], Iterable[Trajectory | Reject]]
    paired_metric: str = "call_exact"
    needs_tools: bool = False
    told: str = ""
    """What the model is told before every request."""
    left_out: Counter[str] = field(default_factory=Counter, compare=False)
    """How much of the file is no sample, by reason; known once ``samples`` has been called."""

    @property
    def spec(self) -> str:
        return self.name

    def samples(self) -> list[Sample]:
        """Two rows of one id are two samples, the second ``ID~2``. Raises InputError where no row can be answered."""
        found: dict[str, Sample] = {}
        left_out: Counter[str] = Counter()
        for record in self.read():
            if not isinstance(record, Trajectory):
                left_out[UNREADABLE] += 1
                continue
            for sample in samples_of(_without_folder(record), left_out):
                name = _free(sample.id, found)
                found[name] = sample if name == sample.id else replace(sample, id=name)
        self.left_out.clear()
        self.left_out.update(left_out)
        if not found:
            raise InputError(
                f"the task {self.name!r} has no row with calls that fit its own tools",
                mend="'lamina data check' says what is wrong with each",
            )
        return list(found.values())

    def solve(self, sample: Sample, setting: Setting) -> Conversation:
        row = sample.row
        messages = [Message.model_validate(m) for m in row["messages"]]
        if told := " ".join(said for said in (self.told, row["instruction"]) if said):
            messages.insert(0, Message(role="system", content=told))
        request = setting.ask(messages, tools=_offered(row), most_calls=MOST_CALLS)
        reply = yield request
        found: list[Verdict] = []

        def judge(calls: list[Call] | None) -> str | None:
            found.append(_compared(row, calls))
            return "; ".join(found[0][0]) or None

        outcome = strict_outcome(request, reply, judge)
        _, functions, right, total = found[0] if found else ([], False, 0, 0)
        scores = {
            **outcome.scores,
            "kind": "call" if row["calls"] else "refusal",
            "functions_right": functions,
            "arguments_right": right,
            "arguments_total": total,
        }
        expected = [plain_call(call) for call in _as_calls(row["calls"])]
        transcript = [{**turn, "expected": expected} for turn in outcome.transcript]
        return replace(outcome, scores=scores, transcript=transcript)

    def judge(self, sample: Sample, calls: Sequence[Any]) -> str | None:
        return "; ".join(_compared(sample.row, read_answer(calls))[0]) or None

    def counts_in_pair(self, scores: JSON) -> bool:
        return not scores["unscored"]

    def figures(self, outcomes: Sequence[JSON]) -> list[Figure]:
        scored = [o for o in outcomes if not o["unscored"]]
        asked = [o for o in scored if o["kind"] == "call"]
        rates: list[tuple[str, list[bool]]] = [
            ("call_exact", [o["right"] for o in scored]),
            ("function_right", [o["functions_right"] for o in asked]),
            ("refusal_right", [o["right"] for o in scored if o["kind"] == "refusal"]),
            ("refusal_false", [not o["called"] and not o["unreadable"] for o in asked]),
            ("unreadable", [o["unreadable"] for o in scored]),
        ]
        if len(scored) < len(outcomes):
            rates.append(("unscored", [o["unscored"] for o in outcomes]))
        found = [Figure(name, i) for name, hits in rates if (i := wilson(sum(hits), len(hits)))]
        arguments = ratio_of_sums([o["arguments_right"] for o in asked], [o["arguments_total"] for o in asked])
        return [*found, Figure("argument_accuracy", arguments)] if arguments else found


def _without_folder(record: Trajectory) -> Trajectory:
    """A sample is the same wherever its file lies: what was answered is kept, and runs of two machines compare."""
    place = _PLACE.fullmatch(record.id)
    return record.model_copy(update={"id": place[1]}) if place else record


def _free(id: str, taken: Container[str]) -> str:
    name, again = id, 2
    while name in taken:
        name, again = f"{id}~{again}", again + 1
    return name


def samples_of(record: Trajectory, left_out: Counter[str]) -> Iterator[Sample]:
    """One sample a turn that calls; a record without any call is one sample whose right answer is not to call. None
    for a turn whose calls don't fit the tools (what has one reading is ``fitted``), and for a record that could not
    have happened in its order: those are counted in ``left_out``."""
    if not record.tools or not any(m.role == "assistant" for m in record.messages):
        left_out[WITHOUT_TOOLS] += 1
        return
    if check_turns(record):
        left_out[IMPOSSIBLE] += 1
        return
    toolbox = record.toolbox()
    record = fitted(record, toolbox)
    at = [i for i, m in enumerate(record.messages) if m.role == "assistant" and m.tool_calls]
    at = at or [i for i, m in enumerate(record.messages) if m.role == "assistant"][:1]
    for place in at:
        message = record.messages[place]
        if why := misfit(record.model_copy(update={"messages": [message]}), toolbox):
            left_out[why] += 1
            continue
        calls = message.tool_calls or []
        values = json.dumps([call.arguments for call in calls], ensure_ascii=False)
        row = {
            "messages": [m.model_dump(mode="json", exclude_none=True) for m in record.messages[:place]],
            "tools": record.tools,
            "calls": [plain_call(call) for call in calls],
            "now": record.meta.now,
            "instruction": next((said for pattern, said in REFERENCES if pattern.search(values)), ""),
        }
        yield Sample(record.id if len(at) == 1 else f"{record.id}#{place}", row)


def _offered(row: JSON) -> Toolbox:
    """Where calls refer to results, every argument may also be text: the reference."""
    tools = Toolbox.from_openai(row["tools"])
    if not _refers(row):
        return tools
    return Toolbox(_with_references(tool) for tool in tools)


def _refers(row: JSON) -> bool:
    return any(is_reference(value, ()) for call in row["calls"] for value in call["arguments"].values())


def _with_references(tool: Tool) -> Tool:
    properties = {name: {"anyOf": [schema, {"type": "string"}]} for name, schema in tool.properties.items()}
    return replace(tool, parameters={**tool.parameters, "properties": properties})


def _compared(row: JSON, calls: Sequence[Call] | None) -> Verdict:
    expected = _as_calls(row["calls"])
    toolbox = Toolbox.from_openai(row["tools"])
    given = [ToolCall.of(name, arguments) for name, arguments in calls or []]
    match = compare_calls(expected, given, toolbox, now=row["now"])
    if calls is None:
        return ["the answer is not a list of calls"], False, 0, match.arguments_total
    reasons = [] if match.exact else match.reasons or ["other calls than wanted"]
    if match.exact and (unmet := _refers_elsewhere(expected, given, toolbox, row["now"])):
        return [unmet], False, match.arguments_right, match.arguments_total
    return reasons, match.functions_right, match.arguments_right, match.arguments_total


def _refers_elsewhere(
    expected: Sequence[ToolCall], given: Sequence[ToolCall], toolbox: Toolbox, now: str | None
) -> str | None:
    """A reference by number means another call where the calls stand in another order: each that is referred to has
    to be where it was, and before the call that refers. The others may stand in any order. What the record itself
    refers to before it is called binds nobody."""
    known = {text for place, call in enumerate(expected) for text, at in _positions(call) if at < place}
    for place, call in enumerate(given):
        for text, at in _positions(call):
            if text not in known:
                continue
            if at >= place or not compare_calls([expected[at]], [given[at]], toolbox, now=now).exact:
                return f"{call.name} refers to {text}, which is another call in this order"
    return None


def _positions(call: ToolCall) -> list[tuple[str, int]]:
    """What the arguments refer to by number, and the place of that call, counted from 0."""
    values = json.dumps(call.arguments, ensure_ascii=False)
    found = [(m, int(m["of_one"]) - 1 if m["of_one"] else int(m["of_zero"])) for m in _POSITION.finditer(values)]
    return [(match[0], at) for match, at in found if at >= 0]


def _as_calls(rows: Sequence[JSON]) -> list[ToolCall]:
    return [ToolCall.of(row["name"], row["arguments"]) for row in rows]
