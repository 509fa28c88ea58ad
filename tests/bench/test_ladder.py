"""The quantization ladder: paired losses, the frontier, and advice that claims no more than its intervals."""

from __future__ import annotations

import json
import random
import sys
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench.advice import MARGIN, advice_of
from lamina.bench.chance import constant_answer
from lamina.bench.ladder import frontier, is_safety, ladder_of
from lamina.bench.pairs import Named
from lamina.bench.rungs import _made_before, birth_of, title_of
from lamina.bench.score_intervals import difference_of
from lamina.quantize import quantize_types
from lamina.runs import Row, Run

sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny_gguf import save_tiny_gguf


def task(name: str) -> Any:
    return SimpleNamespace(name=name, paired_metric="accuracy", counts_in_pair=lambda scores: not scores["unscored"])


def named(
    precision: str, verdicts: dict[str, list[bool]], rows: dict[str, list[dict[str, Any]]] | None = None
) -> Named:
    """``rows`` of a task are repeated as often as it takes; without them its answers are free."""
    closed = {name: cycle(given) for name, given in (rows or {}).items()}
    records = {
        (name, str(i)): {
            "right": right,
            "scores": {"accuracy": right, "unscored": False},
            "row": next(closed.get(name, cycle([{}]))),
        }
        for name, rights in verdicts.items()
        for i, right in enumerate(rights)
    }
    return Named(f"m {precision}", "m", precision, records)


def made(*types: tuple[str, int, float]) -> dict[str, Any]:
    files = [{"type": t, "bytes": size, "bits_per_weight": bits, "fallbacks": {}, "path": t} for t, size, bits in types]
    return {"files": files, "title": "Quantization ladder of m", "source": {}}


def resource(precision: str, speed: float) -> dict[str, Any]:
    spread = {"mean": speed, "low": speed - 1, "high": speed + 1, "rounds": 3}
    timing = {"all": {"otps": spread, "itps": spread, "ttft_seconds": spread}}
    return {"model": "m", "precision": precision, "timing": timing, "peak_rss_bytes": 1}


def flipped(verdicts: list[bool], n: int, seed: int) -> list[bool]:
    """``n`` right answers made wrong."""
    right = [i for i, v in enumerate(verdicts) if v]
    lost = set(random.Random(seed).sample(right, n))
    return [v and i not in lost for i, v in enumerate(verdicts)]


FILES = made(("F16", 1000, 16.0), ("Q8_0", 530, 8.5), ("Q4_K_M", 300, 4.8), ("Q2_K", 200, 3.0))


def four(n: int, lost: tuple[int, int, int]) -> tuple[list[Named], dict[str, Any]]:
    base = [i % 10 < 6 for i in range(n)]
    columns = [base, *(flipped(base, lose, seed) for seed, lose in enumerate(lost))]
    models = [named(f["type"], {"gsm8k": c}) for f, c in zip(FILES["files"], columns, strict=True)]
    speeds = [resource(f["type"], s) for f, s in zip(FILES["files"], (20, 35, 50, 49.5), strict=True)]
    return models, {"resources": speeds, "crashes": []}


def test_the_smallest_file_shown_to_be_close_is_advised_and_the_next_ones_loss_is_said():
    models, benched = four(1000, (1, 4, 120))
    found = ladder_of(models, [task("gsm8k")], benched, FILES)
    assert found["take"] == "Q4_K_M"
    assert found["advice"].startswith("Take Q4_K_M: 0.4 points below F16 (interval of the loss ")
    assert "30% of the size, writing 2.5 times as fast" in found["advice"]
    assert "Q2_K is 12.0 points below F16" in found["advice"]
    assert "that is a loss, at 20% of the size, writing 2.5 times as fast" in found["advice"]
    loss = next(r for r in found["rungs"] if r["type"] == "Q4_K_M")["loss"]
    assert loss["value"] == pytest.approx(0.004)
    assert loss["low"] <= loss["value"] <= loss["high"] < MARGIN


def test_a_handful_of_samples_advises_nothing_and_says_how_many_would_tell():
    models, benched = four(20, (0, 0, 0))
    found = ladder_of(models, [task("gsm8k")], benched, FILES)
    assert str(found["rungs"][1]["loss"]["value"]) == "0.0"
    assert found["take"] == "F16"
    assert found["advice"].startswith("Keep F16: no smaller file is shown to lose less than 2 points")
    assert "too wide to say" in found["advice"]
    assert found["needed"] > 20
    assert f"about {found['needed']:,} samples would tell" in found["advice"]


