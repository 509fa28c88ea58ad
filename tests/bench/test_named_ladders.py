"""Files named by hand: a ladder where they are roundings of the same weights, else models that stand side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from lamina.bench import BenchModel, ladders_of_files
from lamina.bench.families import told_apart
from lamina.bench.pairs import Named
from lamina.bench.side_by_side import NOBODY, side_by_side
from lamina.quantize import quantize_types
from tiny_gguf import save_tiny_gguf


def files(folder: Path, *types: str, name: str = "Tiny", seed: int = 0) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    source = save_tiny_gguf(folder / "source.gguf", name=name, seed=seed)
    return [str(file["path"]) for file in quantize_types(source, list(types), folder)]


def models(*paths: str) -> list[BenchModel]:
    told = told_apart({path: "/".join(Path(path).with_suffix("").parts[-2:]) for path in paths})
    return [BenchModel(ref, one.label, one.precision, family=one.family) for ref, one in told.items()]


def test_roundings_of_one_model_are_a_ladder_whatever_they_are_called(tmp_path: Path):
    f16, q8, q4 = files(tmp_path, "F16", "Q8_0", "Q4_0")
    Path(q4).rename(tmp_path / "small.gguf")
    (ladder,) = ladders_of_files(models(q8, str(tmp_path / "small.gguf"), f16))
    assert [f["type"] for f in ladder["files"]] == ["Q8_0", "Q4_0", "F16"]
    assert all(f["bytes"] == Path(f["path"]).stat().st_size for f in ladder["files"])
    q8_bits, q4_bits, f16_bits = (f["bits_per_weight"] for f in ladder["files"])
    assert 4 < q4_bits < q8_bits < 9 < 16 <= f16_bits
    assert [precision for _, precision in ladder["members"]] == ["Q8_0", "Q4_0", "F16"]
    assert ladder["title"] == "Quantization ladder of Tiny"


def test_without_a_file_in_full_precision_the_title_says_what_is_not_seen(tmp_path: Path):
    (ladder,) = ladders_of_files(models(*files(tmp_path, "Q8_0", "Q4_0")))
    assert ladder["title"].startswith("Quantization ladder of Tiny from Q8_0 down (8.")
    assert ladder["title"].endswith(" bits a weight): what is lost against Q8_0, not what Q8_0 costs")


def test_another_training_under_the_same_name_is_no_rung(tmp_path: Path):
    (f16,) = files(tmp_path / "a", "F16")
    (q8,) = files(tmp_path / "b", "Q8_0", seed=1)
    both = models(f16, q8)
    assert both[0].family == both[1].family, "by name and measures they are one"
    assert ladders_of_files(both) == []


def test_two_models_are_two_ladders_and_one_file_is_none(tmp_path: Path):
    one, two = files(tmp_path / "a", "F16", "Q8_0"), files(tmp_path / "b", "F16", "Q4_0", name="Other", seed=1)
    titles = [ladder["title"] for ladder in ladders_of_files(models(*one, *two))]
    assert titles == ["Quantization ladder of Tiny", "Quantization ladder of Other"]
    assert ladders_of_files(models(one[0], two[0])) == []


def test_a_broken_file_is_no_rung_and_no_error_yet(tmp_path: Path):
    f16, q8, q4 = files(tmp_path, "F16", "Q8_0", "Q4_0")
    Path(q4).write_bytes(Path(q4).read_bytes()[:-2000])
    (ladder,) = ladders_of_files(models(f16, q8, q4))
    assert [precision for _, precision in ladder["members"]] == ["F16", "Q8_0"]


def task(name: str) -> Any:
    return SimpleNamespace(name=name, paired_metric="accuracy", counts_in_pair=lambda scores: True)


def named(label: str, right: dict[str, int], size: int | None) -> Named:
    """``right`` of a hundred, by task."""
    records = {
        (name, str(i)): {"right": i < n, "scores": {"accuracy": i < n}, "row": {}}
        for name, n in right.items()
        for i in range(100)
    }
    return Named(label, label, "", records, bytes=size)


NOTHING: dict[str, Any] = {"resources": [], "crashes": []}


def test_models_side_by_side_have_means_and_a_frontier_and_no_advice():
    three = [named("large", {"gsm8k": 60, "bbq": 50}, 900), named("small", {"gsm8k": 40, "bbq": 50}, 300),
             named("beaten", {"gsm8k": 30, "bbq": 40}, 500)]  # fmt: skip
    found = side_by_side(three, [task("gsm8k"), task("bbq")], NOTHING)
    assert [(m["model"], m["quality"]["value"], m["safety"]["value"], m["frontier"]) for m in found["models"]] == [
        ("large", 0.6, 0.5, True), ("small", 0.4, 0.5, True), ("beaten", 0.3, 0.4, False),
    ]  # fmt: skip
    assert "advice" not in found
    assert found["tasks"] == {"quality": ["gsm8k"], "safety": ["bbq"]}


def test_a_task_that_none_of_them_can_do_is_in_no_mean_and_one_that_some_can_is():
    two = [named("a", {"gsm8k": 60, "mmlu": 1, "sql": 0}, 2), named("b", {"gsm8k": 40, "mmlu": 0, "sql": 30}, 1)]
    found = side_by_side(two, [task("gsm8k"), task("mmlu"), task("sql")], NOTHING)
    assert found["tasks"]["quality"] == ["gsm8k", "sql"]
    assert found["left_out"] == {"mmlu": NOBODY}


def test_a_model_that_crashed_and_one_without_a_size_are_no_point_that_is_made_up():
    two = [named("far", {"gsm8k": 60}, None), named("dead", {"gsm8k": 90}, 1)]
    crash = {"model": "dead", "precision": "", "stage": "generate", "detail": "killed"}
    far, dead = side_by_side(two, [task("gsm8k")], {"resources": [], "crashes": [crash]})["models"]
    assert (far["bytes"], far["frontier"]) == (None, True)
    assert (dead["quality"], dead["frontier"]) == (None, False)
    one_sample = crash | {"task": "gsm8k", "sample": "7"}
    dead = side_by_side(two, [task("gsm8k")], {"resources": [], "crashes": [one_sample]})["models"][1]
    assert dead["quality"]["value"] == 0.9
