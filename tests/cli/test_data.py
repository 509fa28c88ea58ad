"""``lamina data``: the contract that scripts rely on, and what people are told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "trajectories"))
from foreign_rows import as_text


def rows(path: Path, *given: tuple[str, str, dict[str, Any], str]) -> Path:
    """``(id, function, arguments, request)``."""
    lines = []
    for id, name, arguments, request in given:
        call = {"type": "function", "function": {"name": name, "arguments": arguments}}
        messages = [{"role": "user", "content": request}, {"role": "assistant", "tool_calls": [call]}]
        lines.append(json.dumps({"id": id, "messages": messages}))
    path.write_text("\n".join(lines))
    return path


def test_checking_with_your_functions_prints_the_contract(lamina, tools_file: Path, tmp_path: Path):
    file = rows(
        tmp_path / "rows.jsonl",
        ("good", "scale", {"value": 4, "factor": 7}, "what is 4 times 7"),
        ("cast", "scale", {"value": "4", "factor": 7}, "multiply 4 by 7"),
        ("wrong", "grow", {}, "grow"),
    )
    said = lamina("data", "check", file, "--execute", tools_file, "--json")
    assert said.status == 0
    found = json.loads(said.out)
    assert found["accepted"] == ["good", "cast"]
    assert [(r["id"], r["stage"], r["reason"]) for r in found["rejected"]] == [("wrong", "format", "unknown-function")]
    assert "on offer: scale, note" in found["rejected"][0]["detail"]
    assert found["mended"] == [{"id": "cast", "detail": "scale.value: '4' became 4"}]


def test_a_file_beside_itself_is_half_copies(lamina, tmp_path: Path):
    file = tmp_path / "twice.jsonl"
    file.write_text(as_text("sharegpt") * 2)
    found = json.loads(lamina("data", "check", file, "--json").out)
    assert found["accepted"] == [f"{file}:1"]
    (copy,) = found["rejected"]
    assert (copy["id"], copy["stage"], copy["reason"]) == (f"{file}:2", "novelty", "duplicate")
    assert copy["detail"] == f"says and calls what {file}:1 does, with the same tools"
    assert json.loads(lamina("data", "check", file, "--skip", "novelty", "--json").out)["rejected"] == []
    fixed = json.loads(lamina("data", "fix", file, "--out", tmp_path / "clean", "--json").out)
    assert (fixed["accepted"], fixed["rejected"]) == (1, {"duplicate": 1})


def test_near_copies_and_shapes_of_calls_are_limited_where_asked(lamina, tools_file: Path, tmp_path: Path):
    file = rows(
        tmp_path / "rows.jsonl",
        ("one", "scale", {"value": 4, "factor": 7}, "tell me what is 4 times 7"),
        ("near", "scale", {"value": 4, "factor": 8}, "tell me what is 4 times 8"),
    )
    assert json.loads(lamina("data", "check", file, "--tools", tools_file, "--json").out)["rejected"] == []
    near = json.loads(lamina("data", "check", file, "--execute", tools_file, "--near", "0.7", "--json").out)
    assert [(r["id"], r["reason"]) for r in near["rejected"]] == [("near", "near-duplicate")]
    capped = json.loads(lamina("data", "check", file, "--tools", tools_file, "--per-call", "1", "--json").out)
    assert [(r["id"], r["reason"]) for r in capped["rejected"]] == [("near", "over-share")]


def test_copies_of_an_evaluation_set_are_named_with_what_they_copy(lamina, tools_file: Path, tmp_path: Path):
    bfcl = {
        "id": "simple_python_0",
        "question": [[{"role": "user", "content": "What is 4 times 7?"}]],
        "function": [{"name": "multiply", "description": "m", "parameters": {"type": "dict", "properties": {}}}],
    }
    (tmp_path / "BFCL_v4_simple_python.json").write_text(json.dumps(bfcl) + "\n")
    file = rows(
        tmp_path / "rows.jsonl",
        ("copy", "scale", {"value": 4, "factor": 7}, "what is 4 times 7"),
        ("own", "scale", {"value": 4, "factor": 3}, "multiply 4 by 3"),
    )
    held_out = ["--held-out", tmp_path / "BFCL_v4_simple_python.json"]
    found = json.loads(lamina("data", "check", file, "--execute", tools_file, *held_out, "--json").out)
    assert found["accepted"] == ["own"]
    told = "a copy of BFCL_v4_simple_python.json simple_python_0: What is 4 times 7?"
    wanted = {"id": "copy", "stage": "contamination", "reason": "contaminated", "detail": told}
    assert found["rejected"] == [wanted]
    lamina("data", "fix", file, "--tools", tools_file, *held_out, "--out", tmp_path / "clean")
    (kept,) = (tmp_path / "clean" / "trajectories.jsonl").read_text().splitlines()
    assert [c["name"] for c in json.loads(kept)["meta"]["checks"]][-2:] == ["novelty", "contamination"]


def test_rows_without_ids_are_named_by_file_and_line(lamina, tmp_path: Path):
    file = tmp_path / "rows.jsonl"
    file.write_text(as_text("sharegpt") + "{broken\n")
    found = json.loads(lamina("data", "check", file, "--json").out)
    assert found["accepted"] == [f"{file}:1"]
    assert [(r["id"], r["stage"], r["reason"]) for r in found["rejected"]] == [(f"{file}:2", "read", "unreadable")]


def test_importing_prints_the_contract_and_continues(lamina, tmp_path: Path):
    file = tmp_path / "rows.jsonl"
    file.write_text(as_text("sharegpt") + "{broken\n")
    said = lamina("data", "import", file, "--out", tmp_path / "run", "--json")
    wanted = {"read": 2, "accepted": 1, "rejected": {"unreadable": 1}, "format": "sharegpt", "lost": {}}
    assert json.loads(said.out) == wanted
    assert json.loads(lamina("data", "import", file, "--out", tmp_path / "run", "--json").out) == wanted
    assert json.loads((tmp_path / "run" / "report.json").read_text())["import"] == wanted


def test_import_fix_stats_show_and_export_are_one_way(lamina, tmp_path: Path):
    file = tmp_path / "rows.jsonl"
    file.write_text(as_text("xlam-60k").replace('\\"days\\": 2', '\\"days\\": \\"2\\"'))
    assert lamina("data", "import", file, "--out", tmp_path / "a").status == 0
    fixed = lamina("data", "fix", tmp_path / "a", "--out", tmp_path / "b")
    assert '-      "days": "2"' in fixed.out
    assert '+      "days": 2' in fixed.out
    assert "1 of 1 records pass, 1 of them mended" in fixed.out
    assert json.loads(lamina("data", "stats", tmp_path / "b", "--json").out)["records"] == 1
    shown = lamina("data", "show", tmp_path / "b").out
    assert "get_weather(city: string, days?: integer)" in shown
    assert "mended get_weather.days: '2' became 2" in shown
    done = json.loads(lamina("data", "export", tmp_path / "b", "--to", "sharegpt", "--json").out)
    assert done["written"] == 1
    assert done["lost"]["meta.mended"] == 1
    assert Path(done["path"]) == tmp_path / "b" / "sharegpt.jsonl"
    again = json.loads(lamina("data", "check", done["path"], "--json").out)
    assert again["accepted"] == ["7"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["data", "check", "none.jsonl"], "none.jsonl: is not there"),
        (["data", "check", ""], "a path is empty; name a file, a run or a folder"),
        (["data", "stats", "ROWS", " "], "a path is empty"),
        (["data", "check", "ROWS", "--execute", ""], "a path is empty"),
        (["data", "check", "ROWS", "--tools", ""], "a path is empty"),
        (["data", "check", "ROWS", "--held-out", ""], "a path is empty"),
        (["data", "check", "ROWS", "--held-out", "none.json"], "none.json: is not there"),
        (["data", "check", "ROWS", "--held-out", "EMPTY"], "holds no requests"),
        (["data", "chekc", "x"], "there is no verb 'data chekc'; 'lamina data' lists them"),
        (["data", "check", "ROWS", "--skip", "colour"], "there is no check 'colour'; --skip takes order, format"),
        (["data", "check", "ROWS", "--from", "colour"], "there is no format 'colour'"),
        (["data", "export", "ROWS", "--to", "sharegpt"], "where to write is not said; give --out FILE"),
        (["data", "export", "ROWS", "--to", "toolbench", "--out", "x"], "toolbench is only read; write one of"),
        (["data", "show", "ROWS", "--id", "z"], "there is no record 'z'"),
    ],
)
def test_a_wrong_command_is_one_line_with_status_2(lamina, tmp_path: Path, arguments: list[str], says: str):
    file = tmp_path / "rows.jsonl"
    file.write_text(as_text("openai"))
    (tmp_path / "empty.jsonl").write_text("")
    files = {"ROWS": str(file), "EMPTY": str(tmp_path / "empty.jsonl")}
    said = lamina(*[files.get(a, a) for a in arguments])
    assert said.status == 2
    assert says in said.errors[-1]


def test_the_verb_alone_lists_its_sub_verbs(lamina):
    said = lamina("data")
    assert said.status == 0
    assert "lamina data check " in said.out
    assert lamina("data", "--help").out == said.out


def test_augmenting_keeps_the_records_and_adds_copies_that_pass_the_checks(lamina, tmp_path: Path):
    file = tmp_path / "rows.jsonl"
    other = as_text("openai").replace("get_weather", "get_tides")
    file.write_text(as_text("openai") + other)
    said = lamina("data", "augment", file, "--out", tmp_path / "wide", "--by", "mask-names,distract,present", "--json")
    found = json.loads(said.out)
    assert (found["read"], found["written"]) == (2, 8)
    assert found["by"] == {"mask-names": 2, "distract": 2, "present": 2}
    checked = json.loads(lamina("data", "check", tmp_path / "wide", "--json").out)
    assert checked["rejected"] == []
    assert f"{file}:1~present" in checked["accepted"]
    wrong = lamina("data", "augment", file, "--out", tmp_path / "x", "--by", "spin")
    assert wrong.status == 2
    assert "there is no augmentation 'spin'; --by takes shuffle-tools" in wrong.errors[-1]


def test_of_many_records_the_page_holds_an_even_share_and_says_so(lamina, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("lamina.reports.browsing.MOST", 20)
    file = rows(tmp_path / "rows.jsonl", *((str(n), "scale", {"value": n}, f"scale {n}") for n in range(200)))
    page, drawn = tmp_path / "rows.html", []
    for seed in (0, 0, 1):
        told = json.loads(lamina("data", "show", file, "--page", page, "--seed", str(seed), "--json").out)
        assert told == {"page": str(page), "records": 200, "rejects": 0}
        text = page.read_text(encoding="utf-8")
        data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
        assert (data["seed"], data["all"]["passed"]) == (seed, 200)
        drawn.append([int(row["id"]) for row in data["rows"]])
    assert drawn[0] == drawn[1] != drawn[2]
    for ids in drawn:
        assert len(ids) == 20
        assert ids == sorted(ids)
        assert min(ids) < 100 < max(ids)


def test_show_writes_a_page_of_records_and_rejects(lamina, tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text(as_text("sharegpt") + '{"id": 3}\n', encoding="utf-8")
    page = tmp_path / "rows.html"
    told = json.loads(lamina("data", "show", tmp_path / "rows.jsonl", "--page", page, "--json").out)
    assert told == {"page": str(page), "records": 1, "rejects": 1}
    data = page.read_text(encoding="utf-8").partition('id="data">')[2].partition("</script>")[0]
    rows = json.loads(data)["rows"]
    assert [row["kind"] for row in rows] == ["passed", "rejected"]
    assert rows[0]["tools"]
    assert rows[1]["steps"] == [{"who": "text", "text": '{"id":3}'}]
    assert "report.html" not in page.read_text(encoding="utf-8")
