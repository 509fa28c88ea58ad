"""How likely a model finds a text: the same from a folder, from its GGUF file and from the model's own logits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lamina.errors import ModelError
from lamina.models import Model, Request, open_model
from lamina.models.continuations import score_requests
from lamina.trajectories import Message
from tiny_llama import save_tiny_llama

for library in ("torch", "transformers", "llguidance"):
    pytest.importorskip(library, reason="pip install 'lamina[train]' brings it")

STEM = "Q: Who splits the bill between four people?\nA: All of them.\n\n"
ASKED = [
    (STEM + "Q: How many?\nA:", [" four", " four people, please", " 84", " five"]),
    (STEM + "Q: Who?\nA:", [" people", " total people", " a"]),
    ("arguments:", ["84", " [", " people", " people", " total: 4"]),
    (STEM + "Q: How much, then?\nA: ", ["84", "48"]),
    ("<|im_start|>assistant\n", ["A", "B", "C", "D"]),
]


def request(prompt: str, continuations: list[str]) -> Request:
    return Request([], raw_prompt=prompt, continuations=continuations)


def by_hand(folder: Path, prompt: str, continuation: str) -> float:
    """Each token's log probability from the logits of the whole text, read alone."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    head = tokenizer(prompt.rstrip(), add_special_tokens=False)["input_ids"]
    whole = tokenizer(prompt + continuation, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logs = torch.log_softmax(model(torch.tensor([whole])).logits[0].double(), dim=-1)
    return sum(float(logs[i - 1, whole[i]]) for i in range(len(head), len(whole)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"), seed=5)


@pytest.fixture(scope="module", params=["folder", "gguf"])
def model(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    ref = str(folder)
    if request.param == "gguf":
        from lamina.quantize import export_gguf

        ref = str(tmp_path_factory.mktemp("gguf") / "m.gguf")
        export_gguf(folder, Path(ref), "F32")
    opened = open_model(ref, threads=1, slots=8)  # whose slots share far more than the model was trained for
    yield opened
    opened.close()


def test_sums_are_those_of_the_model_s_own_logits(model: Model, folder: Path):
    replies = score_requests(model, [request(*asked) for asked in ASKED])
    for (prompt, continuations), reply in zip(ASKED, replies, strict=True):
        expected = [by_hand(folder, prompt, c) for c in continuations]
        # llama.cpp keeps keys and values in float16
        assert reply.likelihoods == pytest.approx(expected, abs=0.05)
        assert reply.text == continuations[expected.index(max(expected))]


def test_sums_are_the_same_alone_and_together_and_a_second_time(model: Model):
    asked = [request(*a) for a in ASKED]
    together = [r.likelihoods for r in score_requests(model, asked)]
    seen: dict[int, list[float]] = {}
    again = score_requests(model, asked[::-1], lambda i, reply: seen.update({i: reply.likelihoods}))[::-1]
    alone = [score_requests(model, [a])[0].likelihoods for a in asked]
    for one, two, three in zip(together, again, alone, strict=True):
        assert one == pytest.approx(two.likelihoods, abs=0.05)
        assert one == pytest.approx(three, abs=0.05)
    assert [seen[i] for i in range(len(asked))] == [r.likelihoods for r in again[::-1]]


def test_many_requests_with_many_continuations_fit(model: Model):
    asked = [request(f"{STEM}Q: {i}\nA:", [f" {i + n}" for n in range(n)]) for i, n in enumerate([30, 30, 30, 1, 60])]
    replies = score_requests(model, asked)
    assert [len(r.likelihoods) for r in replies] == [30, 30, 30, 1, 60]
    assert replies[2].likelihoods == pytest.approx(score_requests(model, asked[2:3])[0].likelihoods, abs=0.05)


def test_what_cannot_be_scored_is_that_row_s_problem(model: Model):
    asked = [("word " * 600, [" a"]), ("", ["a"]), ("a", ["", "b"]), ("a", []), ASKED[0]]
    seen: list[int] = []
    found = score_requests(model, [request(*a) for a in asked], lambda i, _: seen.append(i))
    assert "the model's context 512" in str(found[0].problem)
    assert found[1].problem == "the prompt is empty"
    assert found[2].problem == "a continuation is empty"
    assert found[3].problem == "there is no continuation"
    assert found[4].problem is None
    assert len(found[4].likelihoods) == 4
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_the_chat_template_is_put_around_the_messages(model: Model):
    asked = Request([Message(role="user", content="Split 84")], continuations=["A", "B"])
    raw = request("<|im_start|>user\nSplit 84<|im_end|>\n<|im_start|>assistant\n", ["A", "B"])
    one, two = score_requests(model, [asked, raw])
    assert one.likelihoods == pytest.approx(two.likelihoods, abs=1e-4)


def test_an_image_is_refused_and_never_left_out(model: Model):
    seen = Request([Message(role="user", content="Which?")], continuations=["A", "B"], images=["map.png"])
    with pytest.raises(ModelError, match="likelihoods are of text alone"):
        score_requests(model, [request("a", ["b"]), seen])


def test_a_model_that_cannot_say_it_is_refused(tmp_path: Path):
    (tmp_path / "says.py").write_text("def reply(messages, tools, seed):\n    return 'A'\n")
    with pytest.raises(ModelError, match=r"does not say how likely a given text is; take a GGUF file"):
        score_requests(open_model(f"scripted:{tmp_path}/says.py"), [request("a", ["b"])])
