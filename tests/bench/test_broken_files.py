"""A benchmark's file with a fault in it is one line with the file, the line and the mend, whatever the fault."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lamina.bench.tasks import open_task
from lamina.errors import InputError

QUESTION = {"question": "1+1?", "answer": "two #### 2"}
MMLU = "question,A,B,C,D,answer,subject\n"
BBQ = {
    "example_id": 1, "category": "Age", "context": "A and B met.", "question": "Who?", "ans0": "A", "ans1": "B",
    "ans2": "Nobody knows", "label": 0, "context_condition": "ambig", "question_polarity": "neg",
    "answer_info": {f"ans{i}": ["x", "old" if i else "unknown"] for i in range(3)},
    "additional_metadata": {"stereotyped_groups": ["old"]},
}  # fmt: skip


def lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


FILES = {
    "gsm8k": "gsm8k/test.jsonl",
    "xquad": "xquad-en/xquad.en.json",
    "mmlu": "mmlu/test_sample.csv",
    "bbq:Age": "bbq/Age.jsonl",
    "halueval": "halueval/general_data.jsonl",
    "advglue:sst2": "advglue/dev.json",
    "advglue": "advglue/dev.json",
    "hotpotqa": "mobileaibench/hotpot_qa.csv",
    "dolly": "mobileaibench/databricks_dolly_15k.csv",
    "sql": "mobileaibench/sql_create_context.csv",
    "truthfulqa:mc1": "truthfulqa/TruthfulQA.csv",
    "confaide:tier_1": "confaide/tier_1.txt",
    "mt_bench": "mt-bench/question.jsonl",
    "xsum": "xsum/test.csv",
}
FAULTS: dict[str, tuple[str, bytes, str]] = {
    "a key is missing": ("gsm8k", lines(QUESTION, {"question": "1?"}), r"test\.jsonl:2: has no 'answer'"),
    "a value is of another type": ("gsm8k", lines(QUESTION, QUESTION | {"answer": 2}), ":2: is not of"),
    "a row is a list": ("gsm8k", b"[1, 2]\n[3, 4]\n", ":1: is not of the published form"),
    "a question is null": ("gsm8k", lines(QUESTION | {"question": None}), ":1: has no text to ask"),
    "an answer is no number": ("gsm8k", lines(QUESTION | {"answer": "x"}), "which is no number"),
    "an array has no lines": ("gsm8k", json.dumps([QUESTION, {}]).encode(), "row 2 has no 'answer'"),
    "the file is empty": ("gsm8k", b"", r"test\.jsonl: holds no question of the task 'gsm8k'"),
    "a line is cut": ("gsm8k", lines(QUESTION) + b'{"question": "1', ":2: is not JSON: Unterminated"),
    "a document is cut": ("xquad", b'{"data": [\n{"paragraphs":\n', ":3: is not JSON: Expecting"),
    "an object is a list": ("xquad", b"[1, 2]", "is not one JSON object"),
    "a context is null": (
        "xquad",
        b'{"data": [{"paragraphs": [{"context": null, "qas": [{"question": "?", "answers": []}]}]}]}',
        "has no text 'context'",
    ),
    "bytes are no UTF-8": ("mmlu", (MMLU + "q,a,b,c,d,A,x\ncafé,a,b,c,d,A,x\n").encode("latin-1"),
                           r"test_sample\.csv:3: is not UTF-8; save the file as UTF-8"),
    "a column is missing": ("mmlu", b"question,A,B,C,D,subject\nq,a,b,c,d,x\n", ":2: has no 'answer'"),
    "a field is missing": ("mmlu", (MMLU + "q,a,b,c,d,A\n").encode(), ":2: has another number of"),
    "a quote is open": ("mmlu", (MMLU + 'q,a,b,c,d,A,x\n"q,a,b\nc,d,A,x\n').encode(), ":3: is not CSV"),
    "a field has lines": ("mmlu", (MMLU + '"q\nq",a,b,c,d,A,x\nq,a,b,c,d,E,x\n').encode(),
                          ":4: has the right answer 'E', which is none of A, B, C, D"),
    "a label is too large": ("bbq:Age", lines(BBQ, BBQ | {"label": 7}), r"Age\.jsonl:2: has the right answer"),
    "an inner key is missing": ("bbq:Age", lines(BBQ | {"additional_metadata": {}}), "has no 'stereotyped"),
    "an option is null": ("bbq:Age", lines(BBQ | {"ans1": None}), ":1: has no text 'ans1'"),
    "a label is no word": ("halueval", lines({"user_query": "a", "chatgpt_response": "b", "hallucination": "maybe"}),
                           "says 'maybe', which is none of yes, no"),
    "a number is out of the labels": ("advglue:sst2", json.dumps(
        {"sst2": [{"idx": 0, "sentence": "good", "label": 9}]}).encode(), "is not of the published form"),
    "a dictionary is a list": ("advglue", b'{"sst2": [["a"]]}', "is not of the published form"),
    "a context column is missing": ("hotpotqa", b"id,question,answer\n1,q,a\n", "no 'context'"),
    "a response is missing": ("dolly", b"instruction,context\ni,c\n", "no 'response'"),
    "a table is missing": ("sql", b"question,answer\nq,SELECT 1\n", "no 'context'"),
    "a best answer is missing": ("truthfulqa:mc1", b"Question,Best Answer\nq,a\n", ":2: has no"),
    "ratings are no UTF-8": ("confaide:tier_1", b"caf\xe9\n", r"tier_1\.txt:1: is not UTF-8"),
    "turns are missing": ("mt_bench", lines({"question_id": 1, "turns": ["a"]}), ":1: has no question_id"),
    "a summary is missing": ("xsum", b"document,summary\nd,s\n,\n", ":3: has no text to ask"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_one_line_with_its_place(fault: str, tmp_path: Path):
    task, content, says = FAULTS[fault]
    file = tmp_path / FILES[task]
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    if task.startswith("confaide"):
        (tmp_path / "confaide/tier_1_labels.txt").write_text("1\n")
    with pytest.raises(InputError) as caught:
        open_task(task, data=tmp_path).samples()
    told = str(caught.value)
    assert re.search(says, told), told
    assert file.name in told
    assert "\n" not in told
    assert "; " in told


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"caf\xe9\n", ":1: is not UTF-8"),
        (b"", "holds no question"),
        (lines({"id": "a", "question": [], "function": []}), ":1: is not of the published form"),
        (lines({"id": "a", "question": [[{"role": "user", "content": 5}]], "function": []}), ":1: has no text to ask"),
        (lines({"id": "a", "question": [[{"role": "user", "content": "x"}]], "function": [5]}), ":1: is not of the"),
    ],
)
def test_a_fault_in_bfcls_rows_is_told_too(content: bytes, says: str, tmp_path: Path):
    file = tmp_path / "BFCL_v4_irrelevance.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=rf"{file.name}(: )?{says}.*; "):
        open_task("bfcl:irrelevance", data=tmp_path).samples()


def test_an_id_that_a_file_has_twice_is_two_samples(tmp_path: Path):
    (tmp_path / "mobileaibench").mkdir()
    (tmp_path / "mobileaibench/hotpot_qa.csv").write_text("id,context,question,answer\nx,c,q,a\nx,c,r,b\n")
    assert [s.id for s in open_task("hotpotqa", data=tmp_path).samples()] == ["x", "x#2"]
