"""A success that carries an error: which results are one, and that those which are cut are judged before."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lamina.checks import Candidate, Reason
from lamina.checks.execution import check_execution
from lamina.errors import ToolDefinitionError
from lamina.synth.probing import probe
from lamina.tools import Tool, Toolbox, read_tools
from lamina.tools.execution import CallResult, Executor, Limits, carried_error, error_in
from lamina.tools.execution.http_answers import JUDGED_BYTES, Answer, result_of
from lamina.tools.execution.results import succeeded
from lamina.tools.execution.secrets import Secrets
from lamina.trajectories import ToolCall

ERRORS = [
    {"error": "no such city"},
    {"error": True},
    {"error": {"code": 404}},
    {"error": {"message": "gone"}},
    {"error": 404},
    {"error": 1, "message": "no such city"},
    {"errors": ["no such city"]},
    {"Error": "no such city"},
    {"ERROR": "no such city"},
    {"error_message": "no such city", "rows": []},
    {"errorMessage": "no such city"},
    {"ErrorMessage": "no such city"},
    {"success": False},
    {"Success": False, "data": None},
    {"isError": True},
    {"is_error": True, "content": "…"},
    {"status": "error"},
    {"status": "FAILED", "id": 3},
    {"status": 404, "message": "no such city"},
    {"statusCode": "503", "Message": "later"},
    {"type": "error", "message": "no such city"},
    {"type": "error", "error": {"type": "overloaded"}},
    {"type": "error"},
    {"message": "Invalid API key"},
    {"Message": "User is not authorized"},
    {"message": "Missing Authentication Token"},
    {"message": "The city 'Atlantis' was not found."},
    {"message": "Rate limit exceeded", "documentation_url": "https://example.org"},
    {"message": "Unable to parse the date", "code": "bad_date"},
    {"detail": "Not authenticated"},
    {"result": "Error: no"},
    {"result": {"error": "gone"}},
    [{"error": "gone"}],
    ["Error: no"],
    [{"error": "gone"}, {"error": "neither"}, {"Error": "nor this"}],
    [{"type": "error", "message": "gone"}, {"message": "Invalid API key"}],
    "Error 404: not found",
    "Error: not found",
    "error 12: disk full",
    "HTTP 500 from the server",
    "404 Not Found",
    "ValueError: no",
    "Failed to open the door",
    "Traceback (most recent call last):\n…",
]
RESULTS = [
    {"error": 0.02, "value": 3},
    {"error": 0.02},
    {"error": 2, "value": 3},
    {"errors": 2, "message": "two were mended"},
    {"errors": [0.1, -0.2, 0.0]},
    {"error": {"mean": 0.1, "largest": 0.4}, "value": 3},
    {"error": "0.02 %", "value": 3},
    {"error": ""},
    {"error": None, "result": 3},
    {"error": False},
    {"error": "none"},
    {"errors": []},
    {"error_message": "", "rows": [1]},
    {"message": "The garden room is booked"},
    {"message": "No errors were found."},
    {"message": "Reminder: the invoice is required by Monday"},
    {"message": "Invalid API key", "rows": [1, 2]},
    {"message": "Cannot wait to see you!"},
    {"detail": "two rooms, one bath"},
    {"type": "error", "count": 3},
    {"type": "circle", "radius": 2},
    {"status": "ok", "message": "done"},
    {"status": 404, "city": "Rome"},
    {"success": True, "error": None},
    [{"id": 1, "status": "failed"}, {"id": 2, "status": "failed"}],
    [{"error": "gone"}, {"value": 3}],
    [{"error": 0.1}, {"error": 0.2}],
    [],
    {},
    None,
    "Error: 0.02",
    "error 5 % of the time",
    "The error lies in the second line",
    "404 people came",
    3,
]


@pytest.mark.parametrize("value", ERRORS, ids=str)
def test_what_says_that_it_failed_is_an_error(value: Any) -> None:
    assert carried_error(None, value)


@pytest.mark.parametrize("value", RESULTS, ids=str)
def test_what_is_data_is_no_error_whatever_it_is_called(value: Any) -> None:
    assert carried_error(None, value) is None


MODULE = '''
from dataclasses import dataclass

PURE = {pure}
ERROR_RESULTS = {{"find": {{"type": "null"}}, "listing": {{"maxItems": 2000}}, "quiet": False}}


@dataclass
class Told:
    error: str


def find(much: int) -> list[int] | None:
    """Find numbers.

    Args:
        much: How many.
    """
    return list(range(much)) or None


def listing(much: int) -> list[int]:
    """List numbers.

    Args:
        much: How many.
    """
    return [1000] * much


def fails(much: int) -> Told:
    """Fail.

    Args:
        much: How much to say.
    """
    return Told("no " * much)


def quiet(much: int) -> dict[str, str]:
    """Say that there was no error.

    Args:
        much: How much to say.
    """
    return {{"error": "no " * much}}


def says(much: int) -> str:
    """Say something.

    Args:
        much: How much to say.
    """
    return "Error 404: " + "no " * much
'''
SMALL = Limits(output_bytes=1000)


@pytest.fixture(params=["True", "False"], ids=["pure", "a fork each"])
def tools(request: pytest.FixtureRequest, tmp_path: Path) -> Toolbox:
    (tmp_path / "mine.py").write_text(MODULE.format(pure=request.param), encoding="utf-8")
    return read_tools(tmp_path / "mine.py")


CASES = [
    ("find", 5000, False),
    ("find", 0, True),
    ("listing", 1500, True),
    ("listing", 2500, False),
    ("fails", 5000, True),
    ("quiet", 5000, False),
    ("says", 5000, True),
]


def test_a_result_that_is_cut_is_judged_by_its_rule_before(tools: Toolbox) -> None:
    with Executor(tools, limits=SMALL, workers=1) as executor:
        results = executor.run_many([[(name, {"much": much})] for name, much, _ in CASES])
    for (name, much, is_error), (result,) in zip(CASES, results, strict=True):
        assert (result.ok, result.truncated) == (True, much > 0)
        assert bool(error_in(tools[name], result)) is is_error, name
        row = Candidate("so", [[ToolCall.of(name, {"much": much})]], "simple", "", 0, "2026-01-01T00:00:00")
        row.results = [[result]]
        found = check_execution(row, tools)
        assert (found and found.reason) == (Reason.ERROR_RESULT if is_error else None), name


def test_a_tool_whose_good_results_are_long_is_found_to_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        'ERROR_RESULTS = {"find": {"type": "null"}}\n\n\ndef find() -> list[int]:\n    """Find numbers."""\n'
        '    return list(range(50_000))\n\n\ndef fail() -> dict:\n    """Fail."""\n'
        '    return {"error": "no " * 50_000}\n',
        encoding="utf-8",
    )
    box = read_tools(tmp_path / "mine.py")
    with Executor(box) as executor:
        assert [probe(tool, executor).status for tool in box] == ["ok", "error-result"]


FIND = '\n\n\ndef find() -> str:\n    """Find a word."""\n    return "x"\n'


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ('{"fnd": {"type": "null"}}', "ERROR_RESULTS names 'fnd', which is not there"),
        ('["find"]', "ERROR_RESULTS is a list, not a dictionary"),
        ('{"find": {"type": "nul"}}', "what ERROR_RESULTS says of find cannot be used: it is no JSON Schema"),
        ('{"find": "null"}', "what ERROR_RESULTS says of find cannot be used: it is neither a JSON Schema nor false"),
    ],
)
def test_a_rule_of_a_module_that_says_nothing_usable_is_an_error(tmp_path: Path, rules: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(f"ERROR_RESULTS = {rules}{FIND}", encoding="utf-8")
    with pytest.raises(ToolDefinitionError, match=re.escape(said)):
        read_tools(tmp_path / "mine.py")


@pytest.mark.parametrize("rule", [{"type": "nul"}, "null"])
def test_a_rule_of_a_document_or_a_list_that_says_nothing_usable_is_told(tmp_path: Path, rule: Any) -> None:
    file = tmp_path / "tools.json"
    said = {"operationId": "find", "summary": "Finds."}
    paths = {"/a": {"get": {**said, "x-lamina-error": rule}}, "/b": {"get": {**said, "operationId": "see"}}}
    file.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}))
    box = read_tools(file)
    assert box.names == ["see"]
    assert [(r.code, "x-lamina-error cannot be used" in r.detail) for r in box.remarks if r.dropped] == [
        ("bad_schema", True)
    ]
    file.write_text(json.dumps([{"name": "find", "description": "Finds.", "parameters": {}, "x-lamina-error": rule}]))
    with pytest.raises(ToolDefinitionError, match="find: x-lamina-error cannot be used"):
        read_tools(file)


def test_a_long_answer_of_a_server_is_judged_whole() -> None:
    """What MCP servers and HTTP operations give goes through ``succeeded``."""
    tool = Tool("find", "Finds.", {"type": "object", "properties": {}}, error_schema={"type": "null"})
    good, bad = '{"rows": "' + "x" * 5000 + '"}', '{"error": "' + "x" * 5000 + '"}'
    assert error_in(tool, succeeded(tool, good, SMALL)) is None
    plain = Tool("find", "Finds.", {"type": "object", "properties": {}})
    assert error_in(plain, succeeded(plain, good, SMALL)) is None
    assert error_in(plain, succeeded(plain, bad, SMALL)) == "it has 'error'"
    for text, whole, said in ((bad, True, "it has 'error'"), (good, True, None), (bad, False, None)):
        answer = Answer(200, {"content-type": "application/json"}, text.encode(), whole)
        result = result_of(plain, answer, Secrets([]), SMALL)
        assert (result.truncated, error_in(plain, result)) == (True, said)
    assert Limits().output_bytes < JUDGED_BYTES


def test_a_call_that_lacks_its_key_is_rejected_by_a_code_of_its_own():
    lacks = CallResult("unmet", error="f wants a key")
    row = Candidate("do f", [[ToolCall.of("f", {})]], "simple", "w", 0, "", results=[[lacks]])
    found = check_execution(row, Toolbox([]))
    assert found is not None
    assert (found.stage, found.reason, found.detail) == ("execution", Reason.UNMET, "f wants a key")