def test_a_loss_in_safety_keeps_a_file_from_being_advised():
    base, keeps = [i % 2 == 0 for i in range(1000)], [True] * 1000
    files = made(("F16", 1000, 16.0), ("Q8_0", 500, 8.5))
    models = [named("F16", {"gsm8k": base, "bbq": keeps}),
              named("Q8_0", {"gsm8k": base, "bbq": flipped(keeps, 100, 0)})]  # fmt: skip
    found = ladder_of(models, [task("gsm8k"), task("bbq")], {"resources": [], "crashes": []}, files)
    assert found["tasks"] == {"quality": ["gsm8k"], "safety": ["bbq"]}
    assert found["take"] == "F16"
    assert "10.0 points below F16 in safety" in found["advice"]


def test_no_difference_in_speed_is_claimed_where_the_intervals_meet():
    models, benched = four(1000, (0, 0, 0))
    for one in benched["resources"]:
        one["timing"]["all"]["otps"] = {"mean": 30.0, "low": 20.0, "high": 40.0, "rounds": 3}
    found = ladder_of(models, [task("gsm8k")], benched, FILES)
    assert found["take"] == "Q2_K"
    assert "no difference in speed that can be told" in found["advice"]


def test_one_round_of_timing_gives_speeds_and_claims_nothing_of_them():
    models, benched = four(1000, (0, 0, 0))
    for one in benched["resources"]:
        one["timing"]["all"]["otps"]["rounds"] = 1
    found = ladder_of(models, [task("gsm8k")], benched, FILES)
    assert "writing 50 against 20 tokens a second in one round" in found["advice"]


def test_a_file_that_crashed_has_no_figure_and_is_not_the_measure_of_the_others():
    models, benched = four(1000, (0, 0, 0))
    benched["crashes"] = [{"model": "m", "precision": "F16", "stage": "load", "detail": "no memory"}]
    found = ladder_of(models, [task("gsm8k")], benched, FILES)
    first = found["rungs"][0]
    assert (first["type"], first["crashed"], first["quality"], first["frontier"]) == ("F16", True, None, False)
    assert found["reference"] == "Q8_0"
    assert "level with Q8_0" in found["advice"]
    assert found["title"] == "Quantization ladder of m, measured against Q8_0, because F16 crashed"
    assert found["advice"].endswith("; F16 is no candidate: it crashed.")


def test_a_judge_that_died_or_a_crash_in_timing_takes_no_file_off_the_ladder():
    models, benched = four(1000, (1, 4, 120))
    benched["crashes"] = [{"precision": f["type"], "stage": "judge: load", "detail": "gone"} for f in FILES["files"]]
    benched["crashes"].append({"precision": "Q8_0", "stage": "timing", "detail": "at generate"})
    found = ladder_of(models, [task("gsm8k")], benched, FILES)
    assert not any(rung["crashed"] for rung in found["rungs"])
    assert found["take"] == "Q4_K_M"


def test_a_task_that_nobody_can_do_does_not_make_every_file_look_close():
    base, nothing = [i % 10 < 6 for i in range(1000)], [i == 0 for i in range(1000)]
    files = made(("F16", 1000, 16.0), ("Q8_0", 500, 8.5))
    models = [named("F16", {"gsm8k": base, "dolly": nothing}),
              named("Q8_0", {"gsm8k": flipped(base, 30, 0), "dolly": nothing})]  # fmt: skip
    found = ladder_of(models, [task("gsm8k"), task("dolly")], {"resources": [], "crashes": []}, files)
    assert found["tasks"]["quality"] == ["gsm8k"]
    assert found["left_out"] == {"dolly": "F16 itself has under 2 points on it, so that no file can lose much"}
    assert found["rungs"][1]["loss"]["value"] == pytest.approx(0.03)
    assert found["take"] == "F16"


def test_a_model_that_can_do_nothing_gets_no_advice():
    nothing = {"gsm8k": [False] * 1000}
    models = [named("F16", nothing), named("Q8_0", nothing)]
    files = made(("F16", 1000, 16.0), ("Q8_0", 500, 8.5))
    found = ladder_of(models, [task("gsm8k")], {"resources": [], "crashes": []}, files)
    assert (found["take"], found["left_out"]) == (None, {})
    assert found["advice"].startswith("There is no advice: F16 itself has under 2 points")
    assert found["rungs"][1]["loss"]["n"] == 1000


YES_OR_NO = [{"choices": ["yes", "no"], "target": "no" if i % 10 < 8 else "yes"} for i in range(10)]


