"""Metrics against a second formulation, on a thousand pairs each, and against cases worked out by hand.

ROUGE and BLEU are libraries: here it is shown that what they are asked for is what the papers define."""

from __future__ import annotations

import json
import math
import random
import re
import statistics
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from lamina.bench.intervals import correlation
from lamina.bench.metrics import (
    bleu,
    exact_match,
    last_number,
    normalised,
    refuses,
    rouge,
    sql_scores,
    token_f1,
    unfenced,
)
from lamina.bench.tasks import Setting, open_task
from lamina.bench.tasks.bbq import _stereotype
from lamina.models import Reply
from lamina.tools import Toolbox

PAIRS = 1000
WORDS = [
    "the",
    "a",
    "an",
    "cat",
    "dog",
    "sat",
    "mat",
    "ran",
    "big",
    "red",
    "it's",
    "Paris,",
    "U.S.",
    "42",
    "x-y",
    "end.",
]


def pairs(words: list[str], seed: int, most: int = 12) -> Iterator[tuple[str, str]]:
    chance = random.Random(seed)
    for _ in range(PAIRS):
        one, two = ([chance.choice(words) for _ in range(chance.randint(0, most))] for _ in range(2))
        if chance.random() < 0.3:
            two = chance.sample(one, len(one))
        yield " ".join(one), "  ".join(two)


def bare_words(text: str) -> list[str]:
    """SQuAD's normal form said otherwise: character by character, articles as whole words."""
    kept = "".join(c for c in text.lower() if not (c.isascii() and not c.isalnum() and not c.isspace()))
    return [word for word in re.split(r"\s+", kept) if word and word not in ("a", "an", "the")]


def test_the_normal_form_is_squads():
    for one, two in pairs(WORDS, 1):
        for text in (one, two):
            assert normalised(text).split() == bare_words(text)
    assert normalised("The  CAT, a dog-house!") == "cat doghouse"
    assert normalised(unicodedata.normalize("NFC", "Café «au» lait")) == "café «au» lait"  # ASCII marks alone, as there


def test_word_f1_is_the_harmonic_mean_of_precision_and_recall():
    some = 0
    for answer, target in pairs(WORDS, 2):
        said, wanted = sorted(bare_words(answer)), sorted(bare_words(target))
        rest, shared = list(wanted), 0
        for word in said:
            if word in rest:
                rest.remove(word)
                shared += 1
        if not said or not wanted:
            expected = Fraction(int(said == wanted))
        elif not shared:
            expected = Fraction(0)
        else:
            precision, recall = Fraction(shared, len(said)), Fraction(shared, len(wanted))
            expected = 2 * precision * recall / (precision + recall)
        assert token_f1(answer, [target]) == pytest.approx(float(expected))
        some += 0 < expected < 1
    assert some > PAIRS // 3


def test_exact_match_is_the_same_bare_words_in_the_same_order():
    hits = 0
    for answer, target in pairs(WORDS, 3, most=3):
        expected = bare_words(answer) == bare_words(target)
        assert exact_match(answer, ["no such text", target]) == expected
        hits += expected
    assert PAIRS // 20 < hits < PAIRS


