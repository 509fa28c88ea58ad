"""The engine with the embedded model: constrained, repeatable, and calm about what cannot be asked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_gguf is shared by the rooms' tests

from lamina.errors import DamagedFileError, ModelError, ModelReferenceError
from lamina.models import Model, Request, embedded_path, open_model
from lamina.models.llamacpp_replies import reply_of
from lamina.models.llamacpp_server import PROMPT_CACHE_MIB, start_server
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message
from tiny_gguf import save_tiny_gguf

Ask = Callable[..., Request]


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    try:
        embedded_path()
    except ModelReferenceError as error:
        pytest.skip(str(error))
    opened = open_model("embedded", slots=4, context=4096)
    yield opened
    opened.close()


def box(**schemas: dict[str, object]) -> Toolbox:
    parameters = {"type": "object", "properties": schemas, "required": list(schemas)}
    return Toolbox([Tool("f", "Does it.", parameters)])


SCHEMAS: dict[str, dict[str, object]] = {
    "enum": {"enum": ["red", "green"]},
    "range": {"type": "integer", "minimum": 3, "maximum": 5},
    "pattern": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "list": {"type": "array", "items": {"enum": [1, 2]}, "minItems": 1, "maxItems": 2},
    # closed: with names of its own choice a model at this temperature may never come to an end
    "nested": {
        "type": "object",
        "properties": {"a": {"enum": ["x"]}},
        "required": ["a"],
        "additionalProperties": False,
    },
    "union": {"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_sampled_fits_the_schema(name: str, model: Model, ask: Ask):
    tools = box(v=SCHEMAS[name])
    asked = [ask("Call f", tools=tools, temperature=1.5, seed=s, max_tokens=400) for s in range(3)]
    assert [r.problem for r in model.generate(asked)] == [None] * 3


@pytest.mark.slow
def test_without_tools_only_the_refusal_is_written(model: Model, ask: Ask):
    assert model.generate([ask(tools=Toolbox([]))])[0].text == "[]"


@pytest.mark.slow
def test_a_schema_and_a_grammar_of_one_s_own_are_kept_to(model: Model, ask: Ask):
    verdict = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    schema, grammar = model.generate(
        [
            ask("Good?", tools=None, constraint={**verdict, "additionalProperties": False}),
            ask("Which?", tools=None, grammar='start: "left" | "right"'),
        ]
    )
    assert set(json.loads(schema.text)) == {"ok"}
    assert grammar.text in ("left", "right")


@pytest.mark.slow
def test_a_grammar_that_the_engine_gives_up_on_is_seen(model: Model, ask: Ask, monkeypatch: pytest.MonkeyPatch):
    import lamina.models.grammar as grammar

    # what calls_grammar keeps from happening: llama.cpp then decodes freely and says nothing
    monkeypatch.setattr(grammar, "calls_grammar", lambda tools, **_: "start: ((")
    assert model.generate([ask(max_tokens=8)])[0].problem == "the engine did not follow the grammar"


@pytest.mark.slow
def test_greedy_answers_are_the_same_again_and_seeds_repeat_one_at_a_time(model: Model, ask: Ask):
    def texts(seed: int, temperature: float) -> str:
        request = ask("Tell me of the sea", tools=None, seed=seed, temperature=temperature, max_tokens=24)
        return model.generate([request])[0].text

    texts(0, 0.0)
    assert texts(0, 0.0) == texts(1, 0.0)
    assert texts(5, 1.0) == texts(5, 1.0)
    assert texts(5, 1.0) != texts(6, 1.0)


def test_calls_of_an_answer_that_was_cut_are_not_taken_for_all_of_them(ask: Ask):
    said = '[{"name": "split_bill", "arguments": {"total": 84, "people": 4}}'
    for end, calls in (("eos", 1), ("limit", 0)):
        reply = reply_of({"content": said, "stop_type": end}, ask(), 1.0, held="calls")
        assert (len(reply.calls), bool(reply.problem)) == (calls, not calls)


@pytest.mark.slow
def test_stop_words_length_and_ends_are_told_apart(model: Model, ask: Ask):
    count = "1, 2, 3, 4, 5, 6, 7,"
    stopped, cut = model.generate(
        [
            Request([], raw_prompt=count, stop=[", 10"], max_tokens=40),
            Request([], raw_prompt=count, max_tokens=3),
        ]
    )
    assert (stopped.truncated, cut.truncated, cut.completion_tokens) == (False, True, 3)
    assert re.fullmatch(r" 8, 9", stopped.text)
    assert stopped.prompt_tokens > 10
    assert stopped.first_token_seconds is not None
    assert 0 < stopped.first_token_seconds <= stopped.seconds


@pytest.mark.slow
def test_what_cannot_be_asked_is_that_row_s_problem_and_the_next_is_answered(model: Model, ask: Ask):
    plain = {"tools": None, "style": "plain", "max_tokens": 4}
    odd = ["word " * 20_000, "a\ud800b\x00c", "", "🎉" * 50]
    replies = model.generate([ask(text, **plain) for text in odd])
    assert "exceeds the available context size" in str(replies[0].problem)
    assert [r.problem for r in replies[1:]] == [None] * 3


@pytest.mark.slow
def test_requests_that_do_not_fit_together_wait_for_each_other_and_no_work_is_lost(
    model: Model, ask: Ask, monkeypatch: pytest.MonkeyPatch
):
    small = open_model("embedded", slots=4, context=512)
    try:
        seen: list[int] = []
        asked: list[Request] = []
        answer = small._answer  # type: ignore[attr-defined]
        monkeypatch.setattr(small, "_answer", lambda request: (asked.append(request), answer(request))[1])
        requests = [ask(f"{i} " + "word " * 300, tools=None, style="plain", max_tokens=4) for i in range(4)]
        replies = small.generate(requests, lambda index, reply: seen.append(index))
        assert [r.problem for r in replies] == [None] * 4
        assert sorted(seen) == [0, 1, 2, 3]
        assert asked == requests, "each is asked once: none was cut off by the others"
    finally:
        small.close()


@pytest.mark.slow
def test_a_text_that_needs_more_than_its_slot_s_part_gets_the_whole_context_and_is_answered_alike(ask: Ask):
    alone = open_model("embedded", slots=1, context=2048)
    several = open_model("embedded", slots=4, context=2048)
    engine = several._engine  # type: ignore[attr-defined]
    try:
        short, long = (ask("word " * n + "Say hello.", tools=None, style="plain", max_tokens=4) for n in (5, 900))
        hopeless = ask("word " * 5000, tools=None, style="plain", max_tokens=8)
        expected = [alone.generate([r])[0].text for r in (short, long)]
        replies = several.generate([short, hopeless])
        assert replies[0].text == expected[0]
        assert "context" in str(replies[1].problem)
        assert not engine.shared, "a text that fits nowhere is no reason"
        assert [r.text for r in several.generate([long])] == expected[1:]
        assert engine.shared
        assert [r.text for r in several.generate([short])] == expected[:1]
    finally:
        alone.close()
        several.close()


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        (b"llama", b"lambo", "unknown model architecture: 'lambo'; a newer engine may know it: pip install"),
        (b"0.ffn_up", b"0.ffn_no", "check_tensor_dims: tensor 'blk.0.ffn_up.weight' not found; get or build the file"),
    ],
)
def test_a_file_that_the_engine_does_not_load_says_what_is_wrong_with_it(
    tmp_path: Path, was: bytes, becomes: bytes, says: str
):
    file = save_tiny_gguf(tmp_path / "odd.gguf")
    file.write_bytes(file.read_bytes().replace(was, becomes))
    with pytest.raises(ModelError, match=re.escape(f"odd.gguf: llama.cpp cannot load it: {says}")):
        open_model(str(file))


@pytest.mark.slow
def test_a_file_with_a_good_head_and_no_body_is_an_error_that_names_it(tmp_path: Path, model: Model):
    cut = tmp_path / "cut.gguf"
    with embedded_path().open("rb") as whole:
        cut.write_bytes(whole.read(8 << 20))
    with pytest.raises(DamagedFileError, match=r"cut\.gguf: the file is cut short"):
        open_model(str(cut))


@pytest.mark.slow
def test_the_prompt_is_the_model_s_own_template(model: Model):
    request = Request([Message(role="user", content="hi")])
    assert model.prompt_for(request).endswith("<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n")  # type: ignore[attr-defined]


def test_the_engine_keeps_a_bounded_part_of_memory_for_prompts_it_has_read(monkeypatch: pytest.MonkeyPatch):
    """llama.cpp's own limit is 8 GiB: a bench of SmolLM2-135M had grown to 3 GB after 900 samples."""
    xllamacpp = pytest.importorskip("xllamacpp")
    started = []
    monkeypatch.setattr(xllamacpp, "Server", lambda parameters: started.append(parameters.cache_ram_mib))
    start_server(Path("any.gguf"), None, None, threads=1, slots=1, context=512, shared=True)
    assert started == [PROMPT_CACHE_MIB]
    assert PROMPT_CACHE_MIB <= 512