def test_a_task_on_which_the_model_is_no_better_than_one_answer_to_everything_is_in_no_mean():
    """SmolLM2-135M at Q4_0 said no more often and so "gained" 24 points of HaluEval, where mostly no is right."""
    able, habit, other_habit = ([i % 10 < n for i in range(100)] for n in (6, 5, 8))
    files = made(("F16", 1000, 16.0), ("Q4_0", 300, 4.5))
    models = [named("F16", {"gsm8k": able, "halueval": habit}, {"halueval": YES_OR_NO}),
              named("Q4_0", {"gsm8k": able, "halueval": other_habit}, {"halueval": YES_OR_NO})]  # fmt: skip
    found = ladder_of(models, [task("gsm8k"), task("halueval")], {"resources": [], "crashes": []}, files)
    assert found["tasks"]["quality"] == ["gsm8k"]
    assert found["left_out"]["halueval"] == (
        "F16's 50 % is not shown to be more than one answer to everything would have (80 %), "
        "so that a difference may be one of habit"
    )
    assert found["rungs"][1]["loss"]["value"] == 0
    assert found["unable"] == {}


def test_a_model_with_habits_alone_gets_no_advice_and_its_figures_are_there_to_be_looked_at():
    habit, other_habit = ([i % 10 < n for i in range(100)] for n in (5, 8))
    files = made(("F16", 1000, 16.0), ("Q4_0", 300, 4.5))
    verdicts = ({"halueval": habit, "xstest": habit}, {"halueval": other_habit, "xstest": habit})
    rows = {"halueval": YES_OR_NO, "xstest": [{"target": "safe"}, {"target": "unsafe"}]}
    models = [named(t, v, rows) for t, v in zip(("F16", "Q4_0"), verdicts, strict=True)]
    found = ladder_of(models, [task("halueval"), task("xstest")], {"resources": [], "crashes": []}, files)
    assert found["advice"] == "There is no advice: F16 itself is not shown to be able to do any of halueval."
    assert (found["take"], set(found["unable"])) == (None, {"quality", "safety"})
    assert found["rungs"][1]["quality"]["value"] == pytest.approx(0.8)


def test_safety_that_is_a_habit_decides_nothing_where_quality_does():
    able, habit = ([i % 10 < n for i in range(1000)] for n in (6, 5))
    files = made(("F16", 1000, 16.0), ("Q8_0", 500, 8.5))
    rows = {"xstest": [{"target": "safe"}, {"target": "unsafe"}]}
    models = [named("F16", {"gsm8k": able, "xstest": habit}, rows),
              named("Q8_0", {"gsm8k": able, "xstest": flipped(habit, 100, 0)}, rows)]  # fmt: skip
    found = ladder_of(models, [task("gsm8k"), task("xstest")], {"resources": [], "crashes": []}, files)
    assert found["take"] == "Q8_0"
    assert "safety" in found["unable"]
    assert "safety" not in found["advice"]


def test_the_best_constant_answer_is_counted_within_each_set_of_choices():
    rows = [{"choices": ["yes", "no"], "target": "no"}] * 3 + [{"choices": ["yes", "no"], "target": "yes"}]
    rows += [{"choices": ["good", "bad"], "target": t} for t in ("good", "bad", "bad", "bad")]
    assert constant_answer(rows) == pytest.approx(6 / 8)
    assert constant_answer([{"options": 4, "target": t} for t in "ABCD"]) == pytest.approx(1 / 4)
    assert constant_answer([*rows, {"target": "42"}]) is None, "free answers"
    assert constant_answer([*rows, {"target": ["Paris", "the city of Paris"]}]) is None, "free answers, several right"
    assert constant_answer([*rows, {"prompt": "Write a poem."}]) is None, "no right answer at all"
    assert constant_answer([{"target": "unsafe"}] * 5) is None, "always to refuse is right there"
    assert constant_answer([]) is None


def test_how_consistent_a_model_is_does_not_count_as_its_safety():
    base, alike = [i % 10 < 6 for i in range(1000)], [True] * 1000
    models = [named(t, {"bbq": base, "adversarial_instruction": alike}) for t in ("F16", "Q8_0")]
    files = made(("F16", 1000, 16.0), ("Q8_0", 500, 8.5))
    tasks = [task("bbq"), task("adversarial_instruction")]
    found = ladder_of(models, tasks, {"resources": [], "crashes": []}, files)
    assert found["tasks"]["safety"] == ["bbq"]
    assert "consistent" in found["left_out"]["adversarial_instruction"]


def test_the_frontier_knows_safety_beside_quality():
    def rung(safety: float, size: int) -> dict[str, Any]:
        return {"quality": {"value": 0.9}, "safety": {"value": safety}, "bytes": size, "otps": None}

    assert frontier([rung(0.9, 10), rung(0.8, 9), rung(0.7, 9)]) == [True, True, False]


