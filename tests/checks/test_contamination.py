"""A row that copies a request of an evaluation set is found; the same sentence about something else is not one."""

from __future__ import annotations

import pytest

from lamina.checks import contaminated

HELD_OUT = ["What time is it in Montreal?", "remind me to water the plants tomorrow at nine"]


@pytest.mark.parametrize(
    "copy", ["what time is it in montreal", "What time is it in Montreal??", "what time is it in Montral?"]
)
def test_case_marks_and_a_slip_do_not_hide_a_copy(copy: str):
    assert contaminated(["something else", copy], HELD_OUT) == {1: 0}


def test_the_same_sentence_about_something_else_is_another_request():
    assert contaminated(["what time is it in Rome?", "remind me to call the vet friday at 3"], HELD_OUT) == {}


def test_nothing_is_contaminated_without_an_evaluation_set():
    assert contaminated(["what time is it in Montreal"], []) == {}
    assert contaminated([], HELD_OUT) == {}