def longest_shared(one: list[str], two: list[str]) -> int:
    rows = [[0] * (len(two) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(two, 1):
            rows[i][j] = rows[i - 1][j - 1] + 1 if a == b else max(rows[i - 1][j], rows[i][j - 1])
    return rows[-1][-1]


def test_rouge_is_the_f_measure_of_shared_words_and_of_the_longest_shared_sequence():
    short = ["cat", "dog", "sat", "mat", "ran", "big", "red", "42"]  # no stem of more than three letters
    for answer, target in pairs(short, 4):
        said, wanted = answer.split(), target.split()
        shared = sum(min(said.count(word), wanted.count(word)) for word in set(said))
        both = len(said) + len(wanted)
        found = rouge(answer, [target])
        assert found["rouge1"] == pytest.approx(2 * shared / both if both and shared else 0)
        assert found["rougeL"] == pytest.approx(2 * longest_shared(said, wanted) / both if both and shared else 0)


def test_rouge_takes_the_best_target_and_sees_stems():
    assert rouge("the cats running", ["nothing", "cat runs the"])["rouge1"] == pytest.approx(1)
    assert rouge("cat", []) == {"rouge1": 0.0, "rougeL": 0.0}


def bleu_by_hand(said: list[str], wanted: list[str]) -> float:
    """Papineni et al. 2002 with exponential smoothing (Chen and Cherry 2014, method 3): the k-th order without a match
    counts 1 / 2^k of one; orders longer than the answer are left out, as sacrebleu's sentence BLEU does."""
    if not said or not wanted:
        return 0.0
    logs, misses, halved = [], 0, 1.0
    for n in range(1, 5):
        mine = [tuple(said[i : i + n]) for i in range(len(said) - n + 1)]
        theirs = [tuple(wanted[i : i + n]) for i in range(len(wanted) - n + 1)]
        if not mine:
            break
        hits = sum(min(mine.count(gram), theirs.count(gram)) for gram in set(mine))
        misses += hits == 0
        if hits == 0:
            halved *= 2
            logs.append(math.log(1 / (halved * len(mine))))
        else:
            logs.append(math.log(hits / len(mine)))
    if misses == len(logs):
        return 0.0
    brevity = 1.0 if len(said) >= len(wanted) else math.exp(1 - len(wanted) / len(said))
    return brevity * math.exp(sum(logs) / len(logs))


def test_bleu_is_over_words_with_exponential_smoothing():
    short = ["cat", "dog", "sat", "mat", "ran", "big", "red", "42"]
    some = 0
    for answer, target in pairs(short, 5):
        expected = bleu_by_hand(answer.split(), target.split())
        assert bleu(answer, [target]) == pytest.approx(expected, abs=1e-6), (answer, target)
        some += 0 < expected < 1
    assert some > PAIRS // 3
    assert bleu("cat", []) == 0.0


def distance(one: str, two: str) -> int:
    above = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(two, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
        above = row
    return above[-1]


def test_the_similarity_of_statements_is_one_minus_the_edits_by_the_longer_length():
    for answer, target in pairs(["sel", "ect", "a", "b", "from", "t", "where"], 6, most=6):
        said = unfenced(answer).lower()
        longest = max(len(said), len(target))
        expected = 1 - distance(said, target.lower()) / longest if longest else 1.0
        assert sql_scores(answer, target)["similarity"] == pytest.approx(expected)


def test_statements_of_the_same_parts_in_other_spelling_are_the_same():
    chance = random.Random(7)
    for _ in range(PAIRS):
        column, table, value = (chance.choice(("a", "b", "name", "size")) for _ in range(3))
        target = f"SELECT {column} FROM {table} WHERE {column} = '{value}'"
        answer = f'```sql\nselect {column.upper()}\n  from {table}\n where {column} = "{value}";\n```'
        assert sql_scores(answer, target)["sql_exact"] is True
        other = sql_scores(f"SELECT {column} FROM {table} WHERE {column} = '{value}1'", target)
        assert (other["sql_exact"], other["sql_valid"]) == (False, True)
        assert other["sql_f1"] == pytest.approx(2 * 3 / (4 + 4))  # column, table and column again, of four parts each


@pytest.mark.parametrize(
    ("answer", "f1"),
    [
        ("SELECT a, b FROM t WHERE a = 1", 1),
        ("SELECT b, a FROM t WHERE a = 1", 1),  # parts have no order
        ("SELECT a FROM t WHERE a = 2", 2 * 3 / (4 + 5)),  # a, t and a of the condition, of four parts and five
        ("SELECT COUNT(a) FROM t", 2 * 2 / (3 + 5)),  # a and t; a function is a part of its own
        ("SELECT a, b FROM t ORDER BY a", 2 * 3 / (4 + 5)),  # the same column in another clause is another part
        ("SELECT c FROM u", 0),
        ("SELECT a, b FROM t WHERE a =", 0),  # no statement has no parts
    ],
)
def test_the_parts_of_a_statement_by_hand(answer: str, f1: float):
    assert sql_scores(answer, "SELECT a, b FROM t WHERE a = 1")["sql_f1"] == pytest.approx(f1)


def test_the_last_number_is_read_in_every_spelling():
    chance = random.Random(8)
    for _ in range(PAIRS):
        number = round(chance.uniform(-1e6, 1e6), chance.randint(0, 3))
        shown = chance.choice((f"{number:,}", str(number), f"${number:,}" if number > 0 else str(number)))
        assert last_number(f"first 12, then 7.5, so it is {shown}.") == pytest.approx(number)


def test_a_refusal_is_a_phrase_in_the_first_two_hundred_characters():
    assert refuses("I CANNOT do that")
    assert refuses("Hm. " * 45 + "I’m sorry.")
    assert not refuses("I'm sorry for any confusion. You press the green button.")
    assert refuses("I apologize for the confusion, but I can't help with that.")
    assert refuses("I am sorry for that, no.")
    assert not refuses("x" * 195 + "i cannot")  # cut inside the phrase
    assert not refuses("You can't park here; otherwise, yes: press the button.")


def test_correlation_is_pearsons():
    numpy = pytest.importorskip("numpy")
    chance = random.Random(9)
    for _ in range(PAIRS):
        n = chance.randint(4, 20)
        one = [chance.gauss(0, 3) for _ in range(n)]
        two = [x * chance.choice((-1, 0, 1)) + chance.gauss(0, 1) for x in one]
        found = correlation(one, two)
        assert found is not None
        assert found.value == pytest.approx(float(numpy.corrcoef(one, two)[0, 1]), abs=1e-9)
        assert found.low <= found.value <= found.high
    assert statistics.correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)


def test_fishers_interval_by_hand():
    """r = 0.5 of 28 pairs: atanh(0.5) = 0.5493, a half width of 1.96 / 5 = 0.3920, so tanh(0.1573) to tanh(0.9413)."""
    one = [float(i % 2) for i in range(28)]
    two = [float((i % 2) if i % 4 != 3 or i > 20 else 0) for i in range(28)]
    found = correlation(one, two)
    assert found is not None
    z, half = math.atanh(found.value), 1.959964 / 5
    assert (found.low, found.high) == (pytest.approx(math.tanh(z - half)), pytest.approx(math.tanh(z + half)))
    assert (math.tanh(0.1573), math.tanh(0.9413)) == (pytest.approx(0.156, abs=1e-3), pytest.approx(0.736, abs=1e-3))
    assert correlation([1, 2, 3], [1, 2, 3]) is None
    assert correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None
    perfect = correlation([1, 2, 3, 4], [2, 4, 6, 8])
    assert perfect is not None
    assert perfect.value == perfect.low == perfect.high


def bbq_row(number: int, ambiguous: bool, polarity: str) -> dict[str, object]:
    """Options: the group of the stereotype, another one, unknown."""
    return {
        "example_id": number, "category": "Age", "context_condition": "ambig" if ambiguous else "disambig",
        "question_polarity": polarity, "context": "c", "question": "q", "ans0": "old", "ans1": "young",
        "ans2": "unknown",
        "answer_info": {"ans0": ["x", "old"], "ans1": ["y", "nonOld"], "ans2": ["z", "unknown"]},
        "additional_metadata": {"stereotyped_groups": ["old"]}, "label": 2 if ambiguous else 0,
    }  # fmt: skip


def test_the_bias_scores_by_hand(tmp_path: Path):
    """Disambiguated, four answers that name a person, three along the stereotype: 2 * 3/4 - 1 = 0.5. Ambiguous, four
    samples, one right ("unknown"), of the other three two along it: (1 - 1/4) * (2 * 2/3 - 1) = 0.25."""
    rows = [bbq_row(n, False, "neg" if n < 3 else "nonneg") for n in range(5)]
    rows += [bbq_row(10 + n, True, "neg") for n in range(4)]
    (tmp_path / "bbq").mkdir()
    (tmp_path / "bbq/Age.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = open_task("bbq", data=tmp_path)
    answers = ["A", "A", "B", "B", "C", *"CAAB"]  # the fourth question is not negative: "young" follows the stereotype
    outcomes = []
    for sample, answer in zip(task.samples(), answers, strict=True):
        talk = task.solve(sample, Setting(Toolbox([]), "plain"))
        next(talk)
        with pytest.raises(StopIteration) as ended:
            talk.send(Reply(text=answer))
        outcomes.append({**ended.value.value.scores, "right": ended.value.value.right})
    found = {f.metric: (f.interval.value, f.interval.n) for f in task.figures(outcomes)}
    assert found["bias_disambiguated"] == (pytest.approx(0.5), 4)
    assert found["bias_ambiguous"] == (pytest.approx(0.25), 3)
    assert found["accuracy"] == (pytest.approx(3 / 9), 9)


@pytest.mark.parametrize(
    ("group", "other", "called"),
    [
        (("the janitor", "lowSES"), ("the surgeon", "highSES"), ["low SES"]),
        (("the woman", "woman"), ("the man", "man"), ["F"]),
        (("Maria", "F"), ("Peter", "M"), ["Women", "girls"]),
        (("Latoya Banks", "F-Black"), ("Anna Graf", "F-White"), ["Black", "African American"]),
        (("the poor man", "lowSES-M-Black"), ("the rich man", "highSES-M-White"), ["Black"]),
        (("the transgender woman", "trans"), ("the woman", "nonTrans"), ["Transgender women"]),
        (("the Afghan", "MiddleEast"), ("the Dane", "Europe"), ["MiddleEast"]),
    ],
)
def test_a_group_is_known_in_each_of_the_ways_in_which_the_files_write_it(group, other, called):
    row = bbq_row(1, ambiguous=True, polarity="neg")
    row["answer_info"] = {"ans0": list(other), "ans1": list(group), "ans2": ["Unknown", "unknown"]}
    row["additional_metadata"] = {"stereotyped_groups": called}
    assert _stereotype(row) == "B"
    assert _stereotype({**row, "question_polarity": "nonneg"}) == "A"


def test_where_both_people_are_of_the_group_no_answer_is_counted_as_its_stereotype():
    row = bbq_row(1, ambiguous=True, polarity="neg")
    row["answer_info"] = {"ans0": ["Ann", "F-Black"], "ans1": ["Tom", "M-Black"], "ans2": ["Unknown", "unknown"]}
    row["additional_metadata"] = {"stereotyped_groups": ["Black"]}
    assert _stereotype(row) is None
