"""``--how pairs``: the writer is asked for several pairs of one style at a time, and each is held to that style."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import UserError
from lamina.models.grammar import json_grammar
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, prompts, synthesize
from lamina.synth.pair_answers import pairs_in
from lamina.synth.settings import WORDINGS
from lamina.tools import Tool, read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import Reject, Trajectory, TrajectoryStore

POUR = {"name": "water_plant", "arguments": {"plant": "oak", "liters": 3}}
STYLES = ("simple", "multiple", "parallel", "parallel-multiple")

WRITER = '''
"""Writes as many pairs as it is asked for, of the style that its prompt describes."""

import json
import random
import re


def pour(draw):
    plant, liters = draw.choice(["oak", "elm", "ash", "yew", "fir"]), draw.randint(2, 290)
    return f"pour {liters} liters on the {plant}", call("water_plant", plant=plant, liters=liters)


def count(draw):
    day = draw.choice(["friday", "sunday"])
    return f"how many pots were planted on {day}", call("count_pots", day=day)


def call(name, **arguments):
    return {"name": name, "arguments": arguments}


def pair(prompt, draw):
    names = re.findall(r'^{"name": "(\\w+)"', prompt, re.MULTILINE)
    one = {"water_plant": pour, "count_pots": count}
    if "one call of each" in prompt:
        made = [one[name](draw) for name in names]
    elif asked := re.search("answered by (two|three) calls", prompt):
        made = [one[names[0]](draw) for _ in range({"two": 2, "three": 3}[asked[1]])]
    else:
        made = [one[draw.choice(names)](draw)]
    words = " ".join("".join(draw.choices("bdfgklmnprst", k=6)) for _ in range(6))
    return {"query": f"{' and '.join(said for said, _ in made)}, {words}", "answers": [c for _, c in made]}


def reply(messages, tools, seed):
    prompt, draw = messages[-1]["content"], random.Random(seed)
    wanted = int(re.findall(r"(\\d+) new one", prompt)[-1])
    return json.dumps([pair(prompt, draw) for _ in range(wanted)])
'''


@pytest.fixture
def able(tmp_path: Path) -> str:
    (tmp_path / "able.py").write_text(WRITER, encoding="utf-8")
    return f"scripted:{tmp_path / 'able.py'}"


def scripted(folder: Path, answer: Any) -> str:
    """A writer that always answers the same, and notes what it was asked."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    (folder / "same.py").write_text(
        "from pathlib import Path\n\n\ndef reply(messages, tools, seed):\n"
        f"    with open({str(folder / 'asked')!r}, 'a') as asked:\n"
        "        asked.write(messages[-1]['content'] + '\\0')\n"
        f"    return {text!r}\n",
        encoding="utf-8",
    )
    return f"scripted:{folder / 'same.py'}"


def synth(tools: Path, out: Path, **settings: Any) -> tuple[dict[str, Any], list[Trajectory], list[Reject]]:
    """The result, and what came of what the model wrote."""
    toolbox = read_tools(tools)
    made = SynthSettings(**{"targets": 6, "how": "pairs", "grammar_share": 0.0, "variants": 0, **settings})
    with Executor(toolbox) as executor, Run.open(out, {"writer": made.writer}) as run:
        result = synthesize(toolbox, run, made, Progress(silent=True), executor)
        rows = TrajectoryStore(run.store)
        verified = [row for row in rows.trajectories() if row.meta.writer == made.writer]
        return result, verified, list(rows.rejects())


def test_an_empty_answer_where_calls_were_asked_for_is_a_reject(garden: Path, tmp_path: Path) -> None:
    writer = scripted(tmp_path, [{"query": "please water the oak for me", "answers": []}])
    result, rows, rejects = synth(
        garden, tmp_path / "run", writer=writer, targets=1, constrained=False, styles=(("simple", 1.0),)
    )
    assert rows == []
    assert [(r.stage, r.reason) for r in rejects] == [("format", "wrong-call-count")]
    assert rejects[0].detail == "0 calls; the style simple has 1"
    assert result["targets"] == 1


