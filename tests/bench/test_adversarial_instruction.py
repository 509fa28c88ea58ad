"""Twelve forms of one instruction: how alike a model answers them, whatever the embedding of sentences is."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lamina.bench import embedding
from lamina.bench.embedding import check_embedding, cosine, mean_similarity, open_embedding
from lamina.bench.tasks import Setting, adversarial_instruction, open_task
from lamina.errors import InputError, MissingExtraError
from lamina.models import Reply
from lamina.tools import Toolbox

FORMS = ("original", "word_change", "one_url")


def letters(text: str) -> np.ndarray:
    """A stand-in for sentence embeddings that can be counted by hand: how many a and how many b."""
    return np.array([text.count("a"), text.count("b")], np.float32)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Path]:
    monkeypatch.setattr(adversarial_instruction, "check_embedding", lambda: None)
    monkeypatch.setattr(adversarial_instruction, "open_embedding", lambda: letters)
    return tmp_path


def write(folder: Path, instructions: int = 1, forms: tuple[str, ...] = FORMS, key: str = "{n}||Food||{form}") -> Path:
    (folder / "mobileaibench").mkdir(exist_ok=True)
    lines = [f",ask {n} {form},{key.format(n=n, form=form)}\n" for n in range(instructions) for form in forms]
    (folder / "mobileaibench/adv_instruction.csv").write_text("system,prompt,answer\n" + "".join(lines))
    return folder


def test_an_instruction_is_one_sample_with_all_its_forms_the_original_first(counted: Path):
    task = open_task("adversarial_instruction", data=write(counted, 2, ("one_url", "original", "word_change")))
    samples = task.samples()
    assert [s.id for s in samples] == ["0-Food", "1-Food"]
    assert samples[1].row["variants"] == ["ask 1 original", "ask 1 one_url", "ask 1 word_change"]


def test_each_form_is_asked_alone_and_the_answers_are_compared_pair_by_pair(counted: Path):
    task = open_task("adversarial_instruction", data=write(counted))
    talk = task.solve(task.samples()[0], Setting(Toolbox([]), "plain"))
    asked = [next(talk)]
    asked += [talk.send(Reply(text=text)) for text in ("a", "a")]
    assert [[m.content for m in request.messages] for request in asked] == [[f"ask 0 {form}"] for form in FORMS]
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(text="ab"))
    found = ended.value.value.scores
    assert found["consistency"] == pytest.approx((1 + 2 * 0.5**0.5) / 3)  # a-a, and twice a-ab at 45 degrees
    assert found["to_original"] == pytest.approx((1 + 0.5**0.5) / 2)
    (first, *_) = task.figures([{**found, "right": True}])
    assert (first.metric, first.interval.n) == ("consistency", 1)


def test_half_a_character_has_no_token_and_ends_nothing():
    pytest.importorskip("wordllama")
    assert adversarial_instruction.consistency(["yes", "yes \ud800", ""])["to_original"] > 0


def test_an_answer_that_never_came_leaves_the_instruction_unscored(counted: Path):
    task = open_task("adversarial_instruction", data=write(counted))
    talk = task.solve(task.samples()[0], Setting(Toolbox([]), "plain"))
    next(talk)
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(text="", problem="the prompt has 9,000 tokens"))
    assert ended.value.value.scores == {"unscored": True}


@pytest.mark.parametrize(
    ("forms", "key", "says"),
    [
        (("one_url", "word_change"), "{n}||Food||{form}", "0-Food has no original and another form"),
        (("original",), "{n}||Food||{form}", "0-Food has no original and another form"),
        (FORMS, "{n}", r"adv_instruction\.csv:2: '0' is not NUMBER"),
    ],
)
def test_a_file_of_another_form_is_said(counted: Path, forms: tuple[str, ...], key: str, says: str):
    with pytest.raises(InputError, match=says):
        open_task("adversarial_instruction", data=write(counted, 1, forms, key)).samples()


def test_without_the_wheel_of_vectors_the_task_says_what_brings_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(embedding, "PACKAGE", "no_such_package_of_vectors")
    with pytest.raises(MissingExtraError, match=r"pip install 'lamina\[bench\]' brings it"):
        open_task("adversarial_instruction", data=write(tmp_path)).samples()


def test_cosine_by_hand():
    one, two, none = np.array([3.0, 4.0]), np.array([4.0, 3.0]), np.zeros(2)
    assert cosine(one, two) == pytest.approx(24 / 25)
    assert cosine(one, -one) == pytest.approx(-1)
    assert (cosine(none, none), cosine(one, none)) == (1.0, 0.0)


def test_the_mean_over_pairs_is_what_the_sum_of_unit_vectors_gives():
    """An independent formulation: |sum of n unit vectors|^2 = n + 2 * (sum over pairs of cosines)."""
    chance = random.Random(5)
    for _ in range(1000):
        n = chance.randint(2, 12)
        vectors = [np.array([chance.gauss(0, 1) for _ in range(8)]) for _ in range(n)]
        total = np.sum([v / np.linalg.norm(v) for v in vectors], axis=0)
        pairs = (float(total @ total) - n) / (n * (n - 1))
        assert mean_similarity(vectors) == pytest.approx(pairs, abs=1e-9)


def test_texts_of_one_meaning_lie_nearer_than_others_and_nothing_is_downloaded():
    if importlib.util.find_spec("wordllama") is None:  # its files are read, it is not imported
        pytest.skip("wordllama, of the extra bench, is not installed")
    check_embedding()
    embed = open_embedding()
    cat, kitten, tax = map(embed, ["The cat sat on the mat.", "A kitten is on the rug.", "Taxes are due in April."])
    assert cosine(cat, kitten) > cosine(cat, tax) + 0.1
    assert cosine(cat, embed("The cat sat on the mat.")) == pytest.approx(1)
    assert not embed("").any()
