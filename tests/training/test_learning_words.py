"""To learn words too: thoughts before calls, answers after results, questions, served as they were learnt."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lamina.errors import InputError
from lamina.models import Request, open_model
from lamina.models.model import PromptStyle, Reply
from lamina.models.parsing import STRICT, read_calls
from lamina.models.speaking import Spoken, taken_apart
from lamina.models.templates import (
    DEFAULT_INSTRUCTION,
    EXPORT_TEMPLATE,
    SPEAKING_TEMPLATE,
    prompt_of,
    request_prompt,
    without_marks,
)
from lamina.quantize import export_gguf
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.call_accuracy import call_accuracy, questions_of
from lamina.training.rows import IGNORED, learnt_template, token_rows, turn_pieces
from lamina.trajectories import Message, ToolCall, Trajectory
from tiny_llama import tiny_tokenizer

CALL = ToolCall.of("split_bill", {"total": 84, "people": 4})
WRITTEN = '[{"name": "split_bill", "arguments": {"total": 84, "people": 4}}]'
ASKED = [Message(role="user", content="Split 84 between four")]
THOUGHT = Message(role="assistant", content="A bill, so I split it.", tool_calls=[CALL])
RESULT = Message(role="tool", name="split_bill", content="21.0")
ANSWER = Message(role="assistant", content="Each pays 21.")
TALK = Trajectory(id="talk", messages=[*ASKED, THOUGHT, RESULT, ANSWER])
QUESTION = Trajectory(
    id="question",
    messages=[Message(role="user", content="Split it"), Message(role="assistant", content="Which bill do you mean?")],
)


def told(rows: list[Trajectory], toolbox: Toolbox, learn: str = "words"):
    tokenizer = tiny_tokenizer()
    template = learnt_template(learn, tokenizer.eos_token)
    made, refused = token_rows(rows, toolbox, tokenizer, template, style="baked", max_length=512, learn=learn)
    learnt = [tokenizer.decode([label for label in row.labels if label != IGNORED]) for row in made]
    return made, refused, learnt


def test_thoughts_and_answers_are_learnt_with_the_calls(toolbox: Toolbox):
    rows, refused, learnt = told([TALK, QUESTION], toolbox)
    assert not refused
    talk = f"A bill, so I split it.\n{WRITTEN}<|im_end|>Each pays 21.<|im_end|>"
    assert learnt == [talk, "Which bill do you mean?<|im_end|>"]
    assert "21.0" in tiny_tokenizer().decode(rows[0].input_ids), "the result is read"


def test_without_being_asked_to_nothing_but_calls_is_learnt(toolbox: Toolbox):
    _, _, learnt = told([TALK, QUESTION], toolbox, "calls")
    assert learnt == [f"{WRITTEN}<|im_end|>[]<|im_end|>", "[]<|im_end|>"]


def test_what_stands_before_a_later_turn_is_the_prompt_that_is_served(toolbox: Toolbox):
    rows, _, _ = told([TALK], toolbox)
    tokenizer = tiny_tokenizer()
    served = prompt_of([*ASKED, THOUGHT, RESULT], without_marks(SPEAKING_TEMPLATE))
    assert tokenizer.decode(rows[0].input_ids).startswith(served)
    assert THOUGHT.content not in prompt_of([*ASKED, THOUGHT, RESULT], EXPORT_TEMPLATE), "calls alone stand there"


def test_white_space_around_words_makes_no_other_prompt():
    loose = THOUGHT.model_copy(update={"content": f" \n{THOUGHT.content}  "})
    bare = THOUGHT.model_copy(update={"content": " \n"})
    for one, other in ((loose, THOUGHT), (bare, Message(role="assistant", tool_calls=[CALL]))):
        assert prompt_of([*ASKED, one], SPEAKING_TEMPLATE) == prompt_of([*ASKED, other], SPEAKING_TEMPLATE)
    spaced = Message(role="assistant", content=f"{ANSWER.content}\n")
    assert prompt_of([*ASKED, spaced], SPEAKING_TEMPLATE) == prompt_of([*ASKED, ANSWER], SPEAKING_TEMPLATE)


@pytest.mark.parametrize("style", ["full", "compact", "baked"])
def test_every_style_is_trained_with_the_prompt_that_is_served(style: PromptStyle, toolbox: Toolbox):
    tokenizer = tiny_tokenizer()
    (row,), _ = token_rows(
        [TALK], toolbox, tokenizer, SPEAKING_TEMPLATE, style=style, max_length=4096, learn="words"
    )  # fmt: skip
    for messages in (ASKED, [*ASKED, THOUGHT, RESULT]):
        request = Request(messages, tools=toolbox, style=style)
        served = request_prompt(
            request, without_marks(SPEAKING_TEMPLATE), foreign=False, instruction=DEFAULT_INSTRUCTION
        )
        assert tokenizer.decode(row.input_ids).startswith(served)


@pytest.mark.parametrize(
    ("text", "truncated", "words", "calls", "problem"),
    [
        (f"So.\n{WRITTEN}", False, "So.", WRITTEN, None),
        (WRITTEN, False, "", WRITTEN, None),
        ("Which one?", False, "Which one?", "[]", None),
        ("Which o", True, "", "Which o", "the answer ends amid its words: it reached max_tokens"),
        ('So.\n[{"na', True, "So.", '[{"na', None),
        ("See [1] and", False, "See", "[1] and", "the engine did not follow the grammar"),
        (" \n", False, "", "", None),
    ],
)
def test_an_answer_is_taken_apart(text: str, truncated: bool, words: str, calls: str, problem: str | None):
    assert taken_apart(text, truncated=truncated) == Spoken(words, calls, problem)


def test_words_are_a_piece_before_the_calls():
    turn = {"content": "So.", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
    call = '{"name": "f", "arguments": {}}'
    assert turn_pieces(f"So.\n[{call}]<|im_end|>", turn) == ["So.\n", "[", call, "]<|im_end|>"]
    assert turn_pieces("So.<|im_end|>", {"content": "So."}) == ["So.", "<|im_end|>"]
    assert turn_pieces("Other", turn) == ["Other"]


def test_words_that_would_open_calls_refuse_the_row(toolbox: Toolbox):
    listed = TALK.model_copy(update={"messages": [*ASKED, Message(role="assistant", content="see [1]")]})
    _, refused, _ = told([listed], toolbox)
    assert refused == [{"id": "talk", "reason": "its words hold a '[', which opens calls"}]
    with pytest.raises(InputError, match="dpo compares calls, and learns no words"):
        TrainSettings(method="dpo", update="lora", learn="words")


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that knows the rows above by heart."""
    import torch
    from transformers import AutoModelForCausalLM

    from tiny_llama import desk_toolbox, save_tiny_llama

    folder = tmp_path_factory.mktemp("speaking")
    settings = TrainSettings(
        epochs=100, batch=2, learning_rate=5e-3, max_length=400, precision="float32", learn="words", threads=1
    )
    base = save_tiny_llama(folder / "tiny")
    model = AutoModelForCausalLM.from_pretrained(base)
    # the end of a turn is also what pads, which begins as zeros: nothing would ever score it above the rest
    model.get_input_embeddings().weight.data[2] = torch.randn(64, generator=torch.Generator().manual_seed(0)) * 0.2
    model.save_pretrained(base)
    metrics = fine_tune(str(base), [TALK, QUESTION], [], folder / "model", settings, desk_toolbox())
    assert metrics["loss"] < 0.02, metrics
    return folder / "model"


