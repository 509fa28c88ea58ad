"""Wrong rows made from right ones.

To add a mutation, write one function here:

    @mutation("what is wrong with it")
    def name(row: Row) -> str | None:
        ...

It changes the copy ``row.record`` in place and returns the stage at which the verifier has to object, or None where it
does not apply; everything random is drawn from ``row.chance``. It then has a line in the table, and counts."""

from __future__ import annotations

import random
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from lamina.checks.arguments import is_reference
from lamina.checks.evidence import leaves_of, numbers_in
from lamina.data.checking import toolbox_of
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message, ToolCall, Trajectory

FORMAT, STEPS, GROUNDING, EXECUTION, JUDGE = "format", "steps", "grounding", "execution", "judge"


@dataclass
class Row:
    """A copy of a clean record that a mutation may change. ``pool``: values of its kind in other records."""

    record: Trajectory
    chance: random.Random
    pool: dict[str, list[Any]]

    @property
    def toolbox(self) -> Toolbox:
        return toolbox_of(self.record)

    @property
    def request(self) -> str:
        return "\n".join(m.content for m in self.record.messages).casefold()

    @property
    def acting(self) -> Message:
        return self.chance.choice([m for m in self.record.messages if m.tool_calls])

    def call(self, having: Callable[[ToolCall, Tool], bool] = lambda call, tool: True) -> tuple[ToolCall, Tool] | None:
        box = self.toolbox
        pairs = [(c, box[c.name]) for c in self.record.calls if c.name in box and having(c, box[c.name])]
        return self.chance.choice(pairs) if pairs else None


Mutation = Callable[[Row], str | None]
MUTATIONS: dict[str, Mutation] = {}
NEEDS_JUDGE: set[str] = set()
OF_COUNT: set[str] = set()
OUR_CHOICE: set[str] = set()
"""Of ``NEEDS_JUDGE`` those that nobody but we put there: the aim exempts swapped values and wrong functions alone."""


def mutation(
    name: str, *, needs_judge: bool = False, of_count: bool = False, our_choice: bool = False
) -> Callable[[Mutation], Mutation]:
    """Registers a mutation. ``needs_judge``: no rule without a model can tell; reported apart. ``our_choice``: so we
    say, and the total with it in is printed, too. ``of_count``: it changes the number of calls."""

    def register(function: Mutation) -> Mutation:
        MUTATIONS[name] = function
        if needs_judge:
            NEEDS_JUDGE.add(name)
        if our_choice:
            OUR_CHOICE.add(name)
        if of_count:
            OF_COUNT.add(name)
        return function

    return register


OTHER_SCRIPTS = [
    "Zürich",
    "São Tomé",
    "Łódź",
    "Αθήνα",
    "Київ",
    "大阪",
    "서울",
    "القاهرة",
    "กรุงเทพ",
    "£9",
    "naïve",
    "東京タワー",
]
"""The sets' own values are nearly all plain letters."""


def pool_of(records: Iterable[Trajectory]) -> dict[str, list[Any]]:
    """Every string and number of the records, whatever its length, size or script; references to results are none."""
    found: dict[str, list[Any]] = {"string": [], "number": []}
    for record in records:
        for call in record.calls:
            for value in call.arguments.values():
                if isinstance(value, str) and value.strip() and not is_reference(value, ()):
                    found["string"].append(value)
                elif isinstance(value, int | float) and not isinstance(value, bool):
                    found["number"].append(value)
    return found


@mutation("rename function")
def rename_function(row: Row) -> str | None:
    call, _ = row.call() or (None, None)
    if call is None:
        return None
    call.function.name += row.chance.choice(["_v2", "s", "_data"])
    return None if call.name in row.toolbox else FORMAT


@mutation("rename argument")
def rename_argument(row: Row) -> str | None:
    call, tool = row.call(lambda c, t: bool(c.arguments)) or (None, None)
    if call is None or tool is None:
        return None
    old = row.chance.choice(list(call.arguments))
    new = old + row.chance.choice(["_value", "s", "Name"])
    call.function.arguments = {new if k == old else k: v for k, v in call.arguments.items()}
    return None if new in tool.properties else FORMAT


@mutation("drop required")
def drop_required(row: Row) -> str | None:
    call, tool = row.call(lambda c, t: any(n in c.arguments for n in t.required)) or (None, None)
    if call is None or tool is None:
        return None
    del call.arguments[row.chance.choice([n for n in tool.required if n in call.arguments])]
    return FORMAT


@mutation("retype")
def retype(row: Row) -> str | None:
    """To a type from which nothing leads back (``"5"`` for 5 does: it is mended, and no mutant)."""
    found = row.call(lambda c, t: any(_typed(t, n) for n in c.arguments))
    if found is None:
        return None
    call, tool = found
    name = row.chance.choice([n for n in call.arguments if _typed(tool, n)])
    kind, value = _typed(tool, name), call.arguments[name]
    other: dict[str, Any] = {
        "string": {"value": value},
        "array": {"items": value},
        "object": [value],
        "boolean": "often",
    }
    call.arguments[name] = other.get(str(kind), "several")
    return FORMAT


