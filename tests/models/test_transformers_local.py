"""A Transformers folder under the same grammar as llama.cpp. The model is random: what it writes is right in form
because nothing else can be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lamina.errors import ModelReferenceError
from lamina.models import Model, Request, open_model, parse_calls
from lamina.tools import Tool, Toolbox
from tiny_llama import save_tiny_llama

for library in ("torch", "transformers", "llguidance"):
    pytest.importorskip(library, reason="pip install 'lamina[train]' brings it")

Ask = Callable[..., Request]
COLOUR = {"type": "object", "properties": {"colour": {"enum": ["red", "green", "blue"]}}, "required": ["colour"]}
PAINT = Toolbox([Tool("paint", "Paints.", COLOUR), Tool("stop", "", {"type": "object", "properties": {}})])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return open_model(str(folder), threads=1)


def test_a_random_model_writes_only_calls_that_fit(model: Model, ask: Ask):
    asked = [ask(f"Request {i}", tools=PAINT, temperature=1.5, seed=i, max_tokens=200) for i in range(12)]
    replies = model.generate(asked)
    assert [r.problem for r in replies] == [None] * 12
    assert len({r.text for r in replies}) > 1


def test_without_the_constraint_the_same_model_writes_nonsense(model: Model, ask: Ask):
    assert model.generate([ask(tools=PAINT, constrained=False, max_tokens=20)])[0].problem


def test_answers_are_the_same_alone_and_in_a_batch_and_in_the_order_asked(model: Model, ask: Ask):
    asked = [ask("word " * n, tools=PAINT, max_tokens=60) for n in (9, 1, 30, 4, 17)]
    alone = [model.generate([r])[0].text for r in asked]
    seen: dict[int, str] = {}
    together = [r.text for r in model.generate(asked, lambda i, reply: seen.update({i: reply.text}))]
    assert together == alone
    assert [seen[i] for i in range(5)] == alone


def test_the_first_token_has_a_time_where_one_is_asked_alone_and_a_step_is_told(model: Model, ask: Ask):
    steps: list[int] = []
    model.on_progress = lambda: steps.append(1)  # type: ignore[attr-defined]
    free = {"tools": None, "style": "plain", "constrained": False}
    (alone,) = model.generate([ask("Split 84", max_tokens=8, **free)])
    assert alone.first_token_seconds is not None
    assert 0 < alone.first_token_seconds < alone.seconds
    assert len(steps) >= alone.completion_tokens
    together = model.generate([ask("Split 84", max_tokens=2, **free), ask("Split 4", max_tokens=2, **free)])
    assert [r.first_token_seconds for r in together] == [None, None], "a batch shares its time"


def test_a_seed_gives_the_same_answer_again(model: Model, ask: Ask):
    asked = [ask(tools=None, style="plain", temperature=1.0, seed=s, max_tokens=20) for s in (1, 1, 2)]
    one, again, other = (r.text for r in model.generate(asked))
    assert one == again != other


def test_a_prompt_longer_than_the_context_is_that_row_s_problem(model: Model, ask: Ask):
    long, short = model.generate([ask("word " * 400, tools=PAINT), ask(tools=PAINT, max_tokens=60)])
    assert "the model's context 512" in str(long.problem)
    assert short.text.startswith("[")


def test_a_context_may_be_smaller_than_the_model_s_own_and_never_larger(folder: Path, ask: Ask):
    asked = [ask("word " * 400, tools=None, style="plain", max_tokens=1)]
    for given, counts in ((200, 200), (100_000, 512)):
        (reply,) = open_model(str(folder), threads=1, context=given).generate(asked)
        assert f"the model's context {counts}" in str(reply.problem)


def test_an_answer_ends_where_the_context_does(model: Model, ask: Ask):
    reply = model.generate([ask("a" * 400, tools=None, style="plain", max_tokens=10_000)])[0]
    assert reply.prompt_tokens + reply.completion_tokens <= 512
    assert reply.truncated or reply.completion_tokens < 100


def test_a_grammar_that_is_none_and_an_empty_prompt_are_problems(model: Model, ask: Ask):
    broken, empty = model.generate([ask(grammar="start: (("), Request([], raw_prompt="")])
    assert "grammar is refused" in str(broken.problem)
    assert empty.problem == "the prompt is empty"


def test_half_characters_do_no_harm(model: Model, ask: Ask):
    assert parse_calls(model.generate([ask("a\ud800\x00b", tools=PAINT, max_tokens=60)])[0].text)[1] is None


def test_the_numbers_may_be_of_half_the_size(folder: Path, ask: Ask):
    reply = open_model(str(folder), threads=1, dtype="bfloat16").generate([ask(tools=PAINT, max_tokens=60)])[0]
    assert reply.problem is None
    with pytest.raises(ModelReferenceError, match="float32"):
        open_model(str(folder), dtype="int3")


def test_a_raw_prompt_opens_as_the_tokenizer_opens_a_text_and_a_chat_does_not_open_twice(
    folder: Path, tmp_path: Path, ask: Ask
):
    import json
    import shutil

    opened = Path(shutil.copytree(folder, tmp_path / "opened"))
    file = opened / "tokenizer.json"
    tokenizer = json.loads(file.read_text())
    first = tokenizer["added_tokens"][0]
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": first["content"], "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            first["content"]: {"id": first["content"], "ids": [first["id"]], "tokens": [first["content"]]}
        },
    }
    file.write_text(json.dumps(tokenizer))
    config = json.loads((opened / "tokenizer_config.json").read_text()) | {"bos_token": first["content"]}
    (opened / "tokenizer_config.json").write_text(json.dumps(config))
    plain, opening = open_model(str(folder), threads=1), open_model(str(opened), threads=1)
    raw = Request([], raw_prompt="Split 84", max_tokens=1)
    counts = [m.generate([raw])[0].prompt_tokens for m in (plain, opening)]
    assert counts[1] == counts[0] + 1
    marked = Request([], raw_prompt=first["content"] + "Split 84", max_tokens=1)
    assert opening.generate([marked])[0].prompt_tokens == counts[1]
    chat = [m.generate([ask(tools=None, style="plain", max_tokens=1)])[0].prompt_tokens for m in (plain, opening)]
    assert chat[0] == chat[1]
