"""BFCL and Gorilla OpenFunctions: a question and the functions. The answers lie in the row, in ``possible_answer/``
under the same file name, or (Gorilla) as Python call text; where several values are right, the first makes the call
and all are kept in ``meta.acceptable``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import assistant, call, messages_of
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import Calls, python_calls
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.rows import raw_rows
from lamina.trajectories.formats.reading.toolspecs import tools_of


def detect(sample: Sample) -> str | None:
    if sample.has("question", "function"):
        return "rows have a question and a function"
    if sample.has("api_call", "code", "provider"):
        return "rows are of Gorilla's APIBench"
    return None


def read_row(row: Any, path: Path) -> JSON:
    if isinstance(row, dict) and "provider" in row and "question" not in row:
        raise Refused("not-a-trajectory", "code that loads a model: no function is described")
    row = needs(row, "question", "function")
    tools = tools_of(_with_call_names(row["function"]))
    answers = row.get("ground_truth", _answers(path).get(str(row.get("id"))))
    answers = row.get("model_answer") if answers is None else answers
    rest = others(row, "id", "question", "function", "ground_truth", "model_answer")
    turns = _turns(row["question"])
    if answers is None:
        return record([m for turn in turns for m in turn], tools, id=row.get("id"), style="request-only", rest=rest)
    made = _made(answers, len(turns))
    messages: list[JSON] = []
    for turn, calls in zip(turns, [*made, *[[]] * (len(turns) - len(made))], strict=True):
        messages += [*turn, assistant("", [call(*c) for c in calls])]
    acceptable = answers if isinstance(answers, list) and any(isinstance(a, dict) for a in answers) else None
    return record(messages, tools, id=row.get("id"), acceptable=acceptable, rest=rest,
                  style=None if any(made) else "irrelevance")  # fmt: skip


def _with_call_names(functions: Any) -> Any:
    """Gorilla: the name to call by is ``api_call``, ``name`` is a title."""
    rows = functions if isinstance(functions, list) else [functions]
    return [
        {**{k: v for k, v in f.items() if k != "api_call"}, "name": f["api_call"]}
        if isinstance(f, dict) and isinstance(f.get("api_call"), str)
        else f
        for f in rows
    ]


def _turns(question: Any) -> list[list[JSON]]:
    if isinstance(question, str):
        return [[{"role": "user", "content": question}]]
    if question and isinstance(question[0], dict):
        question = [question]
    return [messages_of(turn) if turn else [] for turn in question]


def _made(answers: Any, turns: int) -> list[Calls]:
    """The calls of each turn."""
    if isinstance(answers, str):
        return [python_calls(answers)]
    if answers and all(isinstance(a, list) for a in answers):  # multi-turn: call texts of each turn
        return [[c for text in turn for c in python_calls(str(text))] for turn in answers][:turns]
    found: Calls = []
    for answer in answers:
        found += python_calls(answer) if isinstance(answer, str) else _acceptable(needs(answer))
    return [found]


def _acceptable(answer: JSON) -> Calls:
    """``{"f": {"city": ["Paris", "Paris, France"], "unit": ["", "C"]}}``; an argument that may be left out is."""
    found: Calls = []
    for name, parameters in answer.items():
        arguments = {}
        for key, values in dict(parameters).items():
            if isinstance(values, list) and values and "" not in values:
                arguments[key] = _first(values[0])
            elif not isinstance(values, list):
                arguments[key] = values
        found.append((name, arguments))
    return found


def _first(value: Any) -> Any:
    """Within an acceptable object each field again holds a list of what is right."""
    if isinstance(value, dict) and all(isinstance(v, list) and v for v in value.values()):
        return {k: v[0] for k, v in value.items() if "" not in v}
    if isinstance(value, list):
        return [_first(one) if isinstance(one, dict) else one for one in value]
    return value


@lru_cache(maxsize=4)
def _answers(path: Path) -> dict[str, Any]:
    beside = path.parent / "possible_answer" / path.name
    if not beside.is_file():
        return {}
    rows = (raw.value for raw in raw_rows(beside))
    return {str(r["id"]): r.get("ground_truth") for r in rows if isinstance(r, dict) and "id" in r}


FORMAT = foreign("bfcl", "BFCL and Gorilla OpenFunctions: question, function, answers", detect, read_row)