def test_the_same_call_twice_is_no_parallel_row(garden: Path, tmp_path: Path) -> None:
    again = {"name": "water_plant", "arguments": {**POUR["arguments"], "pace": "slow"}}  # type: ignore[dict-item]
    for twice in ([POUR, POUR], [POUR, again]):
        writer = scripted(tmp_path, [{"query": "give the oak 3 liters and 3 liters", "answers": twice}])
        _, rows, rejects = synth(
            garden, tmp_path / f"run{len(str(twice))}", writer=writer, targets=1, styles=(("parallel", 1.0),)
        )
        assert rows == []
        assert [(r.stage, r.reason) for r in rejects] == [("format", "repeated-step")]


def test_a_row_is_held_to_the_style_that_was_asked_for_and_not_to_what_came(garden: Path, tmp_path: Path) -> None:
    writer = scripted(tmp_path, [{"query": "give the oak 3 liters", "answers": [POUR]}])
    for style in ("parallel", "parallel-multiple"):
        _, rows, rejects = synth(garden, tmp_path / style, writer=writer, targets=1, styles=((style, 1.0),))
        assert rows == []
        assert rejects[0].reason == "wrong-call-count"
        assert style in rejects[0].detail


def test_a_row_has_as_many_calls_as_its_writer_was_told_to_ask_for(
    garden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {**POUR, "arguments": {**POUR["arguments"], "plant": "elm"}}  # type: ignore[dict-item]
    writer = scripted(tmp_path, [{"query": "3 liters for the oak and for the elm", "answers": [POUR, other]}])
    told = {"writer": writer, "targets": 1, "styles": (("parallel", 1.0),)}
    monkeypatch.setattr("lamina.synth.pairs.CALLS", (3,))
    _, rows, rejects = synth(garden, tmp_path / "three", **told)
    assert rows == []
    assert rejects[0].reason == "wrong-call-count"
    assert rejects[0].detail == "2 calls; the request was to need 3"
    monkeypatch.setattr("lamina.synth.pairs.CALLS", (2,))
    _, rows, rejects = synth(garden, tmp_path / "two", **told)
    assert [row.expected_calls for row in rows] == [2], [r.detail for r in rejects]


def test_a_row_calls_nothing_that_it_does_not_offer(garden: Path, tmp_path: Path) -> None:
    """In a library a simple row offers its tool alone; a free writer may call another."""
    pots = {"name": "count_pots", "arguments": {"day": "monday"}}
    answer = [{"query": "pots on monday", "answers": [pots]}, {"query": "give the oak 3 liters", "answers": [POUR]}]
    _, rows, rejects = synth(
        garden, tmp_path / "run", writer=scripted(tmp_path, answer), targets=8, offer=1, per_request=2,
        styles=(("simple", 1.0),), constrained=False,
    )  # fmt: skip
    assert rows
    for row in rows:
        assert {c.name for c in row.calls} <= {tool["function"]["name"] for tool in row.tools}
    assert any(r.reason == "unknown-function" for r in rejects)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"plant": "oak"}, "missing-argument"),
        ({"plant": "oak", "liters": 3, "can": "red"}, "unknown-argument"),
        ({"plant": "oak", "liters": "3"}, "wrong-type"),
        ({"plant": "oak", "liters": 3, "pace": "swift"}, "not-in-enum"),
    ],
)
def test_the_report_tells_invented_missing_and_mistyped_arguments_apart(
    garden: Path, tmp_path: Path, arguments: dict[str, Any], reason: str
) -> None:
    call = {"name": "water_plant", "arguments": arguments}
    writer = scripted(tmp_path, [{"query": "give the oak 3 liters", "answers": [call]}])
    result, _, _ = synth(garden, tmp_path / "run", writer=writer, targets=1, styles=(("simple", 1.0),))
    assert result["rejected"] == {"format": {reason: 1}}


def test_one_answer_holds_several_pairs_and_n_counts_pairs(garden: Path, able: str, tmp_path: Path) -> None:
    result, rows, rejects = synth(garden, tmp_path / "run", writer=able, targets=20, per_request=3)
    assert result["targets"] == 20
    assert len(rows) + len(rejects) == 20
    assert len(rows) >= 10


def test_pairs_are_asked_for_so_many_at_a_time_the_last_ones_fewer(garden: Path, tmp_path: Path) -> None:
    writer = scripted(tmp_path, "")
    result, _, rejects = synth(garden, tmp_path / "run", writer=writer, targets=8, styles=(("simple", 1.0),))
    prompts_asked = (tmp_path / "asked").read_text(encoding="utf-8").split("\0")[:-1]
    assert sorted(p.split(" new one")[0].rsplit(" ", 1)[1] for p in prompts_asked) == ["2", "3", "3"]
    assert result["rejected"] == {"format": {"no-answer": 8}}
    assert len(rejects) == 8


