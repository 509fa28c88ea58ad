"""``lamina synth --held-out``: copies of an evaluation set are set aside, BFCL's own files among them."""

from __future__ import annotations

import json
from pathlib import Path

from lamina.trajectories import read_trajectories

WRITER = """
import re


def reply(messages, tools, seed):
    said = re.findall(r": ([^;\\]]+)", messages[-1]["content"].rstrip().splitlines()[-1])
    return "what is 4 times 7" if seed % 2 or not said else f"please take {' and '.join(said)} now"
"""


def test_a_row_that_copies_bfcl_is_set_aside_with_the_name_of_what_it_copies(lamina, tools_file: Path, tmp_path: Path):
    request = {"role": "user", "content": "What is 4 times 7?"}
    function = {
        "name": "multiply",
        "description": "Multiplies.",
        "parameters": {
            "type": "dict",
            "properties": {"a": {"type": "float", "description": "One."}},
            "required": ["a"],
        },
    }
    bfcl = {"id": "simple_python_0", "question": [[request]], "function": [function]}
    (tmp_path / "BFCL_v4_simple_python.json").write_text(json.dumps(bfcl) + "\n", encoding="utf-8")
    (tmp_path / "writer.py").write_text(WRITER, encoding="utf-8")
    words = ["--writer", f"scripted:{tmp_path / 'writer.py'}", "-n", "8", "--out", tmp_path / "run"]
    said = lamina("synth", tools_file, *words, "--held-out", tmp_path / "BFCL_v4_simple_python.json")
    assert said.status == 0, said.err
    rows = list(read_trajectories(tmp_path / "run" / "trajectories.jsonl"))
    copies = [row for row in rows if row.meta.split == "contaminated"]
    assert {row.request.casefold().rstrip("?") for row in copies} == {"what is 4 times 7"}
    (where,) = {(row.meta.model_extra or {})["contaminated"] for row in copies}
    assert where == "BFCL_v4_simple_python.json simple_python_0: What is 4 times 7?"
    checks = {(c.verdict, c.detail) for row in copies for c in row.meta.checks if c.name == "contamination"}
    assert checks == {("rejected", f"a copy of {where}")}


def test_a_held_out_file_that_is_not_there_is_one_line(lamina, tools_file: Path, tmp_path: Path):
    said = lamina("synth", tools_file, "--out", tmp_path / "run", "--held-out", tmp_path / "none.json")
    assert said.status == 2
    assert "none.json" in said.errors[-1]
