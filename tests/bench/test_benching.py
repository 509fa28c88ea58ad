"""Benching: every model in a process of its own, every sample stored as it is answered."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench import (
    BenchModel,
    BenchSettings,
    OwnTask,
    asking,
    bench_models,
    best_variant,
    jobs,
    list_tasks,
    open_task,
    worker,
)
from lamina.bench.asked import Ask
from lamina.bench.identity import sample_key
from lamina.bench.planning import drawn
from lamina.bench.tasks import Sample, Setting, _file_version, hotpotqa, open_tasks, version_of
from lamina.errors import InputError, ModelReferenceError
from lamina.models import Reply, Request
from lamina.reports.measured import measured_view
from lamina.runs import Progress, Row, Run
from lamina.tools import Toolbox
from lamina.tools.execution import open_executor

QUICK = BenchSettings(timing_samples=0, slots=2)


def bench(desk: SimpleNamespace, *models: BenchModel, **options: Any) -> dict[str, Any]:
    settings = options.pop("settings", QUICK)
    return bench_models(
        models,
        [open_task(f"own:{desk.queries}")],
        run=desk.run,
        toolbox=desk.toolbox,
        settings=settings,
        **options,
    )


def figures(result: dict[str, Any], label: str) -> dict[str, tuple[float, int]]:
    return {r["metric"]: (r["value"], r["n"]) for r in result["rows"] if r["model"] == label}


def test_a_model_that_is_right_gets_full_marks_and_the_dependent_call_a_figure_of_its_own(
    desk: SimpleNamespace,
) -> None:
    result = bench(desk, BenchModel(desk.model(), "good", "script"))
    found = figures(result, "good")
    assert found["call_exact"] == (1.0, 3)
    assert found["dependent_exact"] == (1.0, 1)
    assert found["refusal_right"] == (1.0, 1)
    assert found["refusal_false"] == (0.0, 2)
    assert found["argument_accuracy"][0] == 1.0
    row = next(r for r in result["rows"] if r["metric"] == "call_exact")
    assert set(row) >= {"model", "precision", "task", "metric", "value", "low", "high", "n"}
    assert 0 < row["low"] < row["high"] == 1.0


def test_the_second_call_is_made_from_the_result_that_was_really_computed(desk: SimpleNamespace) -> None:
    bench(desk, BenchModel(desk.model(), "good", "script"))
    sample = next(s for s in samples(desk) if s["sample"] == "four")
    assert [turn["calls"][0]["arguments"]["amount"] for turn in sample["transcript"]] == [4, 8.0]
    assert json.loads(sample["transcript"][1]["messages"][-1]["content"]) == 8


@pytest.mark.parametrize(("allowed", "found"), [(False, None), (True, (1.0, 1))])
def test_a_function_that_changes_things_is_run_for_the_second_call_only_where_that_was_asked_for(
    desk: SimpleNamespace, allowed: bool, found: tuple[float, int] | None
) -> None:
    changing = [replace(tool, target=replace(tool.target, changes_things=True)) for tool in desk.toolbox]
    desk.toolbox = Toolbox(changing)
    result = bench(desk, BenchModel(desk.model(), "good", "script"), settings=replace(QUICK, allow_changes=allowed))
    assert figures(result, "good").get("dependent_exact") == found
    assert figures(result, "good")["call_exact"] == (1.0, 3)
    sample = next(s for s in samples(desk) if s["sample"] == "four")
    assert ("--allow-changes" in str(sample)) is not allowed


def test_wrong_answers_are_kept_with_their_reasons_and_nonsense_is_no_refusal(desk: SimpleNamespace) -> None:
    wrong = {
        "greet Ana": '[{"name": "greet", "arguments": {"name": "Bo"}}]',
        "fly me to the moon": "Sure, hop in!",
    }
    found = figures(bench(desk, BenchModel(desk.model(wrong), "bad", "script")), "bad")
    assert found["call_exact"] == (pytest.approx(1 / 3), 3)
    assert found["refusal_right"] == (0.0, 1)
    assert found["unreadable"] == (0.25, 4)
    missed = next(s for s in samples(desk) if s["sample"] == "one")
    assert not missed["right"]
    assert any("Bo" in reason for reason in missed["reasons"])
    assert missed["transcript"][0]["answer"] == wrong["greet Ana"]


def test_a_bench_that_ran_is_not_run_again(desk: SimpleNamespace) -> None:
    model = BenchModel(desk.model(), "good", "script")
    first = bench(desk, model)
    asked = desk.asked()
    assert asked == 5
    assert bench(desk, model) == first
    assert desk.asked() == asked


def test_a_bench_that_was_cut_off_asks_only_what_is_missing(desk: SimpleNamespace) -> None:
    model = BenchModel(desk.model(), "good", "script")
    bench(desk, model)
    kept = [row for row in desk.run.store.iterate("sample") if b'"sample":"one"' in row.payload]
    desk.run.store.delete("sample")
    desk.run.store.put(kept)
    asked = desk.asked()
    assert figures(bench(desk, model), "good")["call_exact"] == (1.0, 3)
    assert desk.asked() == asked + 4


def test_another_model_file_or_another_prompt_is_asked_anew(desk: SimpleNamespace) -> None:
    ref = desk.model()
    bench(desk, BenchModel(ref, "good", "script"))
    bench(desk, BenchModel(ref, "good", "script", system="Be exact."))
    assert desk.asked() == 10
    with open(ref.removeprefix("scripted:"), "a") as file:
        file.write("\n# changed\n")
    bench(desk, BenchModel(ref, "good", "script"))
    assert desk.asked() == 15


def test_a_model_that_cannot_load_is_a_row_and_the_next_one_is_benched(desk: SimpleNamespace) -> None:
    broken = desk.folder / "broken.py"
    broken.write_text("import os\nos.abort()\n")
    result = bench(
        desk, BenchModel(f"scripted:{broken}", "broken", "script"), BenchModel(desk.model(), "good", "script")
    )
    row = next(r for r in result["rows"] if r["model"] == "broken")
    assert (row["metric"], row["value"], row["stage"]) == ("crashed", None, "load")
    assert "SIGABRT" in row["detail"]
    assert figures(result, "good")["call_exact"] == (1.0, 3)


def test_a_model_that_dies_while_it_is_timed_keeps_its_figures_and_has_a_row_that_says_so(
    desk: SimpleNamespace,
) -> None:
    flag = desk.folder / "answered-once"
    dying = f"from pathlib import Path\nONCE = Path({str(flag)!r})\nTIMED = ONCE.exists()\nONCE.touch()\n\n\ndef reply"
    ref = changed(desk, "def reply", dying)
    path = Path(ref.removeprefix("scripted:"))
    path.write_text(
        path.read_text().replace(
            "    if question in WRONG",
            "    if TIMED:\n        import os\n        os._exit(7)\n    if question in WRONG",
            1,
        )
    )
    result = bench(desk, BenchModel(ref, "dies", "script"), settings=BenchSettings(timing_samples=2))
    assert figures(result, "dies")["call_exact"] == (1.0, 3)
    row = next(r for r in result["rows"] if r["metric"] == "crashed")
    assert (row["stage"], row["n"]) == ("timing", 4)
    assert "exit status 7" in row["detail"]
    assert len(result["crashes"]) == 1
    assert result["resources"] == []


def test_a_limit_draws_from_all_of_a_task_and_a_larger_one_holds_the_smaller() -> None:
    samples = [Sample(str(i), {}) for i in range(1000)]
    few, more = ([int(s.id) for s in drawn(samples, n, seed=3)] for n in (20, 60))
    assert (len(few), len(more)) == (20, 60)
    assert set(few) < set(more)
    assert few == sorted(few)
    assert min(few) < 300
    assert max(few) > 700
    assert few != [int(s.id) for s in drawn(samples, 20, seed=4)]
    assert drawn(samples[:5], None, 0) == drawn(samples[:5], 20, 0) == samples[:5]


def test_the_context_depends_neither_on_the_slots_nor_on_what_is_left_to_ask(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    words = desk.folder / "words.jsonl"
    words.write_text(json.dumps({"input": "say 1", "target": "1"}) + "\n")
    tasks = [open_task(f"own:{desk.queries}"), open_task(f"jsonl:{words}")]
    own, text = ([Ask(f"{task.name} {s.id}", task, s) for s in task.samples()] for task in tasks)
    jobs: list[dict[str, Any]] = []
    monkeypatch.setattr(asking, "ask_worker", lambda job, **how: (jobs.append(job), iter(()))[1])

    def context(asks: list[Ask], ref: str = "x.gguf", **how: Any) -> int | None:
        with Run.open(desk.folder / f"run{len(jobs)}", {"verb": "bench"}) as run:
            run.store.put([Row("sample", text[0].key, 0, b'{"scores": {}}')])
            model, settings = BenchModel(ref, "x", "", "full"), BenchSettings(**how)
            asking.answer_all(model, asks, run, desk.toolbox, settings, Progress(silent=True))
        assert {sample["key"] for group in jobs[-1]["groups"] for sample in group["samples"]} == {a.key for a in own}
        return jobs[-1]["context"]

    assert {context(own, slots=slots) for slots in (1, 8, 32)} == {8192}
    assert {context([*own, *text], slots=slots) for slots in (1, 8, 32)} == {16384}
    assert context([*own, *text], context=512) == 512
    assert context(own, ref=f"scripted:{desk.model()}") is None


def test_text_tasks_are_asked_in_parallel_and_functions_in_every_prompt_one_after_the_other(desk: SimpleNamespace):
    model, settings = BenchModel("x.gguf", "x", "", "full"), BenchSettings(slots=8)
    words = desk.folder / "words.jsonl"
    words.write_text("".join(json.dumps({"input": f"say {i}", "target": str(i)}) + "\n" for i in range(3)))
    tasks = [open_task(f"own:{desk.queries}"), open_task(f"jsonl:{words}")]
    own, text = ([Ask(f"{task.name} {s.id}", task, s) for s in task.samples()] for task in tasks)
    assert jobs.slots_for(model, own, Toolbox([]), settings) == 8
    assert jobs.slots_for(model, own, desk.toolbox, settings) == 1
    assert jobs.slots_for(model, [*own, *text], desk.toolbox, settings) == 8
    assert jobs.slots_for(BenchModel("x.gguf", "x", "", "baked"), own, desk.toolbox, settings) == 8

    waves: list[list[str]] = []

    class Engine:
        context: int | None = 8192

        def generate(self, requests: list[Request], on_reply: Any) -> list[Reply]:
            waves.append(["functions" if request.tools else "text" for request in requests])
            return [Reply(text="[]") for _ in requests]

    def asked(engine: Engine) -> list[list[str]]:
        waves.clear()
        job = jobs.job_of("quality", model, [*own, *text], desk.toolbox, settings, slots=8)
        with open_executor(desk.toolbox) as executor:
            setting = Setting(desk.toolbox, "full", executor=executor)
            worker._score(job, setting, engine, lambda event, **fields: None, lambda: None)
        return waves

    engine = Engine()
    assert asked(engine) == [["text"] * 3, *[["functions"]] * 4]
    engine.context = None
    assert asked(engine) == [["text"] * 3, ["functions"] * 4], "there is no cache of its own that a slot would fill"


def test_a_model_file_that_is_not_there_is_the_users_error_before_any_model_is_asked(
    desk: SimpleNamespace,
) -> None:
    gone = BenchModel(str(desk.folder / "gone.gguf"), "gone", "Q8_0")
    with pytest.raises(ModelReferenceError, match=r"gone\.gguf"):
        bench(desk, BenchModel(desk.model(), "good", "script"), gone)
    assert desk.asked() == 0


def test_a_silent_worker_is_ended(desk: SimpleNamespace) -> None:
    path = desk.folder / "sleeps.py"
    path.write_text("import time\ntime.sleep(60)\n")
    settings = BenchSettings(timing_samples=0, silence_seconds=1.0)
    result = bench(desk, BenchModel(f"scripted:{path}", "sleeps", "script"), settings=settings)
    assert "no sign of life" in result["crashes"][0]["detail"]


def test_models_are_compared_on_the_same_prompts(desk: SimpleNamespace) -> None:
    bad = desk.model({"greet Ana": "[]"})
    result = bench(desk, BenchModel(bad, "base", "script"), BenchModel(desk.model(), "tuned", "script"))
    (pair,) = result["paired"]
    assert (pair["a"], pair["b"], pair["n"]) == ("base script", "tuned script", 3)
    assert pair["difference"] == pytest.approx(1 / 3)
    assert pair["low"] < pair["difference"] < pair["high"]
    assert (pair["only_a"], pair["only_b"]) == (0, 1)


def test_speed_and_memory_are_measured_in_a_process_of_their_own(desk: SimpleNamespace) -> None:
    result = bench(desk, BenchModel(desk.model(), "good", "script"), settings=BenchSettings(timing_samples=2))
    (resource,) = result["resources"]
    assert resource["samples"] == 2
    assert 10_000_000 < resource["peak_rss_bytes"] < 2_000_000_000
    assert any(r["task"] == "device" and r["metric"] == "peak_rss_bytes" for r in result["rows"])


def test_the_instruction_that_serves_the_model_best_is_chosen(desk: SimpleNamespace) -> None:
    picky = "    if 'exact' not in text(messages[0]):\n        return '[]'\n"
    ref = changed(desk, "    results =", picky + "    results =")
    chosen = best_variant(
        BenchModel(ref, "base", ""),
        {"none": None, "exact": "Be exact."},
        [open_task(f"own:{desk.queries}")],
        run=desk.run,
        toolbox=desk.toolbox,
        settings=QUICK,
    )
    assert chosen["best"] == "exact"
    assert chosen["system"] == "Be exact."
    assert [v["value"] for v in chosen["variants"]] == [pytest.approx(1 / 3), 1.0]


def test_tasks_are_listed_and_an_unknown_one_names_the_known(desk: SimpleNamespace) -> None:
    assert "own" in [task["name"] for task in list_tasks()]
    with pytest.raises(InputError, match=r"known tasks: .*\bown\b"):
        open_task("nothing")
    with pytest.raises(InputError, match=r"own:FILE\.jsonl"):
        OwnTask().samples()


def test_a_folder_of_data_goes_to_the_tasks_that_have_one(desk: SimpleNamespace, tmp_path: Path) -> None:
    own = f"own:{desk.queries}"
    assert len(open_tasks([own, "gsm8k"], data=tmp_path)) == 2
    assert len(open_tasks([own])) == 1
    with pytest.raises(InputError, match="leave --data out"):
        open_tasks([own], data=tmp_path)


def samples(desk: SimpleNamespace) -> list[dict[str, Any]]:
    return [json.loads(row.payload) for row in desk.run.store.iterate("sample")]


def changed(desk: SimpleNamespace, old: str, new: str) -> str:
    """A scripted model with a change in its source."""
    path = Path(desk.model().removeprefix("scripted:"))
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new, 1))
    return f"scripted:{path}"


@pytest.mark.parametrize("digits", [30, 400, 5000])
def test_a_number_too_long_for_any_type_is_a_miss_and_no_hole_in_the_table(desk: SimpleNamespace, digits: int) -> None:
    wrong = {"fly me to the moon": f'[{{"name": "double", "arguments": {{"amount": {"1" * digits}}}}}]'}
    result = bench(desk, BenchModel(desk.model(wrong), "bad", "script"))
    assert result["crashes"] == []
    assert figures(result, "bad")["refusal_right"] == (0.0, 1)
    assert len(samples(desk)) == 4


def test_a_task_that_one_of_the_models_cannot_do_is_a_row_that_says_why(desk: SimpleNamespace) -> None:
    (desk.folder / "truthfulqa").mkdir()
    header = "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source\n"
    (desk.folder / "truthfulqa/TruthfulQA.csv").write_text(f"{header}A,M,Who?,Ann,Ann,Cid,u\n")
    (desk.folder / "cut.gguf").write_bytes(b"GGUF")
    models = [BenchModel(str(desk.folder / "cut.gguf"), "cut", ""), BenchModel(desk.model(), "good", "script")]
    tasks = [*open_tasks(["truthfulqa:mc1"], data=desk.folder), open_task(f"own:{desk.queries}")]
    result = bench_models(models, tasks, run=desk.run, toolbox=desk.toolbox, settings=QUICK)
    row = next(r for r in result["rows"] if r["metric"] == "not_possible")
    assert (row["model"], row["task"], row["value"]) == ("good", "truthfulqa:mc1", None)
    assert "how likely given texts are" in row["detail"]
    assert figures(result, "good")["call_exact"] == (1.0, 3)
    view = measured_view({"bench": result})
    assert view is not None
    assert view["not_possible"] == [row]
    assert all(cell is None or cell["value"] is not None for line in view["scores"] for cell in line["cells"])


def test_a_sample_of_another_version_of_its_task_is_another_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    task, sample = open_task("hotpotqa"), Sample("1", {"prompt": "2+2?"})
    key = partial(sample_key, "model", task, sample, Toolbox([]), ("full",))
    first = key()
    assert (version_of(task), first) == (1, key())
    monkeypatch.setattr(hotpotqa, "VERSION", 3)
    _file_version.cache_clear()
    assert version_of(task) == 3
    assert key() != first
    _file_version.cache_clear()


def test_a_sample_without_a_record_is_said(desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    real = asking.ask_worker

    def lossy(job, **how):
        events = list(real(job, **how))
        first = next(event for event in events if event["event"] == "sample")
        yield from (event for event in events if event is not first)

    monkeypatch.setattr(asking, "ask_worker", lossy)
    result = bench(desk, BenchModel(desk.model(), "good", "script"), settings=BenchSettings(timing_samples=0))
    (crash,) = result["crashes"]
    assert crash["detail"] == "1 of 4 samples came to no record"
