"""A mix takes so much of each source, nothing twice, nothing that will be scored, and says what it left out."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lamina.cli import main
from lamina.data.mixing import mix
from lamina.data.presenting import calls_in
from lamina.data.recipe import read_recipe
from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.trajectories import (
    Message,
    Meta,
    ToolCall,
    Trajectory,
    TrajectoryStore,
    read_trajectories,
    write_trajectories,
)

sys.path.insert(0, str(Path(__file__).parents[1]))

TOOL = {
    "type": "function",
    "function": {
        "name": "double",
        "description": "Doubles.",
        "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
    },
}


def row(number: int, *, call: bool = True, x: Any = None, group: str | None = None, says: str = "double") -> Trajectory:
    calls = [ToolCall.of("double", {"x": number if x is None else x})] if call else None
    answer = Message(role="assistant", tool_calls=calls, content="" if call else "No.")
    asked = Message(role="user", content=f"{says} {number} please")
    return Trajectory(id=f"r{number}", tools=[TOOL], messages=[asked, answer], meta=Meta(group=group))


def write(file: Path, rows: list[Trajectory]) -> None:
    write_trajectories(file, rows)


def mixed(folder: Path, recipe: str, out: str = "out") -> tuple[dict[str, Any], list[Trajectory]]:
    (folder / "recipe.toml").write_text(recipe)
    with Run.open(folder / out, {"recipe": recipe}) as run:
        result = mix(read_recipe(folder / "recipe.toml"), run, Progress(silent=True))
        return result, list(TrajectoryStore(run.store).trajectories())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "a.jsonl", [row(n) for n in range(100)])
    write(tmp_path / "b.jsonl", [row(n, says="twice") for n in range(1000, 1020)])
    return tmp_path


AB = '[[source]]\nname = "a"\npath = "a.jsonl"\n{a}\n[[source]]\nname = "b"\npath = "b.jsonl"\n{b}\n'


def taken(result: dict[str, Any]) -> dict[str, int]:
    return {one["name"]: one["taken"] for one in result["sources"]}


@pytest.mark.parametrize(
    ("head", "a", "b", "wanted"),
    [
        ("", "", "", {"a": 100, "b": 20}),
        ("", "cap = 7", "", {"a": 7, "b": 20}),
        ("rows = 40", "", "", {"a": 20, "b": 20}),
        ("rows = 40", "weight = 3", "", {"a": 30, "b": 10}),
        ("rows = 60", "", "", {"a": 40, "b": 20}),  # b has no more, and a gives the rest
        ("rows = 5", "", "", {"a": 3, "b": 2}),
        ("rows = 1000", "", "weight = 9", {"a": 100, "b": 20}),
    ],
)
def test_shares_follow_weights_caps_and_what_there_is(folder: Path, head: str, a: str, b: str, wanted: dict[str, int]):
    result, rows = mixed(folder, f"{head}\n" + AB.format(a=a, b=b))
    assert taken(result) == wanted
    assert Counter(r.meta.source for r in rows) == wanted
    assert result["rows"] == len(rows) == sum(result["split"].values())


def test_the_same_recipe_gives_the_same_rows_and_another_seed_others(folder: Path):
    recipe = "rows = 40\nseed = {}\n" + AB.format(a="", b="")
    ids = [[r.id for r in mixed(folder, recipe.format(seed), out)[1]] for seed, out in ((1, "x"), (1, "y"), (2, "z"))]
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


def test_nothing_is_there_twice_and_every_row_is_accounted_for(folder: Path):
    write(folder / "b.jsonl", [row(n) for n in range(90, 110)])
    result, rows = mixed(folder, AB.format(a="", b=""))
    assert taken(result) == {"a": 100, "b": 10}
    assert result["sources"][1]["left_out"] == {"duplicate": 10}
    assert len(list(rows)) == 110


def test_what_will_be_scored_stays_out(folder: Path):
    write(folder / "test.jsonl", [row(3), row(1005, says="Twice")])
    result, rows = mixed(folder, 'held_out = ["test.jsonl"]\n' + AB.format(a="", b=""))
    asked = {r.request for r in rows}
    assert "double 3 please" not in asked
    assert "twice 1005 please" not in asked
    assert all("contaminated" in one["left_out"] for one in result["sources"])
    rejects = [json.loads(line) for line in (folder / "out" / "rejects.jsonl").read_text().splitlines()]
    said = {reject["detail"] for reject in rejects if reject["reason"] == "contaminated"}
    assert said == {"a copy of test.jsonl r1005: Twice 1005 please", "a copy of test.jsonl r3: double 3 please"}


def test_what_a_synthesis_set_aside_as_a_copy_does_not_come_back_through_a_mix(folder: Path):
    aside = row(2000)
    aside.meta = Meta(split="contaminated", contaminated="BFCL.json 7: double 2000 please")
    write(folder / "b.jsonl", [aside, row(2001)])
    result, rows = mixed(folder, AB.format(a="", b=""))
    assert result["sources"][1]["left_out"] == {"contaminated": 1}
    assert "double 2000 please" not in {r.request for r in rows}
    rejects = [json.loads(line) for line in (folder / "out" / "rejects.jsonl").read_text().splitlines()]
    assert [reject["detail"] for reject in rejects] == ["a copy of BFCL.json 7: double 2000 please"]


def test_a_copy_with_chatter_around_it_stays_out(folder: Path):
    chatted = row(3, says="sorry to bother you again but could you quickly double")
    chatted.meta = Meta(clean="double 3 please")
    write(folder / "b.jsonl", [chatted])
    write(folder / "test.jsonl", [row(3)])
    result, _ = mixed(folder, 'held_out = ["test.jsonl"]\n' + AB.format(a="", b=""))
    assert result["sources"][1]["left_out"] == {"contaminated": 1}


def test_filters_and_checks_leave_out_with_a_reason(folder: Path):
    write(folder / "b.jsonl", [row(1, call=False), row(2), row(3, x="three"), row(4, x=[4])])
    result, _ = mixed(folder, AB.format(a='calls = "none"', b='calls = "some"'))
    assert result["sources"][0]["left_out"] == {"filtered": 100}
    assert result["sources"][1]["taken"] == 1
    assert result["sources"][1]["left_out"]["filtered"] == 1
    assert sum(result["sources"][1]["left_out"].values()) == 3


def test_a_group_stands_on_one_side(folder: Path):
    write(folder / "a.jsonl", [row(n, group=f"g{n % 20}") for n in range(100)])
    result, rows = mixed(folder, "validation = 0.3\ntest = 0.3\n" + AB.format(a="", b=""))
    sides: dict[str, set[str]] = {}
    for r in rows:
        sides.setdefault(str(r.meta.group or r.id), set()).add(str(r.meta.split))
    assert all(len(found) == 1 for found in sides.values())
    assert set(result["split"]) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("", "source: Field required"),
        ("source = 7", "source"),
        ("x = ", "is no TOML"),
        (AB.format(a="wieght = 3", b=""), "wieght"),
        (AB.format(a="weight = 3", b=""), "give rows, or use cap"),
        (AB.format(a="", b="").replace('"b"', '"a"'), "two sources have one name"),
        (AB.format(a="general = true", b=""), "general_share and a source with general = true go together"),
        ("general_share = 0.1\n" + AB.format(a="", b=""), "general_share and a source with general = true go together"),
        ("general_share = 0.1\n" + AB.format(a="general = true", b="general = true"), "leave general_share out"),
        ("validation = 0.6\ntest = 0.5\n" + AB.format(a="", b=""), "leave nothing to train on"),
    ],
)
def test_a_recipe_that_is_wrong_is_one_line(folder: Path, recipe: str, said: str):
    (folder / "recipe.toml").write_text(recipe)
    with pytest.raises(InputError, match=said) as caught:
        read_recipe(folder / "recipe.toml")
    assert "recipe.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_verb_mixes_into_a_run_and_goes_on_where_it_was(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "recipe.toml").write_text("rows = 30\n" + AB.format(a="", b=""))
    command = ["data", "mix", str(folder / "recipe.toml"), "--out", str(folder / "run"), "--json"]
    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["rows"] == 30
    assert len(list(read_trajectories(folder / "run"))) == 30
    rejects = [json.loads(line)["reason"] for line in (folder / "run" / "rejects.jsonl").open()]
    assert Counter(rejects) == {"over-share": 90}
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == first


def test_a_source_that_is_not_there_is_said_before_any_is_read(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "recipe.toml").write_text(AB.format(a="", b="").replace("b.jsonl", "c.jsonl"))
    assert main(["data", "mix", str(folder / "recipe.toml"), "--out", str(folder / "run")]) == 2
    assert "c.jsonl" in capsys.readouterr().err
    assert not (folder / "run").exists()


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        ("general_share = 0.1", {"a": 100, "b": 11}),  # 11 of 111
        ("general_share = 0.2\nrows = 50", {"a": 40, "b": 10}),
        ("general_share = 0.5\nrows = 100", {"a": 80, "b": 20}),  # b has no more
    ],
)
def test_general_instructions_are_their_share_and_marked(folder: Path, head: str, wanted: dict[str, int]):
    write(folder / "b.jsonl", [row(n, call=n >= 1020, says="explain") for n in range(1000, 1025)])
    result, rows = mixed(folder, f"{head}\n" + AB.format(a="", b="general = true"))
    assert taken(result) == wanted
    assert {r.meta.source for r in rows if r.meta.style == "general"} == {"b"}
    assert result["sources"][1]["left_out"]["filtered"] == 5, "what calls functions is no general instruction"


def test_tokens_are_counted_as_the_trainer_reads_them(folder: Path, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("trl")
    from lamina.models.templates import LAMINA_TEMPLATE, with_end_mark
    from lamina.tools import Toolbox
    from lamina.training.base import tokenizer_of
    from lamina.training.rows import token_rows
    from tiny_llama import save_tiny_llama

    tiny = save_tiny_llama(folder / "tiny")
    strange = row(7000)
    strange.tools = []  # calls what is not on offer
    write(folder / "b.jsonl", [row(1000), strange])
    (folder / "recipe.toml").write_text(f'tokenizer = "{tiny}"\n' + AB.format(a="", b="check = false"))
    assert main(["data", "mix", str(folder / "recipe.toml"), "--out", str(folder / "run"), "--json"]) == 0
    counted = [one["tokens"] for one in json.loads(capsys.readouterr().out)["sources"]]
    tokenizer = tokenizer_of(str(tiny))
    template = with_end_mark(LAMINA_TEMPLATE, tokenizer.eos_token)
    own = [row(n) for n in range(100)]
    rows, _ = token_rows(own, Toolbox([]), tokenizer, template, style="full", max_length=10_000)
    assert counted[0]["read"] == sum(len(r.input_ids) for r in rows)
    assert counted[0]["learnt"] == sum(label >= 0 for r in rows for label in r.labels)
    assert counted[0]["longest"] == max(len(r.input_ids) for r in rows)
    assert counted[1]["refused"] == 1
    bad = ["data", "mix", str(folder / "recipe.toml"), "--out", str(folder / "x"), "--tokenizer", "nowhere"]
    assert main(bad) == 2
    assert "nowhere: no tokenizer" in capsys.readouterr().err


def test_each_side_is_packed_and_load_dataset_finds_the_splits(folder: Path, capsys: pytest.CaptureFixture[str]):
    datasets = pytest.importorskip("datasets")
    (folder / "recipe.toml").write_text("validation = 0.3\n" + AB.format(a="", b=""))
    command = ["data", "mix", str(folder / "recipe.toml"), "--out", str(folder / "run"), "--json"]
    assert main([*command, "--pack", "jsonl,parquet"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["packed"]) == 4
    found = [
        datasets.load_dataset(str(folder / "run" / "packed" / kind), cache_dir=str(folder / "cache"))
        for kind in ("jsonl", "parquet")
    ]
    for sides in found:
        assert {side: len(rows) for side, rows in sides.items()} == result["split"]
    assert [list(found[0][side]) for side in result["split"]] == [list(found[1][side]) for side in result["split"]]
    assert main([*command, "--pack", "arrow"]) == 2
    assert "--pack takes jsonl, parquet" in capsys.readouterr().err


def test_a_source_may_be_presented_in_an_output_format_of_its_own(folder: Path):
    recipe = """
[[source]]
name = "plain"
path = "a.jsonl"
cap = 5

[[source]]
name = "text"
path = "b.jsonl"
cap = 5
present = "xml"
"""
    write(folder / "b.jsonl", [row(n, says="twice") for n in range(5)])
    _, rows = mixed(folder, recipe)
    plain = [r for r in rows if r.meta.source == "plain"]
    text = [r for r in rows if r.meta.source == "text"]
    assert all(r.calls and r.tools for r in plain)
    assert not any(r.calls or r.tools for r in text)
    assert sorted(calls_in(r)[0][0][1]["x"] for r in text) == [0, 1, 2, 3, 4]
    assert {r.meta.model_extra["presented"]["format"] for r in text} == {"xml"}
    assert all(r.meta.split for r in text)


def test_an_output_format_that_is_not_there_is_said(folder: Path):
    (folder / "recipe.toml").write_text('[[source]]\nname = "a"\npath = "a.jsonl"\npresent = "cobol"\n')
    with pytest.raises(InputError, match="there is no output format 'cobol'"):
        read_recipe(folder / "recipe.toml")
