"""Scoring anew what was answered: where only a user's ``score`` has changed, no model has to be asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from lamina.bench.asked import Ask, BenchModel
from lamina.bench.crashes import has_crashed, is_settled
from lamina.bench.driving import broken_outcome, sample_record
from lamina.bench.keeping import ASIDE
from lamina.bench.tasks import Outcome, Setting
from lamina.models.model import Reply
from lamina.runs import Row, Run
from lamina.tools.tool import JSON, Toolbox


def rescore(
    model: BenchModel, asks: Sequence[Ask], known: Mapping[str, JSON], run: Run, toolbox: Toolbox, max_tokens: int
) -> dict[str, int]:
    """Stores those of ``asks`` whose answer stands in ``known`` (records by ``Ask.asked``), scored by the task as it is
    now; how many of each task."""
    found: dict[str, int] = {}
    setting = Setting(toolbox, model.style, model.system, max_tokens)
    for position, ask in enumerate(asks):
        before = known.get(ask.asked or "")
        if before is None or run.store.get("sample", ask.key) is not None:
            continue
        if has_crashed(before):  # whatever scores it, its process ended
            kept = before | {"model": model.label, "precision": model.precision}
            run.store.put([Row("sample", ask.key, position, orjson.dumps(kept))])
            continue
        outcome = _outcome(ask, before, setting)
        if outcome is not None:
            record = sample_record(ask.task.name, ask.sample.id, ask.sample.row, outcome)
            record |= {"asked": ask.asked, "model": model.label, "precision": model.precision}
            run.store.put([Row("sample", ask.key, position, orjson.dumps(record))])
            found[ask.task.name] = found.get(ask.task.name, 0) + 1
    return found


def answers_aside(run: Run, wanted: set[str]) -> dict[str, JSON]:
    """Of the samples that were laid aside, those with an answer to what is ``wanted`` (``Ask.asked``), or on which the
    model crashed. Not those whose scoring broke: whether their answer was cut was not kept."""
    found: dict[str, JSON] = {}
    for row in run.store.iterate(f"sample-{ASIDE}") if wanted else ():
        record = orjson.loads(row.payload)
        if record.get("asked") in wanted and is_settled(record):
            found[record["asked"]] = record
    return found


def _outcome(ask: Ask, before: JSON, setting: Setting) -> Outcome | None:
    """What the task makes of the answers; None where it asks for more of them."""
    conversation = ask.task.solve(ask.sample, setting)
    turn = None
    try:
        request = next(conversation)
        for said in before["transcript"]:
            turn = (
                request,
                Reply(
                    text=said["answer"],
                    said=said.get("said", ""),
                    problem=said["problem"],
                    repairs=tuple(said.get("repairs", ())),
                    confidence=said.get("confidence"),
                    prompt_tokens=said["prompt_tokens"],
                    completion_tokens=said["completion_tokens"],
                    truncated=bool(before["scores"].get("cut")),
                    sent=said.get("sent"),
                ),
            )
            request = conversation.send(turn[1])
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    except Exception as error:
        return broken_outcome(error, turn)
    return None
