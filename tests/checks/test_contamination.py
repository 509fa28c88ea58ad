"""A row that copies a request of an evaluation set is found; the same sentence about something else is not one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from lamina.checks import contaminated, contamination
from lamina.checks.contamination import contaminated_rows, requests_in
from lamina.data.checking import Checker
from lamina.data.sources import requests_of
from lamina.synth.chatter import with_chatter
from lamina.tools import Toolbox
from lamina.trajectories import Message, Meta, Trajectory

WORDS = ["what", "time", "is", "it", "in", "rome", "oslo", "lima", "call", "ana", "at", "nine"]
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


ASKED = "What is the area of a triangle with a base of 10 and a height of 5?"


def chatted(seed: int) -> Trajectory:
    said = with_chatter(ASKED, [], Toolbox([]), random.Random(seed))
    messages = [Message(role="user", content=said), Message(role="assistant", content="I cannot do that.")]
    return Trajectory(id=f"r{seed}", tools=[], messages=messages, meta=Meta(clean=ASKED))


def test_chatter_around_a_copied_request_does_not_hide_it():
    rows = [chatted(seed) for seed in range(60)]
    hidden = [row for row in rows if not contaminated([row.request], [ASKED])]
    assert hidden, "as it stands it is another request"
    assert contaminated_rows([requests_in(row) for row in rows], ["another", ASKED]) == dict.fromkeys(range(60), 1)


def test_a_check_of_data_finds_a_copy_with_chatter_around_it():
    row = next(row for row in map(chatted, range(60)) if not contaminated([row.request], [ASKED]))
    skip = ("order", "format", "steps", "reasoning", "results", "grounding")
    (found,) = Checker(skip=skip, held_out={ASKED: "queries.jsonl q-1"}).check_many([row])
    assert found.rejection is not None
    assert found.rejection.detail == f"a copy of queries.jsonl q-1: {ASKED}"


def test_what_is_asked_later_in_a_conversation_is_a_copy_too():
    said = ["Is it Monday?", "Yes, please.", ASKED]
    turns = [(Message(role="user", content=text), Message(role="assistant", content="So.")) for text in said]
    row = Trajectory(id="r", tools=[], messages=[one for turn in turns for one in turn], meta=Meta())
    assert requests_in(row) == [said[0], ASKED]
    assert contaminated_rows([requests_in(row)], ["yes please", ASKED]) == {0: 1}


def test_later_turns_of_an_evaluation_set_are_held_out_too(tmp_path: Path):
    question = [[{"role": "user", "content": "List the files."}], [{"role": "user", "content": ASKED}]]
    function = {"name": "ls", "description": "Lists.", "parameters": {"type": "dict", "properties": {}}}
    row = {"id": "multi_turn_base_0", "question": question, "function": [function]}
    (tmp_path / "BFCL_v4_multi_turn_base.json").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert list(requests_of([tmp_path / "BFCL_v4_multi_turn_base.json"])) == ["List the files.", ASKED]


def test_in_blocks_the_answers_are_the_same(monkeypatch: pytest.MonkeyPatch):
    rng = random.Random(0)
    held_out = [" ".join(rng.choices(WORDS, k=8)) for _ in range(40)]
    requests = [" ".join(rng.choices(WORDS, k=8)) for _ in range(60)]
    requests[3], requests[31], requests[59] = held_out[5], held_out[7].upper(), held_out[0] + "!"
    at_once = contaminated(requests, held_out)
    assert {3: 5, 31: 7, 59: 0}.items() <= at_once.items()
    monkeypatch.setattr(contamination, "CELLS", 100)
    assert contaminated(requests, held_out) == at_once
    monkeypatch.setattr(contamination, "CELLS", 1)
    assert contaminated(requests, held_out) == at_once


MEASURED = """
import re
from pathlib import Path
from lamina.checks import contaminated

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

held_out = [f"evaluate sample {n} of the held out set" for n in range(2_000)]
rows = [f"{'xyz'[n % 3] * 30} {n}" for n in range(20_000)]
contaminated(rows[:1], held_out)
before = peak()
assert contaminated([*rows, held_out[7]], held_out) == {20_000: 7}
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel's own peak is Linux's")
def test_memory_does_not_grow_with_rows_times_held_out_requests():
    """A matrix of them all is 160 MB here, and 0.9 GB for 100,000 rows against BFCL."""
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 40_000, "KB"