def test_what_cannot_be_read_is_a_reject_of_its_own_with_its_text_and_costs_no_other_pair(
    garden: Path, tmp_path: Path
) -> None:
    answer = '{"query": "give the oak 3 liters", "answers": [' + json.dumps(POUR) + ']}\n{"query": "half of'
    _, rows, rejects = synth(
        garden, tmp_path / "run", writer=scripted(tmp_path, answer), targets=3, constrained=False,
        styles=(("simple", 1.0),),
    )  # fmt: skip
    assert [row.calls[0].arguments for row in rows] == [POUR["arguments"]]
    assert {(r.reason, r.raw) for r in rejects} == {("unreadable", '{"query": "half of'), ("no-answer", answer)}


ONE = {"query": "one", "answers": [POUR]}
TWO = {"query": "two", "answers": []}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ONE, TWO]),
        f"{json.dumps(ONE)}\n{json.dumps(TWO)}",
        f"{json.dumps(ONE)}, {json.dumps(TWO)}",
        f"Sure!\n1. {json.dumps(ONE)}\n2. {json.dumps(TWO)}\nAnything else?",
        f"```json\n{json.dumps([ONE, TWO], indent=2)}\n```",
        json.dumps({"pairs": [ONE, TWO]}),
        json.dumps({"note": "two of them", "pairs": [ONE, TWO], "cost": {"tokens": 9}}),
        f"[{json.dumps(ONE)}, {json.dumps(TWO)}, ]",
    ],
)
def test_pairs_are_read_however_they_are_listed(text: str) -> None:
    found = pairs_in(text, 3)
    assert [(p.request, [c.name for c in p.calls], p.problem) for p in found] == [
        ("one", ["water_plant"], ""),
        ("two", [], ""),
    ]


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        (json.dumps([ONE, TWO])[:-20], ["one", ""]),
        ('{"pairs": [' + json.dumps(ONE) + ', {"query": "tw', ["one", ""]),
        ('{"query": "broken, "answers": [}\n' + json.dumps(TWO), ["", "two"]),
        (json.dumps([{"question": "x"}, ONE]), ["", "one"]),
        (json.dumps([{"query": "x", "answers": "none"}, ONE]), ["", "one"]),
        ("The oak needs water.", [""]),
        ("[]", []),
        (" \n", []),
        (json.dumps([ONE, TWO, ONE, ONE]), ["one", "two", "one"]),
        ('{"query": ' * 60_000, ["", "", ""]),
    ],
)
def test_a_pair_that_cannot_be_read_says_so_in_its_place(text: str, requests: list[str]) -> None:
    found = pairs_in(text, 3)
    assert [p.request for p in found] == requests
    assert all(p.problem and p.raw in text for p in found if not p.request)


STRANGE = [
    ('{"query": "one", "answers": [{"name": "count_pots", "day": "friday"}]}', "a call has no 'arguments'"),
    ('{"query": "one", "answers": [{"name": "count_pots"}]}', "a call has no 'arguments'"),
    ('{"query": "one", "answers": [{"function": "count_pots", "arguments": {}}]}', "a call has no 'name'"),
    ('{"query": "one", "answers": [{"name": "f", "arguments": {}, "id": 1}]}', "a call has 'id' beside"),
    ('{"query": "one", "answers": [{"name": ["f"], "arguments": {}}]}', "the name of a call is no text"),
    ('{"query": "one", "answers": [{"name": "f", "arguments": "{}"}]}', "the arguments of a call are no object"),
    ('{"query": "one", "answers": [["f", {}]]}', "a call is no object"),
    ('{"query": "one", "answers": {"name": "f", "arguments": {}}}', "'answers' is no list"),
    ('{"query": "one", "answers": "water_plant(plant=\'oak\', liters=3)"}', "'answers' is no list"),
    ('{"query": "one", "answers": "[]"}', "'answers' is no list"),
    ('{"query": "one", "answers": null}', "'answers' is no list"),
    ('{"query": "one", "answers": [],}', "the pair is no strict JSON"),
    ('{"query": "one", "answers": [{"name": "f", "arguments": {"n": 1,}}]}', "the pair is no strict JSON"),
    ('{"query": "one", "answers": [{"name": "f", "arguments": {"n": NaN}}]}', "NaN is not JSON"),
    ('{"query": "one", "answers": [{"name": "f", "arguments": {"n": 1, "n": 2}}]}', "the key 'n' stands in it twice"),
    ('{"query": "zero", "query": "one", "answers": []}', "the key 'query' stands in it twice"),
    ('{"query": "one\nand more", "answers": []}', "the pair is no strict JSON"),
    ("{'query': 'one', 'answers': []}", "the pair is no strict JSON"),
    ("{'query': 'one', 'answers': [{'name': 'f', 'arguments': {'yes': True}}]}", "the pair is no strict JSON"),
]


