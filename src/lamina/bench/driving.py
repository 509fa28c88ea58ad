"""Keeps a model busy with many conversations at once, whatever their number of turns.

Conversations go in waves: all requests that are ready are handed to the model together (its slots run them
side by side), each verdict is passed on the moment it is known, and those that asked again form the next
wave. Long conversations are better off few at a time (``at_once``): what a slot has read of one stays in its
cache, and what has ended is stored while others have not begun.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from lamina.bench.intervals import wilson
from lamina.bench.tasks import BROKEN, Conversation, Figure, Outcome, Setting, Task
from lamina.bench.tasks.own import OwnTask
from lamina.bench.tasks.task import turn_record
from lamina.errors import LaminaError
from lamina.models.continuations import score_requests
from lamina.models.model import Model, PromptStyle, Reply, Request, Scorer, TellsPrompts
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories import Query

Answer = Callable[[Sequence[Request], Callable[[int, Reply], None]], list[Reply]]


def drive(
    model: Model,
    conversations: Iterable[tuple[str, Conversation]],
    on_outcome: Callable[[str, Outcome], None],
    *,
    at_once: int | None = None,
    on_turn: Callable[[], object] | None = None,
) -> None:
    """Runs every ``(key, conversation)`` to its end. ``on_outcome`` is called once for each, in the order in
    which they end, never from two threads at once. A conversation that raises, by what the task asks or scores, has an
    outcome that says so (``broken_outcome``) and the others go on; errors of the model are raised. ``at_once``: so many
    are open at a time, and the next begins when one ends (None: all are). ``on_turn`` is called at each answer."""
    waiting: list[tuple[str, Conversation, Request]] = []
    coming = iter(conversations)
    tell = model.prompt_for if isinstance(model, TellsPrompts) else None
    errors: list[Exception] = []

    def step(key: str, conversation: Conversation, turn: tuple[Request, Reply] | None) -> None:
        if turn is not None and on_turn is not None:
            on_turn()
        try:
            if turn is not None and tell is not None:
                turn = turn[0], with_prompt(turn[1], turn[0], tell)
            request = next(conversation) if turn is None else conversation.send(turn[1])
        except StopIteration as end:
            on_outcome(key, end.value)
        except Exception as error:
            on_outcome(key, broken_outcome(error, turn))
        else:
            waiting.append((key, conversation, request))

    def open_more() -> None:
        while at_once is None or len(waiting) < at_once:
            opened = next(coming, None)
            if opened is None:
                return
            step(*opened, None)

    open_more()
    while waiting:
        wave, waiting = waiting, []
        take = _taker(wave, step, errors)
        for indexes, answer in _ways(model, [request for _, _, request in wave]):
            on_reply = partial(_take_at, take, indexes)
            for place, reply in enumerate(answer([wave[i][2] for i in indexes], on_reply)):
                on_reply(place, reply)
        if errors:
            raise errors[0]
        open_more()


def with_prompt(reply: Reply, request: Request, tell: Callable[[Request], str]) -> Reply:
    """The reply with what was sent for it, where that can be said and is not in the request already."""
    if request.raw_prompt is not None or reply.sent is not None:
        return reply
    try:
        return replace(reply, sent=tell(request))
    except Exception:  # a prompt that cannot be rendered is the reply's problem, and said there
        return reply


def broken_outcome(error: Exception, turn: tuple[Request, Reply] | None) -> Outcome:
    """Of a sample that could not be asked or scored by a fault of the task: unscored, with the reason and what the
    model had answered."""
    said = str(error) if isinstance(error, LaminaError) else f"{type(error).__name__}: {error}"
    asked = [turn_record(*turn, [])] if turn is not None else []
    return Outcome(False, {"unscored": True, BROKEN: True}, [f"not scored: {said}"], asked)


def _ways(model: Model, requests: Sequence[Request]) -> list[tuple[list[int], Answer]]:
    """Which of the requests are answered by the likelihoods of their continuations, and which by writing. A choice that
    a grammar holds an answer to as well is compared where the model can do it, which is the same choice and faster.
    Comparing reads text alone: what is asked about an image is written."""
    can = isinstance(model, Scorer)
    scored = [i for i, r in enumerate(requests) if r.continuations and (r.grammar is None or (can and not r.images))]
    written = sorted(set(range(len(requests))) - set(scored))
    # written first: a model that cannot compare raises there, and what it can do is done by then
    ways: list[tuple[list[int], Answer]] = [(written, model.generate), (scored, partial(score_requests, model))]
    return [(indexes, answer) for indexes, answer in ways if indexes]


def _take_at(take: Callable[[int, Reply], None], indexes: Sequence[int], place: int, reply: Reply) -> None:
    take(indexes[place], reply)


def _taker(
    wave: Sequence[tuple[str, Conversation, Request]],
    step: Callable[[str, Conversation, tuple[Request, Reply] | None], None],
    errors: list[Exception],
) -> Callable[[int, Reply], None]:
    """Takes each reply of a wave once, whether it comes by callback, from whatever thread, or in the list."""
    answered: set[int] = set()
    lock = threading.Lock()

    def take(index: int, reply: Reply) -> None:
        with lock:
            if index in answered:
                return
            answered.add(index)
            key, conversation, request = wave[index]
            try:
                step(key, conversation, (request, reply))
            except Exception as error:  # a backend may swallow what its callback raises
                errors.append(error)

    return take


def score_queries(
    model: Model,
    queries: Sequence[Query],
    toolbox: Toolbox,
    style: PromptStyle,
    executor: object = None,
    *,
    system: str | None = None,
    max_tokens: int = 256,
) -> tuple[list[JSON], list[JSON]]:
    """Scores an open model in this process: ``(rows, samples)``, rows without model and precision.
    ``executor`` is needed where a query is ``dependent``. Samples are in the order of ``queries``."""
    task = OwnTask(queries=queries)
    setting = Setting(toolbox, style, system, max_tokens, executor)
    found: dict[str, Outcome] = {}
    samples = task.samples()
    keyed = [(str(i), task.solve(sample, setting)) for i, sample in enumerate(samples)]
    drive(model, keyed, lambda key, outcome: found.__setitem__(key, outcome))
    records = [sample_record(task.name, sample.id, sample.row, found[str(i)]) for i, sample in enumerate(samples)]
    return figure_rows(task, records), records


def sample_record(task: str, sample: str, row: JSON, outcome: Outcome) -> JSON:
    return {
        "task": task,
        "sample": sample,
        "row": row,
        "right": outcome.right,
        "scores": outcome.scores,
        "reasons": outcome.reasons,
        "transcript": outcome.transcript,
    }


def figure_rows(task: Task, records: Sequence[JSON], model: str = "", precision: str = "") -> list[JSON]:
    """The contract's rows ``{"model", "precision", "task", "metric", "value", "low", "high", "n"}``, with ``span``
    where a figure has one."""
    broken = sum(bool(record["scores"].get(BROKEN)) for record in records)
    outcomes = [{**r["scores"], "right": r["right"]} for r in records if not r["scores"].get(BROKEN)]
    figures = task.figures(outcomes) if outcomes else []
    if broken:  # a task's own figures know nothing of them
        unscored = broken + sum(bool(outcome.get("unscored")) for outcome in outcomes)
        share = wilson(unscored, len(records))
        figures = [figure for figure in figures if figure.metric != "unscored"]
        figures += [Figure("unscored", share)] if share else []
    return [
        {
            "model": model,
            "precision": precision,
            "task": task.name,
            "metric": figure.metric,
            "value": figure.interval.value,
            "low": figure.interval.low,
            "high": figure.interval.high,
            "n": figure.interval.n,
            **({"span": list(figure.span)} if figure.span else {}),
        }
        for figure in figures
    ]