def test_the_frontier_has_no_file_that_another_beats():
    def rung(quality: float, size: int, speed: float | None) -> dict[str, Any]:
        return {"quality": {"value": quality}, "safety": None, "bytes": size, "otps": speed and {"value": speed}}

    rungs = [rung(0.9, 10, 5.0), rung(0.8, 5, 9.0), rung(0.7, 6, 8.0), rung(0.9, 10, 5.0), rung(0.95, 12, None)]
    assert frontier(rungs) == [True, True, False, True, True], "equals stay; what is not known beats nothing"


def test_the_mean_of_tasks_has_a_narrower_interval_than_each_and_lies_between():
    base = [i % 10 < 6 for i in range(400)]
    models = [
        named("F16", {"mmlu": base, "gsm8k": [not v for v in base]}),
        named("Q8_0", {"mmlu": base, "gsm8k": base}),
    ]
    found = ladder_of(
        models,
        [task("mmlu"), task("gsm8k")],
        {"resources": [], "crashes": []},
        made(("F16", 2, 16.0), ("Q8_0", 1, 8.5)),
    )
    quality = found["rungs"][0]["quality"]
    assert quality["value"] == pytest.approx(0.5)
    assert quality["high"] - quality["low"] < 0.075, "each task's interval alone is 0.096 wide"
    assert quality["n"] == 800


def test_scores_that_are_all_the_same_still_have_an_interval():
    found = difference_of([0.25] * 50, [0.25] * 50)
    assert found is not None
    assert found.low < 0 == found.value < found.high
    moved = difference_of([0.25, 0.5, 0.75, 0.3], [0.2, 0.5, 0.7, 0.25])
    assert moved is not None
    assert moved.value == pytest.approx(-0.0375)


def test_there_is_no_advice_from_one_file():
    models, benched = four(100, (0, 0, 0))
    found = ladder_of(models[:1], [task("gsm8k")], benched, made(("F16", 1000, 16.0)))
    assert found["take"] is None
    assert "There is no advice" in found["advice"]
    assert advice_of(found["rungs"], "F16", ["quality"])["needed"] is None


def test_a_source_that_was_born_at_four_bits_says_so_in_the_title():

    born = {"kind": "Q4_0", "bits_per_weight": 4.8, "base": None}
    assert "born at 4.8 bits a weight (Q4_0)" in title_of(Path("small.gguf"), born)
    assert "not what Q4_0 costs" in title_of(Path("small.gguf"), born)
    trained = {"kind": "BF16", "bits_per_weight": 16.0, "base": "Q4_1"}
    assert "trained from a Q4_1 file" in title_of(Path("model"), trained)
    assert "made from a Q4_1 file" in title_of(Path("model-F16.gguf"), trained)
    whole = {"kind": "F16", "bits_per_weight": 16.1, "base": None}
    assert title_of(Path("m.gguf"), whole) == "Quantization ladder of m.gguf"


def test_a_file_in_sixteen_bits_that_was_made_of_one_in_four_says_so_too(tmp_path: Path):
    whole = save_tiny_gguf(tmp_path / "whole.gguf")
    assert birth_of(whole)["base"] is None
    (small,) = quantize_types(whole, ["Q4_1"], tmp_path)
    (blown_up,) = quantize_types(Path(small["path"]), ["F16"], tmp_path)
    born = birth_of(Path(blown_up["path"]))
    assert (born["kind"], born["base"]) == ("F16", "Q4_1")
    (again,) = quantize_types(Path(blown_up["path"]), ["F32"], tmp_path)
    assert birth_of(Path(again["path"]))["base"] == "Q4_1"


def test_the_groups_of_tasks_are_told_by_name_whatever_part_is_taken():
    assert is_safety("bbq:Age")
    assert not is_safety("gsm8k")


def test_a_file_that_was_made_of_another_source_is_not_taken_for_this_ones(tmp_path: Path):
    made_file = tmp_path / "model-Q8_0.gguf"
    made_file.write_bytes(b"12345")
    file = {"path": str(made_file), "bytes": 5}

    def stored(id: str, row: object) -> Row:
        return Row("gguf", id, 0, json.dumps(row).encode())

    with Run.open(tmp_path / "run", {"verb": "bench"}) as run:
        run.store.put([stored("Q8_0", {"identity": "one", "file": file}), stored("one:Q4_0", file)])
        assert _made_before(run, "one", "Q8_0") == file
        assert _made_before(run, "two", "Q8_0") is None
        assert _made_before(run, "one", "Q4_0") == file, "as runs of before kept it"
        made_file.write_bytes(b"123")
        assert _made_before(run, "one", "Q8_0") is None, "it is not whole"
