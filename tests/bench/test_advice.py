"""What the advice of a ladder must not be led by: a handful of samples, what is not known, crashes, one habit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench.chance import asks_one_thing
from lamina.bench.ladder import ladder_of
from lamina.bench.pairs import Named
from lamina.cli.bench_lines import ladder_lines

FILES = {
    "files": [
        {"type": type, "bytes": size, "bits_per_weight": bits, "fallbacks": {}, "path": type}
        for type, size, bits in (("F16", 1000, 16.0), ("Q4_0", 300, 4.5))
    ],
    "title": "Quantization ladder of m",
    "source": {},
}
CRASHED = {"unscored": True, "broken": True, "crashed": True}
UNSCORED = {"unscored": True}


def task(name: str) -> Any:
    return SimpleNamespace(name=name, paired_metric="value", counts_in_pair=lambda scores: not scores["unscored"])


def file(precision: str, rows: dict[str, dict[str, Any]] | None = None, **values: list[Any]) -> Named:
    """By task a value of each sample: a verdict, a score, or the scores of a sample without one."""
    records = {}
    for name, found in values.items():
        for i, value in enumerate(found):
            scores = value if isinstance(value, dict) else {"value": value, "unscored": False}
            row = (rows or {}).get(name, {})
            records[name, str(i)] = {"right": scores.get("value", 0) >= 0.5, "scores": scores, "row": row}
    return Named(f"m {precision}", "m", precision, records)


def ladder(*models: Named) -> dict[str, Any]:
    tasks = [task(name) for name in dict.fromkeys(name for name, _ in models[0].records)]
    crashes = [
        {"model": "m", "precision": m.precision, "stage": "generate", "detail": "gone", "task": name, "sample": sample}
        for m in models
        for (name, sample), record in m.records.items()
        if record["scores"].get("crashed")
    ]
    return ladder_of(models, tasks, {"resources": [], "crashes": crashes}, FILES)


@pytest.mark.parametrize("n", [1, 3, 5])
def test_no_file_is_taken_for_a_handful_of_scores(n: int):
    """ "Take Q4_0: 1.0 points above F16 (interval of the loss -1.0 to -1.0, 1 samples)"."""
    found = ladder(file("F16", dolly=[0.5] * n), file("Q4_0", dolly=[0.51] * n))
    assert found["take"] == "F16"
    assert "1.0 points above F16" in found["advice"]
    assert f"{n} sample{'s' if n > 1 else ''}): too wide to say, at 30% of the size" in found["advice"]
    assert found["needed"] is None, "so few say nothing of how many would tell"


def test_many_scores_that_agree_still_take_a_file():
    found = ladder(file("F16", dolly=[0.5, 0.4, 0.9] * 200), file("Q4_0", dolly=[0.5, 0.41, 0.9] * 200))
    assert found["take"] == "Q4_0"


@pytest.mark.parametrize("unscored_in", ["Q4_0", "F16"])
def test_a_file_whose_quality_is_not_known_is_not_taken_for_its_safety(unscored_in: str):
    able, kept = [True, True, False] * 400, [True, True, False] * 400
    models = [file(t, gsm8k=[UNSCORED] * 1200 if t == unscored_in else able, bbq=kept) for t in ("F16", "Q4_0")]
    found = ladder(*models)
    assert found["take"] is None
    assert found["advice"] == (
        "There is no advice: it takes two files with a figure; Q4_0 is no candidate: its loss in quality is not known."
    )
    assert f"{unscored_in}: 1200 unscored samples count nowhere" in ladder_lines({"ladder": found})


def test_a_sample_on_which_one_file_crashed_is_lost_there():
    found = ladder(file("F16", gsm8k=[True] * 1000), file("Q4_0", gsm8k=[CRASHED] * 300 + [True] * 700))
    assert found["take"] == "F16"
    assert "Q4_0 is 30.0 points below F16" in found["advice"]
    assert "1,000 samples, of which it crashed on 300): that is a loss" in found["advice"]
    rung = found["rungs"][1]
    assert (rung["quality"]["value"], rung["quality"]["n"]) == (0.7, 1000)
    assert found["rungs"][0]["frontier"]
    said = ladder_lines({"ladder": found})
    assert "Q4_0: 300 samples on which it crashed count as lost where F16 answered" in said


def test_a_score_that_a_crash_took_is_lost_whole():
    found = ladder(file("F16", dolly=[0.6] * 100), file("Q4_0", dolly=[CRASHED] * 50 + [0.6] * 50))
    assert found["rungs"][1]["loss"]["value"] == pytest.approx(0.3)
    assert found["rungs"][1]["loss"]["crashed"] == 50


def test_a_sample_on_which_the_reference_crashed_too_is_nobodys_loss():
    models = [file(t, gsm8k=[CRASHED] * 10 + [True] * 990) for t in ("F16", "Q4_0")]
    found = ladder(*models)
    loss = found["rungs"][1]["loss"]
    assert (loss["value"], loss["n"], loss["crashed"], loss["unscored"]) == (0.0, 990, 0, 0)
    assert found["take"] == "Q4_0"
    assert "F16: 10 samples on which it crashed count nowhere" in ladder_lines({"ladder": found})


def test_what_one_file_has_unscored_is_said_in_the_advice():
    found = ladder(file("F16", gsm8k=[True] * 1000), file("Q4_0", gsm8k=[UNSCORED] * 20 + [True] * 980))
    assert "980 samples, 20 more unscored)" in found["advice"]
    assert found["rungs"][1]["unscored_samples"] == 20


ONE_SIDED = "has requests to refuse alone, so that a file which refuses everything would look safest"


@pytest.mark.parametrize("name", ["privacy", "do_not_answer"])
def test_a_file_that_refuses_everything_is_not_advised_for_its_safety(name: str):
    rows = {name: {"target": "unsafe"}}
    able, half, all_of_them = [i % 10 < 6 for i in range(1000)], [i % 2 == 0 for i in range(1000)], [True] * 1000
    models = [file("F16", rows, gsm8k=able, **{name: half}), file("Q4_0", rows, gsm8k=able, **{name: all_of_them})]
    found = ladder(*models)
    assert "safety" not in found["advice"]
    assert found["unable"] == {"safety": f"{name} {ONE_SIDED}"}
    assert found["rungs"][1]["safety"]["value"] == 1.0, "it is there to be looked at"


def test_one_sided_requests_are_in_no_mean_beside_other_tasks_of_safety_either():
    """Beside one task with both sides, refusing everything would still win more than it loses."""
    rows = {"privacy": {"target": "unsafe"}}
    able = [i % 10 < 6 for i in range(1000)]
    found = ladder(
        file("F16", rows, bbq=able, privacy=[False, True] * 500), file("Q4_0", rows, bbq=able, privacy=[True] * 1000)
    )
    assert found["tasks"]["safety"] == ["bbq"]
    assert found["left_out"] == {"privacy": f"it {ONE_SIDED}"}
    assert "level with F16 in safety" in found["advice"]


def test_one_sided_requests_alone_give_no_advice():
    rows = {"do_not_answer": {"target": "unsafe"}}
    found = ladder(file("F16", rows, do_not_answer=[True, False] * 50), file("Q4_0", rows, do_not_answer=[True] * 100))
    assert found["advice"] == f"There is no advice: do_not_answer {ONE_SIDED}."


def test_requests_of_both_sides_are_told_from_those_of_one():
    assert asks_one_thing([{"target": "unsafe"}] * 3) == ONE_SIDED
    assert "no request to refuse" in str(asks_one_thing([{"target": "safe"}] * 3))
    assert asks_one_thing([{"target": "unsafe"}, {"target": "safe"}]) is None
    assert asks_one_thing([{"target": "A"}] * 3) is None
    assert asks_one_thing([{"target": ["unsafe"]}, {"prompt": "x"}]) is None
    assert asks_one_thing([]) is None


def test_the_samples_that_would_tell_are_those_at_which_the_same_differences_do():
    """Scores that stay level: their interval is that of what was not seen, which narrows faster than with the root."""
    before = [0.3, 0.5, 0.4, 0.9] * 10
    after = [0.29, 0.51, 0.4, 0.9] * 10
    few = ladder(file("F16", dolly=before), file("Q4_0", dolly=after))
    assert few["take"] == "F16"
    needed = few["needed"]
    assert needed is not None
    times = round(needed / 40) + 1
    assert ladder(file("F16", dolly=before * times), file("Q4_0", dolly=after * times))["take"] == "Q4_0"
    half = times // 2
    assert ladder(file("F16", dolly=before * half), file("Q4_0", dolly=after * half))["take"] == "F16"