@pytest.mark.parametrize("backend", ["transformers", "llamacpp"])
def test_the_words_that_were_learnt_are_served_beside_the_calls(backend: str, speaking: Path, tmp_path: Path):
    ref = str(speaking)
    if backend == "llamacpp":
        export_gguf(speaking, tmp_path / "m.gguf", "F32")
        ref = str(tmp_path / "m.gguf")
    model = open_model(ref)
    tools = model.toolbox
    asked = [ASKED, QUESTION.messages[:1]]
    try:
        first, question = model.generate(
            [Request(messages=messages, tools=tools, style="baked", max_tokens=100) for messages in asked]
        )
        (cut,) = model.generate([Request(messages=asked[1], tools=tools, style="baked", max_tokens=4)])
    finally:
        model.close()
    assert (first.said, first.text, first.problem) == (THOUGHT.content, WRITTEN, None)
    assert [(c.name, c.arguments) for c in first.calls] == [(CALL.name, CALL.arguments)]
    asks = QUESTION.messages[1].content
    assert (question.said, question.text, question.calls, question.problem) == (asks, "[]", [], None)
    assert cut.problem == "the answer ends amid its words: it reached max_tokens"
    assert (cut.said, cut.calls) == ("", [])
    assert read_calls(cut.text, least=STRICT).problem, "what was cut off is no choice not to call"


def test_held_out_answers_are_looked_at_beside_their_words(speaking: Path, toolbox: Toolbox):
    from transformers import AutoModelForCausalLM

    rows, _, _ = told([TALK, QUESTION], toolbox)
    questions = questions_of([TALK, QUESTION], rows)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(speaking), tiny_tokenizer()
    assert call_accuracy(model, tokenizer, questions, toolbox, speaks=True) == 1
    short = [replace(question, answer_tokens=4) for question in questions]
    assert call_accuracy(model, tokenizer, short, toolbox, speaks=True) == 0, "words that go on are no refusal"


def test_the_model_says_of_itself_that_it_speaks(speaking: Path):
    assert json.loads((speaking / "lamina.json").read_text())["speaks"] is True
    assert "may stand words" in (speaking / "README.md").read_text()
    assert (speaking / "chat_template.jinja").read_text() == SPEAKING_TEMPLATE


class Speaker:
    """Answers as a model that speaks does, and keeps what it was asked."""

    ref = "speaker"

    def __init__(self, *replies: Reply):
        self.replies, self.asked = iter(replies), []

    def generate(self, requests, on_reply=None):
        self.asked += requests
        return [next(self.replies) for _ in requests]


def test_an_agent_keeps_a_models_words_and_ends_with_them(tmp_path: Path):
    from lamina.agents.act import act
    from lamina.tools import read_tools
    from lamina.tools.execution import Executor

    file = tmp_path / "tools.py"
    file.write_text(
        'def split_bill(total: float, people: int) -> float:\n    """Splits."""\n    return total / people\n'
    )
    tools = read_tools(file)
    model = Speaker(Reply(WRITTEN, [CALL], said=THOUGHT.content), Reply("[]", said=ANSWER.content))
    with Executor(tools) as executor:
        acted = act(ASKED[0].content, model, tools, executor)
    assert [(m.role, m.content) for m in acted.trajectory.messages] == [(m.role, m.content) for m in TALK.messages]
    assert (acted.ending, acted.said) == ("done", ANSWER.content)
    assert [m.content for m in model.asked[1].messages] == [m.content for m in TALK.messages[:3]]
