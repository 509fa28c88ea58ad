"""Timing comes after all answers, in rounds of which each is stored whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench import BenchModel, BenchSettings, bench_models, benching, measuring, open_task, worker
from lamina.bench.asked import Ask
from lamina.bench.tasks import Sample
from lamina.bench.timing import timing_figures
from lamina.models import Request
from lamina.runs import Progress, Row
from lamina.trajectories import Message

TWICE = BenchSettings(slots=2, timing_samples=2, repeats=2)


def bench(desk: SimpleNamespace, *models: BenchModel, settings: BenchSettings = TWICE) -> dict[str, Any]:
    tasks = [open_task(f"own:{desk.queries}")]
    return bench_models(models, tasks, run=desk.run, toolbox=desk.toolbox, settings=settings)


def rows(desk: SimpleNamespace, kind: str) -> list[dict[str, Any]]:
    return [json.loads(row.payload) for row in desk.run.store.iterate(kind)]


def test_each_request_is_timed_once_a_round_and_a_round_that_was_cut_off_is_timed_again(desk: SimpleNamespace):
    model = BenchModel(desk.model(), "good", "script")
    (first,) = bench(desk, model)["resources"]
    assert (first["timing"]["rounds"], first["timing"]["requests"], first["timing"]["samples"]) == (2, 4, 2)
    timed = [(row["round"], row["sample"]) for row in rows(desk, "timing")]
    assert timed == [(1, "one"), (1, "three"), (2, "one"), (2, "three")], "of all samples, not the first ones alone"
    asked = desk.asked()
    assert asked == 5 + (2 + 2) + (2 + 2), "answers; a pass as in use and a round; a warm-up and a round"

    kept = [row for kind in ("timing", "round") for row in desk.run.store.iterate(kind)]
    for kind in ("resource", "timing", "round"):
        desk.run.store.delete(kind)
    desk.run.store.put([row for row in kept if json.loads(row.payload)["round"] == 1])
    bench(desk, model)
    assert desk.asked() == asked + 4
    assert len(rows(desk, "round")) == 2


def test_another_round_is_timed_beside_those_that_were(desk: SimpleNamespace):
    model = BenchModel(desk.model(), "good", "")
    bench(desk, model)
    asked = desk.asked()
    (resource,) = bench(desk, model, settings=replace(TWICE, repeats=3))["resources"]
    assert desk.asked() == asked + 2 + 2, "a warm-up and the third round"
    assert (resource["repeats"], resource["timing"]["rounds"], resource["timing"]["requests"]) == (3, 3, 6)
    (resource,) = bench(desk, model)["resources"]
    assert (desk.asked(), resource["timing"]["rounds"]) == (asked + 4, 2)


def test_rounds_of_a_run_of_before_are_found_under_their_old_names(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    model = BenchModel(desk.model(), "good", "")
    with monkeypatch.context() as before:
        before.setattr(measuring.Timed, "rounds_key", measuring.Timed.key)
        bench(desk, model)
    asked = desk.asked()
    for _ in range(2):  # one that was finished, and one that was killed before the end
        (resource,) = bench(desk, model)["resources"]
        assert (desk.asked(), resource["timing"]["requests"]) == (asked, 4)
        desk.run.store.delete("resource")


def test_models_take_turns_after_all_of_them_have_answered(desk: SimpleNamespace):
    models = [BenchModel(desk.model(), name, "") for name in ("a", "b")]
    found = bench(desk, *models)
    assert [r["model"] for r in found["resources"]] == ["a", "b"], "told in the order given"
    places = {r["model"]: r["places"] for r in found["resources"]}
    assert sorted(places["a"] + places["b"]) == [1, 2, 3, 4]
    assert all(sorted(places[name])[0] <= 2 < sorted(places[name])[1] for name in places)


def test_a_sample_on_which_one_model_crashes_is_timed_for_none(desk: SimpleNamespace):
    good = BenchModel(desk.model(), "good", "")
    path = Path(desk.model().removeprefix("scripted:"))
    dies = "    if question == 'greet Ana':\n        import os\n        os._exit(9)\n    if question in WRONG"
    path.write_text(path.read_text().replace("    if question in WRONG", dies))
    found = bench(desk, good, BenchModel(f"scripted:{path}", "dies", ""))
    assert [(crash["model"], crash["sample"]) for crash in found["crashes"]] == [("dies", "one")]
    samples = {row["model"]: {r["sample"] for r in rows(desk, "timing") if r["model"] == row["model"]}
               for row in rows(desk, "timing")}  # fmt: skip
    assert samples == {"good": {"two", "three"}, "dies": {"two", "three"}}
    assert "remarks" not in found


def test_models_that_answered_nothing_in_common_are_timed_each_on_its_own_and_it_is_said(desk: SimpleNamespace):
    def timed(name: str, *samples: str) -> measuring.Timed:
        task: Any = SimpleNamespace(name="t")
        asks = [Ask(f"{name} {id}", task, Sample(id, {})) for id in samples]
        return measuring.Timed(BenchModel("openai:m", name, ""), name, asks)

    def of(models: Sequence[measuring.Timed]) -> list[list[str]]:
        return [[ask.sample.id for ask in one.asks] for one in models]

    both, alike = measuring.timed_alike([timed("a", "1", "2", "3"), timed("b", "3", "1"), timed("c")])
    assert (of(both), alike) == ([["1", "3"], ["3", "1"], []], True), "one that answered nothing is not timed at all"
    apart, alike = measuring.timed_alike([timed("a", "1"), timed("b", "2")])
    assert (of(apart), alike) == ([["1"], ["2"]], False)
    found = benching._Found(timed=[timed("a", "1"), timed("b", "2")])
    quiet = Progress(silent=True)
    told = benching._measure(found, desk.run, desk.toolbox, BenchSettings(timing_samples=0), quiet, alone=False)
    assert told == [], "nothing is timed"
    settings = BenchSettings(timing_samples=1)
    for one in found.timed:
        desk.run.store.put([Row("resource", one.key(settings), 0, json.dumps({"samples": 1}).encode())])
    told = benching._measure(found, desk.run, desk.toolbox, settings, quiet, alone=False)
    assert [(row["model"], "prompts of its own" in row["detail"]) for row in told] == [("a", True), ("b", True)]


def test_each_round_waits_for_the_machine_to_cool_down_the_first_too_which_comes_after_all_answers(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    waited: list[tuple[float, int]] = []
    sleep = measuring.time.sleep
    monkeypatch.setattr(
        measuring.time,
        "sleep",
        lambda seconds: waited.append((seconds, desk.asked())) if seconds == 7.25 else sleep(seconds),
    )
    models = [BenchModel(desk.model(), name, "") for name in ("a", "b")]
    bench(desk, *models, settings=BenchSettings(slots=2, timing_samples=2, repeats=2, cool_down_seconds=7.25))
    assert len(waited) == 4, "two models, two rounds"
    assert waited[0][1] == 10, "five answers of each model"


def test_without_rounds_the_pass_as_in_use_is_all_that_is_timed(desk: SimpleNamespace):
    settings = BenchSettings(slots=2, timing_samples=2)
    (resource,) = bench(desk, BenchModel(desk.model(), "good", ""), settings=settings)["resources"]
    assert resource["timing"] is None
    assert resource["first_token_seconds"] > 0
    assert resource["steady_rss_bytes"] is None or resource["steady_rss_bytes"] <= resource["peak_rss_bytes"]
    assert rows(desk, "timing") == []
    assert desk.asked() == 7


@pytest.mark.parametrize(("longest_answer", "given", "context"), [(64, None, None), (9000, None, 9216), (64, 512, 512)])
def test_what_was_answered_fits_when_it_is_timed(
    desk: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    longest_answer: int,
    given: int | None,
    context: int | None,
):
    jobs: list[dict[str, Any]] = []
    real = measuring.ask_worker
    monkeypatch.setattr(measuring, "ask_worker", lambda job, **how: (jobs.append(job), real(job, **how))[1])
    settings = BenchSettings(slots=2, timing_samples=2, max_tokens=longest_answer, context=given)
    bench(desk, BenchModel(desk.model(), "good", ""), settings=settings)
    assert [job["context"] for job in jobs] == [context], "None: the engine's own choice, 8192"


def test_of_a_model_behind_an_endpoint_no_memory_is_told_but_the_reason(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(measuring, "runs_elsewhere", lambda ref: True)
    (resource,) = bench(desk, BenchModel(desk.model(), "far", ""))["resources"]
    for name in ("threads", "load_seconds", "peak_rss_bytes", "steady_rss_bytes", "cpu_percent", "process_threads"):
        assert resource[name] is None
    assert resource["energy"]["joules"] is None
    assert resource["energy"]["why"] == resource["why"] == measuring.ELSEWHERE
    assert {why for machine in resource["machine"] for why in machine["absent"].values()} == {measuring.ELSEWHERE}
    assert resource["timing"]["all"]["total_seconds"]["mean"] > 0


def test_a_sample_that_its_task_cannot_ask_is_counted_where_it_is_timed(monkeypatch: pytest.MonkeyPatch):
    def solve(sample: Sample, _: Any) -> Any:
        if sample.id == "bad":
            raise KeyError("no such room")
        yield Request([Message(role="user", content=sample.id)])

    monkeypatch.setattr(worker, "open_task", lambda spec: SimpleNamespace(solve=solve))
    samples = [{"key": id, "id": id, "row": {}} for id in ("good", "bad")]
    job = {"groups": [{"spec": "t", "task": "t", "samples": samples}], "whole": True}
    told: list[dict[str, Any]] = []
    asked = worker._first_requests(job, None, lambda event, **fields: told.append({"event": event, **fields}))
    assert [key for key, _ in asked] == ["good"]
    assert [(event["event"], event["key"]) for event in told] == [("timed", "bad")]
    row = {**told[0]["row"], "round": 1, "task": "t", "sample": "bad"}
    assert row["problem"] == "not asked: KeyError: 'no such room'"
    found = timing_figures([row, {**row, "sample": "good", "problem": None, "otps": 5.0}])
    assert found is not None
    assert (found["failed"], found["requests"]) == (1, 1)
