"""Rows of sets that no rule of the verifier was tuned on: how many right ones does ``lamina data check`` reject?

    python benchmarks/verifier_strangers.py ../shared/data [--more agentdojo.jsonl] [--half held] [--show]

Sets: NESTful, API-Bank (its own dialogues, and Hammer's rows of level 2), gorilla's OpenFunctions v1, ToolTalk,
gptscript's function-calling test suite, BFCL's multi-turn base rows played with their simulators (package
``bfcl-eval``), and whatever ``--more`` has (AgentDojo's ground truth, see ``verifier_agentdojo.py``). API-Bank gets the
tools that ``lamina bench`` gives it, as its own table contradicts its dialogues; ToolTalk, whose tools are code
elsewhere, gets functions with the arguments they are called with, of any type.

Each row is in one of two halves by the first byte of SHA-256 of all that its users say: even is ``read``, whose rejects
were read for rules; odd is ``held``, of which nothing was read before the rules were done. Labels (right or faulty, by
the definition in ``docs/results/verifier.md``) are in ``verifier_strangers_read.jsonl``: of all rows of the held half
that the rules before or after rejected, and of 60 drawn from the others, from which the number of right rows follows.
To compare two versions of the rules, run it with each version's ``src`` in PYTHONPATH."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from lamina.agents.environments.bfcl_multi_turn import BfclMultiTurn, find_folders
from lamina.bench.tasks.api_bank_tools import tools_by_name
from lamina.checks import Rejection
from lamina.data import Checker
from lamina.trajectories import Message, ToolCall, Trajectory, read_trajectories

READ = Path(__file__).with_name("verifier_strangers_read.jsonl")
FILES = {
    "NESTful": "nestful/*data.json",
    "API-Bank (Hammer, level 2)": "hammer-fc/apibank_l2.json",
    "OpenFunctions v1": "gorilla-misc/gorilla_openfunctions_v1_test.json",
}
Row = tuple[str, Trajectory]


def rows_of(data: Path, more: list[Path]) -> Iterator[Row]:
    """Set and record of each row with calls, its id the set's file and its number there."""
    for name, pattern in FILES.items():
        for file in sorted(data.glob(pattern)):
            yield from ((name, record) for record in _read(file, data))
    yield from _api_bank(data)
    for file in sorted((data / "tooltalk").rglob("*.json")):
        yield from (("ToolTalk", _with_known(record)) for record in _read(file, data))
    for file in sorted((data / "fc-test-suite").glob("*.yaml")):
        yield from _gptscript(file)
    yield from _bfcl_multi_turn()
    for file in more:
        yield from _of_file(file)


def _of_file(file: Path) -> Iterator[Row]:
    yield from ((file.stem, record) for record in _read(file, file.parent))


def _read(file: Path, data: Path) -> Iterator[Trajectory]:
    for number, record in enumerate(read_trajectories(file, lambda reject: None)):
        yield record.model_copy(update={"id": f"{file.relative_to(data)}:{number}"})


def _api_bank(data: Path) -> Iterator[Row]:
    records = [r for file in sorted((data / "api-bank").rglob("*.jsonl")) for r in _read(file, data)]
    tools = tools_by_name(records, data / "api-bank")
    for record in records:
        names = dict.fromkeys([tool["function"]["name"] for tool in record.tools] + [c.name for c in record.calls])
        year = Message(role="system", content="The current year is 2023.")
        update = {"tools": [tools[n] for n in names if n in tools], "messages": [year, *record.messages]}
        yield "API-Bank", record.model_copy(update=update)


def _with_known(record: Trajectory) -> Trajectory:
    """ToolTalk's own prompt tells the model what it knows of the user: name, place, clock, token of the session."""
    known = record.meta.extra.get("metadata") or {}
    told = Message(role="system", content="\n".join(f"{k}: {v}" for k, v in known.items()))
    return next(_as_called([record.model_copy(update={"messages": [told, *record.messages]})]))


def _as_called(records: list[Trajectory]) -> Iterator[Trajectory]:
    """With a function for each name that is called, which takes what it is called with."""
    arguments: dict[str, dict[str, Any]] = {}
    for call in (call for record in records for call in record.calls):
        arguments.setdefault(call.name, {}).update({key: {} for key in call.arguments})
    tools = [
        {"type": "function", "function": {"name": n, "parameters": {"type": "object", "properties": of}}}
        for n, of in arguments.items()
    ]
    for record in records:
        yield record.model_copy(update={"tools": tools})


def _gptscript(file: Path) -> Iterator[Row]:
    for number, case in enumerate(yaml.safe_load_all(file.read_text(encoding="utf-8"))):
        wanted = [one for step in case["expected_function_calls"] for one in step.get("any_order", [step])]
        messages = [Message(role="user", content=case["prompt"])]
        for place, one in enumerate(wanted):
            call = ToolCall.of(one["name"], one.get("arguments") or {}, id=f"c{place}")
            result = str(one.get("result", ""))
            messages += [
                Message(role="assistant", tool_calls=[call]),
                Message(role="tool", name=call.name, tool_call_id=call.id, content=result),
            ]
        messages.append(Message(role="assistant", content="Done."))
        tools = [{"type": "function", "function": f} for f in case["available_functions"]]
        yield "gptscript", Trajectory(id=f"fc-test-suite/{file.name}:{number}", tools=tools, messages=messages)


