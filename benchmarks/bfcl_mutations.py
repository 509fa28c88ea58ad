"""Answers to BFCL rows: right ones made from the ground truth, and mutations of them near enough to matter."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

Calls = list[dict[str, Any]]
PIECES = {
    "java": [
        "new ", "ArrayList<", "Integer", "String", ">", "()", "(", ")", "Arrays.asList(", "))", "{{", "}}", "{", "}",
        "add(", "put(", "put(\"", "\"", "\", ", "'", ",", ", ", ";", " ", "\n", "\t", "new HashMap<>()", "HashMap<",
        "int[]{", "Object[] {", "1", "-2", "5L", "1.5f", "2.0", "1e3", "true", "false", "null", "a", "b", "\\", "_",
        "٣", "L", "f", "nan", "inf", "1_000",
    ],
    "javascript": [
        "[", "]", "[[", "]]", "], [", "new Array(", ")", "{", "}", ":", ": ", ",", ", ", "'", "\"", "`", " ", "\n", "1",
        "-2", "1.5", "12n", "true", "false", "null", "undefined", "a", "key", "=>", "()", "\\", "٣", "nan", "1e5",
        "1_0", "{}", "[]",
    ],
}  # fmt: skip
WORDS = ["", " ", "a", "A", "New York", "new-york", "O'Neil", 'O"Neil', "1", "1.0", "true", "None", "é", "İ"]
STRAYS: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    0.5,
    "",
    "x",
    "1",
    [],
    {},
    [""],
    [1],
    [[1]],
    [{}],
    {"a": 1},
    10**20,
]


def right_calls(row: dict[str, Any], language: str, chance: random.Random) -> Calls:
    """One of the right answers: any of the values that are right, optional arguments given or left out."""
    calls = []
    for answer in row["answers"]:
        name = next(iter(answer))
        function = next((f for f in row["functions"] if f["name"] == name), row["functions"][0])
        declared = function["parameters"]["properties"]
        arguments = {}
        for argument, right in answer[name].items():
            value = chance.choice(right) if right else ""
            if value == "":
                continue
            value = _one_of(value, declared.get(argument, {}), chance)
            if language != "python":
                value = source_text(value, declared.get(argument, {}), language, chance)
            arguments[argument] = value
        calls.append({"name": name, "arguments": arguments})
    return calls


def _one_of(value: Any, declared: dict[str, Any], chance: random.Random) -> Any:
    """Objects in the ground truth hold lists of right values."""
    if isinstance(value, dict):
        chosen = {k: chance.choice(v) if isinstance(v, list) and v else v for k, v in value.items()}
        return {k: v for k, v in chosen.items() if v != "" or chance.random() < 0.1}
    if isinstance(value, list):
        return [_one_of(v, {}, chance) if isinstance(v, dict) else v for v in value]
    return value


def source_text(value: Any, declared: dict[str, Any], language: str, chance: random.Random) -> str:
    """A value as Java or JavaScript source, in one of the ways people write it."""
    kind = declared.get("type", "any")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return _list_text(value, kind, declared.get("items", {}).get("type"), language, chance)
    if isinstance(value, dict):
        if language == "java":
            puts = " ".join(f'put("{k}", {_literal(v, None, language)});' for k, v in value.items())
            return chance.choice(["new HashMap<String, Object>() {{ %s }}", "new HashMap<>(){{%s}}"]) % puts
        joined = ", ".join(f"{chance.choice([k, repr(k)])}: {_literal(v, None, language)}" for k, v in value.items())
        return "{" + joined + "}"
    if isinstance(value, str):
        quoted = language == "javascript" and kind == "String" and chance.random() < 0.3
        return json.dumps(value, ensure_ascii=False) if quoted else value
    return _literal(value, kind, language)


def _list_text(value: list[Any], kind: str, element: str | None, language: str, chance: random.Random) -> str:
    parts = [_literal(v, element, language) for v in value]
    if language == "javascript":
        return chance.choice(["[%s]", "[%s]", "new Array(%s)"]) % ", ".join(parts)
    if kind == "ArrayList":
        adds = " ".join(f"add({part});" for part in parts)
        return chance.choice(
            [f"new ArrayList<>(Arrays.asList({', '.join(parts)}))", f"new ArrayList<String>() {{{{ {adds} }}}}"]
        )
    if chance.random() < 0.8:
        parts = [str(v) if isinstance(v, str) else part for v, part in zip(value, parts, strict=True)]  # its quirk
    return chance.choice(["new String[]{%s}", "new int[] { %s }", "new Object[]{%s}"]) % ", ".join(parts)


def _literal(value: Any, kind: str | None, language: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        inner = ", ".join(_literal(v, None, language) for v in value)
        return f"[{inner}]" if language == "javascript" else f"new Object[]{{{inner}}}"
    if isinstance(value, str):
        return f"'{value}'" if kind == "char" else f'"{value}"'
    suffix = {"long": "L", "float": "f", "Bigint": "n"}.get(kind or "", "") if language == "java" else ""
    return f"{value}{suffix}"


def mutated(calls: Calls, row: dict[str, Any], language: str, chance: random.Random) -> Calls:
    """One to three changes to a copy."""
    calls = copy.deepcopy(calls)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        if not calls or chance.random() < 0.15:
            calls = chance.choice(CALL_CHANGES)(calls, row, chance)
            continue
        call = chance.choice(calls)
        if not call["arguments"] or chance.random() < 0.15:
            _change_keys(call, row, chance)
            continue
        name = chance.choice(list(call["arguments"]))
        call["arguments"][name] = changed_value(call["arguments"][name], language, chance)
    return calls


def _change_keys(call: dict[str, Any], row: dict[str, Any], chance: random.Random) -> None:
    arguments = call["arguments"]
    declared = [p for f in row["functions"] for p in f["parameters"]["properties"]]
    if arguments and chance.random() < 0.5:
        del arguments[chance.choice(list(arguments))]
    elif arguments and chance.random() < 0.3:
        name = chance.choice(list(arguments))
        arguments[name.upper()] = arguments.pop(name)
    else:
        arguments[chance.choice([*declared, "extra"])] = chance.choice([*STRAYS, *WORDS])


def _drop(calls: Calls, row: dict[str, Any], chance: random.Random) -> Calls:
    return [c for c in calls if c is not chance.choice(calls)] if calls else []


def _double(calls: Calls, row: dict[str, Any], chance: random.Random) -> Calls:
    return [*calls, copy.deepcopy(chance.choice(calls))] if calls else calls


def _shuffle(calls: Calls, row: dict[str, Any], chance: random.Random) -> Calls:
    chance.shuffle(calls)
    return calls


def _rename(calls: Calls, row: dict[str, Any], chance: random.Random) -> Calls:
    for call in calls[:1]:
        names = [f["name"] for f in row["functions"]]
        call["name"] = chance.choice([*names, call["name"].replace(".", "_"), call["name"].upper(), ""])
    return calls


CALL_CHANGES: list[Callable[[Calls, dict[str, Any], random.Random], Calls]] = [_drop, _double, _shuffle, _rename]


def changed_value(value: Any, language: str, chance: random.Random) -> Any:
    if language != "python" and isinstance(value, str) and chance.random() < 0.75:
        return _changed_source(value, PIECES[language], chance)
    if chance.random() < 0.12:
        return copy.deepcopy(chance.choice(STRAYS))
    if isinstance(value, str):
        return _changed_text(value, chance)
    if isinstance(value, bool):
        return chance.choice([not value, int(value), str(value), str(value).lower()])
    if isinstance(value, int | float):
        return chance.choice(
            [value + 1, -value, float(value), str(value), value * 1.0000001, [value], bool(value), int(value)]
        )
    if isinstance(value, list):
        return _changed_list(value, language, chance)
    if isinstance(value, dict):
        return _changed_object(value, language, chance)
    return chance.choice(STRAYS)


def _changed_text(text: str, chance: random.Random) -> Any:
    if chance.random() < 0.15:
        return chance.choice([*WORDS, [text], text.split(), len(text)])
    at = chance.randrange(len(text) + 1)
    piece = chance.choice([" ", ",", ".", "/", "-", "_", "*", "^", "'", '"', "!", "x", "\n", "(", "?"])
    return chance.choice(
        [
            text.upper(), text.lower(), text.title(), f" {text} ", text[:at] + piece + text[at:],
            text[:at] + text[at + 1 :], text.replace(" ", "_"), text.replace(",", ""), text.replace("'", '"'),
            text[::-1],
        ]
    )  # fmt: skip


def _changed_list(value: list[Any], language: str, chance: random.Random) -> Any:
    value = list(value)
    if not value or chance.random() < 0.2:
        return chance.choice([[], [*value, chance.choice(STRAYS)], tuple_like(value), str(value), {}, [value]])
    at = chance.randrange(len(value))
    how = chance.randrange(5)
    if how == 0:
        del value[at]
    elif how == 1:
        value.append(copy.deepcopy(value[at]))
    elif how == 2:
        chance.shuffle(value)
    else:
        value[at] = changed_value(value[at], "python", chance)
    return value


def tuple_like(value: list[Any]) -> Any:
    return {str(i): v for i, v in enumerate(value)}


def _changed_object(value: dict[str, Any], language: str, chance: random.Random) -> Any:
    value = dict(value)
    if not value or chance.random() < 0.3:
        return chance.choice([{}, {**value, "extra": 1}, [value], str(value), list(value)])
    key = chance.choice(list(value))
    if chance.random() < 0.4:
        del value[key]
    else:
        value[key] = changed_value(value[key], "python", chance)
    return value


def _changed_source(text: str, pieces: list[str], chance: random.Random) -> str:
    for _ in range(chance.choice([1, 1, 2, 4])):
        at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        how = chance.randrange(5)
        if how == 0:
            text = text[:at] + chance.choice(pieces) + text[at:]
        elif how == 1:
            text = text[:at] + text[at + 1 :]
        elif how == 2:
            text = text[:at] + text[min(end, at + 6) :]
        elif how == 3:
            text = text[:at] + chance.choice(pieces) + text[min(end, at + 3) :]
        else:
            text = "".join(chance.choice(pieces) for _ in range(chance.randrange(1, 14)))
    return text
