"""Augment: the same meaning in another form (xLAM, arXiv 2409.03215 section 4). Each is a pure function of a record and
a seed, leaves the record as it is, and returns a new one, or None where it does not apply; they compose."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Sequence
from typing import Any

from lamina.trajectories import Message, Trajectory

JSON = dict[str, Any]
IRRELEVANCE = "irrelevance"
Augmentation = Callable[[Trajectory, int], "Trajectory | None"]


def shuffle_tools(record: Trajectory, seed: int) -> Trajectory | None:
    """The tools in another order."""
    return _shuffled_tools(record, seed, lambda rng, tools: rng.sample(tools, len(tools)))


def shuffle_keys(record: Trajectory, seed: int) -> Trajectory | None:
    """The keys within each tool (name, description, parameters) in another order."""
    return _shuffled_tools(
        record, seed, lambda rng, tools: [_with_function(t, _mixed(rng, t["function"])) for t in tools]
    )


def shuffle_parameters(record: Trajectory, seed: int) -> Trajectory | None:
    """The parameters of each tool in another order."""

    def mix(rng: random.Random, tools: list[JSON]) -> list[JSON]:
        found = []
        for tool in tools:
            function = tool["function"]
            schema = function.get("parameters") or {}
            properties = schema.get("properties")
            if isinstance(properties, dict):
                function = {**function, "parameters": {**schema, "properties": _mixed(rng, properties)}}
            found.append(_with_function(tool, function))
        return found

    return _shuffled_tools(record, seed, mix)


def shuffle_calls(record: Trajectory, seed: int) -> Trajectory | None:
    """Parallel calls, and their results with them, in another order. Turns in which one call refers to another's result
    stay as they are."""
    rng = random.Random(f"{seed}:{record.id}")
    after = record.model_copy(deep=True)
    for number, message in enumerate(after.messages):
        calls = message.tool_calls or []
        results = after.messages[number + 1 : number + 1 + len(calls)]
        told = [m.role == "tool" for m in results]
        if len(calls) < 2 or _refer(calls) or (any(told) and (not all(told) or len(results) < len(calls))):
            continue
        order = rng.sample(range(len(calls)), len(calls))
        message.tool_calls = [calls[i] for i in order]
        if all(told) and results and not any(m.tool_call_id for m in results):
            after.messages[number + 1 : number + 1 + len(calls)] = [results[i] for i in order]
    return None if after == record else noted(after, "shuffle-calls", seed)


def _refer(calls: Sequence[Any]) -> bool:
    values = str([c.arguments for c in calls])
    return "$" in values or any(c.id and repr(c.id) in values for c in calls)


def mask_names(record: Trajectory, seed: int) -> Trajectory | None:
    """Random names for functions and parameters, in tools, calls and results alike, so that a model reads descriptions.
    ``meta.masked`` has the old names. Not for records whose texts name a function: they would give the mask away."""
    if not all(map(is_whole, record.tools)):
        return None
    names = [t["function"]["name"] for t in record.tools]
    texts = " ".join(m.content for m in record.messages if m.role != "tool")
    if not names or any(re.search(rf"(?<!\w){re.escape(n)}(?!\w)", texts) for n in names):
        return None
    rng = random.Random(f"{seed}:{record.id}")
    known: dict[str, str] = {}
    masks = {name: _mask(rng, known, name) for name in dict.fromkeys(names)}
    inner: dict[str, dict[str, str]] = {}
    after = record.model_copy(deep=True)
    for tool in after.tools:
        function = tool["function"]
        own = {
            p: _mask(rng, known, f"{function['name']}.{p}")
            for p in (function.get("parameters") or {}).get("properties") or {}
        }
        inner[function["name"]] = own
        function["name"] = masks[function["name"]]
        function["description"] = _masked(str(function.get("description", "")), masks)
        schema = function.get("parameters") or {}
        if own:
            schema["properties"] = {own[k]: v for k, v in schema["properties"].items()}
            schema["required"] = [own.get(r, r) for r in schema.get("required") or []]
    for message in after.messages:
        for call in message.tool_calls or []:
            own = inner.get(call.name, {})
            call.function.arguments = {own.get(k, k): v for k, v in call.arguments.items()}
            call.function.name = masks.get(call.name, call.name)
        if message.role == "tool" and message.name:
            message.name = masks.get(message.name, message.name)
    return noted(after, "mask-names", seed, masked=known)


def _masked(text: str, masks: dict[str, str]) -> str:
    for name, mask in masks.items():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", mask, text)
    return text


def _mask(rng: random.Random, known: dict[str, str], name: str) -> str:
    while (mask := "".join(rng.choices(string.ascii_letters, k=rng.randint(6, 12)))) in known:
        continue
    known[mask] = name
    return mask


def distract(record: Trajectory, seed: int, pool: Sequence[JSON], n: int = 3) -> Trajectory | None:
    """Up to ``n`` tools of a pool in random places among the record's own; none of a name that is there."""
    rng = random.Random(f"{seed}:{record.id}")
    if not all(map(is_whole, record.tools)):
        return None
    names = {t["function"]["name"] for t in record.tools}
    others = {t["function"]["name"]: t for t in pool if t["function"]["name"] not in names}
    chosen = rng.sample(sorted(others), min(n, len(others)))
    if not chosen or not record.tools:
        return None
    tools = list(record.tools)
    for name in chosen:
        tools.insert(rng.randint(0, len(tools)), others[name])
    return noted(record.model_copy(update={"tools": tools}, deep=True), "distract", seed)


