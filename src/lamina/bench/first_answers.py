"""What a model answered to the first request of every sample, for whoever compares models answer by answer."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.bench.asked import BenchModel, BenchSettings, ask_of, stored
from lamina.bench.asking import answer_all
from lamina.bench.identity import fingerprint
from lamina.bench.tasks import Task
from lamina.errors import WorkFailedError
from lamina.models.model import Reply, Request
from lamina.runs import Progress, Run
from lamina.tools.tool import Toolbox
from lamina.trajectories import Message, ToolCall


def first_answers(
    model: BenchModel,
    tasks: Sequence[Task],
    *,
    run: Run,
    toolbox: Toolbox,
    settings: BenchSettings | None = None,
    progress: Progress | None = None,
) -> list[tuple[Request, Reply]]:
    """What ``model`` answered to the first request of every sample, in order: from the store, where a bench of
    the same tasks finds it again. Raises WorkFailedError where the model crashed."""
    settings, progress = settings or BenchSettings(), progress or Progress(silent=True)
    identity = fingerprint(model.ref)
    asks = [ask_of(identity, task, sample, toolbox, model, settings) for task in tasks for sample in task.samples()]
    crash = answer_all(model, asks, run, toolbox, settings, progress)
    if crash:
        what = f"{model.name} crashed at {crash['stage']}: {crash['detail']}"
        raise WorkFailedError(f"{what}; the same command goes on with the next sample")
    answers = []
    for ask in asks:
        record = stored(run, "sample", ask.key)
        assert record is not None, "every sample has been answered"
        first = record["transcript"][0]
        asked = Request([Message.model_validate(m) for m in first["messages"]], tools=toolbox, style=model.style)
        calls = [ToolCall.of(call["name"], call["arguments"]) for call in first["calls"]]
        said = first.get("said", "")
        answers.append((asked, Reply(text=first["answer"], calls=calls, problem=first["problem"], said=said)))
    return answers