@pytest.mark.parametrize(("pair", "problem"), STRANGE)
@pytest.mark.parametrize("around", ["{}", "[{}]", "Sure!\n{}", "```json\n[{}]\n```", '{"pairs": [{}]}'])
def test_what_a_writer_wrote_is_a_pair_only_in_strict_json_of_the_form_that_was_asked_for(
    pair: str, problem: str, around: str
) -> None:
    text = around.replace("{}", f"{pair}, {json.dumps(TWO)}")
    first, second = pairs_in(text, 3)
    assert (first.request, first.calls, first.raw) == ("", (), pair)
    assert problem in first.problem
    assert (second.request, second.problem) == ("two", "")


def test_a_call_without_arguments_is_no_verified_row_of_a_tool_that_needs_none(tmp_path: Path) -> None:
    """It was read as a call with no arguments, which fits, runs and is grounded."""
    tools = tmp_path / "pots.py"
    tools.write_text(
        'def count_pots(day: str = "today") -> int:\n    """Count the pots.\n\n    Args:\n        day: Which day.\n'
        '    """\n    return 3\n\n\ndef ring() -> int:\n    """Ring the bell."""\n    return 1\n',
        encoding="utf-8",
    )
    call = {"name": "count_pots", "day": "friday"}
    writer = scripted(tmp_path, [{"query": "how many pots are there", "answers": [call]}])
    _, rows, rejects = synth(tools, tmp_path / "run", writer=writer, targets=1, styles=(("simple", 1.0),))
    assert rows == []
    assert [(r.stage, r.reason) for r in rejects] == [("format", "unreadable")]
    assert "a call has no 'arguments'" in rejects[0].detail
    assert '"day": "friday"' in rejects[0].raw


def test_pairs_reach_the_styles_that_were_asked_for_and_each_is_what_its_name_says(
    garden: Path, able: str, tmp_path: Path
) -> None:
    shares = tuple((style, 0.25) for style in STYLES)
    result, rows, _ = synth(garden, tmp_path / "run", writer=able, targets=48, styles=shares)
    reached = Counter(row.meta.style for row in rows)
    assert set(reached) == set(STYLES)
    for row in rows:
        names = [c.name for c in row.calls]
        assert (len(names) > 1, len(set(names)) > 1) == {
            "simple": (False, False), "multiple": (False, False), "parallel": (True, False),
            "parallel-multiple": (True, True),
        }[row.meta.style]  # fmt: skip
    assert {w for row in rows if (w := (row.meta.model_extra or {}).get("wording"))} <= set(WORDINGS)
    assert sum(result["wordings"].values()) == len(rows)


def test_pairs_are_asked_for_in_the_wordings_that_were_named(garden: Path, tmp_path: Path) -> None:
    synth(garden, tmp_path / "run", writer=scripted(tmp_path, ""), targets=30, wordings=("terse", "misspelt"))
    asked = (tmp_path / "asked").read_text(encoding="utf-8").split("\0")[:-1]
    kinds = Counter(("as short as" in prompt, "misspelt" in prompt) for prompt in asked)
    assert set(kinds) == {(True, False), (False, True)}


@pytest.mark.parametrize("style", ["irrelevant", "missing-argument", "multi-turn"])
def test_a_style_that_pairs_cannot_honour_is_refused(garden: Path, able: str, tmp_path: Path, style: str) -> None:
    with pytest.raises(UserError, match=f"pairs writes no {style} rows"):
        synth(garden, tmp_path / "run", writer=able, styles=((style, 1.0),))