def remove_the_right_tool(record: Trajectory, seed: int) -> Trajectory | None:
    """An irrelevance row: the tools that the first calling turn needs are gone, and the answer is not to call. Only
    where other tools remain, and where nothing was called before."""
    at = next((i for i, m in enumerate(record.messages) if m.tool_calls), None)
    if at is None or not all(map(is_whole, record.tools)):
        return None
    called = {c.name for c in record.messages[at].tool_calls or []}
    left = [t for t in record.tools if t["function"]["name"] not in called]
    if not left or len(left) == len(record.tools):
        return None
    messages = [*record.messages[:at], Message(role="assistant")]
    after = record.model_copy(update={"tools": left, "messages": messages}, deep=True)
    after.meta.style, after.meta.reward = IRRELEVANCE, None
    return noted(after, "irrelevance", seed)


AUGMENTATIONS: dict[str, Augmentation] = {
    "shuffle-tools": shuffle_tools,
    "shuffle-keys": shuffle_keys,
    "shuffle-parameters": shuffle_parameters,
    "shuffle-calls": shuffle_calls,
    "mask-names": mask_names,
    "irrelevance": remove_the_right_tool,
}
"""Those that need nothing but the record; ``distract`` needs a pool of tools."""


def _shuffled_tools(
    record: Trajectory, seed: int, mix: Callable[[random.Random, list[JSON]], list[JSON]]
) -> Trajectory | None:
    if not all(map(is_whole, record.tools)):
        return None
    after = record.model_copy(deep=True)
    after.tools = mix(random.Random(f"{seed}:{record.id}"), after.tools)
    same = str(after.tools) == str(record.tools)  # as text: dictionaries are equal in any order
    return None if same else noted(after, "shuffle", seed)


def is_whole(tool: JSON) -> bool:
    """Whether a record's tool is in OpenAI's form. Others are left alone: what is meant by them is not known."""
    function = tool.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return False
    parameters = function.get("parameters") or {}
    return isinstance(parameters, dict) and isinstance(parameters.get("properties") or {}, dict)


def _with_function(tool: JSON, function: JSON) -> JSON:
    return {**tool, "function": function}


def _mixed(rng: random.Random, values: JSON) -> JSON:
    return {name: values[name] for name in rng.sample(list(values), len(values))}


def noted(after: Trajectory, what: str, seed: int, **more: Any) -> Trajectory:
    """``meta.augmented`` lists what was done; the group is the original's, so that both fall on one side of a split."""
    extra = dict(after.meta.model_extra or {})
    done = [*(extra.get("augmented") or []), {"by": what, "seed": seed}]
    fields = {
        **after.meta.model_dump(exclude_none=True),
        **more,
        "augmented": done,
        "group": after.meta.group or after.id,
    }
    return Trajectory.model_validate({**after.model_dump(), "meta": fields})
