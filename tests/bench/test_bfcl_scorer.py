"""BFCL's scorer says what the official checker says, on a licensed sample of rows of every category."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.bench import open_task
from lamina.bench.tasks import open_tasks
from lamina.bench.tasks.bfcl import CATEGORIES, find_data
from lamina.bench.tasks.bfcl.java_values import TYPES as JAVA_TYPES
from lamina.bench.tasks.bfcl.java_values import java_value
from lamina.bench.tasks.bfcl.javascript_values import TYPES as JAVASCRIPT_TYPES
from lamina.bench.tasks.bfcl.javascript_values import javascript_value
from lamina.bench.tasks.bfcl.values import value_problem
from lamina.errors import InputError

SAMPLE = Path(__file__).parent / "bfcl_sample"
VERDICTS = [json.loads(line) for line in (SAMPLE / "verdicts.jsonl").read_text().splitlines()]
WITH_ANSWERS = [name for name, category in CATEGORIES.items() if category.has_answers]


@pytest.mark.parametrize("category", WITH_ANSWERS)
def test_every_verdict_is_the_official_checkers(category: str):
    task = open_task(f"bfcl:{category}", data=SAMPLE)
    samples = {sample.id: sample for sample in task.samples()}
    cases = [case for case in VERDICTS if case["task"] == task.name]
    assert {case["valid"] for case in cases} == {True, False}
    assert {case["id"] for case in cases} == set(samples)
    for case in cases:
        problem = task.judge(samples[case["id"]], case["calls"])
        assert (problem is None) == case["valid"], (case, problem)


@pytest.mark.parametrize(
    ("category", "on_a_call", "on_none"),
    [("irrelevance", False, True), ("live_irrelevance", False, True), ("live_relevance", True, False)],
)
def test_where_no_function_fits_no_call_is_right_and_where_one_does_any_is(
    category: str, on_a_call: bool, on_none: bool
):
    task = open_task(f"bfcl:{category}", data=SAMPLE)
    call = {"name": "anything", "arguments": {}}
    for sample in task.samples():
        assert (task.judge(sample, [call]) is None) is on_a_call
        assert (task.judge(sample, []) is None) is on_none
        assert (task.judge(sample, ["no call"]) is None) is on_none  # what is no call calls nothing


@pytest.mark.parametrize(
    "call", [None, "f()", {"name": 3}, {"name": "f", "arguments": "{"}, {"name": "f", "arguments": [1]}]
)
def test_what_is_no_call_is_a_wrong_answer_and_no_error(call: Any):
    task = open_task("bfcl:simple_python", data=SAMPLE)
    sample = task.samples()[0]
    assert task.judge(sample, [call]) == "the answer is not a list of calls"
    assert task.judge(sample, []) == "0 calls, not 1"


@pytest.mark.parametrize(
    ("text", "kind", "element", "value"),
    [
        ("5L", "long", None, 5),
        ("5", "long", None, "5"),
        ("1.5f", "float", None, 1.5),
        ("2", "double", None, 2.0),
        ("true", "boolean", None, True),
        ("new int[]{1, 2, 3}", "Array", "integer", [1, 2, 3]),
        ('new String[]{"a"}', "Array", "String", ['"a"']),
        ('new ArrayList<>(Arrays.asList("a", "b"))', "ArrayList", "String", ["a", "b"]),
        ("new ArrayList<Integer>() {{ add(1); add(2); }}", "ArrayList", "integer", [1, 2]),
        ("new ArrayList<>()", "ArrayList", "integer", []),
        ('new HashMap<String, Object>() {{ put("k", 1L); put("b", true); }}', "HashMap", None, {"k": 1, "b": True}),
        ("new HashMap<>() { }", "HashMap", None, {}),
        ("__import__('os').system('x')", "HashMap", None, "__import__('os').system('x')"),
    ],
)
def test_java_source_becomes_the_value_that_the_leaderboard_reads(
    text: str, kind: str, element: str | None, value: Any
):
    assert java_value(text, kind, element) == value


@pytest.mark.parametrize(
    ("text", "kind", "element", "value"),
    [
        ("12n", "Bigint", None, 12),
        ("'x'", "String", None, "x"),
        ("x", "String", None, "x"),
        ("[1, 'two', true]", "array", None, [1, "two", True]),
        ("[1, 2]", "array", "integer", [1, 2]),
        ("[[1, 2], [3]]", "array", None, [[1, 2], [3]]),
        ("new Array(1, 2)", "array", "float", [1.0, 2.0]),
        ("{a: 1, 'b': [1, 2], c: false}", "dict", None, {"a": 1, "b": [1, 2], "c": False}),
        ("{}", "dict", None, {}),
        ("function () { return 1 }", "any", None, "function () { return 1 }"),
    ],
)
def test_javascript_source_becomes_the_value_that_the_leaderboard_reads(
    text: str, kind: str, element: str | None, value: Any
):
    assert javascript_value(text, kind, element) == value


HOSTILE = {
    "rows without an end": ("javascript", "[" + "[1]," * 2_000),
    "arrays without an end": ("javascript", "new Array(" + "[1]," * 2_000),
    "spaces in a map": ("java", "new HashMap<>() {" + " " * 9_000),
    "spaces in a list": ("java", "new ArrayList<>() {{" + " " * 9_000),
    "keys without an end": ("java", "new HashMap<>() {{" + 'put("",' * 1_200 + "}}"),
    "maps without an end": ("java", "new HashMap<" * 800),
    "colons": ("javascript", "{" + "a:" * 4_000 + "}"),
    "commas": ("javascript", "{a:" + "," * 9_000 + "}"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_source_text_that_would_choke_a_regular_expression_is_read_at_once(name: str):
    """The official patterns take time exponential or with a high power of the length on some of these."""
    language, text = HOSTILE[name]
    started = time.process_time()
    for kind in JAVA_TYPES if language == "java" else JAVASCRIPT_TYPES:
        (java_value if language == "java" else javascript_value)(text, kind)
    assert time.process_time() - started < 3


@given(st.text(st.sampled_from("[]{}(),:;'\"\\ \n12.ntruefalse<>newAyHhMp"), max_size=60))
def test_any_source_text_is_read_as_something(text: str):
    for kind in JAVA_TYPES:
        java_value(text, kind)
    for kind in set(JAVASCRIPT_TYPES) - {"Bigint"}:
        javascript_value(text, kind)


@pytest.mark.parametrize(
    ("value", "right", "kind", "fits"),
    [
        ("new york,  ny", ["New York, NY"], str, True),
        ("O'Neil", ['o"neil'], str, True),
        (True, [1], int, False),
        (1, [1.0], float, False),
        ("x", ["x"], int, True),  # a variable's name
        ("X", ["x"], int, False),
        ([1, "A b"], [[1, "ab"]], list, True),
        ({"a": "X"}, [{"a": ["x"], "b": [""]}], dict, True),
        ({"a": "X", "c": 1}, [{"a": ["x"]}], dict, False),
    ],
)
def test_values_are_compared_by_the_leaderboards_rules(value: Any, right: list[Any], kind: type, fits: bool):
    assert (value_problem(value, right, kind, None) is None) is fits


def test_rows_bring_their_own_functions_as_json_schemas():
    from lamina.bench.tasks.bfcl.offered import offered_tools

    for name, category in CATEGORIES.items():
        for sample in open_task(f"bfcl:{name}", data=SAMPLE).samples():
            tools = offered_tools(sample.row["functions"], category.language)
            assert tools.names == [f["name"] for f in sample.row["functions"]]
            for tool in tools:
                tool.problems({})  # a schema that is none raises
                kinds = {schema["type"] for schema in tool.properties.values()}
                assert kinds <= {"integer", "number", "string", "boolean", "array", "object"}
                assert category.language == "python" or kinds <= {"string"}


def test_data_that_is_not_there_is_said_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("LAMINA_BFCL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("lamina.runs.files.find_spec", lambda name: None)
    with pytest.raises(InputError, match="lamina bench fetch bfcl"):
        open_task("bfcl:simple_python").samples()
    with pytest.raises(InputError, match=rf"{tmp_path}: holds no data of BFCL v4, neither does 'bfcl' below it"):
        open_task("bfcl:simple_python", data=tmp_path).samples()
    with pytest.raises(InputError, match="one of simple_python, simple_java"):
        open_task("bfcl:simple")


@pytest.mark.parametrize("inner", ["", "data", "bfcl_eval/data", "bfcl", "bfcl/data", "bfcl/bfcl_eval/data"])
def test_the_folder_that_is_named_may_be_the_root_of_all_benchmarks(tmp_path: Path, inner: str):
    shutil.copytree(SAMPLE, tmp_path / inner, dirs_exist_ok=True)
    assert find_data(tmp_path) == tmp_path / inner


def test_a_root_of_other_benchmarks_leaves_bfcl_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of several tasks that share --data, those that need no folder find their data as without it."""
    monkeypatch.delenv("LAMINA_BFCL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data/mmlu").mkdir(parents=True)
    (tmp_path / "data/mmlu/test_sample.csv").write_text("subject,question,A,B,C,D,answer\nlogic,q,a,b,c,d,C\n")

    def opened() -> list[int]:
        return [len(task.samples()) for task in open_tasks(["bfcl:irrelevance", "mmlu"], data=tmp_path / "data")]

    monkeypatch.setattr("lamina.runs.files.find_spec", lambda name: None)
    with pytest.raises(InputError, match=rf"{tmp_path / 'data'}: holds no data of BFCL v4"):
        opened()
    shutil.copytree(SAMPLE, tmp_path / "cache/lamina/bfcl")
    assert opened() == [2, 1]
    installed = SimpleNamespace(submodule_search_locations=[str(tmp_path / "package")])
    monkeypatch.setattr("lamina.runs.files.find_spec", lambda name: installed if name == "bfcl_eval" else None)
    assert opened() == [2, 1], "a package without data"
    shutil.copytree(SAMPLE, tmp_path / "package/data")
    assert find_data(tmp_path / "data") == tmp_path / "package/data"
    monkeypatch.setenv("LAMINA_BFCL", str(tmp_path / "package"))
    assert find_data(tmp_path / "data") == tmp_path / "package/data"
    monkeypatch.setenv("LAMINA_BFCL", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"nowhere: holds no BFCL_v4_simple_python\.json"):
        opened()


