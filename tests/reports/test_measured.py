"""The page of a bench that stands alone: the ladder with its advice, every figure, speed, and what is not told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lamina.reports import charts, write_report
from lamina.reports.measured import measured_view
from lamina.runs import Row, Run

EVIL = "</script><script>alert(1)</script>"


def figure(value: float, spread: float) -> dict[str, Any]:
    return {
        "n": 12, "values": 24, "mean": value, "sd": spread, "median": value, "p95": value + spread,
        "low": value - spread / 2, "high": value + spread / 2, "noise": None, "over": "samples",
    }  # fmt: skip


def resource(precision: str, speed: float) -> dict[str, Any]:
    measures = {
        "ttft_seconds": figure(0.4, 0.1), "itps": figure(280.0, 9.0), "otps": figure(speed, 2.0),
        "total_seconds": figure(1.5, 0.2),
    }  # fmt: skip
    bucket = {"from": 65, "to": 128, "samples": 7, **measures}
    return {
        "model": "m", "precision": precision, "bytes": 90_000_000, "repeats": 2, "peak_rss_bytes": 240_000_000,
        "steady_rss_bytes": 200_000_000, "cpu_percent": 187.3, "process_threads": 9, "load_seconds": 0.3,
        "timing": {
            "samples": 12, "all": measures, "buckets": [bucket, {**bucket, "from": 129, "to": 256, "otps": None}],
            "clock_to_engine": {"itps": 0.987, "otps": None},
        },
        "energy": {"joules_per_request": None, "why": "no counter"},
        "machine": [{"temperature_celsius": {"before": 41.0, "after": 71.0, "max": 80.0}, "frequency_mhz": None,
                     "absent": {"energy": "the machine shows no energy counter (RAPL) and no battery"}}],
    }  # fmt: skip


def row(precision: str, value: float) -> dict[str, Any]:
    about = {"model": "m", "precision": precision, "task": "gsm8k", "metric": "accuracy"}
    return {**about, "value": value, "low": value - 0.05, "high": value + 0.05, "n": 400}


def bench() -> dict[str, Any]:
    rungs = []
    for name, size, value, speed in (("F16", 270, 0.61, 20.0), ("Q8_0", 145, 0.6, 33.0), ("Q2_K", 140, 0.2, 30.0)):
        first = name == "F16"
        rungs.append(
            {
                "type": name, "model": f"m {name}", "crashed": False, "bytes": size * 10**6, "bits_per_weight": 8.0,
                "fallbacks": {"Q2_K -> IQ4_NL": 30} if name == "Q2_K" else {},
                "quality": {"value": value, "low": value - 0.05, "high": value + 0.05, "n": 400}, "safety": None,
                "loss": None if first else {"value": 0.61 - value, "low": 0.0, "high": 0.5, "n": 400},
                "safety_loss": None, "otps": {"value": speed, "low": speed - 1, "high": speed + 1},
                "itps": None, "ttft_seconds": None, "peak_rss_bytes": None, "frontier": name != "Q2_K",
            }
        )  # fmt: skip
    ladder = {
        "title": "Quantization ladder of m.gguf", "reference": "F16", "rungs": rungs, "take": "Q8_0",
        "tasks": {"quality": ["gsm8k"], "safety": []}, "margin": 0.02, "needed": None,
        "advice": "Take Q8_0: 1.0 points below F16; 54% of the size.",
    }  # fmt: skip
    rows = [row("F16", 0.61), row("Q8_0", 0.6), row("Q2_K", 0.2)]
    return {
        "rows": rows, "paired": [], "resources": [resource("F16", 20.0), resource("Q8_0", 33.0)],
        "crashes": [{"model": "m", "precision": "Q1", "stage": "load", "detail": EVIL}], "ladder": ladder,
    }  # fmt: skip


def sample(precision: str, id: str, right: bool, answer: str) -> dict[str, Any]:
    turn = {
        "messages": [{"role": "user", "content": f"{id}?"}],
        "answer": answer,
        "target": "4",
        "completion_tokens": 3,
    }
    return {
        "task": "gsm8k", "sample": id, "row": {}, "right": right, "scores": {"unscored": False, "cut": True},
        "reasons": [], "transcript": [turn], "model": "m", "precision": precision,
    }  # fmt: skip


def page_of(folder: Path, found: dict[str, Any] | None = None) -> tuple[str, str]:
    with Run.open(folder, {"verb": "bench"}) as run:
        samples = [
            sample("F16", "one", True, "4"),
            sample("Q2_K", "one", False, EVIL),
            sample("F16", "two", False, "5"),
        ]
        run.store.put([Row("sample", str(i), i, json.dumps(s).encode()) for i, s in enumerate(samples)])
        run.finish("bench", found or bench())
        page = write_report(run.folder, run.results())
    return page.read_text(), (folder / "samples.html").read_text()


def test_the_page_has_the_ladder_its_advice_its_pictures_and_every_figure(tmp_path: Path):
    page, _ = page_of(tmp_path / "run")
    assert "Quantization ladder of m.gguf" in page
    assert "Take Q8_0: 1.0 points below F16" in page
    assert page.count("Quality against file size, MB") >= 2
    assert "Quality against answer tokens a second" in page
    assert '<tr class="taken"><th>Q8_0</th>' in page
    assert "Q2_K -&gt; IQ4_NL (30)" in page
    assert "20 ± 2<" in page
    assert "65 to 128 tokens" in page
    assert "0.987" in page
    assert "No energy: the machine shows no energy counter (RAPL) and no battery." in page
    assert "187" in page
    assert EVIL not in page
    assert "Not run: synthesis" not in page, "a bench alone is not missing the rest"


def test_a_rating_and_a_correlation_are_numbers_with_their_interval_and_no_shares(tmp_path: Path):
    found = bench()
    about = {"model": "m", "precision": "F16", "task": "mt_bench", "n": 3}
    found["rows"] += [
        {**about, "metric": "score", "value": 1.0, "low": 1.0, "high": 4.25, "span": [1, 10]},
        {**about, "metric": "correlation", "value": -0.5, "low": -0.9, "high": 0.25, "span": [-1.0, 1.0]},
        {**about, "metric": "words", "value": 0.5, "low": 0.25, "high": 0.75},
        {**about, "metric": "words", "precision": "Q8_0", "value": 12.5, "low": 3.0, "high": 20.0},
    ]
    page, _ = page_of(tmp_path / "run", found)
    lines = re.findall(r"<td>(\w+)(<.*?)</tr>", page, re.S)
    told = {metric: " ".join(re.sub(r"<[^>]+>", " ", line).split()) for metric, line in lines}
    assert told["score"] == "from 1 to 10 1 1 to 4.25 n 3 – –"
    assert told["correlation"] == "from −1 to 1 −0.50 −0.90 to 0.25 n 3 – –"
    assert told["words"] == "0.50 0.25 to 0.75 n 3 12.50 3 to 20 n 3 –"


def test_what_has_no_figure_says_why_and_is_no_hole_in_the_page(tmp_path: Path):
    found = bench()
    about = {"model": "m", "precision": "F16", "value": None, "low": None, "high": None, "n": 0}
    crash = {"stage": "judge: load", "detail": "the judge is gone"}
    found["rows"] += [
        {**about, "task": "all", "metric": "judge_crashed", **crash},
        {**about, "task": "truthfulqa:mc1", "metric": "not_possible", "detail": "this kind of model does not say"},
    ]
    found["crashes"].append({"model": "m", "precision": "F16", **crash})
    found["ladder"]["left_out"] = {"dolly": "F16 itself has under 2 points on it"}
    found["resources"][1]["throttled"] = ["round 2: its cores were held back for heat 3 times"]
    page, _ = page_of(tmp_path / "run", found)
    assert "m F16 crashed at judge: load: the judge is gone" in page
    assert "m F16: this kind of model does not say." in page
    assert "dolly is not in the means: F16 itself has under 2 points on it." in page
    assert "m Q8_0 was throttled: round 2: its cores were held back for heat 3 times." in page
    assert ">judge crashed<" not in page


def test_the_page_of_samples_puts_the_answers_of_all_models_under_their_prompt(tmp_path: Path):
    _, source = page_of(tmp_path / "run")
    assert EVIL not in source
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', source, re.DOTALL)
    assert held is not None
    data = json.loads(held[1])
    first, second = data["rows"]
    assert (first["kind"], first["right"], first["wrong"]) == ("models differ", ["m F16"], ["m Q2_K"])
    assert [(s["who"], s["text"]) for s in first["steps"]] == [
        ("user", "one?"), ("wanted", "4"), ("m F16", "4"), ("m Q2_K", EVIL),
    ]  # fmt: skip
    assert "cut at the limit" in first["steps"][2]["note"]
    assert second["kind"] == "wrong"
    assert data["all"] == {"rows": 2}


def test_a_bench_inside_a_build_is_shown_by_the_builds_own_sections():
    assert measured_view({"bench": bench(), "train": {}}) is None
    assert measured_view({}) is None
    without = measured_view({"bench": {**bench(), "ladder": None}})
    assert without is not None
    assert without["headline"] == "3 models on 1 task"


def test_points_on_the_frontier_are_joined_and_speeds_have_whiskers_too():
    points = [
        charts.Point("a", 10.0, 0.5, 0.4, 0.6, x_low=9.0, x_high=11.0, linked=True),
        charts.Point("b", 20.0, 0.55, 0.45, 0.65, linked=True),
        charts.Point("c", 30.0, 0.2, shade="before"),
    ]
    drawn = charts.scatter(points, 400, "t", "x")
    assert drawn.count('class="joined"') == 1
    assert len(re.findall(r'class="joined" points="([^"]*)"', drawn)[0].split()) == 2
    assert drawn.count('class="whisker"') == 3
    assert "60 %" in drawn
    assert "80 %" not in drawn, "the axis ends where the data does"


def test_a_bench_of_many_tasks_is_not_named_after_the_one_with_calls(tmp_path: Path):
    """Nor has it an empty table of kinds for calls that have none."""
    calls = row("F16", 0.5) | {"task": "api_bank:level-1", "metric": "call_exact"}
    found = {"rows": [calls, row("F16", 0.6)], "paired": [], "resources": [], "crashes": []}
    found["not_asked"] = {"mt_bench": "it has no score without a judge"}
    page, _ = page_of(tmp_path / "many", found)
    assert "<h1>1 model on 2 tasks</h1>" in page
    assert "By kind of request" not in page
    assert "1 task left out of all" in page
    assert "mt_bench: it has no score without a judge." in page
    of_calls = {**found, "rows": [calls, calls | {"metric": "call_exact_single"}]}
    page, _ = page_of(tmp_path / "calls", of_calls)
    assert "of the calls are exact" in page
    assert "By kind of request" in page


def test_the_ladder_and_the_scores_come_before_the_calls_and_nothing_is_said_twice(tmp_path: Path):
    found = bench()
    found["paired"] = [{"a": "m F16", "b": "m Q8_0", "task": "gsm8k", "n": 9, "difference": 0.1, "low": -0.1,
                        "high": 0.2, "only_a": 1, "only_b": 2, "p": 1.0}]  # fmt: skip
    found["rows"] += [row("F16", 0.5) | {"task": "nestful:executable", "metric": "call_exact"}]
    page, _ = page_of(tmp_path / "run", found)
    places = [page.index(f'<section id="{name}">') for name in ("quantization", "scores", "accuracy")]
    assert places == sorted(places)
    assert '<a href="#accuracy">Calls</a>' in page
    assert page.count("On the same prompts") == 1
    assert page.count("crashed at load") == 1


def test_a_miss_shows_what_was_asked_and_what_could_not_be_asked_is_none(tmp_path: Path):
    task = "nestful:executable"
    missed = sample("F16", "a", False, "no") | {"task": task, "row": {"messages": [
        {"role": "system", "content": "be short"}, {"role": "user", "content": "Fly me to Rome"}]}}  # fmt: skip
    unasked = sample("F16", "b", False, "") | {"task": task, "scores": {"unscored": True}, "reasons": ["too long"]}
    found = bench()
    found["rows"] = [row("F16", 0.5) | {"task": task, "metric": "call_exact"}]
    with Run.open(tmp_path / "run", {"verb": "bench"}) as run:
        run.store.put([Row("sample", s["sample"], i, json.dumps(s).encode()) for i, s in enumerate((missed, unasked))])
        run.finish("bench", found)
        page = write_report(run.folder, run.results()).read_text()
    assert '<p class="request">Fly me to Rome</p>' in page
    assert page.count('<article class="row miss">') == 1
