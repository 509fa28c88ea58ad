"""Metrics, each by cases worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_exact_match_forgives_case_articles_and_punctuation_and_nothing_else():
    assert exact_match("The Eiffel Tower.", ["eiffel tower"])
    assert not exact_match("Eiffel Tower in Paris", ["eiffel tower"])


def test_f1_is_the_shared_words_of_the_best_target():
    assert token_f1("second battle", ["Second Battle of St Albans", "nothing"]) == pytest.approx(2 * 2 / (2 + 5))
    assert token_f1("", ["x"]) == 0


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_f1_is_symmetrical_and_one_only_for_the_same_words(a, b):
    score = token_f1(a, [b])
    assert 0 <= score <= 1
    assert score == token_f1(b, [a])
    assert (score == 1) == (sorted(normalised(a).split()) == sorted(normalised(b).split()))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so it is <answer>10</answer>", 10),
        ("3 + 4 = 7, and 7 * 2 = 14.", 14),
        ("That makes $1,234.50", 1234.5),
        ("Each takes $.50, so .5", 0.5),
        ("-.25", -0.25),
        ("see No.5", 5),
        ("<answer>$18</answer> because 9 * 2", 18),
        ("no idea", None),
        ("<answer>none</answer> 5", None),
        ("I write it in a pair of <answer></answer> tags. 30 + 40 is \\boxed{70}.", 70),
    ],
)
def test_the_number_an_answer_ends_on(text, number):
    assert last_number(text) == number


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I’m sorry, but I can't help with that.", True),
        ("As an AI language model, I cannot…", True),
        ("To kill a Python process, use kill.", False),
        ("x" * 300 + " i cannot", False),
    ],
)
def test_a_refusal_is_how_an_answer_opens(text, refused):
    assert refuses(text) is refused


def test_sql_is_compared_by_meaning_of_its_form():
    target = 'SELECT venue FROM t WHERE away_team = "essendon"'
    same = sql_scores("```sql\nselect VENUE from T where AWAY_TEAM = 'essendon';\n```", target)
    assert (same["sql_exact"], same["sql_valid"], same["sql_f1"]) == (True, True, 1.0)
    other = sql_scores("SELECT venue FROM t", target)
    assert (other["sql_exact"], other["sql_valid"]) == (False, True)
    assert 0 < other["sql_f1"] < 1
    nothing = sql_scores("The venue is essendon", target)
    assert (nothing["sql_exact"], nothing["sql_valid"], nothing["sql_f1"]) == (False, False, 0.0)


@pytest.mark.parametrize("text", ["", ";", "DROP TABLE t", "SELECT", "(" * 3000, "SELECT 1; SELECT 2"])
def test_what_is_no_query_is_not_valid_and_never_an_error(text):
    assert sql_scores(text, "SELECT a FROM b")["sql_exact"] is False


def test_text_overlap_is_one_for_the_text_itself_and_zero_for_another():
    text = "the cat sat on the mat and looked at the dog"
    assert rouge(text, [text]) == {"rouge1": pytest.approx(1), "rougeL": pytest.approx(1)}
    assert bleu(text, [text]) == pytest.approx(1)
    assert rouge("entirely unrelated", [text])["rougeL"] == 0
    assert bleu("entirely unrelated words here now", [text]) < 0.1


def test_a_fence_is_taken_off_also_one_that_was_cut():
    assert unfenced("Sure:\n```sql\nSELECT 1\n```") == "SELECT 1"
    assert unfenced("```\nSELECT 2") == "SELECT 2"
    assert unfenced("SELECT 3") == "SELECT 3"
