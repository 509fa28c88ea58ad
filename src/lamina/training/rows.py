"""From trajectories to token rows: what the model reads, and which of it the model is to learn.

Only the assistant's turns are learnt, each with the token that ends it. The turns are tokenized one by one, as they
are when the model runs (prompt first, answer token by token), so training and inference see the same tokens; but an
engine cuts a history in one piece, which may be other tokens around the calls of earlier turns. Within a turn each
call is tokenized by itself: whether another call follows is then a token of its own (``,`` or ``]``) and not hidden in
how the last string ends (``"}`` or ``"``), which a small model does not learn from few rows (measured,
docs/results/first-build.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lamina.errors import InputError, WorkFailedError
from lamina.models.model import PromptStyle
from lamina.models.speaking import OPENS
from lamina.models.templates import LAMINA_TEMPLATE, SPEAKING_TEMPLATE, asked_messages, calls_text, with_end_mark
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.trajectories import Trajectory, content_id, read_trajectories

IGNORED = -100
"""Label of a token that is read and not learnt."""
RAISE = "raise max_length"
NO_MORE = "the base reads no more: shorten the row, or take another base"
"""What is done about a row that is too long: ``RAISE`` where the base would read it."""
Learn = Literal["calls", "words"]
"""Of an assistant's turn its calls alone, or its words too."""


def learnt_template(learn: Learn, end: str) -> str:
    """The chat template that a model is trained with and then brings, for a base that ends its turns with ``end``."""
    return with_end_mark(SPEAKING_TEMPLATE if learn == "words" else LAMINA_TEMPLATE, end)


@dataclass(frozen=True)
class Row:
    id: str
    input_ids: list[int]
    labels: list[int]


@dataclass(frozen=True)
class TrainingData:
    """``train`` and ``held`` (validation) of a file of trajectories, the tools of ``train``, and an id of what is in
    those rows."""

    train: list[Trajectory]
    held: list[Trajectory]
    toolbox: Toolbox
    identity: str


def read_training_data(data: Path) -> TrainingData:
    """Rows marked train and validation are used as such, test rows never; where no row is marked, all are trained
    on. Raises InputError where none is left."""
    rows = list(read_trajectories(data))
    marked = any(row.meta.split for row in rows)
    chosen = [row for row in rows if row.meta.split == "train" or not marked]
    if not chosen:
        raise InputError("holds no rows to train on", file=data, mend="give a run that synth has finished")
    if not any(row.turns for row in chosen):
        what = f"none of its {len(chosen):,} rows to train on has an assistant's turn, which is what is learnt"
        raise InputError(what, file=data, mend="give each request its right calls, or a refusal")
    held = [row for row in rows if row.meta.split == "validation"]
    toolbox = Toolbox.from_openai({t["function"]["name"]: t for row in chosen for t in row.tools}.values())
    identity = content_id(*([row.to_json().decode() for row in part] for part in (chosen, held)))
    return TrainingData(chosen, held, toolbox, identity)


def turns_without_calls(trajectories: Sequence[Trajectory]) -> tuple[int, int]:
    """How many assistant turns call nothing, and how many there are. Each of the first is learnt as the empty list."""
    turns = [turn for trajectory in trajectories for turn in trajectory.turns]
    return sum(not turn for turn in turns), len(turns)


def canonical_call(name: str, arguments: JSON, toolbox: Toolbox) -> JSON:
    """``{"name", "arguments"}`` as models are to write it: properties in schema order, those equal to their
    default left out, at every depth. What the schema does not know is kept, at the end."""
    tool = toolbox.get(name)
    return {"name": name, "arguments": _in_schema_order(arguments, tool.parameters) if tool else arguments}


def training_messages(trajectory: Trajectory, toolbox: Toolbox, learn: Learn = "calls") -> list[JSON]:
    """Messages in the form chat templates take. An assistant turn becomes its calls and nothing else; one without
    calls becomes the empty list of calls, whatever it said. To ``learn`` words keeps what it said."""
    messages: list[JSON] = []
    turns = [i for i, message in enumerate(trajectory.messages) if message.role == "assistant"]
    # nothing is learnt after the last assistant turn: reading on would only cost time
    for message in trajectory.messages[: turns[-1] + 1 if turns else None]:
        if message.role != "assistant":
            row: JSON = {"role": message.role, "content": message.content}
            messages.append(row | ({"name": message.name} if message.name else {}))
            continue
        calls = [canonical_call(c.name, c.arguments, toolbox) for c in message.tool_calls or []]
        made: JSON = {"role": "assistant", "content": message.content.strip() if learn == "words" else ""}
        if calls:
            made["tool_calls"] = [{"type": "function", "function": call} for call in calls]
        messages.append(made)
    return messages


