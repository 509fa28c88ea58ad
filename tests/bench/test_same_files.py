"""The same file under two names is asked once, and has rows of its own under each."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

pytest.importorskip("xllamacpp")

from lamina.bench import BenchModel, BenchSettings, asking, bench_models, open_task
from lamina.bench.advice import advice_of
from lamina.bench.same_files import _same_but_for_the_type
from lamina.bench.workers import ask_worker
from lamina.quantize import quantize_types
from lamina.tools import Toolbox
from tiny_gguf import save_tiny_gguf


@pytest.fixture
def scene(desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """``bench(models)`` asks four questions of each; ``asked`` has the reference of each worker that asks."""
    asked: list[str] = []

    def counting(job: dict[str, Any], **how: Any) -> Iterator[dict[str, Any]]:
        asked.append(job["ref"])
        yield from ask_worker(job, **how)

    monkeypatch.setattr(asking, "ask_worker", counting)
    questions = desk.folder / "q.jsonl"
    questions.write_text("".join(f'{{"input": "say {n}", "target": "{n}"}}\n' for n in range(4)))
    settings = BenchSettings(timing_samples=0, slots=1, max_tokens=4, context=512)

    def bench(*models: BenchModel, tasks: str = f"jsonl:{questions}") -> dict[str, Any]:
        opened = [open_task(tasks)]
        return bench_models(models, opened, run=desk.run, toolbox=Toolbox([]), settings=settings, alone=True)

    def rows() -> list[dict[str, Any]]:
        return [json.loads(row.payload) for row in desk.run.store.iterate("sample")]

    return SimpleNamespace(folder=desk.folder, bench=bench, asked=asked, rows=rows)


def test_one_file_in_two_folders_is_asked_once_and_both_have_their_rows(scene: SimpleNamespace):
    one = save_tiny_gguf(scene.folder / "m.gguf")
    (scene.folder / "copy").mkdir()
    two = shutil.copy(one, scene.folder / "copy" / "m.gguf")
    found = scene.bench(BenchModel(str(one), "m", "", "plain"), BenchModel(str(two), "copy/m", "", "plain"))
    assert scene.asked == [str(one)]
    assert [row["model"] for row in scene.rows()].count("m") == 4
    assert [row["model"] for row in scene.rows()].count("copy/m") == 4
    told = [remark["model"] for remark in found["remarks"] if "is the same model as m," in remark["detail"]]
    assert told == ["copy/m"]
    figures = {(r["model"], r["metric"]): r["value"] for r in found["rows"]}
    assert figures["m", "exact_match"] == figures["copy/m", "exact_match"]


def test_what_the_second_answered_before_is_not_asked_of_the_first(scene: SimpleNamespace):
    one = save_tiny_gguf(scene.folder / "a.gguf")
    two = shutil.copy(one, scene.folder / "b.gguf")
    scene.bench(BenchModel(str(two), "b", "", "plain"))
    scene.asked.clear()
    scene.bench(BenchModel(str(one), "a", "", "plain"), BenchModel(str(two), "b", "", "plain"))
    assert scene.asked == []
    assert sorted(row["model"] for row in scene.rows()) == ["a"] * 4 + ["b"] * 4


def test_two_types_that_fell_back_to_the_same_one_are_two_rungs_asked_once(scene: SimpleNamespace):
    source = save_tiny_gguf(scene.folder / "source.gguf")
    made = quantize_types(source, ["Q8_0", "Q6_K"], scene.folder)
    assert made[1]["fallbacks"], "no row of 64 fits a block of 256"
    found = scene.bench(*(BenchModel(file["path"], "m", file["type"], "plain") for file in made))
    assert scene.asked == [made[0]["path"]]
    assert len(scene.rows()) == 8
    assert {row["precision"] for row in scene.rows()} == {"Q8_0", "Q6_K"}
    assert found["paired"][0]["difference"] == 0


def test_files_that_differ_in_anything_but_their_type_are_two_models(tmp_path: Path):
    source = save_tiny_gguf(tmp_path / "source.gguf")
    q8, q6 = (Path(file["path"]) for file in quantize_types(source, ["Q8_0", "Q6_K"], tmp_path))
    assert _same_but_for_the_type(q8, q6)
    changed = bytearray(q6.read_bytes())
    changed[-5] ^= 1
    q6.write_bytes(changed)
    assert not _same_but_for_the_type(q8, q6)
    assert not _same_but_for_the_type(q8, source)


def test_a_crash_of_the_file_is_the_crash_of_both(scene: SimpleNamespace):
    one = save_tiny_gguf(scene.folder / "a.gguf")
    one.write_bytes(one.read_bytes()[:-4000])
    two = shutil.copy(one, scene.folder / "b.gguf")
    found = scene.bench(BenchModel(str(one), "a", "", "plain"), BenchModel(str(two), "b", "", "plain"))
    assert [(crash["model"], crash["stage"]) for crash in found["crashes"]] == [("a", "load"), ("b", "load")]
    assert scene.asked == [str(one)]


def test_a_rung_that_saves_nothing_is_not_advised():
    def rung(name: str, size: int, loss: float | None) -> dict[str, Any]:
        counts = {"n": 900, "crashed": 0, "unscored": 0, "needed": None}
        told = None if loss is None else {"value": loss, "low": loss - 0.01, "high": loss + 0.01, **counts}
        return {"type": name, "bytes": size, "loss": told, "safety_loss": None, "otps": None}

    found = advice_of([rung("Q8_0", 100, None), rung("Q6_K", 100, 0.0), rung("Q4_0", 60, 0.005)], "Q8_0", ["quality"])
    assert found["take"] == "Q4_0"
    found = advice_of([rung("Q8_0", 100, None), rung("Q6_K", 100, 0.0), rung("Q4_0", 60, 0.5)], "Q8_0", ["quality"])
    assert found["advice"].startswith("Keep Q8_0: no smaller file is shown to lose less than 2 points")
