"""Three sets as rows for ``verifier_strangers.py``: half of each was read for rules, half was held out.

    python benchmarks/verifier_new_sets.py langchain query_analysis.py langchain.jsonl
    python benchmarks/verifier_new_sets.py bfcl bfcl_source.jsonl
    python benchmarks/verifier_new_sets.py assist intents.json SENTENCES.yaml assist.jsonl

``langchain``: the questions of langchain-benchmarks 0.0.14 (MIT) whose right answers are searches of three functions;
its file ``tool_usage/tasks/query_analysis.py`` is read, not run. ``bfcl``: BFCL v4's Java and JavaScript rows (package
``bfcl-eval``, Apache-2.0), whose values are source text, so that a name may stand
where the schema wants a number or a map; types are given JSON Schema's names, and of the accepted answers the first is
taken. ``assist``: sentences that Home Assistant's voice assistant is tested with (home-assistant/intents, ``tests/en``;
CC BY 4.0), each test's first and last, with its intent for the call; ``intents.json`` of home-assistant-intents on the
package index describes the intents. A test of an older table, with a slot that this one lacks, is left out. The
assistant is told in which room it stands, and the kinds of devices that the tests have are the choices of ``domain``
and ``device_class``."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

JSON = dict[str, Any]
_TYPES = {
    "string": "string", "char": "string", "boolean": "boolean", "int": "integer", "integer": "integer",
    "long": "integer", "short": "integer", "byte": "integer", "bigint": "integer", "float": "number",
    "double": "number", "number": "number", "arraylist": "array", "array": "array", "hashmap": "object",
    "dict": "object", "hashtable": "object", "object": "object",
}  # fmt: skip
"""Case-folded; whatever else there is ("any", "Queue") may be anything."""


def row(id: str, question: str, tools: list[JSON], calls: list[tuple[str, JSON]], told: str = "") -> JSON:
    made = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(calls)
    ]
    messages: list[JSON] = [{"role": "system", "content": told}] if told else []
    messages += [{"role": "user", "content": question}, {"role": "assistant", "content": "", "tool_calls": made}]
    return {"id": id, "tools": tools, "messages": messages}


def tool(name: str, description: str, parameters: JSON) -> JSON:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def langchain(file: Path) -> Iterator[JSON]:
    """Of the module's source: a class for each function, a list of examples for each ``…_DATASET``."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    tools = [_of_class(node) for node in body if isinstance(node, ast.ClassDef)]
    told = next(
        " ".join(ast.literal_eval(k.value).split())
        for node in body
        for k in getattr(getattr(node, "value", None), "keywords", [])
        if k.arg == "instructions"
    )
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("_DATASET"):
            assert isinstance(node.value, ast.List)
            for number, example in enumerate(node.value.elts):
                assert isinstance(example, ast.Dict)
                parts = {ast.literal_eval(k): v for k, v in zip(example.keys, example.values, strict=True) if k}
                said = "\n".join(_said(parts["question"]))
                calls = [(call["name"], call["args"]) for call in _literal(parts["tool_calls"])]
                yield row(f"langchain/{ast.unparse(node.targets[0])}:{number}", said, tools, calls, told)


def _of_class(node: ast.ClassDef) -> JSON:
    """The JSON Schema of a pydantic model with fields of text, number, flag, moment, choice and list of text."""
    properties: JSON = {}
    required: list[str] = []
    for field in node.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.value, ast.Call):
            name, kind = ast.unparse(field.target), ast.unparse(field.annotation)
            default = ast.literal_eval(field.value.args[0]) if field.value.args else ...
            schema: JSON = {} if default in (..., None) else {"default": default}
            schema |= {k.arg: ast.literal_eval(k.value) for k in field.value.keywords if k.arg}
            if kind.startswith("Literal"):
                schema |= {"type": "string", "enum": list(ast.literal_eval(kind.removeprefix("Literal")))}
            elif kind.startswith("List"):
                schema |= {"type": ["array", "null"], "items": {"type": "string"}}
            else:
                named = {"int": "integer", "bool": "boolean"}.get(kind.removeprefix("Union[").split(",")[0], "string")
                schema["type"] = [named, "null"] if "None" in kind else named
            properties[name] = schema
            required += [name] if default is ... else []
    parameters = {"type": "object", "properties": properties, "required": required}
    return tool(node.name, ast.get_docstring(node) or "", parameters)