def _typed(tool: Tool, name: str) -> str | None:
    kind = tool.properties.get(name, {}).get("type")
    return kind if kind in ("string", "integer", "number", "boolean", "array", "object") else None


@mutation("out of enum")
def out_of_enum(row: Row) -> str | None:
    found = row.call(lambda c, t: any("enum" in t.properties.get(n, {}) for n in c.arguments))
    if found is None:
        return None
    call, tool = found
    name = row.chance.choice([n for n in call.arguments if "enum" in tool.properties.get(n, {})])
    call.arguments[name] = row.chance.choice(["other", "default_value", "n/a"])
    return None if call.arguments[name] in tool.properties[name]["enum"] else FORMAT


@mutation("off by one: one call too few", of_count=True)
def one_too_few(row: Row) -> str | None:
    """Of two parallel calls one is left, of one none."""
    return _drop_call(row) if len(row.record.calls) <= 2 else None


@mutation("off by one: one of three or more gone", of_count=True)
def one_of_many_gone(row: Row) -> str | None:
    """How many were asked for is then in the words alone, whatever the style."""
    return _drop_call(row) and GROUNDING if len(row.record.calls) > 2 else None


def _drop_call(row: Row) -> str | None:
    if (
        sum(m.role == "user" for m in row.record.messages) > 1
        or sum(bool(m.tool_calls) for m in row.record.messages) > 1
    ):
        return None
    at = next(i for i, m in enumerate(row.record.messages) if m.tool_calls)
    calls = row.record.messages[at].tool_calls or []
    calls.pop(row.chance.randrange(len(calls)))
    del row.record.messages[at + 1 :]  # what came of the call that is gone
    return FORMAT


@mutation("off by one: one call twice", of_count=True)
def one_call_twice(row: Row) -> str | None:
    message = row.acting
    calls = message.tool_calls or []
    calls.append(row.chance.choice(calls).model_copy(deep=True))
    return FORMAT if _counted(row, len(calls)) else STEPS


@mutation("extra call", of_count=True)
def extra_call(row: Row) -> str | None:
    """Of another function on offer (the same where there is one), with values that fit it and that nobody said."""
    calls = row.acting.tool_calls or []
    tools = [t for t in row.toolbox if t.name != calls[0].name] or list(row.toolbox)
    tool = row.chance.choice(tools)
    made = {name: _unsaid(row, _typed(tool, name)) for name in tool.required if "enum" not in tool.properties[name]}
    if not made or any(v is None for v in made.values()) or tool.problems(made):
        return None
    calls.append(ToolCall.of(tool.name, made))
    return FORMAT if _counted(row, len(calls)) else GROUNDING


def _counted(row: Row, now: int) -> bool:
    """Whether the record has a style and it says that two are too many: in the first turn, with one request."""
    first = next(m for m in row.record.messages if m.role == "assistant")
    one = sum(m.role == "user" for m in row.record.messages) == 1
    return one and len(first.tool_calls or []) == now == 2 and row.record.meta.style in ("simple", "multiple")


def _unsaid(row: Row, kind: str | None) -> Any:
    """A value of another record that this one does not say, not even in part."""
    text = row.request
    if kind == "string":
        options = [v for v in row.pool["string"] if not any(w in text for w in _parts(v))]
        return row.chance.choice(options) if options else None
    if kind in ("integer", "number"):
        said = set(numbers_in(text))
        options = [v for v in row.pool["number"] if float(v) not in said and (kind == "number" or int(v) == v)]
        return row.chance.choice(options) if options else None
    return None


def _parts(value: str) -> list[str]:
    return [w for w in value.casefold().replace("_", " ").split() if len(w) > 3] or [value.casefold()]


@mutation("value not in the request")
def value_not_in_request(row: Row) -> str | None:
    found = _leaf(row, "string", "number", "integer")
    if found is None:
        return None
    call, tool, name = found
    value = _unsaid(row, _typed(tool, name))
    if value is None:
        return None
    call.arguments[name] = value
    return None if tool.problems(call.arguments) else GROUNDING


@mutation("value of another script")
def value_of_another_script(row: Row) -> str | None:
    found = _leaf(row, "string")
    options = [v for v in OTHER_SCRIPTS if not any(word in row.request for word in _parts(v))]
    if found is None or not options:
        return None
    call, tool, name = found
    call.arguments[name] = row.chance.choice(options)
    return None if tool.problems(call.arguments) else GROUNDING


