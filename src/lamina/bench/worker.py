"""The process in which ONE model is benched, so that a crash, a leak or a full memory costs that model alone
and peak memory is that of the engine. Started as ``python -m lamina.bench.worker``.

One JSON job comes in on the first line of standard input; JSON events go out, one a line, on standard output:

    {"event": "loaded", "seconds"}                  {"event": "sample", "key", "record"}
    {"event": "asking", "key", "turn"}: what is asked alone (``crashes``)
    {"event": "judgement", "key", "text", "problem"}
    {"event": "speed", …}                           {"event": "timed", "key", "row"}
    {"event": "machine", …}                         {"event": "failed", "stage", "detail"}
    {"event": "done", "peak_rss_bytes"}             {"event": "progress"}, {"event": "busy"}: signs of life (``pulse``)
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from lamina.bench.driving import drive, sample_record
from lamina.bench.pulse import BEAT_SECONDS, Pulse
from lamina.bench.tasks import Conversation, Outcome, Sample, Setting, open_task
from lamina.bench.tasks.task import turn_record
from lamina.errors import PromptError
from lamina.models.model import Reply
from lamina.tools.targets import target_as_json, target_from_json
from lamina.tools.tool import JSON, Tool, Toolbox
from lamina.trajectories.trajectory import json_line

PLAYED_TOKENS = 8192
"""What a conversation of many turns with its functions comes to (our choice; most of BFCL's stay below)."""


def event_line(event: JSON) -> bytes:
    """Engines measure in NumPy's numbers; models write integers of any length."""
    try:
        return orjson.dumps(event, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:
        return json_line(event)


def main() -> int:
    events = _claim_stdout()
    job = orjson.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    stage, writing = "load", threading.Lock()

    def emit(event: str, **fields: Any) -> None:
        line = event_line({"event": event, **fields}) + b"\n"
        with writing:
            events.write(line)
            events.flush()

    try:
        with ExitStack() as stack:
            pulse = Pulse(emit, job.get("beat_seconds", BEAT_SECONDS))
            stack.callback(pulse.stop)
            setting = _setting(job, stack)
            began = time.perf_counter()
            model = _open(job)
            stack.callback(model.close)
            if hasattr(model, "on_progress"):
                model.on_progress = pulse.beat
            emit("loaded", seconds=time.perf_counter() - began)
            stage = "generate"
            if job["mode"] == "speed":
                from lamina.bench.speed import time_requests

                asked = _first_requests(job, setting, emit)
                time_requests(model, asked, emit, in_use=job["in_use"], whole=job["whole"])
            elif job["mode"] == "judge":
                _judge(job, model, emit)
            else:
                _score(job, setting, model, emit, pulse.beat)
            emit("done", peak_rss_bytes=peak_rss_bytes())
    except Exception as error:
        stage = "prompt" if isinstance(error, PromptError) else stage
        emit("failed", stage=stage, detail=f"{type(error).__name__}: {error}")
        return 1
    return 0


def _claim_stdout() -> IO[bytes]:
    """Engines print to file descriptor 1 as they like: keep the real one, point 1 at standard error."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "wb")


def _leave_with_parent() -> None:
    """A killed parent closes our standard input; nobody is left to bench for."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(3)


def _setting(job: JSON, stack: ExitStack) -> Setting:
    """The executor starts before the model loads: its calls are forks, cheap while the memory is small."""
    toolbox = toolbox_from(job["tools"])
    executor = None
    if job["execute"]:
        from lamina.tools.execution import Limits, open_executor

        limits = Limits.of(job.get("timeout"))
        executor = stack.enter_context(open_executor(toolbox, level=job["sandbox"], limits=limits))
    changing = [tool.name for tool in toolbox if tool.target is not None and tool.target.changes_things]
    withheld = frozenset(() if job.get("allow_changes") else changing)
    return Setting(toolbox, job["style"], job["system"], job["max_tokens"], executor, withheld)


def _open(job: JSON) -> Any:
    from lamina.bench.memory_left import check_room, memory_errors
    from lamina.models import open_model

    options = {"threads": job["threads"], "slots": job["slots"], "style": job["style"]}
    options |= {key: job[key] for key in ("context", "copied") if job.get(key) is not None}
    if any(sample["row"].get("images") for group in job["groups"] for sample in group["samples"]):
        options["images"] = True  # a model that cannot see fails here, before it answers without having seen
    check_room(job["ref"], slots=job["slots"], context=job.get("context"), images="images" in options)
    with memory_errors(loading=job["ref"]):
        return open_model(job["ref"], **options)


@dataclass(frozen=True)
class _Talk:
    key: str
    row: JSON
    task: str
    conversation: Conversation
    kind: str = "plain"
    """``played``: of many turns; ``functions``: the user's stand in its prompt."""


def _conversations(job: JSON, setting: Setting) -> list[_Talk]:
    found = []
    for group in job["groups"]:
        task = open_task(group["spec"])
        kind = "played" if getattr(task, "plays", False) else "functions" if group.get("functions") else "plain"
        for row in group["samples"]:
            talk = task.solve(Sample(row["id"], row["row"]), setting)
            found.append(_Talk(row["key"], row, group["task"], talk, kind))
    return found


def _score(job: JSON, setting: Setting, model: Any, emit: Any, beat: Callable[[], object]) -> None:
    from lamina.bench.memory_left import memory_errors

    talks = _conversations(job, setting)
    about = {talk.key: talk for talk in talks}

    def on_outcome(key: str, outcome: Any) -> None:
        talk = about[key]
        emit("sample", key=key, record=sample_record(talk.task, talk.row["id"], talk.row["row"], outcome))

    with memory_errors():
        if job.get("alone"):
            drive(model, [(talk.key, _told(talk, emit)) for talk in talks], on_outcome, at_once=1, on_turn=beat)
            return
        cache_a_slot = job["slots"] > 1 and getattr(model, "context", None) is not None
        ways = {"plain": None, "functions": 1 if cache_a_slot else None, "played": played_at_once(model, job["slots"])}
        for kind, at_once in ways.items():
            some = [(talk.key, talk.conversation) for talk in talks if talk.kind == kind]
            drive(model, some, on_outcome, at_once=at_once, on_turn=beat)


def _told(talk: _Talk, emit: Any) -> Conversation:
    """The conversation, each request of which is told before it is put to the model, so that the parent knows what a
    process died of."""
    emit("asking", key=talk.key, turn=None)
    try:
        request = next(talk.conversation)
        while True:
            emit("asking", key=talk.key, turn=turn_record(request, Reply(text=""), []))
            request = talk.conversation.send((yield request))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def played_at_once(model: Any, slots: int) -> int:
    """Conversations of many turns that are open at a time: no more than fit into an engine's context together, so that
    each turn finds what was read for the turn before."""
    context = getattr(model, "context", None)
    return slots if context is None else max(1, min(slots, context // PLAYED_TOKENS))


def _judge(job: JSON, model: Any, emit: Any) -> None:
    from lamina.bench.judging import verdict_conversation

    talks = [(question["key"], verdict_conversation(question, job["max_tokens"])) for question in job["questions"]]
    drive(model, talks, lambda key, outcome: emit("judgement", key=key, **outcome.scores))


def _first_requests(job: JSON, setting: Setting, emit: Any) -> list[tuple[str, Any]]:
    """The key of each sample and its first request. One that its task cannot ask is told as timed, with the reason."""
    from lamina.bench.speed import untimed_row

    found = []
    for talk in _conversations(job, setting):
        try:
            found.append((talk.key, next(talk.conversation)))
        except Exception as error:  # whatever a task of the user's raises
            if job["whole"]:
                emit("timed", key=talk.key, row=untimed_row(f"not asked: {type(error).__name__}: {error}"))
    return found


def peak_rss_bytes() -> int | None:
    """This process's largest resident set. ``VmHWM`` on Linux: ``ru_maxrss`` counts the parent's memory from
    before the exec too."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def toolbox_rows(toolbox: Toolbox) -> list[JSON]:
    return [
        {
            "tool": tool.as_openai(),
            "target": target_as_json(tool.target),
        }
        for tool in toolbox
    ]


def toolbox_from(rows: list[JSON]) -> Toolbox:
    tools = []
    for row in rows:
        bare = Tool.from_openai(row["tool"])
        tools.append(Tool(bare.name, bare.description, bare.parameters, target_from_json(row["target"])))
    return Toolbox(tools)


if __name__ == "__main__":
    sys.exit(main())
