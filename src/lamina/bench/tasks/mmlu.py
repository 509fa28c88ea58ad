"""``mmlu``: multiple choice over 57 subjects (Hendrycks et al. 2021, arXiv 2009.03300; MIT), zero-shot, one letter.

The letter is constrained, so the answer is the likeliest letter, as in the likelihood scoring of evaluation harnesses
where letters are one token. ``mmlu:SUBJECT`` takes one subject.

``mmlu:5-shot`` is the published way: without a chat template, after the subject's five questions with answers of
``dev.csv`` (section 4 of the paper and its code's prompt). What a subject's questions begin with is read once where the
model says likelihoods. ``mmlu:5-shot:SUBJECT`` takes one subject.

The files as published (``mmlu/test/SUBJECT_test.csv`` and ``mmlu/dev/SUBJECT_dev.csv``, without a line of names), or
all subjects in one file with names (``mmlu/test_sample.csv``, ``mmlu/dev.csv``), which goes before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file, csv_rows, place
from lamina.bench.tasks.written import PICK, Written, picked, with_options
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "mmlu[:5-shot][:SUBJECT], multiple choice over 57 subjects, zero-shot or as published; accuracy"
VERSION = 2
FILE = "mmlu/test_sample.csv"
EXAMPLES = "mmlu/dev.csv"
SHOTS = "5-shot"
COLUMNS = ("question", *"ABCD", "answer")


def open_task(argument: str, data: str | Path | None = None) -> Written:
    name = f"mmlu:{argument}" if argument else "mmlu"
    shots = argument.split(":")[0] == SHOTS
    subject = argument.removeprefix(SHOTS).removeprefix(":") if shots else argument

    def read() -> Iterator[JSON]:
        before = _before(_rows_of(data, EXAMPLES, "dev", name)) if shots else {}
        found = False
        for number, row in enumerate(_rows_of(data, FILE, "test", name), 1):
            if subject in ("", row["subject"]):
                found = True
                asked = _after_examples(row, before) if shots else _zero_shot(row)
                yield {"id": f"{row['subject']}-{number}", "options": 4, "target": row["answer"], **asked}
        if not found:
            mend = "leave it out for all of them"
            raise InputError(f"there is no subject {subject!r}", file=place().file, mend=mend)

    return Written(name, read, picked, "accuracy")


def _rows_of(data: str | Path | None, file: str, part: str, name: str) -> Iterator[dict[str, str]]:
    """Rows with their ``subject``: of the one file where it is there, else of the published ones of ``part``."""
    folder = Path(data or "") / "mmlu" / part
    published = sorted(folder.glob(f"*_{part}.csv")) if data is not None and not (Path(data) / file).is_file() else []
    if not published:
        yield from csv_rows(benchmark_file(data, file, name))
    for one in published:
        subject = one.stem.removesuffix(f"_{part}")
        yield from ({**row, "subject": subject} for row in csv_rows(one, COLUMNS))


def _zero_shot(row: Mapping[str, str]) -> JSON:
    return {"system": PICK, "prompt": with_options(row["question"], [row[letter] for letter in "ABCD"])}


def _after_examples(row: Mapping[str, str], before: Mapping[str, str]) -> JSON:
    if row["subject"] not in before:
        mend = f"add its questions to {EXAMPLES}, or take mmlu without {SHOTS}"
        raise InputError(f"the subject {row['subject']!r} has no examples", mend=mend)
    return {"raw": True, "prompt": before[row["subject"]] + _question(row)}


def _question(row: Mapping[str, str]) -> str:
    options = "".join(f"\n{letter}. {row[letter]}" for letter in "ABCD")
    return f"{row['question']}{options}\nAnswer:"


def _before(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """What stands before every question of a subject."""
    shown: dict[str, str] = {}
    taken: dict[str, int] = defaultdict(int)
    for row in rows:
        subject = row["subject"]
        taken[subject] += 1
        if taken[subject] > int(SHOTS[0]):
            continue
        about = subject.replace("_", " ")
        head = f"The following are multiple choice questions (with answers) about {about}.\n\n"
        shown[subject] = shown.get(subject, head) + f"{_question(row)} {row['answer']}\n\n"
    return shown
