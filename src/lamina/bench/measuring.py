"""Speed and memory of each model, in fresh processes with one slot, when all of them have answered.

Models take turns: a round times each of them once, in an order that the seed draws, so that a machine that gets warm
or busy does not fall to the same model every time. A round is stored whole; a killed bench does the one it was in
again."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import mean, median
from typing import Any

import orjson

from lamina.bench.asked import Ask, BenchModel, BenchSettings, stored
from lamina.bench.identity import size_bytes
from lamina.bench.jobs import job_of
from lamina.bench.keeping import Place
from lamina.bench.throttling import throttled
from lamina.bench.timing import timing_figures
from lamina.bench.workers import ask_worker
from lamina.models.references import runs_elsewhere
from lamina.runs import Progress, Row, Run
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories import content_id

ELSEWHERE = "the model runs behind an endpoint, where this machine cannot look"
STEP = 256
"""Tokens by which the context of a timed engine grows."""


@dataclass(frozen=True)
class Timed:
    """A model that has answered everything, and what it was asked. ``prompts``: tokens of each first prompt, by the key
    of its ask."""

    model: BenchModel
    identity: str
    asks: Sequence[Ask]
    prompts: Mapping[str, int] = field(default_factory=dict)

    def sound(self) -> set[tuple[str, str]]:
        """What it was asked, by the names of task and sample, which are the same for every model."""
        return {(ask.task.name, ask.sample.id) for ask in self.asks}

    def probes(self, settings: BenchSettings) -> Sequence[Ask]:
        """Those that are timed: the first ones, or, where rounds give figures by prompt length, some of every task."""
        most, n = settings.timing_samples, len(self.asks)
        if not settings.repeats or n <= most:
            return self.asks[:most]
        return [self.asks[i * n // most] for i in range(most)]

    def context(self, settings: BenchSettings) -> int | None:
        """Of the timed engine: its own choice for one request, or more where a prompt that was answered needs more."""
        from lamina.models.llamacpp import default_context

        longest = max((self.prompts.get(ask.key, 0) for ask in self.probes(settings)), default=0)
        needed = -(-(longest + settings.max_tokens) // STEP) * STEP
        return settings.context if settings.context or needed <= default_context(slots=1) else needed

    def key(self, settings: BenchSettings) -> str:
        """Of what all the rounds come to."""
        return self._key(settings, settings.repeats)

    def rounds_key(self, settings: BenchSettings) -> str:
        """Of one round, which is the same however many follow."""
        return self._key(settings, min(settings.repeats, 1))

    def _key(self, settings: BenchSettings, repeats: int) -> str:
        probes = [ask.answer_key for ask in self.probes(settings)]
        rounds = (repeats,) if repeats else ()
        return content_id("resource", self.identity, probes, settings.threads, settings.context, *rounds)


def timed_alike(timed: Sequence[Timed]) -> tuple[list[Timed], bool]:
    """The models with the asks that every one of them answered, so that all are timed on the same prompts: a sample on
    which one crashed, or a task that one cannot do, is timed for none. Each with its own, and False, where no ask is
    left."""
    answered = [one.sound() for one in timed if one.asks]
    shared = set.intersection(*answered) if answered else set()
    if not shared:
        return list(timed), len(answered) < 2
    return [
        replace(one, asks=[ask for ask in one.asks if (ask.task.name, ask.sample.id) in shared]) for one in timed
    ], True


def prompt_sizes(records: Mapping[str, JSON]) -> dict[str, int]:
    """Tokens of the first prompt of each answered sample, by its key; 0 where its task keeps none."""
    first = {key: (record["transcript"] or [{}])[0] for key, record in records.items()}
    return {key: turn.get("prompt_tokens") or 0 for key, turn in first.items()}


def measure_all(
    timed: Sequence[Timed], run: Run, toolbox: Toolbox, settings: BenchSettings, progress: Progress
) -> Iterator[tuple[BenchModel, JSON]]:
    """Each model with its resources, in the order given; from the store where they were measured before. A model that
    crashes while it is timed has ``{"crash": {"stage", "detail"}}`` in their place."""
    waiting = [t for t in timed if t.probes(settings) and stored(run, "resource", t.key(settings)) is None]
    crashed = _run_rounds(waiting, run, toolbox, settings, progress)
    for one in waiting:
        if one.model.name not in crashed:
            resource = _resource(one, run, settings)
            row = Row("resource", one.key(settings), run.store.count("resource"), orjson.dumps(resource))
            run.store.put([row])
    for one in timed:
        model = one.model
        measured = stored(run, "resource", one.key(settings)) if one.probes(settings) else None
        if model.name in crashed:
            yield model, {"crash": crashed[model.name]}
        elif measured is not None:
            yield model, {"model": model.label, "precision": model.precision, "style": model.style} | measured


def timing_places(timed: Sequence[Timed], run: Run, settings: BenchSettings) -> dict[str, Place]:
    """The ids of all timings that these models may have, and how the models are called."""
    return {
        _timing_id(_round_base(one, number, run, settings), ask, number): Place(
            None, one.model.label, one.model.precision
        )
        for one in timed
        for number in range(1, max(1, settings.repeats) + 1)
        for ask in one.probes(settings)
    }


def turns(names: Sequence[str], rounds: int, seed: int) -> list[tuple[int, str]]:
    """``(round, name)``: each round has every name once. Of as many rounds as there are names, each name has every
    place once (a Latin square: the rotations of an order that the seed draws, in an order that it draws too)."""
    chance = random.Random(seed)
    orders: list[list[str]] = []
    while names and len(orders) < rounds:
        first = chance.sample(list(names), len(names))
        square = [first[i:] + first[:i] for i in range(len(first))]
        orders += chance.sample(square, len(square))
    return [(number, name) for number, order in enumerate(orders[:rounds], 1) for name in order]


def _run_rounds(
    waiting: Sequence[Timed], run: Run, toolbox: Toolbox, settings: BenchSettings, progress: Progress
) -> dict[str, JSON]:
    """The models that crashed by name, and how."""
    by_name = {one.model.name: one for one in waiting}
    plan = turns(list(by_name), max(1, settings.repeats), settings.seed)
    crashed: dict[str, JSON] = {}
    if not plan:
        return crashed
    with progress.stage("time", total=len(plan)) as bar:
        for place, (number, name) in enumerate(plan, 1):
            one = by_name[name]
            if name not in crashed and _stored_round(one, number, run, settings) is None:
                if settings.cool_down_seconds:  # before the first one too: it comes right after all the answers
                    time.sleep(settings.cool_down_seconds)
                crash = _one_round(one, number, place, run, toolbox, settings)
                if crash:
                    crashed[name] = crash
            bar.advance(model=name)
    return crashed


def _one_round(one: Timed, number: int, place: int, run: Run, toolbox: Toolbox, settings: BenchSettings) -> JSON | None:
    """Times the model once and stores the round, whole or not at all; how it crashed, if it did."""
    model, asks = one.model, {ask.key: ask for ask in one.probes(settings)}
    more: JSON = {"in_use": number == 1, "whole": settings.repeats > 0}
    roomy = replace(settings, context=one.context(settings))
    job = job_of("speed", model, list(asks.values()), toolbox, roomy, slots=1, **more)
    found: JSON = {"round": number, "place": place}
    base = one.rounds_key(settings)
    rows: list[Row] = []
    for event in ask_worker(job, silence_seconds=settings.silence_seconds):
        kind, told = event["event"], {k: v for k, v in event.items() if k != "event"}
        if kind == "failed":
            run.log("timing crashed", model=model.name, round=number, **told)
            return {"stage": "timing", "detail": f"at {told['stage']}: {told['detail']}"}
        if kind == "timed":
            ask = asks[told["key"]]
            row = {"model": model.label, "precision": model.precision, "task": ask.task.name, "sample": ask.sample.id}
            row |= {"round": number, "place": place} | told["row"]
            id = _timing_id(base, ask, number)
            rows.append(Row("timing", id, place * len(asks) + len(rows), orjson.dumps(row)))
        elif kind == "loaded":
            found["load_seconds"] = told["seconds"]
        elif kind == "machine":
            found["machine"] = _unseen(told) if runs_elsewhere(model.ref) else told
        else:
            found |= {"speed": told} if kind == "speed" else told
    run.store.put([*rows, Row("round", _round_id(base, number), place, orjson.dumps(found))])
    return None


def _stored_round(one: Timed, number: int, run: Run, settings: BenchSettings) -> JSON | None:
    return stored(run, "round", _round_id(_round_base(one, number, run, settings), number))


def _round_base(one: Timed, number: int, run: Run, settings: BenchSettings) -> str:
    """What a round and its timings are stored under. Runs of before had the number of all rounds in it."""
    old = one.key(settings)
    return old if run.store.get("round", _round_id(old, number)) else one.rounds_key(settings)


def _round_id(base: str, number: int) -> str:
    return content_id("round", base, number)


def _timing_id(base: str, ask: Ask, number: int) -> str:
    return content_id("timing", base, ask.answer_key, number)


def _resource(one: Timed, run: Run, settings: BenchSettings) -> JSON:
    """The pass in use under its own names, then what the rounds gave."""
    found = [_stored_round(one, n, run, settings) for n in range(1, max(1, settings.repeats) + 1)]
    rounds = [one_round for one_round in found if one_round is not None]
    bases = {r["round"]: _round_base(one, r["round"], run, settings) for r in rounds}
    ids = [_timing_id(bases[r["round"]], ask, r["round"]) for r in rounds for ask in one.probes(settings)]
    rows = [row for id in ids if (row := stored(run, "timing", id)) is not None]
    machines = [r["machine"] for r in rounds]
    ours = not runs_elsewhere(one.model.ref)
    return {
        "bytes": size_bytes(one.model.ref, any(ask.sample.row.get("images") for ask in one.probes(settings))),
        "threads": settings.threads if ours else None,
        "load_seconds": rounds[0]["load_seconds"] if ours else None,
        **rounds[0]["speed"],
        "peak_rss_bytes": max((r["peak_rss_bytes"] for r in rounds if ours and r["peak_rss_bytes"]), default=None),
        "steady_rss_bytes": _over(median, machines, "steady_rss_bytes"),
        "cpu_percent": _over(mean, machines, "cpu_percent"),
        "process_threads": _over(max, machines, "process_threads"),
        "repeats": settings.repeats,
        "cool_down_seconds": settings.cool_down_seconds,
        "throttled": [f"round {r['round']}: {why}" for r in rounds if (why := throttled(r["machine"]))],
        "places": [r["place"] for r in rounds],
        "timing": timing_figures(rows),
        "energy": _energy(machines, len(rows) or rounds[0]["speed"]["samples"] or 1),
        "machine": machines,
        **({} if ours else {"why": ELSEWHERE}),
    }


def _unseen(machine: JSON) -> JSON:
    """What was seen of this machine says nothing of a model that runs elsewhere."""
    nothing = dict.fromkeys(("memory", "cpu", "energy", "temperature", "frequency"), ELSEWHERE)
    return {**dict.fromkeys(machine), "seconds": machine["seconds"], "absent": nothing}


def _over(take: Any, machines: Sequence[JSON], name: str) -> Any:
    known = [machine[name] for machine in machines if machine[name] is not None]
    return take(known) if known else None


def _energy(machines: Sequence[JSON], requests: int) -> JSON:
    """Joules of all rounds and of one request; None, and why, where the machine does not tell."""
    joules = [machine["energy_joules"] for machine in machines]
    if any(one is None for one in joules):
        return {"joules": None, "joules_per_request": None, "why": machines[0]["absent"].get("energy")}
    source = machines[0]["energy_source"]
    return {"joules": sum(joules), "joules_per_request": sum(joules) / requests, "source": source, "why": None}
