"""``own:FILE.jsonl``: the user's own requests with the right calls, and generated test rows of the same form.

Requests for one call, several calls or none are scored on the first answer. Where the second call needs the
first one's result the sample is a rollout: a right first call is executed at the row's clock, the model sees
the result and answers again; both must be right. Those are a figure of their own and not in ``call_exact``.

Answers are read as whoever uses the model reads them (``lamina act``), tolerantly; how many had to be repaired is a
figure, and an answer that is strictly read has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamina.bench.intervals import ratio_of_sums, wilson
from lamina.bench.tasks.task import (
    Conversation,
    Figure,
    Outcome,
    Sample,
    Setting,
    not_answered,
    plain_call,
    read_answer,
    turn_record,
)
from lamina.errors import InputError
from lamina.models.model import Reply
from lamina.models.parsing import STRICT, read_calls
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories import Query, Trajectory, compare_calls, read_queries
from lamina.trajectories.queries import Kind
from lamina.trajectories.trajectory import Message, ToolCall

ABOUT = "own:FILE.jsonl, your requests with the right calls: call exact match, arguments, refusals"
VERSION = 3


def open_task(argument: str, tools: Toolbox | None = None) -> OwnTask:
    return OwnTask(file=Path(argument) if argument else None, tools=tools)


class OwnTask:
    """Samples come from ``file``, or are given as ``queries`` (generated test rows)."""

    paired_metric = "call_exact"
    needs_tools = True

    def __init__(
        self,
        *,
        file: Path | None = None,
        queries: Sequence[Query] | None = None,
        name: str | None = None,
        tools: Toolbox | None = None,
    ):
        self.spec = "own"
        self._tools = tools
        self.name = name or (f"own:{file.name}" if file else "own")
        self._file, self._queries = file, queries

    def samples(self) -> list[Sample]:
        queries = self._queries
        if queries is None:
            if self._file is None:
                raise InputError("the task 'own' needs a file", mend="write own:FILE.jsonl")
            queries = read_queries(self._file)
        return [Sample(query.id, query_row(query)) for query in queries]

    def solve(self, sample: Sample, setting: Setting) -> Conversation:
        if sample.row["kind"] == "dependent":
            return solve_dependent(sample.row, setting)
        return solve_first_turn(sample.row, setting)

    def judge(self, sample: Sample, calls: Sequence[Any]) -> str | None:
        """By meaning, as a model's answer; the defaults are known with ``tools`` alone."""
        row, read = sample.row, read_answer(calls)
        if read is None:
            return "the answer is not a list of calls"
        match = compare_calls(
            as_calls(row["calls"]),
            [ToolCall.of(name, arguments) for name, arguments in read],
            self._tools or Toolbox([]),
            now=row["now"],
            accept=[as_calls(a) for a in row["accept"]],
            ordered=row["kind"] == "dependent",
        )
        return None if match.exact else "; ".join(match.reasons) or "other calls than wanted"

    def counts_in_pair(self, scores: JSON) -> bool:
        return bool(scores["kind"] != "dependent") and not scores.get("unscored")

    def figures(self, outcomes: Sequence[JSON]) -> list[Figure]:
        everything, outcomes = outcomes, [o for o in outcomes if not o.get("unscored")]
        of = {kind: [o for o in outcomes if o["kind"] == kind] for kind in ("single", "parallel", "refusal")}
        asked = of["single"] + of["parallel"]
        dependent = [o for o in outcomes if o["kind"] == "dependent"]
        repaired = [bool(o.get("repaired")) for o in asked + of["refusal"]]
        rates: list[tuple[str, list[bool]]] = [
            ("call_exact", [o["right"] for o in asked + of["refusal"]]),
            ("call_exact_single", [o["right"] for o in of["single"]]),
            ("call_exact_parallel", [o["right"] for o in of["parallel"]]),
            ("refusal_right", [o["right"] for o in of["refusal"]]),
            ("refusal_false", [o["refused"] for o in asked]),
            ("function_right", [o["functions_right"] for o in asked]),
            ("dependent_exact", [o["right"] for o in dependent]),
            ("dependent_first_exact", [o["turns_right"] > 0 for o in dependent]),
            ("unreadable", [o["unreadable"] for o in outcomes]),
            ("repaired", repaired if any(repaired) else []),
            ("unscored", [bool(o.get("unscored")) for o in everything if len(outcomes) < len(everything)]),
        ]
        found = [Figure(name, i) for name, hits in rates if (i := wilson(sum(hits), len(hits)))]
        arguments = ratio_of_sums([o["arguments_right"] for o in asked], [o["arguments_total"] for o in asked])
        return [*found, Figure("argument_accuracy", arguments)] if arguments else found