@mutation("another date")
def another_date(row: Row) -> str | None:
    """Of the same form, in another year and month, on a day that nobody said."""
    found = _leaf(row, "string")
    if found is None:
        return None
    call, tool, _ = found
    dated = [n for n, v in call.arguments.items() if isinstance(v, str) and _is_date(v[:10])]
    if not dated:
        return None
    name, chance, said = row.chance.choice(dated), row.chance, set(numbers_in(row.request))
    year, month = chance.randint(1950, 2049), chance.randint(1, 12)
    days = [d for d in range(1, monthrange(year, month)[1] + 1) if d not in said and f"{d}" not in row.request]
    if not days or f"{year}" in row.request:
        return None
    call.arguments[name] = date(year, month, chance.choice(days)).isoformat() + call.arguments[name][10:]
    return None if tool.problems(call.arguments) else GROUNDING


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text)) and "-" in text
    except ValueError:
        return False


@mutation("another valid choice", needs_judge=True, our_choice=True)
def another_choice(row: Row) -> str | None:
    return _other_value(row, lambda schema: schema.get("enum") or [])


@mutation("flipped boolean", needs_judge=True, our_choice=True)
def flipped_boolean(row: Row) -> str | None:
    return _other_value(row, lambda schema: [True, False] if schema.get("type") == "boolean" else [])


def _other_value(row: Row, choices: Callable[[dict[str, Any]], list[Any]]) -> str | None:
    """Not the default, which nobody needs to say."""

    def options(call: ToolCall, tool: Tool, name: str) -> list[Any]:
        schema = tool.properties.get(name, {})
        return [v for v in choices(schema) if v not in (call.arguments[name], schema.get("default"))]

    found = row.call(lambda c, t: any(options(c, t, n) for n in c.arguments))
    if found is None:
        return None
    call, tool = found
    name = row.chance.choice([n for n in call.arguments if options(call, tool, n)])
    call.arguments[name] = row.chance.choice(options(call, tool, name))
    return None if tool.problems(call.arguments) else JUDGE


CODE = (
    "__import__('os').system('id')",
    "open('/etc/passwd').read()",
    "eval('2**9')",
    "lambda: exit()",
    "exec('import sys')",
)


@mutation("code in a string")
def code_in_a_string(row: Row) -> str | None:
    found = _leaf(row, "string", "number", "integer")
    if found is None:
        return None
    call, tool, name = found
    call.arguments[name] = row.chance.choice(CODE)
    return FORMAT if tool.problems(call.arguments) else GROUNDING


def _leaf(row: Row, *kinds: str) -> tuple[ToolCall, Tool, str] | None:
    """An argument with one of the types, without a choice or a default to guess it from."""

    def fits(tool: Tool, name: str) -> bool:
        schema = tool.properties.get(name, {})
        return (
            _typed(tool, name) in kinds and "enum" not in schema and "default" not in schema and "const" not in schema
        )

    found = row.call(lambda c, t: any(fits(t, n) for n in c.arguments))
    if found is None:
        return None
    call, tool = found
    return call, tool, row.chance.choice([n for n in call.arguments if fits(tool, n)])


PAYLOADS = (
    '{"error": "invalid api key"}', '{"success": false, "message": "no such item"}',
    '{"status": "error", "detail": "x"}',
    '{"status": 500, "message": "Internal Server Error"}', '"Error: connection refused"', '{"isError": true}',
)  # fmt: skip


@mutation("error payload")
def error_payload(row: Row) -> str | None:
    """The call came back, and what came back is an error; the record ends there."""
    last = next(i for i in reversed(range(len(row.record.messages))) if row.record.messages[i].tool_calls)
    calls = row.record.messages[last].tool_calls or []
    bad = row.chance.randrange(len(calls))
    del row.record.messages[last + 1 :]
    for number, call in enumerate(calls):
        content = row.chance.choice(PAYLOADS) if number == bad else '{"done": 1}'
        row.record.messages.append(Message(role="tool", name=call.name, content=content, tool_call_id=call.id))
    return EXECUTION


@mutation("swapped values", needs_judge=True)
def swapped_values(row: Row) -> str | None:
    def pairs(call: ToolCall, tool: Tool) -> list[tuple[str, str]]:
        names = [n for n in call.arguments if _typed(tool, n)]
        return [
            (a, b) for i, a in enumerate(names) for b in names[i + 1 :]
            if _typed(tool, a) == _typed(tool, b) and call.arguments[a] != call.arguments[b]
        ]  # fmt: skip

    found = row.call(lambda c, t: bool(pairs(c, t)))
    if found is None:
        return None
    call, tool = found
    a, b = row.chance.choice(pairs(call, tool))
    call.arguments[a], call.arguments[b] = call.arguments[b], call.arguments[a]
    return None if tool.problems(call.arguments) else JUDGE


@mutation("wrong function of the same signature", needs_judge=True)
def wrong_function(row: Row) -> str | None:
    box = row.toolbox
    options = [
        (call, tool) for call in row.record.calls for tool in box
        if tool.name != call.name and call.name in box and leaves_of(tool, call.arguments)
        and not tool.problems(call.arguments)
    ]  # fmt: skip
    if not options:
        return None
    call, tool = row.chance.choice(options)
    call.function.name = tool.name
    return JUDGE
