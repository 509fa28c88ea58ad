"""Values that are copied: arguments that hold words or numbers of the request, and decoding that writes nothing else.

A small model that has learnt to copy still miswrites a rare name or adds an item that nobody said ("dishwasher tablets"
became "disharm bowls"). Where all that it was taught for an argument stood in the request word for word, the engine is
held to that: the value is a run of the request's words or the argument's default (our choice; the idea of grounding,
which the checks of synthesis test, put before the answer instead of after it). Numbers: ``copied_numbers``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lamina.models.copied_numbers import held_to_numbers, is_number, said_numbers
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.trajectories import Message, Trajectory

SHARE, FEWEST = 0.99, 8
"""Of an argument's values that have to be words of the request, and how many values that takes at least."""
LONGEST_RUN, MOST_WORDS = 40, 160
"""Words of a value at most, and of a request that is still held to: the pattern grows with their product."""
CHOSEN = {"enum", "const", "pattern", "format"}
"""What makes a text one that is chosen or formed, not said."""
TEXT, NUMBERS = ("string",), ("number", "integer")
_WORD = re.compile(
    r"\w[^\s,;()\"]*@[^\s,;()\"]*\w"  # an address
    r"|\w+://[^\s,;()\"]*[\w/]"
    r"|\d(?:[\d.,:/()-]*\d)?\w*(?:-\w+)*"  # a number, a time, a phone number, a date
    r"|\w+(?:[.&/+-]\w+)*"
    r"|['’](?:s|t|re|ve|ll|d|m)\b"
    r"|[^\w\s]"
)
_BEGINNING = re.compile(r"[\w(+#$€£¥₹°@/]")
"""What a value may begin with: other marks stand between words."""


def copied_arguments(rows: Iterable[Trajectory], toolbox: Toolbox) -> list[str]:
    """``TOOL.PATH`` of each text or number that is copied in (nearly) all rows; arrays add nothing to a path. Values of
    choices, and values equal to the default, don't count."""
    there: Counter[str] = Counter()
    copied: Counter[str] = Counter()
    for row in rows:
        said = heard(row.messages)
        words, numbers = re.compile(said_pattern(said) or "", re.IGNORECASE), said_numbers(said)
        for call in row.calls:
            if (tool := toolbox.get(call.name)) is None:
                continue
            for path, value in _values(call.arguments, ""):
                schema = _schema_at(tool.parameters, path, NUMBERS if isinstance(value, int | float) else TEXT)
                if value == schema.get("default") or not (_is_text(schema) or is_number(schema)):
                    continue
                key = f"{tool.name}.{path}"
                there[key] += 1
                alike = words.fullmatch(value) is not None if isinstance(value, str) else value in numbers
                copied[key] += alike
    return sorted(key for key, n in there.items() if n >= FEWEST and copied[key] >= SHARE * n)


def heard(messages: Sequence[Message]) -> str:
    """What a value may be copied from: all that the user and the tools said."""
    return "\n".join(m.content for m in messages if m.role in ("user", "tool") and m.content)


def said_pattern(text: str) -> str | None:
    """A regular expression of all runs of the text's words, with what stands between them; None where there is no word,
    or where there are too many. A last ``s`` may be left out: people write "annas number"."""
    words = list(_WORD.finditer(text))
    if not words or len(words) > MOST_WORDS:
        return None
    starts = [i for i, word in enumerate(words) if _BEGINNING.match(word[0])]
    runs = [_run(text, words[start : start + LONGEST_RUN]) for start in starts]
    return f"({'|'.join(dict.fromkeys(runs))})" if runs else None


def held_to(
    schema: JSON, path: str, copied: Collection[str], words: JSON | None, numbers: Sequence[int | float]
) -> JSON:
    """The schema of the argument at ``path`` (``TOOL`` at first), each copied text in it replaced by ``words`` and each
    copied number by a choice of ``numbers``; a default stays possible. Where nothing was said it is as it was, and so
    is a schema that is no object (``true``)."""
    if not isinstance(schema, dict):
        return schema
    found = dict(schema)
    if "properties" in schema:
        found["properties"] = {
            name: held_to(one, f"{path}.{name}", copied, words, numbers) for name, one in schema["properties"].items()
        }
    if isinstance(schema.get("items"), dict):
        found["items"] = held_to(schema["items"], path, copied, words, numbers)
    if "anyOf" in schema:
        found["anyOf"] = [held_to(one, path, copied, words, numbers) for one in schema["anyOf"]]
    if path in copied and words and _is_text(schema):
        default = schema.get("default")
        return {"anyOf": [words, {"const": default}]} if isinstance(default, str) else words
    return held_to_numbers(schema, numbers) if path in copied and is_number(schema) else found


def _is_text(schema: JSON) -> bool:
    return schema.get("type") == "string" and not CHOSEN & set(schema)


def _run(text: str, words: Sequence[re.Match[str]]) -> str:
    """The first word, or the first two, and so on."""
    pattern = ""
    for place in reversed(range(len(words))):
        said = _escaped(words[place][0]) + ("?" if words[place][0][-1:] == "s" and len(words[place][0]) > 1 else "")
        between = _escaped(text[words[place - 1].end() : words[place].start()]) if place else ""
        pattern = f"{between}{said}{f'({pattern})?' if pattern else ''}"
    return pattern


def _escaped(text: str) -> str:
    """For Rust's engine, which knows no escaped space."""
    return re.sub(r"([.^$*+?()\[\]{}|/\\-])", r"\\\1", text)


def _schema_at(schema: JSON, path: str, kinds: Collection[str]) -> JSON:
    """Of the value at ``path``: through arrays and unions to one of ``kinds``; empty where there is none."""
    for name in path.split("."):
        schema = schema.get("properties", {}).get(name, {})
        if not isinstance(schema, dict):
            return {}
        while inner := [s for s in (schema.get("items"), *schema.get("anyOf", ())) if _may_hold(s, kinds)]:
            schema = inner[0]
    return schema


def _may_hold(schema: Any, kinds: Collection[str]) -> bool:
    return isinstance(schema, dict) and schema.get("type") in (*kinds, "array", "object")


def _values(value: Any, path: str) -> Iterator[tuple[str, str | int | float]]:
    """Texts and numbers with their paths."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, path)