def token_rows(
    trajectories: Sequence[Trajectory],
    toolbox: Toolbox,
    tokenizer: Any,
    template: str,
    *,
    style: PromptStyle,
    max_length: int,
    any_name: bool = False,
    learn: Learn = "calls",
    mend: str = RAISE,
) -> tuple[list[Row], list[JSON]]:
    """Rows and refusals (``{"id", "reason"}``): nothing is ever cut to fit, and nobody learns to call what is not on
    offer, but with ``any_name``, for what is learnt to be wrong. In the prompt, but in style ``baked``, stand the tools
    of the row, or ``toolbox`` where it names none. ``mend`` is said of rows that are too long. ``template`` is a chat
    template with ``{% generation %}`` marks. Raises WorkFailedError where a template does not end its turns."""
    rows: list[Row] = []
    refused: list[JSON] = []
    for trajectory in trajectories:
        names = {tool["function"]["name"] for tool in trajectory.tools} or set(toolbox.names)
        strange = next((call.name for call in trajectory.calls if call.name not in names), None)
        if strange is not None and not any_name:
            refused.append({"id": trajectory.id, "reason": f"calls {strange}, which is not among its tools"})
            continue
        if learn == "words" and any(OPENS in m.content for m in trajectory.messages if m.role == "assistant"):
            refused.append({"id": trajectory.id, "reason": f"its words hold a {OPENS!r}, which opens calls"})
            continue
        offered = trajectory.toolbox() if style != "baked" and trajectory.tools else toolbox
        tools = offered.as_openai() if style == "full" else None
        asked = trajectory.model_copy(update={"messages": list(asked_messages(trajectory.messages, offered, style))})
        row = encode(trajectory.id, training_messages(asked, offered, learn), tools, tokenizer, template)
        if len(row.input_ids) > max_length:
            reason = f"{len(row.input_ids)} tokens, longer than max_length {max_length}; {mend}"
            refused.append({"id": row.id, "reason": reason})
        elif all(label == IGNORED for label in row.labels):
            refused.append({"id": row.id, "reason": "no assistant turn to learn from"})
        else:
            rows.append(row)
    return rows, refused


def encode(id: str, messages: list[JSON], tools: list[JSON] | None, tokenizer: Any, template: str) -> Row:
    """One row; labels equal the token inside the template's generation marks and ``IGNORED`` outside."""
    from transformers.utils.chat_template_utils import render_jinja_template

    render: Any = render_jinja_template  # declared to return a string; it returns texts and spans
    rendered, spans = render(
        conversations=[messages], tools=tools, chat_template=template, return_assistant_tokens_mask=True
    )
    text: str = rendered[0]
    row = Row(id, [], [])
    turns = [message for message in messages if message["role"] == "assistant"]
    done = 0
    for (start, end), turn in zip(spans[0], turns, strict=True):
        _append(row, tokenizer, text[done:start], learnt=False)
        for piece in turn_pieces(text[start:end], turn):
            _append(row, tokenizer, piece, learnt=True)
        if row.labels[-1] != tokenizer.eos_token_id:
            raise WorkFailedError(f"the chat template does not end an assistant turn with {tokenizer.eos_token}")
        done = end
    _append(row, tokenizer, text[done:], learnt=False)
    return row


def turn_pieces(text: str, turn: JSON) -> list[str]:
    """The text of an assistant's turn, cut around each call: ``[``, call, ``,``, call, ``]`` and the end, and after
    words before them. A turn that another template writes in another way stays whole."""
    if words := turn.get("content"):
        words += "\n" if turn.get("tool_calls") else ""
        if not text.startswith(words):
            return [text]
        rest = text[len(words) :]
        return [words, *(turn_pieces(rest, {**turn, "content": ""}) if turn.get("tool_calls") else [rest])]
    calls = [calls_text([call["function"]])[1:-1] for call in turn.get("tool_calls", [])]
    pieces = ["["]
    for i, call in enumerate(calls):
        pieces += [",", " " + call] if i else [call]
    known = "".join(pieces) + "]"
    return [*pieces, text[len(known) - 1 :]] if text.startswith(known) else [text]


def _append(row: Row, tokenizer: Any, text: str, *, learnt: bool) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False) if text else []
    row.input_ids.extend(ids)
    row.labels.extend(ids if learnt else [IGNORED] * len(ids))


def _in_schema_order(value: Any, schema: JSON) -> Any:
    if isinstance(value, list):
        items = schema.get("items")
        return [_in_schema_order(v, items) for v in value] if isinstance(items, dict) else value
    if not isinstance(value, dict):
        return value
    schema = _object_schema(value, schema)
    properties: JSON = schema.get("properties", {})
    required = schema.get("required", [])
    kept = {
        name: _in_schema_order(value[name], inner)
        for name, inner in properties.items()
        if name in value and (name in required or not _is_default(value[name], inner))
    }
    return kept | {name: inner for name, inner in value.items() if name not in properties}


def _object_schema(value: JSON, schema: JSON) -> JSON:
    """Of a union, the member that knows all of the value's names."""
    for member in schema.get("anyOf", []) + schema.get("oneOf", []):
        if value.keys() <= member.get("properties", {}).keys():
            found: JSON = member
            return found
    return schema


def _is_default(value: Any, schema: JSON) -> bool:
    if "default" not in schema:
        return False
    default = schema["default"]
    return bool(value == default) and isinstance(value, bool) == isinstance(default, bool)
