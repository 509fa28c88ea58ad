"""``lamina bench compare``: what people read."""

from __future__ import annotations

import json
from pathlib import Path


def test_people_read_graded_scores_sizes_and_that_no_speed_was_measured(lamina, tmp_path: Path):
    questions = tmp_path / "q.jsonl"
    rows = [{"input": f"colours {i}", "target": "red green blue", "metric": "f1"} for i in range(4)]
    questions.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for name, answer in (("long", "red green blue"), ("short", "red green")):
        model = tmp_path / f"{name}.py"
        model.write_text(f"def reply(messages, tools, seed):\n    return {answer!r}\n", encoding="utf-8")
        said = lamina("bench", f"scripted:{model}", "--tasks", f"jsonl:{questions}", "--out", tmp_path / name, "--json")
        assert said.status == 0, said.err
    said = lamina("bench", "compare", tmp_path / "long", tmp_path / "short")
    assert said.status == 0
    assert "gained 0" in said.out
    assert "1.000 to 0.800" in said.out
    assert "lower 4" in said.out
    assert "peak memory" in said.out
    found = json.loads(lamina("bench", "compare", tmp_path / "long", tmp_path / "short", "--json").out)
    (row,) = found["metrics"]
    assert (row["metric"], round(row["difference"], 3), row["lower"], row["n"]) == ("f1", -0.2, 4, 4)
    assert "peak_rss_bytes" in [row["measure"] for row in found["resources"]]