def test_a_style_of_several_tools_is_refused_where_there_is_one(able: str, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text('def ring(times: int) -> int:\n    """Ring the bell."""\n    return times\n')
    with pytest.raises(UserError, match="several tools, and there is one"):
        synth(tmp_path / "one.py", tmp_path / "run", writer=able, styles=(("parallel-multiple", 1.0),))


def test_each_batch_gives_the_same_rows_in_a_run_that_was_cut(garden: Path, able: str, tmp_path: Path) -> None:
    settings = {"writer": able, "per_request": 4, "batch": 10}
    synth(garden, tmp_path / "cut", targets=10, **settings)
    _, cut, cut_rejects = synth(garden, tmp_path / "cut", targets=30, **settings)
    _, whole, whole_rejects = synth(garden, tmp_path / "whole", targets=30, **settings)
    assert [row.to_json() for row in cut] == [row.to_json() for row in whole]
    assert [r.model_dump() for r in cut_rejects] == [r.model_dump() for r in whole_rejects]


def admits(schema: dict[str, Any], answer: Any) -> bool:
    """Whether an engine that is held to the schema may write this, byte by byte."""
    llguidance = pytest.importorskip("llguidance", reason="pip install 'lamina[train]' brings llguidance")
    tokenizer = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokenizer, json_grammar(schema))
    assert not matcher.is_error(), matcher.get_error()
    tokens = tokenizer.tokenize_str(json.dumps(answer))
    taken = matcher.try_consume_tokens(tokens)
    return bool(taken == len(tokens) and matcher.is_accepting())


def test_a_constrained_writer_can_write_as_many_pairs_and_calls_as_asked_for_and_no_others() -> None:
    whole = {"type": "integer", "$ref": "#/$defs/count"}
    steps = {"type": "object", "properties": {"n": whole}, "$defs": {"count": {"minimum": 1}}, "required": ["n"]}
    walk, run = Tool("walk", "Walk.", steps), Tool("run", "Run.", {**steps, "$id": "strange"})
    calls = {name: {"name": name, "arguments": {"n": 3}} for name in ("walk", "run")}

    def pairs(*names: str, count: int = 2) -> list[dict[str, Any]]:
        return [{"query": "so", "answers": [calls[name] for name in names]}] * count

    simple = prompts.pairs_schema([walk], "simple", 2, 1)
    assert admits(simple, pairs("walk"))
    assert not admits(simple, pairs("walk", count=1))
    assert not admits(simple, pairs("walk", count=3))
    assert not admits(simple, pairs())
    assert not admits(simple, pairs("walk", "walk"))
    parallel = prompts.pairs_schema([walk], "parallel", 2, 2)
    assert admits(parallel, pairs("walk", "walk"))
    assert not admits(parallel, pairs("walk", "walk", "walk"))
    assert not admits(parallel, pairs("walk"))
    both = prompts.pairs_schema([walk, run], "parallel-multiple", 2, 2)
    assert admits(both, pairs("walk", "run"))
    assert not admits(both, pairs("walk", "walk"))


def test_a_prompt_shows_examples_of_the_style_that_it_asks_for(garden: Path, tmp_path: Path) -> None:
    synth(garden, tmp_path / "run", writer=scripted(tmp_path, ""), targets=20, styles=(("parallel", 1.0),))
    asked = (tmp_path / "asked").read_text(encoding="utf-8").split("\0")[:-1]
    for prompt in asked:
        shown = [json.loads(line) for line in prompt.splitlines() if line.startswith('{"query"')]
        assert shown
        for example in shown:
            assert len(example["answers"]) == 2
            assert len({call["name"] for call in example["answers"]}) == 1


def test_tools_without_arguments_are_never_asked_for_twice_at_once(tmp_path: Path) -> None:
    (tmp_path / "bell.py").write_text(
        'def ring() -> int:\n    """Ring the bell."""\n    return 1\n\n\n'
        'def knock(times: int) -> int:\n    """Knock on the door."""\n    return times\n',
        encoding="utf-8",
    )
    writer = scripted(tmp_path, "")
    synth(tmp_path / "bell.py", tmp_path / "run", writer=writer, targets=6, styles=(("parallel", 1.0),))
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert '"knock"' in asked
    assert '"ring"' not in asked
