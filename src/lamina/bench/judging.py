"""A judge reads what a model answered: a stage of its own after the answers, in a process of its own, so that one model
is in memory at a time. Verdicts are rows of the run's store under the judge and the question, so the same answer is
judged once, also where another model gave it, and a killed bench goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from lamina.bench.asked import SLOTS, Ask, BenchModel, BenchSettings, stored
from lamina.bench.identity import fingerprint
from lamina.bench.tasks import BROKEN, Conversation, Outcome, Task
from lamina.bench.tasks.judged import Judging, Question, Verdict, read_verdict
from lamina.bench.tasks.written import HALF
from lamina.bench.workers import ask_worker
from lamina.errors import UserError
from lamina.models.model import Request
from lamina.models.references import usual_context
from lamina.runs import Progress, Row, Run
from lamina.tools.tool import JSON
from lamina.trajectories import Message, content_id

VERDICT_TOKENS = 256
"""A reason of ``judged.LONGEST_REASON`` characters, the verdict, and some air."""


def check_judged(tasks: Sequence[Task], judge: str | None) -> None:
    """Raises UserError where a task has no score without a judge and there is none, or none of them asks one."""
    for task in tasks:
        judging = judging_of(task)
        if judge is None and judging is not None and judging.needed:
            raise UserError(f"the task {task.name!r} has no score without a judge; name a model with --judge")
    if judge is not None and not any(judging_of(task) for task in tasks):
        raise UserError("none of these tasks asks a judge; leave --judge out")


def judging_of(task: Task) -> Judging | None:
    found: Judging | None = getattr(task, "judging", None)
    return found


@dataclass(frozen=True)
class _Case:
    """One answered sample and the keys of its questions."""

    ask: Ask
    judging: Judging
    keys: Sequence[str]


def judge_answers(
    judge: str | None,
    model: BenchModel,
    asks: Sequence[Ask],
    records: dict[str, JSON],
    run: Run,
    settings: BenchSettings,
    progress: Progress,
) -> JSON | None:
    """Has ``judge`` read what ``model`` answered, and writes the verdicts into ``records`` and their rows of the store:
    more ``scores``, ``right``, and ``judgements``; without a judge an earlier one's verdicts come out of them. How the
    judge failed, if it did: ``{"stage", "detail"}``; what it had not read by then has no verdict, good or bad."""
    if judge is None:
        _take_out(asks, records, run)
        return None
    questions: dict[str, Question] = {}
    cases: list[_Case] = []
    identity = fingerprint(judge)
    for ask in asks:
        judging = judging_of(ask.task)
        if judging is not None and ask.key in records and not records[ask.key]["scores"].get(BROKEN):
            asked = [(_key(identity, question), question) for question in judging.ask(records[ask.key])]
            questions |= dict(asked)
            cases += [_Case(ask, judging, [key for key, _ in asked])] if asked else []
    silent: dict[str, str] = {}
    crash = _ask_judge(judge, f"judge {model.name}", questions, run, settings, progress, silent)
    verdicts = {key: _verdict(run, key, question) for key, question in questions.items()}
    position = {ask.key: i for i, ask in enumerate(asks)}
    for case in cases:
        if crash and any(run.store.get("judgement", key) is None for key in case.keys):
            record = _unjudged(records[case.ask.key])
        else:
            why = next((silent[key] for key in case.keys if key in silent), None)
            record = _judged(case, records[case.ask.key], [verdicts[key] for key in case.keys], judge, why)
        records[case.ask.key] = record
        run.store.replace(Row("sample", case.ask.key, position[case.ask.key], orjson.dumps(record)))
    return crash


def _take_out(asks: Sequence[Ask], records: dict[str, JSON], run: Run) -> None:
    for position, ask in enumerate(asks):
        if "unjudged" in records.get(ask.key, {}):
            records[ask.key] = record = _unjudged(records[ask.key])
            run.store.replace(Row("sample", ask.key, position, orjson.dumps(record)))


def _unjudged(record: JSON) -> JSON:
    before: JSON = record.get("unjudged", {})
    return {key: value for key, value in record.items() if key not in ("unjudged", "judgements")} | before


def _key(identity: str, question: Question) -> str:
    return content_id("judgement", identity, question.system, question.prompt, question.schema)


def _ask_judge(
    judge: str,
    stage: str,
    questions: dict[str, Question],
    run: Run,
    settings: BenchSettings,
    progress: Progress,
    silent: dict[str, str],
) -> JSON | None:
    """How the judge failed, if it did. What it gave no answer to comes into ``silent``, by key, with the reason, and is
    asked again by the next command."""
    missing = {key: question for key, question in questions.items() if run.store.get("judgement", key) is None}
    with progress.stage(stage, total=len(questions)) as bar:
        if len(questions) > len(missing):
            bar.advance(len(questions) - len(missing))
        if not missing:
            return None
        for event in ask_worker(_job(judge, missing, settings), silence_seconds=settings.silence_seconds):
            if event["event"] == "judgement":
                bar.advance()
                if not event["text"] and event["problem"] is not None:
                    silent[event["key"]] = event["problem"]
                else:
                    row = {"judge": judge, "prompt": missing[event["key"]].prompt, "text": event["text"]}
                    run.store.put([Row("judgement", event["key"], run.store.count("judgement"), orjson.dumps(row))])
            elif event["event"] == "failed":
                run.log("judge crashed", judge=judge, stage=event["stage"], detail=event["detail"])
                return {"stage": f"judge: {event['stage']}", "detail": event["detail"]}
    if silent:
        first = next(iter(silent.values()))
        progress.say(f"{stage}: {len(silent)} of {len(missing)} questions were not answered ({first})")
        run.log("judge silent", judge=judge, questions=len(silent), detail=first)
    return None


def _verdict(run: Run, key: str, question: Question) -> Verdict | None:
    row = stored(run, "judgement", key)
    return None if row is None else read_verdict(row["text"], question.schema)


def _judged(
    case: _Case, record: JSON, verdicts: Sequence[Verdict | None], judge: str, silent: str | None = None
) -> JSON:
    """The record with what the verdicts add; ``unjudged`` keeps what it was, so that it can be judged again.
    ``silent``: why the judge did not answer."""
    before = record.get("unjudged") or {key: record[key] for key in ("scores", "right", "reasons")}
    said = {"unjudged": before, "judgements": [{"judge": judge, "verdict": verdict} for verdict in verdicts]}
    readable = [verdict for verdict in verdicts if verdict is not None]
    if len(readable) < len(verdicts):
        why = f"the judge did not answer: {silent}" if silent else "the judge's answer is not a verdict"
        reasons = [why] if case.judging.needed else before["reasons"]
        return record | before | said | {"reasons": reasons, "scores": before["scores"] | {"judge_unreadable": True}}
    added = dict(case.judging.score(record | before, readable))
    if not case.judging.needed:
        return record | before | said | {"scores": before["scores"] | added}
    right = float(added[case.ask.task.paired_metric]) >= HALF
    return record | said | {"right": right, "reasons": [], "scores": before["scores"] | added | {"unscored": False}}


def _job(judge: str, questions: dict[str, Question], settings: BenchSettings) -> JSON:
    asked = [{"key": key, "system": q.system, "prompt": q.prompt, "schema": q.schema} for key, q in questions.items()]
    return {
        "mode": "judge",
        "ref": judge,
        "style": "plain",
        "system": None,
        "copied": None,
        "max_tokens": VERDICT_TOKENS,
        "threads": settings.threads,
        "slots": settings.slots,
        "context": settings.context or usual_context(judge, SLOTS),
        "sandbox": settings.sandbox,
        "execute": False,
        "tools": [],
        "groups": [],
        "questions": asked,
    }


def verdict_conversation(question: dict[str, Any], max_tokens: int) -> Conversation:
    """In the worker: one question, greedily, held to its schema; the outcome's scores are ``text`` and ``problem``."""
    said = [Message(role="system", content=question["system"]), Message(role="user", content=question["prompt"])]
    reply = yield Request(said, constraint=question["schema"], max_tokens=max_tokens)
    return Outcome(True, {"text": reply.text, "problem": reply.problem})