def _said(node: ast.expr) -> list[str]:
    return [ast.literal_eval(call.args[0]) for call in ast.walk(node) if isinstance(call, ast.Call) and call.args]


def _literal(node: ast.expr) -> Any:
    """With ``datetime(2024, 1, 1)`` as ISO 8601."""

    class Moments(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.AST:
            year, month, day = (ast.literal_eval(part) for part in call.args[:3])
            return ast.Constant(f"{year:04}-{month:02}-{day:02}T00:00:00")

    return ast.literal_eval(Moments().visit(node))


def bfcl() -> Iterator[JSON]:
    data = files("bfcl_eval").joinpath("data")
    for language in ("java", "javascript"):
        name = f"BFCL_v4_simple_{language}.json"
        asked = [json.loads(line) for line in data.joinpath(name).read_text(encoding="utf-8").splitlines()]
        answers = data.joinpath("possible_answer", name).read_text(encoding="utf-8").splitlines()
        right = {one["id"]: one["ground_truth"] for one in map(json.loads, answers)}
        for one in asked:
            tools = [tool(f["name"], f["description"], _schema(f["parameters"])) for f in one["function"]]
            calls = [(name, _first(arguments)) for truth in right[one["id"]] for name, arguments in truth.items()]
            yield row(f"bfcl/{one['id']}", one["question"][0][0]["content"], tools, calls)


def _schema(told: Any) -> Any:
    if isinstance(told, list):
        return [_schema(part) for part in told]
    if not isinstance(told, dict):
        return told
    found = {key: _schema(value) for key, value in told.items() if key != "type" or not isinstance(value, str)}
    if isinstance(told.get("type"), str) and (kind := _TYPES.get(told["type"].casefold())):
        found["type"] = kind if kind == "string" or "properties" in told else [kind, "string"]
    return found


def _first(accepted: JSON) -> JSON:
    """Of each argument the first answer; one that may be left out ("") is, where that is the first."""
    found = {name: options[0] for name, options in accepted.items() if options and options[0] != ""}
    return {name: _first(value) if _of_options(value) else value for name, value in found.items()}


def _of_options(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(part, list) for part in value.values())


def assist(intents: Path, sentences: Path) -> Iterator[JSON]:
    known = json.loads(intents.read_text(encoding="utf-8"))
    tests = yaml.safe_load(sentences.read_text(encoding="utf-8"))["tests"]
    kinds = {
        slot: sorted({test["intent"].get("slots", {}).get(slot) for test in tests} - {None})
        for slot in ("domain", "device_class")
    }
    tools = [
        tool(name, intent["description"], _of_slots(intent.get("slots", {}), kinds)) for name, intent in known.items()
    ]
    for number, test in enumerate(tests):
        intent = test["intent"]
        slots = intent.get("slots", {})
        if not slots.keys() <= known[intent["name"]].get("slots", {}).keys():
            continue
        room = (test.get("context") or intent.get("context") or {}).get("area")
        told = f"The user speaks to you in this area: {room}." if room else ""
        for place, said in enumerate(dict.fromkeys((test["sentences"][0], test["sentences"][-1]))):
            yield row(f"assist/{number}.{place}", said, tools, [(intent["name"], slots)], told)


def _of_slots(slots: JSON, kinds: dict[str, list[str]]) -> JSON:
    properties: JSON = {name: {"description": slot["description"]} for name, slot in slots.items()}
    for name in properties.keys() & kinds:
        properties[name]["enum"] = kinds[name]
    return {"type": "object", "properties": properties, "required": [n for n, s in slots.items() if s["required"]]}


if __name__ == "__main__":
    made = {"langchain": langchain, "assist": assist, "bfcl": bfcl}[sys.argv[1]]
    rows = made(*map(Path, sys.argv[2:-1]))
    Path(sys.argv[-1]).write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")