def solve_first_turn(row: JSON, setting: Setting) -> Conversation:
    request = setting.ask([Message(role="user", content=row["query"])])
    reply = yield request
    expected = as_calls(row["calls"])
    if not_answered(reply):
        return _unscored(row["kind"], [turn_record(request, reply, expected)])
    match = compare_calls(
        expected, reply.calls, setting.toolbox, now=row["now"], accept=[as_calls(a) for a in row["accept"]]
    )
    # An answer that could not be read has no calls either; it is not a refusal.
    readable = reply.problem is None
    scores = {
        "kind": row["kind"],
        "refused": readable and not reply.calls,
        "unreadable": not readable,
        "repaired": readable and read_calls(reply.text, least=STRICT).problem is not None,
        "functions_right": readable and match.functions_right,
        "arguments_right": match.arguments_right,
        "arguments_total": match.arguments_total,
    }
    reasons = [*([reply.problem] if reply.problem else []), *match.reasons]
    return Outcome(readable and match.exact, scores, reasons, [turn_record(request, reply, expected)])


def _unscored(kind: str, transcript: list[JSON], why: str = "") -> Outcome:
    """A prompt that did not fit, an endpoint that failed, a call that is not run: not the model's answer, and not a
    refusal."""
    scores = {"kind": kind, "unscored": True, "refused": False, "unreadable": False, "functions_right": False}
    scores |= {"arguments_right": 0, "arguments_total": 0, "turns_right": 0}
    return Outcome(False, scores, [why or f"not answered: {transcript[-1]['problem']}"], transcript)


def solve_dependent(row: JSON, setting: Setting) -> Conversation:
    """A right call of each turn is executed, its result goes to the model, and so on to the last call. An
    alternative in ``accept`` has to be followed from its first call to its last."""
    paths = [as_calls(row["calls"]), *(as_calls(a) for a in row["accept"])]
    messages = [Message(role="user", content=row["query"])]
    transcript: list[JSON] = []
    done: list[ToolCall] = []
    reasons: list[str] = []
    unreadable = False
    for turn in range(len(paths[0])):
        request = setting.ask(messages)
        reply = yield request
        transcript.append(turn_record(request, reply, [path[turn] for path in paths if len(path) > turn][:1]))
        if not_answered(reply):
            return _unscored(row["kind"], transcript)
        unreadable = reply.problem is not None
        paths, why = _paths_followed(paths, turn, reply, row, setting)
        if not paths:
            reasons = [f"call {turn + 1}: {reason}" for reason in why]
            break
        done.extend(reply.calls)
        if turn + 1 < len(paths[0]):
            if held := sorted({call.name for call in done} & setting.withheld):
                told = f"{held[0]} may change things elsewhere and was not called; --allow-changes calls it"
                return _unscored(row["kind"], transcript, told)
            text, problem = _execute(done, row, setting)
            if problem:
                reasons = [f"call {turn + 1} is right but its execution failed: {problem}"]
                break
            messages += [
                Message(role="assistant", content=reply.said, tool_calls=list(reply.calls)),
                Message(role="tool", name=reply.calls[0].name, content=text),
            ]
    scores = {"kind": "dependent", "turns_right": len(done), "unreadable": unreadable, "refused": False}
    return Outcome(not reasons, scores, reasons, transcript)


def _paths_followed(
    paths: list[list[ToolCall]], turn: int, reply: Reply, row: JSON, setting: Setting
) -> tuple[list[list[ToolCall]], list[str]]:
    if reply.problem is not None:
        return [], [reply.problem]
    kept: list[list[ToolCall]] = []
    why: list[str] = []
    for path in paths:
        if len(path) <= turn:
            continue
        match = compare_calls([path[turn]], reply.calls, setting.toolbox, now=row["now"])
        if match.exact:
            kept.append(path)
        elif not why:
            why = match.reasons or ["another call"]
    return kept, why or ["more calls than any right answer has"]


def _execute(calls: Sequence[ToolCall], row: JSON, setting: Setting) -> tuple[str, str | None]:
    """The result of the last call, all of them run in order in one scratch folder."""
    if setting.executor is None:
        return "", "no executor was given"
    results = setting.executor.run_sequence([(c.name, c.arguments) for c in calls], now=row["now"])
    last = results[-1] if results else None
    if last is None or last.status != "ok":
        return "", (last.error if last else None) or "no result"
    return last.text, None


def query_row(query: Query) -> JSON:
    return {
        "query": query.query,
        "now": query.now,
        "kind": query.kind,
        "calls": [plain_call(c) for c in query.calls],
        "accept": [[plain_call(c) for c in calls] for calls in query.accept],
    }


def query_of(row: Trajectory) -> Query:
    """A generated row as a query: what its assistant turns call is the right answer."""
    turns = [turn for turn in row.turns if turn]
    calls = [call for turn in turns for call in turn]
    kind: Kind = "single"
    if not calls:
        kind = "refusal"
    elif len(calls) > 1:
        kind = "dependent" if len(turns) > 1 else "parallel"
    return Query(id=row.id, query=row.request, now=row.meta.now, kind=kind, calls=calls)


def as_calls(rows: Sequence[JSON]) -> list[ToolCall]:
    return [ToolCall.of(row["name"], row["arguments"]) for row in rows]
