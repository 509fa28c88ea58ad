"""Figures over parts of a task come from the answers that are there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from lamina.bench import BenchModel, BenchSettings, OwnTask, bench_models, part_rows
from lamina.runs import Run
from lamina.tools import read_tools
from lamina.trajectories import read_queries

PARTS = {"all": ["one", "two", "three", "four"], "without_grammar": ["one", "three"], "grammar": ["two"], "none": []}


@pytest.fixture
def wrong_on_two(desk: SimpleNamespace) -> str:
    ref: str = desk.model({"double 4 and greet Bo": "[]"})
    return ref


def test_each_part_has_its_figure_and_no_model_is_asked_again(
    desk: SimpleNamespace, wrong_on_two: str, tmp_path: Path
) -> None:
    toolbox = read_tools(desk.folder / "desk_tools.py")
    task = OwnTask(queries=read_queries(desk.queries), name="generated")
    twin = tmp_path / "twin.py"
    twin.write_bytes(Path(wrong_on_two.removeprefix("scripted:")).read_bytes())
    models = [
        BenchModel(ref, "tuned", precision) for ref, precision in ((wrong_on_two, "F16"), (f"scripted:{twin}", "Q8_0"))
    ]
    settings = BenchSettings(timing_samples=0)
    with Run.open(tmp_path / "parts", {}) as run:
        assert part_rows(models, task, PARTS, run=run, toolbox=toolbox) == [], "nobody answered yet"
        result = bench_models(models, [task], run=run, toolbox=toolbox, settings=settings)
        asked = desk.asked()
        rows = part_rows(models, task, PARTS, run=run, toolbox=toolbox, settings=settings)
    assert desk.asked() == asked > 0
    found = {(r["precision"], r["part"]): (r["value"], r["n"]) for r in rows}
    assert found == {
        (precision, part): figure
        for precision in ("F16", "Q8_0")
        for part, figure in (("all", (2 / 3, 3)), ("without_grammar", (1.0, 2)), ("grammar", (0.0, 1)))
    }, "the request of two steps is a figure of its own, as everywhere"
    overall = {r["precision"]: r["value"] for r in result["rows"] if r["metric"] == "call_exact"}
    assert overall == {precision: found[precision, "all"][0] for precision in overall}
    assert {(r["task"], r["metric"]) for r in rows} == {("generated", "call_exact")}