def test_the_data_is_found_where_it_was_fetched_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From a wheel at hand: nothing but its data files is taken, whatever else the archive holds."""
    import zipfile

    from lamina.bench.tasks.bfcl.fetching import fetch_bfcl

    wheel = tmp_path / "bfcl_eval-2026.3.23-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(SAMPLE / "BFCL_v4_irrelevance.json", "bfcl_eval/data/BFCL_v4_irrelevance.json")
        archive.writestr("bfcl_eval/data/../../../BFCL_v4_escaped.json", "{}")
        archive.writestr("bfcl_eval/model_handler/utils.py", "raise SystemExit")
        archive.writestr("bfcl_eval/eval_checker/multi_turn_eval/func_source_code/math_api.py", "raise SystemExit")
    monkeypatch.delenv("LAMINA_BFCL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("lamina.runs.files.find_spec", lambda name: None)
    found = fetch_bfcl(wheel)
    assert (found["files"], found["version"], found["license"]) == (2, "2026.3.23", "Apache-2.0")
    assert len(open_task("bfcl:irrelevance").samples()) == 2
    assert [p.name for p in tmp_path.rglob("*escaped*")] == []
    with pytest.raises(InputError, match="bfcl-eval's wheel"):
        fetch_bfcl(SAMPLE / "SOURCE.md")
