"""The report of a distillation shows the grid, and the rates where they moved."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn", reason="digits come with scikit-learn (extra vision)")

from lamina.reports import write_report
from lamina.reports.distilled import distillation_view
from lamina.runs import Run
from lamina.training.layerwise.cell import Schedule
from lamina.training.layerwise.grid import Experiment, run_grid


def test_a_grids_page_has_its_cells_its_questions_and_the_course_of_rates(tmp_path: Path):
    small = Experiment("digits", fraction=0.05, width=8, schedule=Schedule(steps=4, batch=16))
    with Run.open(tmp_path, small.config()) as run:
        found = run_grid(
            small, run, transfers=["none", "attention"], rules=["uniform", "layerwise", "random"], seeds=2, workers=1
        )
        run.finish("distill", found)
        run.write_report_json()
        page = write_report(run.folder, run.results()).read_text()
    for row in found["rows"]:
        assert f"{row['value']:.1%}" in page or f"{100 * row['value']:.1f}" in page
    assert "attention/random" in page, "the control is a question of its own"
    assert "attention transfer, layerwise rates" in page
    assert "none transfer, uniform rates" not in page, "rates that never move have no chart"


def test_a_language_models_page_has_the_rates_of_its_log(tmp_path: Path):
    (tmp_path / "model").mkdir()
    lines = ["step,layer,rate,difference"]
    lines += [f"{step},{name},{rate},0.1" for step in (1, 2) for name, rate in (("a", 1 + step / 10), ("b", 0.9))]
    (tmp_path / "model" / "layer-rates.csv").write_text("\n".join(lines))
    layer = {"student": "a", "teacher": "a", "first_difference": 0.1, "difference": 0.1, "rate": 1.2}
    view = distillation_view(tmp_path, {"train": {"layers": [layer]}})
    assert view is not None
    ((title, legend, _),) = view["courses"]
    assert title == "Rate of each layer"
    assert legend.startswith("from a (light) to b (dark)")
    assert distillation_view(tmp_path, {"train": {}}) is None
