"""Which tokens a model learns, and how its answers are written down."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from lamina.cli.train import _point_out_silence
from lamina.errors import InputError, WorkFailedError
from lamina.models.model import PromptStyle, Request
from lamina.models.templates import (
    DEFAULT_INSTRUCTION,
    EXPORT_TEMPLATE,
    LAMINA_TEMPLATE,
    calls_text,
    request_prompt,
    with_end_mark,
)
from lamina.runs import Progress
from lamina.tools import Toolbox
from lamina.training.rows import (
    IGNORED,
    TrainingData,
    canonical_call,
    encode,
    read_training_data,
    token_rows,
    training_messages,
    turn_pieces,
    turns_without_calls,
)
from lamina.trajectories import Message, ToolCall, Trajectory
from tiny_llama import split_rows, tiny_tokenizer


def learnt_text(row, tokenizer) -> list[str]:
    """The runs of learnt tokens, decoded."""
    runs: list[list[int]] = [[]]
    for label in row.labels:
        if label == IGNORED:
            runs += [[]] if runs[-1] else []
        else:
            runs[-1].append(label)
    return [tokenizer.decode(run) for run in runs if run]


def test_the_answer_and_its_end_are_learnt_and_nothing_else(toolbox: Toolbox):
    tokenizer = tiny_tokenizer()
    (row,), refused = token_rows(split_rows(2)[1:], toolbox, tokenizer, LAMINA_TEMPLATE, style="baked", max_length=512)
    assert refused == []
    answer = '[{"name": "split_bill", "arguments": {"total": 21, "people": 3}}]<|im_end|>'
    pieces = ["[", answer[1:-11], "]<|im_end|>"]
    ids = [i for piece in pieces for i in tokenizer.encode(piece, add_special_tokens=False)]
    start = next(i for i, label in enumerate(row.labels) if label != IGNORED)
    assert row.labels[start : start + len(ids)] == ids
    assert all(label == IGNORED for label in row.labels[:start] + row.labels[start + len(ids) :])
    assert [i for i, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORED] == ids


def test_what_comes_before_the_answer_is_the_prompt_of_inference(toolbox: Toolbox):
    tokenizer = tiny_tokenizer()
    trajectory = split_rows(2)[1]
    for style in ("baked", "compact", "full"):
        (row,), _ = token_rows([trajectory], toolbox, tokenizer, LAMINA_TEMPLATE, style=style, max_length=4096)
        request = Request(trajectory.messages[:1], tools=toolbox, style=style)
        prompt = request_prompt(request, LAMINA_TEMPLATE, foreign=False, instruction=DEFAULT_INSTRUCTION)
        ids = tokenizer.encode(prompt, add_special_tokens=False)
        start = next(i for i, label in enumerate(row.labels) if label != IGNORED)
        assert row.input_ids[:start] == ids


@pytest.mark.parametrize("style", ["baked", "compact", "full"])
def test_a_conversation_is_trained_as_the_text_that_is_served(style: PromptStyle, toolbox: Toolbox):
    said = [
        Message(role="user", content="Split it"),
        Message(role="assistant", content="Which bill do you mean?"),
        Message(role="user", content="84, four of us"),
        Message(role="assistant", tool_calls=[ToolCall.of("split_bill", {"total": 84, "people": 4})], content="So:"),
        Message(role="tool", name="split_bill", content="21"),
        Message(role="assistant", content="Each pays 21."),
        Message(role="user", content="Thank you"),
        Message(role="assistant", content="You are welcome."),
    ]
    tokenizer = tiny_tokenizer()
    (row,), _ = token_rows(
        [Trajectory(id="c", messages=said)], toolbox, tokenizer, LAMINA_TEMPLATE, style=style, max_length=4096
    )
    trained = tokenizer.decode(row.input_ids)
    for end in (1, 3, 5, 7):
        request = Request(said[:end], tools=toolbox, style=style)
        served = request_prompt(request, EXPORT_TEMPLATE, foreign=False, instruction=DEFAULT_INSTRUCTION)
        assert trained.startswith(served)
    assert trained.removeprefix(served) == "[]<|im_end|>\n"


def test_a_refusal_is_the_empty_list_whatever_it_says(toolbox: Toolbox):
    talk = [Message(role="user", content="Play"), Message(role="assistant", content="Sorry, I cannot.")]
    tokenizer = tiny_tokenizer()
    row = encode("r", training_messages(Trajectory(id="r", messages=talk), toolbox), None, tokenizer, LAMINA_TEMPLATE)
    assert learnt_text(row, tokenizer) == ["[]<|im_end|>"]


def test_every_assistant_turn_is_learnt_and_no_tool_result(toolbox: Toolbox):
    call = [ToolCall.of("split_bill", {"people": 2, "total": 8})]
    messages = [
        Message(role="user", content="Split 8 by 2"),
        Message(role="assistant", tool_calls=call),
        Message(role="tool", name="split_bill", content="4"),
        Message(role="assistant", content=""),
    ]
    tokenizer = tiny_tokenizer()
    row = encode(
        "m", training_messages(Trajectory(id="m", messages=messages), toolbox), None, tokenizer, LAMINA_TEMPLATE
    )
    first = '[{"name": "split_bill", "arguments": {"total": 8, "people": 2}}]<|im_end|>'
    assert learnt_text(row, tokenizer) == [first, "[]<|im_end|>"]


def test_arguments_stand_in_schema_order_without_defaults(toolbox: Toolbox):
    made = canonical_call("split_bill", {"tip_percent": 0.0, "people": 4, "total": 84}, toolbox)
    assert list(made["arguments"].items()) == [("total", 84), ("people", 4)]
    kept = canonical_call("split_bill", {"tip_percent": False, "people": 4, "total": 84}, toolbox)
    assert "tip_percent" in kept["arguments"], "False is not the number 0"
    nested = canonical_call("add_contact", {"contact": {"email": None, "name": "Wen"}}, toolbox)
    assert nested["arguments"] == {"contact": {"name": "Wen"}}


def test_a_row_too_long_is_refused_with_its_reason_and_never_cut(toolbox: Toolbox):
    rows, refused = token_rows(split_rows(3), toolbox, tiny_tokenizer(), LAMINA_TEMPLATE, style="baked", max_length=40)
    assert len(rows) + len(refused) == 3
    assert refused
    assert all("max_length 40" in r["reason"] for r in refused)
    assert all(len(row.input_ids) <= 40 for row in rows)


def test_a_row_without_an_answer_is_refused(toolbox: Toolbox):
    silent = Trajectory(id="s", messages=[Message(role="user", content="Hm?")])
    rows, refused = token_rows([silent], toolbox, tiny_tokenizer(), LAMINA_TEMPLATE, style="baked", max_length=99)
    assert rows == []
    assert refused == [{"id": "s", "reason": "no assistant turn to learn from"}]


def test_a_data_set_without_an_assistants_turn_is_refused_before_a_base_is_read(tmp_path: Path):
    file = tmp_path / "requests.jsonl"
    silent = [Trajectory(id=f"s{i}", messages=[Message(role="user", content=f"Hm {i}?")]) for i in range(3)]
    file.write_bytes(b"".join(row.to_json() + b"\n" for row in silent))
    with pytest.raises(InputError, match=r"requests\.jsonl: none of its 3 rows to train on has an assistant's turn"):
        read_training_data(file)
    file.write_bytes(b"".join(row.to_json() + b"\n" for row in [*silent, split_rows(1)[0]]))
    assert len(read_training_data(file).train) == 4, "one that has none among others is refused with its reason"


def test_a_template_whose_turns_do_not_end_is_an_error():
    template = "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}[]{% endgeneration %}{% endif %}"
    with pytest.raises(WorkFailedError, match="does not end"):
        encode("x", [{"role": "assistant", "content": ""}], None, tiny_tokenizer(), template + "{% endfor %}")


def test_whether_another_call_follows_is_a_token_of_its_own(toolbox: Toolbox):
    calls = [{"function": {"name": "split_bill", "arguments": {"total": n, "people": 3}}} for n in (20, 30)]
    one, two = (
        '{"name": "split_bill", "arguments": {"total": 20, "people": 3}}',
        calls_text([calls[1]["function"]])[1:-1],
    )
    assert turn_pieces(f"[{one}]<|im_end|>", {"tool_calls": calls[:1]}) == ["[", one, "]<|im_end|>"]
    assert turn_pieces(f"[{one}, {two}]<|im_end|>", {"tool_calls": calls}) == ["[", one, ",", " " + two, "]<|im_end|>"]
    assert turn_pieces("[]<|im_end|>", {}) == ["[", "]<|im_end|>"]


def test_a_turn_that_another_template_writes_stays_whole():
    calls = [{"function": {"name": "f", "arguments": {}}}]
    assert turn_pieces("<tool>f()</tool>", {"tool_calls": calls}) == ["<tool>f()</tool>"]


def test_a_call_to_a_tool_that_is_not_on_offer_refuses_the_row(toolbox: Toolbox):
    call = ToolCall.of("fly", {"to": "Rome"})
    talk = [Message(role="user", content="Fly"), Message(role="assistant", tool_calls=[call])]
    row = Trajectory(id="f", messages=talk, tools=toolbox.as_openai())
    rows, refused = token_rows([row], toolbox, tiny_tokenizer(), LAMINA_TEMPLATE, style="baked", max_length=200)
    assert rows == []
    assert refused == [{"id": "f", "reason": "calls fly, which is not among its tools"}]


def test_in_the_prompt_stand_the_tools_of_the_row(toolbox: Toolbox):
    tokenizer = tiny_tokenizer()
    one = split_rows(2)[1].model_copy(update={"tools": toolbox.as_openai()[:1]})
    (row,), _ = token_rows([one], toolbox, tokenizer, LAMINA_TEMPLATE, style="full", max_length=4096)
    text = tokenizer.decode(row.input_ids)
    assert "Splits a bill." in text
    assert "Adds a person." not in text


def test_a_base_with_another_end_of_turn_learns_its_own(toolbox: Toolbox):
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = "<|endoftext|>"
    template = with_end_mark(LAMINA_TEMPLATE, tokenizer.eos_token)
    (row,), _ = token_rows(split_rows(1), toolbox, tokenizer, template, style="baked", max_length=200)
    assert learnt_text(row, tokenizer) == ["[]<|endoftext|>"]


@pytest.mark.parametrize(("texts", "pointed_out"), [(3, True), (1, False)])
def test_rows_that_mostly_talk_are_pointed_out_before_training(texts: int, pointed_out: bool):
    """Learnt from such rows, two of six trainings refused everything (docs/results/data-ablation.md)."""
    calling = Message(role="assistant", tool_calls=[ToolCall.of("add", {"x": 1})])
    talk = [Message(role="assistant", content="Which one?"), Message(role="user", content="that")] * texts
    row = Trajectory(id="r", messages=[Message(role="user", content="hi"), *talk, calling])
    assert turns_without_calls([row]) == (texts, texts + 1)
    said = io.StringIO()
    _point_out_silence(TrainingData([row], [], Toolbox([]), "x"), Progress(stream=said))
    assert (f"{texts} of {texts + 1} assistant turns call nothing" in said.getvalue()) == pointed_out
