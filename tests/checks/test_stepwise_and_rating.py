"""A model judges steps and rates thoughts; one near chance is not used; what it fails is rejected with its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lamina.checks import Rejection, labelled_rows
from lamina.checks.rating import has_thoughts, measure_rating_agreement, rate_records
from lamina.checks.stepwise import has_steps, judge_steps, measure_step_agreement
from lamina.data import Checker
from lamina.data.model_checks import Judge, Rater
from lamina.models import Reply
from lamina.trajectories import Check, Message, Trajectory
from lamina.trajectories.trajectory import ToolCall

PASS = '{"thought": "fine", "pass": true, "rule": "none"}'
FAIL = '{"thought": "not said", "pass": false, "rule": "arguments"}'


class Says:
    """A model whose answer is a function of the question."""

    ref = "says"

    def __init__(self, answer: Callable[[str], str]):
        self.answer, self.questions = answer, []

    def generate(self, requests, on_reply=None):
        asked = [request.messages[-1].content for request in requests]
        self.questions += asked
        return [Reply(self.answer(question)) for question in asked]

    def close(self):
        pass


@pytest.mark.parametrize("material", ["steps", "thoughts"])
def test_the_labelled_rows_are_thirty_half_of_them_wrong(material: str):
    rows = labelled_rows(material)
    labels = [(r.meta.model_extra or {})["label"] for r in rows]
    assert (len(rows), labels.count("wrong")) == (30, 15)
    verdicts = Checker(skip=["grounding", "reasoning"]).check_many(rows)
    assert [v.rejection for v in verdicts] == [None] * 30
    assert all(map(has_thoughts, rows)) or material == "steps"


def knows(material: str, right: str, wrong: str) -> Says:
    """Answers every labelled row as its label says."""
    probe = Says(lambda question: right)
    measure = measure_step_agreement if material == "steps" else measure_rating_agreement
    measure(probe)
    labels = [(r.meta.model_extra or {})["label"] for r in labelled_rows(material)]
    known = dict(zip(probe.questions, labels, strict=True))
    return Says(lambda question: wrong if known.get(question) == "wrong" or "WRONG" in question else right)


def dialogue(city: str = "Oslo", thought: str = "") -> Trajectory:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "sky", "description": "The sky.", "parameters": parameters}}
    return Trajectory(
        id="d",
        tools=[tool],
        messages=[
            Message(role="user", content=f"the sky in {city}?"),
            Message(role="assistant", content=thought, tool_calls=[ToolCall.of("sky", {"city": city})]),
            Message(role="tool", name="sky", content="clear"),
            Message(role="assistant", content="Clear."),
            Message(role="user", content="and in Rome?"),
            Message(role="assistant", tool_calls=[ToolCall.of("sky", {"city": "Rome"})]),
        ],
    )


def test_every_step_is_shown_with_what_stands_before_it_and_nothing_after():
    model = Says(lambda question: PASS)
    (verdict,) = judge_steps([dialogue()], model, [dialogue().toolbox()])
    first, second = model.questions
    assert "User: the sky in Oslo?" in first
    assert "Rome" not in first
    assert "Result: clear" in second
    assert 'Assistant calls sky({"city": "Rome"})' in second
    assert isinstance(verdict.outcome, Check)
    assert verdict.detail.startswith("2 steps pass")


def test_the_first_step_that_fails_fails_the_record_and_is_named():
    model = Says(lambda question: FAIL if 'The next step:\nAssistant calls sky({"city": "Rome"})' in question else PASS)
    (opinion,) = judge_steps([dialogue()], model, [dialogue().toolbox()])
    verdict = opinion.outcome
    assert isinstance(verdict, Rejection)
    assert (verdict.reason.value, verdict.detail) == ("judged-wrong", "message 5: arguments: not said")


def test_records_of_several_steps_are_judged_step_by_step_and_the_others_as_a_whole():
    assert has_steps(dialogue())
    whole = dialogue().model_copy(update={"messages": dialogue().messages[:4]})
    assert not has_steps(whole)
    judge = Judge(knows("steps", PASS, FAIL))
    good, bad = Checker(models=[judge], skip=["grounding"]).check_many([dialogue(), dialogue("WRONG")])
    assert good.rejection is None
    assert bad.rejection is not None
    assert set(judge.agreements) == {"steps"}
    assert judge.agreements["steps"].agreed == 30


def test_a_step_judge_near_chance_judges_nothing():
    judge = Judge(Says(lambda question: PASS))
    (verdict,) = Checker(models=[judge], skip=["grounding"]).check_many([dialogue("WRONG")])
    (check,) = [c for c in verdict.record.meta.checks if c.name == "judge"]
    assert check.verdict == "unjudged"
    assert "15 of 30 labelled steps: near chance" in check.detail


GOOD, POOR = '{"reason": "leads there", "rating": 5}', '{"reason": "off the topic", "rating": 1}'


def test_poor_thoughts_are_rejected_and_records_without_any_are_not_rated():
    rater = Rater(knows("thoughts", GOOD, POOR))
    thoughtful, poor, silent = Checker(models=[rater], skip=["grounding"]).check_many(
        [dialogue(thought="The city is Oslo."), dialogue(thought="WRONG, whatever"), dialogue()]
    )
    assert thoughtful.rejection is None
    assert poor.rejection is not None
    assert (poor.rejection.stage, poor.rejection.reason.value) == ("rating", "poor-reasoning")
    (check,) = [c for c in silent.record.meta.checks if c.name == "rating"]
    assert check.verdict == "unjudged"


@pytest.mark.parametrize(
    "answer",
    [
        "[" * 3000,
        '{"rating": 5}',
        '{"reason": "", "rating": 1, "rating": 5}',
        "",
        "5",
        '{"rating": 9, "reason": ""}',
        '{"rating": true, "reason": ""}',
        '{"rating',
    ],
)
def test_an_answer_that_is_no_rating_never_passes(answer: str):
    (verdict,) = rate_records([dialogue(thought="The city is Oslo.")], Says(lambda question: answer))
    assert isinstance(verdict, Rejection)
    assert verdict.reason.value == "judgement-unreadable"