def _bfcl_multi_turn() -> Iterator[Row]:
    """The right calls, one a message, each with what the simulator answers it."""
    world = BfclMultiTurn("base", find_folders())
    for task in world.tasks():
        played = world.copy()
        said = played.reset(task)
        tools = [tool.as_openai() for tool in played.functions(task, 0)]
        messages: list[Message] = []
        for turn, calls in enumerate(task.data["calls"]):
            messages.append(Message(role="user", content=task.data["requests"][turn]))
            for number, (name, arguments) in enumerate(calls):
                call = ToolCall.of(name, arguments, id=f"t{turn}c{number}")
                result = played.run(name, arguments)
                messages += [
                    Message(role="assistant", tool_calls=[call]),
                    Message(role="tool", name=name, tool_call_id=call.id, content=result),
                ]
            messages.append(Message(role="assistant", content="Done."))
            said = played.on_respond("Done.")
        assert said == "That was all.", task.id
        yield "BFCL multi-turn base", Trajectory(id=f"bfcl/{task.id}", tools=tools, messages=messages)


def half_of(record: Trajectory) -> str:
    asked = "\n".join(m.content for m in record.messages if m.role == "user")
    return "held" if hashlib.sha256(asked.encode()).digest()[0] % 2 else "read"


def distinct(rows: Iterator[Row]) -> Iterator[Row]:
    """Without rows that say and call the same as one before (Hammer's are API-Bank's with other words around)."""
    seen: set[str] = set()
    for name, record in rows:
        asked = [m.content for m in record.messages if m.role == "user"]
        key = json.dumps([asked, [[c.name, c.arguments] for c in record.calls]], sort_keys=True)
        if record.calls and key not in seen:
            seen.add(key)
            yield name, record


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if not n:
        return 0.0, 1.0
    share, more = hits / n, z * z / n
    middle = (share + more / 2) / (1 + more)
    reach = z * math.sqrt(share * (1 - share) / n + more / (4 * n)) / (1 + more)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def show(record: Trajectory, found: Rejection | None) -> None:
    why = f"{found.reason.value}: {found.detail}" if found else "passes"
    print(f"--- {record.id} | {why[:300]}")
    for message in record.messages:
        made = "".join(f" {c.name}({json.dumps(c.arguments, ensure_ascii=False)})" for c in message.tool_calls or [])
        print(f"    {message.role}: {message.content[:300]!r}{made[:500]}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data", type=Path)
    asked.add_argument(
        "--more", type=Path, action="append", default=[], metavar="FILE", help="rows in any known format"
    )
    asked.add_argument("--only-more", action="store_true", help="none but the rows of --more")
    asked.add_argument("--half", choices=("read", "held"), default="held")
    asked.add_argument("--show", action="store_true", help="print the rows that are rejected")
    asked.add_argument("--out", type=Path, metavar="FILE", help="write id, reason and detail of each row")
    given = asked.parse_args()
    read = {row["id"]: row for row in map(json.loads, READ.read_text(encoding="utf-8").splitlines())}
    checker = Checker()
    counts: dict[str, Counter[str]] = {}
    lines = []
    more = (row for file in given.more for row in _of_file(file))
    for name, record in distinct(more if given.only_more else rows_of(given.data, given.more)):
        if half_of(record) != given.half:
            continue
        found = checker.check(record).rejection
        of = counts.setdefault(name, Counter())
        of["rows"] += 1
        if found:
            of["rejected"] += 1
            of[read[record.id]["label"] if record.id in read else "not read"] += 1
            of[f"{found.stage}: {found.reason.value}"] += 1
            if given.show:
                show(record, found)
        lines.append({"id": record.id, "set": name, "reason": found.reason.value if found else "",
                      "detail": found.detail if found else ""})  # fmt: skip
    if given.out:
        given.out.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    table(counts, given.half)
    read = {line["id"]: read[line["id"]] for line in lines if line["id"] in read}
    rejected = [line["id"] for line in lines if line["reason"]]
    if given.half == "held" and read.keys() >= set(rejected):
        print(of_right_rows(len(lines), rejected, read))


def of_right_rows(rows: int, rejected: list[str], read: dict[str, Any]) -> str:
    """Right rows rejected, of about how many: those read as right among what either version rejects, and of the other
    rows the share that is right among those drawn."""
    either = [row for row in read.values() if row["drawn"] == "rejected"]
    drawn = [row for row in read.values() if row["drawn"] == "passes"]
    share = sum(row["label"] == "right" for row in drawn) / len(drawn)
    right = round(sum(row["label"] == "right" for row in either) + share * (rows - len(either)))
    wrongly = sum(read[id]["label"] == "right" for id in rejected)
    low, high = wilson(wrongly, right)
    return f"{wrongly} of some {right} right rows are rejected: {wrongly / right:.1%} ({low:.1%} to {high:.1%})"


def table(counts: dict[str, Counter[str]], half: str) -> None:
    print(f"{'half ' + half:<30}{'rows':>6}{'rejected':>10}{'right':>7}{'faulty':>8}{'not read':>10}  reasons")
    for name, of in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        row = [of.pop(key, 0) for key in ("rows", "rejected", "right", "faulty", "not read")]
        print(f"{name:<30}{row[0]:>6}{row[1]:>10}{row[2]:>7}{row[3]:>8}{row[4]:>10}  {dict(of.most_common())}")


if __name__ == "__main__":
    main()
